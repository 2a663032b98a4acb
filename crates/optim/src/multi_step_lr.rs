//! The learning rate in steps at chosen ticks.

use pleach_core::quantity::Span;
use pleach_core::{GroupRates, Plan, Result, Scheduler, Tick, plugin, state};

/// Multiplies the learning rate by `gamma` at each milestone; one that is given twice counts twice.
#[plugin(scheduler, cite = "https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.MultiStepLR.html")]
pub struct MultiStepLR {
    /// Ticks of the drops, in any order, or "500 steps", "3 epochs", "10%".
    #[plugin(example = vec![Span::Ticks(30), Span::Ticks(80)])]
    pub milestones: Vec<Span>,
    /// What the rate is multiplied by at each drop.
    #[plugin(default = 0.1, range = 0.0..)]
    pub gamma: f64,
}

impl MultiStepLR {
    fn drop(&self, state: &MultiStepLRState, now: &mut [GroupRates]) {
        let times = state.milestones.iter().filter(|&&m| m == state.ticks).count();
        if times > 0 {
            now.iter_mut().for_each(|g| g.lr *= self.gamma.powf(times as f64));
        }
    }
}

/// How far it is.
#[state]
pub struct MultiStepLRState {
    ticks: u64,
    milestones: Vec<u64>,
}

impl Scheduler for MultiStepLR {
    type State = MultiStepLRState;

    fn start(&self, plan: &Plan, now: &mut [GroupRates]) -> Result<MultiStepLRState> {
        let milestones = self.milestones.iter().map(|&m| plan.count("milestones", m)).collect::<Result<_>>()?;
        let state = MultiStepLRState { ticks: 0, milestones };
        self.drop(&state, now);
        Ok(state)
    }

    fn rate(&self, state: &mut MultiStepLRState, _: &Tick, now: &mut [GroupRates]) -> Result<()> {
        state.ticks += 1;
        self.drop(state, now);
        Ok(())
    }
}
