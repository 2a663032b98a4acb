//! The scheduler of a slot while it runs, with its warm-up: for the trainer, and for all that replay a curve.

use super::scheduler::{Every, GroupRates, Plan, SchedulerConfig, Tick};
use super::warmup::{Warming, WarmupRule};
use crate::saved::{self, Saved};
use crate::{Named, Result, state};
use std::any::Any;
use std::collections::BTreeMap;

/// A scheduler while it runs.
pub struct Schedule {
    config: SchedulerConfig,
    state: Box<dyn Any + Send>,
    slot: SlotState,
}

/// What the slot remembers, beside the scheduler's own state.
#[state]
#[derive(Default)]
struct SlotState {
    ticks: u64,
    measured: BTreeMap<String, f64>,
    warming: Option<Warming>,
    /// The optimizer step at which a warm-up by steps ended.
    warm_at: Option<u64>,
}

/// What has just happened in the loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// An optimizer step was taken.
    Step,
    /// An epoch has ended.
    EpochEnd,
}

impl Moment {
    fn is(self, every: Every) -> bool {
        match every {
            Every::Step => self == Self::Step,
            Every::Epoch => self == Self::EpochEnd,
        }
    }
}

impl Schedule {
    /// Starts a scheduler and its warm-up, which may set the first rates.
    ///
    /// # Errors
    /// It cannot work with such a plan.
    pub fn start(config: &SchedulerConfig, plan: &Plan, rates: &mut [GroupRates]) -> Result<Self> {
        let mut slot = SlotState::default();
        let state = match &config.slot.warmup {
            None => config.plug.start(plan, rates)?,
            Some(warmup) => {
                let length = warmup.length(plan)?;
                let state = config.plug.start(&warmup.rest(length, plan), rates)?;
                if length > 0 {
                    slot.warming = Some(Warming::start(warmup, length, rates));
                }
                state
            }
        };
        Ok(Self { config: config.clone(), state, slot })
    }

    /// Learns what was measured. A scheduler hears of each measurement once, at its next tick: a value that
    /// stands for lack of a newer one must not look like another without improvement.
    pub fn learn(&mut self, metrics: &Named<f64>) {
        self.slot.measured.extend(metrics.iter().map(|(name, value)| (name.to_owned(), *value)));
    }

    /// Ticks if the slot or its warm-up ticks at such a moment; `step` is the count of optimizer steps so far.
    ///
    /// # Errors
    /// The scheduler has come to its end before the run.
    pub fn tick(&mut self, moment: Moment, step: u64, epoch: u32, rates: &mut [GroupRates]) -> Result<()> {
        if moment.is(self.config.slot.every) {
            let metrics = std::mem::take(&mut self.slot.measured);
            if !self.stands_still(step) {
                self.slot.ticks += 1;
                let tick = Tick { count: self.slot.ticks, step, epoch, epoch_end: moment == Moment::EpochEnd, metrics };
                let rates = match &mut self.slot.warming {
                    Some(warming) => warming.hidden.as_mut_slice(),
                    None => &mut *rates,
                };
                self.config.plug.rate(&mut *self.state, &tick, rates)?;
            }
        }
        let every = self.config.slot.warmup.as_ref().map(|w| w.every(self.config.slot.every));
        if every.is_some_and(|every| moment.is(every)) && self.slot.warming.as_mut().is_some_and(|w| w.rise(rates)) {
            self.slot.warming = None;
            self.slot.warm_at = (moment == Moment::Step).then_some(step);
        }
        Ok(())
    }

    /// Whether a tick at this step is none for the scheduler. An epoch that ends where the warm-up ended holds no step
    /// of the scheduler's own.
    fn stands_still(&self, step: u64) -> bool {
        let rule = self.config.slot.warmup.as_ref().map(|w| w.0.rule);
        rule.is_some_and(|rule| rule != WarmupRule::Timm)
            && (self.slot.warming.is_some() || self.slot.warm_at.is_some_and(|warm_at| step <= warm_at))
    }

    /// The state as data.
    pub fn save(&self) -> Result<Saved> {
        saved::save(&(self.config.plug.save(&*self.state)?, &self.slot))
    }

    /// Goes on from a saved state.
    pub fn restore(&mut self, from: &Saved) -> Result<()> {
        let (state, slot): (Saved, SlotState) = saved::load(from)?;
        self.state = self.config.plug.restore(&state)?;
        self.slot = slot;
        Ok(())
    }
}
