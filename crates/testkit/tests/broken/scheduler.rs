//! Schedulers that break a law.

use pleach_core::*;

pub const BREAKS: &[(&str, &[&str])] = &[
    ("Forgetful", &["saved at any tick"]),
    ("Diving", &["rates are finite", "ticks beyond the plan"]),
    ("Pushy", &["a group without momentum"]),
];

/// Halves the rate every third tick, and does not save how many there were.
#[plugin(scheduler)]
struct Forgetful {
    /// What the rate is multiplied by.
    #[plugin(default = 0.5, range = 0.0..=1.0)]
    gamma: f64,
}

#[state]
struct Count {
    #[serde(skip)]
    ticks: u64,
}

impl Scheduler for Forgetful {
    type State = Count;
    fn start(&self, _: &Plan, _: &mut [GroupRates]) -> Result<Count> {
        Ok(Count { ticks: 0 })
    }
    fn rate(&self, state: &mut Count, _: &Tick, now: &mut [GroupRates]) -> Result<()> {
        state.ticks += 1;
        if state.ticks.is_multiple_of(3) {
            now.iter_mut().for_each(|g| g.lr *= self.gamma);
        }
        Ok(())
    }
}

/// Lowers the rate by a fixed amount for ever.
#[plugin(scheduler)]
struct Diving {
    /// How much is taken away at each tick.
    #[plugin(default = 0.01)]
    amount: f64,
}

impl Scheduler for Diving {
    type State = ();
    fn start(&self, _: &Plan, _: &mut [GroupRates]) -> Result<()> {
        Ok(())
    }
    fn rate(&self, (): &mut (), _: &Tick, now: &mut [GroupRates]) -> Result<()> {
        now.iter_mut().for_each(|g| g.lr -= self.amount);
        Ok(())
    }
}

/// Gives every group a momentum, whether its optimizer has one or not.
#[plugin(scheduler)]
struct Pushy {}

impl Scheduler for Pushy {
    type State = ();
    fn start(&self, _: &Plan, now: &mut [GroupRates]) -> Result<()> {
        now.iter_mut().for_each(|g| g.momentum = Some(0.9));
        Ok(())
    }
    fn rate(&self, (): &mut (), _: &Tick, _: &mut [GroupRates]) -> Result<()> {
        Ok(())
    }
}
