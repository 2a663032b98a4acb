//! Schedulers: what the learning rate and the momentum of each group are after each tick.

use super::warmup::Warmup;
use crate::quantity::Span;
use crate::saved::{self, Saved};
use crate::{Better, Error, Plug, Result, Slot, config};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::any::Any;
use std::collections::BTreeMap;

/// The rates of one parameter group; schedulers read and set them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct GroupRates {
    /// Learning rate.
    pub lr: f64,
    /// What a momentum cycle changes: SGD's momentum, Adam's first beta. None where the optimizer has none.
    pub momentum: Option<f64>,
    /// The learning rate with which the group began; a scheduler that brings its own base (OneCycleLR) sets it.
    pub initial_lr: f64,
}

/// How often a slot's scheduler ticks.
#[config]
#[derive(Default)]
pub enum Every {
    /// At the end of each epoch, after validation.
    #[default]
    Epoch,
    /// After each optimizer step.
    Step,
}

/// What is known of a run before it starts.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Optimizer steps in an epoch.
    pub steps_per_epoch: u64,
    /// Optimizer steps in the whole run; none if it has no end.
    pub total_steps: Option<u64>,
    /// How often the slot ticks.
    pub every: Every,
    /// The groups' rates at the start.
    pub base: Vec<GroupRates>,
    /// Which metrics are better when higher, by their full names; losses are not among them.
    pub better: BTreeMap<String, Better>,
    /// What a scheduler should know that does not have the run for itself.
    pub part: Option<Part>,
}

/// The place of a scheduler that shares a run with others, or with a warm-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Ticks of the run that are its own; none if they have no end.
    pub ticks: Option<u64>,
    /// Whether another scheduler has started on the same groups before.
    pub after_another: bool,
}

impl Plan {
    /// A stretch of training in ticks of the slot, for the parameter `of` of a scheduler.
    ///
    /// # Errors
    /// It is a share of a run without an end.
    pub fn count(&self, of: &str, span: Span) -> Result<u64> {
        self.ticks(span).ok_or_else(|| {
            Error::new("PL0160", format!("`{of} = \"{span}\"` is a share of the run, and this run has no end"))
                .hint("give `[trainer]` a `max_epochs` or `max_steps`, or write a number of ticks, steps or epochs")
        })
    }

    /// Ticks that a scheduler will have: those of the run, or of its part of it.
    pub fn own_ticks(&self) -> Option<u64> {
        self.part.map_or_else(|| self.total_ticks(), |part| part.ticks)
    }

    /// The plan of one of several schedulers.
    #[must_use]
    pub fn for_part(&self, part: Part) -> Self {
        Self { part: Some(part), ..self.clone() }
    }

    /// A stretch of training in ticks of the slot; per cent of an endless run are none.
    pub fn ticks(&self, span: Span) -> Option<u64> {
        let per_tick = match self.every {
            Every::Epoch => self.steps_per_epoch.max(1) as f64,
            Every::Step => 1.0,
        };
        let steps = match span {
            Span::Ticks(n) => return Some(n),
            Span::Steps(n) => n as f64,
            Span::Epochs(n) => n * self.steps_per_epoch as f64,
            Span::Percent(p) => self.total_steps? as f64 * p / 100.0,
        };
        Some((steps / per_tick).round() as u64)
    }

    /// Ticks of the slot in the whole run.
    pub fn total_ticks(&self) -> Option<u64> {
        let steps = self.total_steps?;
        Some(match self.every {
            Every::Epoch => steps.div_ceil(self.steps_per_epoch.max(1)),
            Every::Step => steps,
        })
    }
}

/// A moment at which a scheduler may change the rates: an optimizer step really taken, or the end of an epoch.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tick {
    /// How many ticks the scheduler has had, this one included: 1 at the first. A warm-up has none, and in a sequence
    /// they count from the scheduler's turn.
    pub count: u64,
    /// Optimizer steps taken so far in the run.
    pub step: u64,
    /// The epoch, counted from 0.
    pub epoch: u32,
    /// Whether the epoch ends here.
    pub epoch_end: bool,
    /// What was measured since the last tick, by full names (`val_loss`).
    pub metrics: BTreeMap<String, f64>,
}

/// Sets the rates of all groups. The struct holds parameters only; what changes is its `State`.
pub trait Scheduler: std::fmt::Debug + Send + Sync + 'static {
    /// What is remembered between ticks.
    type State: Serialize + DeserializeOwned + Send + 'static;

    /// The state before the first step; may set the rates with which training begins.
    ///
    /// # Errors
    /// It cannot work with such a plan or such groups (a momentum cycle over an optimizer without momentum).
    fn start(&self, plan: &Plan, now: &mut [GroupRates]) -> Result<Self::State>;

    /// Sets the rates after a tick.
    ///
    /// # Errors
    /// It has come to its end (more ticks than a cycle was made for).
    fn rate(&self, state: &mut Self::State, tick: &Tick, now: &mut [GroupRates]) -> Result<()>;

    /// Metrics that it watches, by their full names.
    fn monitors(&self) -> Vec<String> {
        Vec::new()
    }

    /// Whether in a sequence it goes on from the rates that it finds (SWALR), and does not begin as it would begin
    /// training.
    fn goes_on(&self) -> bool {
        false
    }
}

/// [`Scheduler`] with its state behind [`Any`]: what a slot holds.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is called a scheduler, and does not implement `Scheduler`",
    label = "write `impl Scheduler for {Self}`"
)]
pub trait DynScheduler: std::fmt::Debug + Send + Sync + 'static {
    /// See [`Scheduler::start`].
    fn start(&self, plan: &Plan, now: &mut [GroupRates]) -> Result<Box<dyn Any + Send>>;
    /// See [`Scheduler::rate`].
    fn rate(&self, state: &mut dyn Any, tick: &Tick, now: &mut [GroupRates]) -> Result<()>;
    /// See [`Scheduler::monitors`].
    fn monitors(&self) -> Vec<String>;
    /// See [`Scheduler::goes_on`].
    fn goes_on(&self) -> bool {
        false
    }
    /// The state as data.
    fn save(&self, state: &dyn Any) -> Result<Saved>;
    /// The state from data.
    fn restore(&self, saved: &Saved) -> Result<Box<dyn Any + Send>>;
}

impl<T: Scheduler> DynScheduler for T {
    fn start(&self, plan: &Plan, now: &mut [GroupRates]) -> Result<Box<dyn Any + Send>> {
        Ok(Box::new(Scheduler::start(self, plan, now)?))
    }
    fn rate(&self, state: &mut dyn Any, tick: &Tick, now: &mut [GroupRates]) -> Result<()> {
        // A state of another scheduler cannot get here: `start` and `restore` make the only ones.
        match state.downcast_mut() {
            Some(state) => Scheduler::rate(self, state, tick, now),
            None => Ok(()),
        }
    }
    fn monitors(&self) -> Vec<String> {
        Scheduler::monitors(self)
    }
    fn goes_on(&self) -> bool {
        Scheduler::goes_on(self)
    }
    fn save(&self, state: &dyn Any) -> Result<Saved> {
        saved::save(saved::own::<T::State>(state)?)
    }
    fn restore(&self, saved: &Saved) -> Result<Box<dyn Any + Send>> {
        Ok(Box::new(saved::load::<T::State>(saved)?))
    }
}

/// A scheduler inside another (SequentialLR), with its state; composites save it as a part of theirs.
pub struct Running {
    plug: Plug<dyn DynScheduler>,
    state: Box<dyn Any + Send>,
}

impl Running {
    /// Starts a scheduler.
    ///
    /// # Errors
    /// See [`Scheduler::start`].
    pub fn start(plug: &Plug<dyn DynScheduler>, plan: &Plan, now: &mut [GroupRates]) -> Result<Self> {
        Ok(Self { plug: plug.clone(), state: plug.start(plan, now)? })
    }

    /// See [`Scheduler::rate`].
    ///
    /// # Errors
    /// See [`Scheduler::rate`].
    pub fn rate(&mut self, tick: &Tick, now: &mut [GroupRates]) -> Result<()> {
        self.plug.rate(&mut *self.state, tick, now)
    }

    /// The state as data.
    pub fn save(&self) -> Result<Saved> {
        self.plug.save(&*self.state)
    }

    /// A scheduler that goes on from a saved state.
    pub fn restore(plug: &Plug<dyn DynScheduler>, saved: &Saved) -> Result<Self> {
        Ok(Self { plug: plug.clone(), state: plug.restore(saved)? })
    }
}

/// Keys of a scheduler's slot.
#[config]
pub struct SchedulerSlot {
    /// How often it ticks: "epoch" or "step".
    #[config(default = Every::Epoch)]
    pub every: Every,
    /// A slow start before it: "500 steps", "5 epochs", "3%", or a table with `length`, `rule`, `start_factor`,
    /// `start_lr` and `every`.
    pub warmup: Option<Warmup>,
}

/// `[scheduler]`, or one inside another.
pub type SchedulerConfig = Slot<dyn DynScheduler, SchedulerSlot>;

crate::kind!(DynScheduler, "scheduler");
