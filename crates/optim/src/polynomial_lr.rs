//! The learning rate along a power of the time that is left.

use crate::tick_counts;
use pleach_core::quantity::Span;
use pleach_core::read::Rules;
use pleach_core::{GroupRates, Plan, Result, Scheduler, Tick, plugin, state};

/// Lets the learning rate fall to 0 within `total_iters` ticks: after t of N ticks it is `(1 - t/N)^power` times the
/// first one.
#[plugin(scheduler, cite = "https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.PolynomialLR.html", check = Self::check)]
pub struct PolynomialLR {
    /// Ticks until the rate is 0, or "500 steps", "3 epochs", "100%".
    #[plugin(default = Span::Ticks(5))]
    pub total_iters: Span,
    /// The power: 1 is a straight line, 0.9 is usual in segmentation.
    #[plugin(default = 1.0, range = 0.0..)]
    pub power: f64,
}

impl PolynomialLR {
    fn check(&self, rules: &mut Rules) {
        tick_counts::check(rules, "total_iters", self.total_iters);
    }
}

/// How far it is.
#[state]
pub struct PolynomialLRState {
    ticks: u64,
    total_iters: u64,
}

impl Scheduler for PolynomialLR {
    type State = PolynomialLRState;

    fn start(&self, plan: &Plan, _: &mut [GroupRates]) -> Result<PolynomialLRState> {
        let total_iters = tick_counts::ticks(plan, "total_iters", self.total_iters)?;
        Ok(PolynomialLRState { ticks: 0, total_iters })
    }

    fn rate(&self, state: &mut PolynomialLRState, _: &Tick, now: &mut [GroupRates]) -> Result<()> {
        state.ticks += 1;
        if state.ticks <= state.total_iters {
            // From the rate as it stands, so that others may change it in between.
            let left = |ticks: u64| 1.0 - ticks as f64 / state.total_iters as f64;
            let fall = (left(state.ticks) / left(state.ticks - 1)).powf(self.power);
            now.iter_mut().for_each(|g| g.lr *= fall);
        }
        Ok(())
    }
}
