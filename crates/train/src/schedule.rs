//! A running scheduler of a slot, with its count of ticks and what was measured since the last one.

use pleach_core::kinds::scheduler::{Every, SchedulerConfig};
use pleach_core::{GroupRates, Named, Plan, Result, Saved, Tick, saved, state};
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
}

/// What has just happened in the loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// An optimizer step was taken.
    Step,
    /// An epoch has ended.
    EpochEnd,
}

impl Schedule {
    /// Starts a scheduler, which may set the first rates.
    ///
    /// # Errors
    /// It cannot work with such a plan.
    pub fn start(config: &SchedulerConfig, plan: &Plan, rates: &mut [GroupRates]) -> Result<Self> {
        Ok(Self { config: config.clone(), state: config.plug.start(plan, rates)?, slot: SlotState::default() })
    }

    /// Learns what was measured. A scheduler hears of each measurement once, at its next tick: a value that
    /// stands for lack of a newer one must not look like another without improvement.
    pub fn learn(&mut self, metrics: &Named<f64>) {
        self.slot.measured.extend(metrics.iter().map(|(name, value)| (name.to_owned(), *value)));
    }

    /// Ticks if the slot ticks at such a moment.
    ///
    /// # Errors
    /// The scheduler has come to its end before the run.
    pub fn tick(&mut self, moment: Moment, step: u64, epoch: u32, rates: &mut [GroupRates]) -> Result<()> {
        let due = match self.config.slot.every {
            Every::Step => moment == Moment::Step,
            Every::Epoch => moment == Moment::EpochEnd,
        };
        if !due {
            return Ok(());
        }
        self.slot.ticks += 1;
        let metrics = std::mem::take(&mut self.slot.measured);
        let tick = Tick { count: self.slot.ticks, step, epoch, epoch_end: moment == Moment::EpochEnd, metrics };
        self.config.plug.rate(&mut *self.state, &tick, rates)
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
