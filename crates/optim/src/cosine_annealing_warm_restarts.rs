//! The learning rate along half cosines, each from the top again.
// `T_0` and `T_mult` are the keys that users of PyTorch know.
#![allow(non_snake_case)]

use crate::tick_counts;
use pleach_core::quantity::Span;
use pleach_core::read::Rules;
use pleach_core::{GroupRates, Plan, Result, Scheduler, Tick, plugin, state};
use std::f64::consts::PI;

/// Lets the learning rate fall along half a cosine to `eta_min`, and begins anew after `T_0` ticks, then after
/// `T_0 * T_mult`, and so on (SGDR).
///
/// After t of the T ticks of a cycle the rate is `eta_min + (lr - eta_min) * (1 + cos(pi * t / T)) / 2`.
#[plugin(scheduler, cite = "arXiv:1608.03983", check = Self::check)]
pub struct CosineAnnealingWarmRestarts {
    /// Ticks of the first cycle, or "500 steps", "3 epochs", "10%".
    #[plugin(example = Span::Ticks(10))]
    pub T_0: Span,
    /// How many times longer each cycle is than the one before; at least 1.
    #[plugin(default = 1)]
    pub T_mult: u64,
    /// The rate at the bottom.
    #[plugin(default = 0.0, range = 0.0..)]
    pub eta_min: f64,
}

impl CosineAnnealingWarmRestarts {
    fn check(&self, rules: &mut Rules) {
        tick_counts::check(rules, "T_0", self.T_0);
        if self.T_mult == 0 {
            rules.refuse("T_mult", "`T_mult` must be at least 1");
        }
    }

    fn set(&self, state: &WarmRestartsState, now: &mut [GroupRates]) {
        let cosine = (PI * state.T_cur as f64 / state.T_i as f64).cos();
        for (group, top) in now.iter_mut().zip(&state.tops) {
            group.lr = self.eta_min + (top - self.eta_min) * (1.0 + cosine) / 2.0;
        }
    }
}

/// How far it is.
#[state]
pub struct WarmRestartsState {
    /// Ticks since the last restart.
    T_cur: u64,
    /// Ticks from the last restart to the next.
    T_i: u64,
    tops: Vec<f64>,
}

impl Scheduler for CosineAnnealingWarmRestarts {
    type State = WarmRestartsState;

    fn start(&self, plan: &Plan, now: &mut [GroupRates]) -> Result<WarmRestartsState> {
        let tops = now.iter().map(|g| g.initial_lr).collect();
        let state = WarmRestartsState { T_cur: 0, T_i: tick_counts::ticks(plan, "T_0", self.T_0)?, tops };
        self.set(&state, now);
        Ok(state)
    }

    fn rate(&self, state: &mut WarmRestartsState, _: &Tick, now: &mut [GroupRates]) -> Result<()> {
        state.T_cur += 1;
        if state.T_cur >= state.T_i {
            state.T_cur = 0;
            state.T_i = state.T_i.saturating_mul(self.T_mult);
        }
        self.set(state, now);
        Ok(())
    }
}
