//! The learning rate along a straight line: a warm-up, or a fade.

use crate::tick_counts;
use pleach_core::quantity::Span;
use pleach_core::read::Rules;
use pleach_core::{GroupRates, Plan, Result, Scheduler, Tick, plugin, state};

/// Moves the learning rate along a line, from `start_factor` to `end_factor` times itself within `total_iters` ticks.
#[plugin(scheduler, cite = "https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.LinearLR.html", check = Self::check)]
pub struct LinearLR {
    /// What the rate is multiplied by at first; above 0.
    #[plugin(default = 1.0 / 3.0, range = 0.0..=1.0)]
    pub start_factor: f64,
    /// What the rate is multiplied by at the end.
    #[plugin(default = 1.0, range = 0.0..=1.0)]
    pub end_factor: f64,
    /// Ticks from the first factor to the last, or "500 steps", "3 epochs", "10%".
    #[plugin(default = Span::Ticks(5))]
    pub total_iters: Span,
}

impl LinearLR {
    fn check(&self, rules: &mut Rules) {
        if self.start_factor <= 0.0 {
            rules.refuse("start_factor", "a rate that starts at 0 has no line to follow: take a small number");
        }
        tick_counts::check(rules, "total_iters", self.total_iters);
    }
}

/// How far it is.
#[state]
pub struct LinearLRState {
    ticks: u64,
    total_iters: u64,
}

impl Scheduler for LinearLR {
    type State = LinearLRState;

    fn start(&self, plan: &Plan, now: &mut [GroupRates]) -> Result<LinearLRState> {
        let total_iters = tick_counts::ticks(plan, "total_iters", self.total_iters)?;
        now.iter_mut().for_each(|g| g.lr *= self.start_factor);
        Ok(LinearLRState { ticks: 0, total_iters })
    }

    fn rate(&self, state: &mut LinearLRState, _: &Tick, now: &mut [GroupRates]) -> Result<()> {
        state.ticks += 1;
        if state.ticks > state.total_iters {
            return Ok(());
        }
        // From the rate as it stands, so that others may change it in between.
        let rise = self.end_factor - self.start_factor;
        let before = state.total_iters as f64 * self.start_factor + (state.ticks - 1) as f64 * rise;
        now.iter_mut().for_each(|g| g.lr *= 1.0 + rise / before);
        Ok(())
    }
}
