//! The learning rate at a part of itself for some time.

use crate::tick_counts;
use pleach_core::quantity::Span;
use pleach_core::read::Rules;
use pleach_core::{GroupRates, Plan, Result, Scheduler, Tick, plugin, state};

/// Multiplies the learning rate by `factor` at the start, and takes that back after `total_iters` ticks.
#[plugin(scheduler, cite = "https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ConstantLR.html", check = Self::check)]
pub struct ConstantLR {
    /// What the rate is multiplied by until then; above 0.
    #[plugin(default = 1.0 / 3.0, range = 0.0..=1.0)]
    pub factor: f64,
    /// Ticks until the factor is taken back, or "500 steps", "3 epochs", "10%".
    #[plugin(default = Span::Ticks(5))]
    pub total_iters: Span,
}

impl ConstantLR {
    fn check(&self, rules: &mut Rules) {
        if self.factor <= 0.0 {
            rules.refuse("factor", "a rate of 0 has no way back: take a small number");
        }
        tick_counts::check(rules, "total_iters", self.total_iters);
    }
}

/// How far it is.
#[state]
pub struct ConstantLRState {
    ticks: u64,
    total_iters: u64,
}

impl Scheduler for ConstantLR {
    type State = ConstantLRState;

    fn start(&self, plan: &Plan, now: &mut [GroupRates]) -> Result<ConstantLRState> {
        let total_iters = tick_counts::ticks(plan, "total_iters", self.total_iters)?;
        now.iter_mut().for_each(|g| g.lr *= self.factor);
        Ok(ConstantLRState { ticks: 0, total_iters })
    }

    fn rate(&self, state: &mut ConstantLRState, _: &Tick, now: &mut [GroupRates]) -> Result<()> {
        state.ticks += 1;
        if state.ticks == state.total_iters {
            now.iter_mut().for_each(|g| g.lr *= 1.0 / self.factor);
        }
        Ok(())
    }
}
