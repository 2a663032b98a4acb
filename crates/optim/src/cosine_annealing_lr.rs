//! The learning rate along a cosine.
// `T_max` is the key that users of PyTorch know.
#![allow(non_snake_case)]

use crate::tick_counts;
use pleach_core::quantity::Span;
use pleach_core::read::Rules;
use pleach_core::{GroupRates, Plan, Result, Scheduler, Tick, plugin, state};
use std::f64::consts::PI;

/// Lets the learning rate fall along half a cosine to `eta_min` within `T_max` ticks, and rise again after that.
#[plugin(scheduler, cite = "arXiv:1608.03983", check = Self::check)]
pub struct CosineAnnealingLR {
    /// Ticks from the top of the cosine to its bottom, or "500 steps", "3 epochs", "100%".
    #[plugin(example = Span::Ticks(50))]
    pub T_max: Span,
    /// The rate at the bottom.
    #[plugin(default = 0.0, range = 0.0..)]
    pub eta_min: f64,
}

impl CosineAnnealingLR {
    fn check(&self, rules: &mut Rules) {
        tick_counts::check(rules, "T_max", self.T_max);
    }
}

/// How far it is.
#[state]
pub struct CosineAnnealingLRState {
    ticks: u64,
    T_max: u64,
    /// The rates at the top.
    tops: Vec<f64>,
}

impl Scheduler for CosineAnnealingLR {
    type State = CosineAnnealingLRState;

    fn start(&self, plan: &Plan, now: &mut [GroupRates]) -> Result<CosineAnnealingLRState> {
        let tops = now.iter().map(|g| g.initial_lr).collect();
        Ok(CosineAnnealingLRState { ticks: 0, T_max: tick_counts::ticks(plan, "T_max", self.T_max)?, tops })
    }

    fn rate(&self, state: &mut CosineAnnealingLRState, _: &Tick, now: &mut [GroupRates]) -> Result<()> {
        state.ticks += 1;
        let (t, half) = (state.ticks, state.T_max);
        let n = half as f64;
        // From the rate as it stands (PyTorch's recursive form), so that others may change it in between.
        // One tick past each bottom the quotient is 0 / 0, and the rise is taken from the formula itself.
        let past_bottom = t > half && (t - 1 - half).is_multiple_of(2 * half);
        let cosine = |t: u64| 1.0 + (PI * t as f64 / n).cos();
        for (group, top) in now.iter_mut().zip(&state.tops) {
            group.lr = if past_bottom {
                group.lr + (top - self.eta_min) * (1.0 - (PI / n).cos()) / 2.0
            } else {
                cosine(t) / cosine(t - 1) * (group.lr - self.eta_min) + self.eta_min
            };
        }
        Ok(())
    }
}
