//! The learning rate in steps.

use crate::tick_counts;
use pleach_core::quantity::Span;
use pleach_core::read::Rules;
use pleach_core::{GroupRates, Plan, Result, Scheduler, Tick, plugin, state};

/// Multiplies the learning rate by `gamma` once every `step_size` ticks.
#[plugin(scheduler, cite = "https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.StepLR.html", check = Self::check)]
pub struct StepLR {
    /// Ticks from one drop to the next, or "500 steps", "3 epochs", "10%".
    #[plugin(example = Span::Ticks(30))]
    pub step_size: Span,
    /// What the rate is multiplied by at each drop.
    #[plugin(default = 0.1, range = 0.0..)]
    pub gamma: f64,
}

impl StepLR {
    fn check(&self, rules: &mut Rules) {
        tick_counts::check(rules, "step_size", self.step_size);
    }
}

/// How far it is.
#[state]
pub struct StepLRState {
    ticks: u64,
    step_size: u64,
}

impl Scheduler for StepLR {
    type State = StepLRState;

    fn start(&self, plan: &Plan, _: &mut [GroupRates]) -> Result<StepLRState> {
        Ok(StepLRState { ticks: 0, step_size: tick_counts::ticks(plan, "step_size", self.step_size)? })
    }

    fn rate(&self, state: &mut StepLRState, _: &Tick, now: &mut [GroupRates]) -> Result<()> {
        state.ticks += 1;
        if state.ticks.is_multiple_of(state.step_size) {
            now.iter_mut().for_each(|g| g.lr *= self.gamma);
        }
        Ok(())
    }
}
