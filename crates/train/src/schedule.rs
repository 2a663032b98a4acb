//! A running scheduler of a slot, with its count of ticks.

use pleach_core::kinds::scheduler::{Every, SchedulerConfig};
use pleach_core::{GroupRates, Plan, Result, Saved, Tick};
use std::any::Any;
use std::collections::BTreeMap;

/// A scheduler while it runs.
pub struct Schedule {
    config: SchedulerConfig,
    state: Box<dyn Any + Send>,
    ticks: u64,
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
    pub fn start(config: &SchedulerConfig, plan: &Plan, rates: &mut [GroupRates]) -> Self {
        Self { config: config.clone(), state: config.plug.start(plan, rates), ticks: 0 }
    }

    /// Ticks if the slot ticks at such a moment.
    pub fn tick(
        &mut self,
        moment: Moment,
        step: u64,
        epoch: u32,
        metrics: &BTreeMap<String, f64>,
        rates: &mut [GroupRates],
    ) {
        let due = match self.config.slot.every {
            Every::Step => moment == Moment::Step,
            Every::Epoch => moment == Moment::EpochEnd,
        };
        if !due {
            return;
        }
        self.ticks += 1;
        let tick =
            Tick { count: self.ticks, step, epoch, epoch_end: moment == Moment::EpochEnd, metrics: metrics.clone() };
        self.config.plug.rate(&mut *self.state, &tick, rates);
    }

    /// The state and the count of ticks as data.
    pub fn save(&self) -> Result<(Saved, u64)> {
        Ok((self.config.plug.save(&*self.state)?, self.ticks))
    }

    /// Goes on from a saved state.
    pub fn restore(&mut self, saved: &Saved, ticks: u64) -> Result<()> {
        self.state = self.config.plug.restore(saved)?;
        self.ticks = ticks;
        Ok(())
    }
}
