//! The learning rate from where it stands to a fixed one, for averages of weights.

use crate::anneal_strategy::AnnealStrategy;
use crate::per_group::PerGroup;
use pleach_core::quantity::Span;
use pleach_core::read::Rules;
use pleach_core::{GroupRates, Plan, Result, Scheduler, Tick, plugin, state};

/// Moves the learning rate from where it stands to `swa_lr` within `anneal_epochs` ticks, and leaves it there.
///
/// It is the end of a `SequentialLR`, beside an observer that averages the weights from then on.
#[plugin(scheduler, cite = "https://docs.pytorch.org/docs/stable/generated/torch.optim.swa_utils.SWALR.html", check = Self::check)]
pub struct SWALR {
    /// The rate at the end: one number, or a list with one for each parameter group.
    #[plugin(example = PerGroup::All(0.05), range = 0.0..)]
    pub swa_lr: PerGroup,
    /// Ticks of the way there, or "500 steps", "3 epochs", "10%"; 0 goes there at once.
    #[plugin(default = Span::Ticks(10))]
    pub anneal_epochs: Span,
    /// The curve: "cos" or "linear".
    #[plugin(default = AnnealStrategy::Cos)]
    pub anneal_strategy: AnnealStrategy,
}

impl SWALR {
    fn check(&self, rules: &mut Rules) {
        self.swa_lr.check(rules, "swa_lr");
    }
}

/// How far it is.
#[state]
pub struct SWALRState {
    ticks: u64,
    anneal_epochs: u64,
}

impl Scheduler for SWALR {
    type State = SWALRState;

    fn start(&self, plan: &Plan, now: &mut [GroupRates]) -> Result<SWALRState> {
        self.swa_lr.fits("swa_lr", now)?;
        let anneal_epochs = plan.count("anneal_epochs", self.anneal_epochs)?;
        if anneal_epochs == 0 {
            now.iter_mut().enumerate().for_each(|(i, group)| group.lr = self.swa_lr.of(i));
        }
        Ok(SWALRState { ticks: 0, anneal_epochs })
    }

    fn rate(&self, state: &mut SWALRState, _: &Tick, now: &mut [GroupRates]) -> Result<()> {
        state.ticks += 1;
        let weight = |ticks: u64| {
            let share = ticks as f64 / state.anneal_epochs.max(1) as f64;
            self.anneal_strategy.weight(share.min(1.0))
        };
        let (before, after) = (weight(state.ticks - 1), weight(state.ticks));
        for (i, group) in now.iter_mut().enumerate() {
            let end = self.swa_lr.of(i);
            // The beginning of the line is what the rate as it stands says, so that others may change it in between.
            let begin = if before == 1.0 { end } else { (group.lr - before * end) / (1.0 - before) };
            group.lr = end * after + begin * (1.0 - after);
        }
        Ok(())
    }

    fn goes_on(&self) -> bool {
        true
    }
}
