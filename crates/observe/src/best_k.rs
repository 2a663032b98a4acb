//! BestK: keeps the checkpoints with the best values of a metric.

use crate::mode::Mode;
use pleach_core::kinds::observer::RunInfo;
use pleach_core::{Action, Candidate, Keeper, plugin, state};

/// Keeps the `save_top_k` best checkpoints by one metric. Of equal values the earlier is better. A checkpoint
/// without the metric is passed over, and so is one where it is NaN, unless all are kept.
#[plugin(keeper)]
pub struct BestK {
    /// The metric by its full name.
    #[plugin(default = "val_loss".to_owned())]
    pub monitor: String,
    /// How many are kept: -1 all, 0 none.
    #[plugin(default = 1, range = -1..)]
    pub save_top_k: i64,
    /// "min" if less is better, "max" if more is; by default what the metric says.
    pub mode: Option<Mode>,
    /// Epochs from one that is looked at to the next; 0: none.
    #[plugin(default = 1)]
    pub every_n_epochs: u32,
    /// Steps from one that is looked at to the next, for runs that validate within epochs.
    #[plugin(range = 1..)]
    pub every_n_steps: Option<u64>,
}

/// The checkpoints that are held, best first.
#[state]
#[derive(Default)]
pub struct Held {
    best: Vec<(u64, f64)>,
}

impl Keeper for BestK {
    type State = Held;

    fn start(&self) -> Held {
        Held::default()
    }

    fn hold(&self, held: &mut Held, candidate: &Candidate, run: &RunInfo) -> Action {
        let value = candidate.metrics.get(&self.monitor).copied();
        let all = self.save_top_k < 0;
        if let Some(value) =
            value.filter(|v| due(candidate, self.every_n_epochs, self.every_n_steps) && (all || !v.is_nan()))
        {
            held.best.retain(|(step, _)| *step != candidate.step);
            let mode = Mode::of(self.mode, &self.monitor, run);
            let place = held.best.iter().position(|(_, other)| mode.is_better(value, *other));
            held.best.insert(place.unwrap_or(held.best.len()), (candidate.step, value));
        }
        if !all {
            held.best.truncate(usize::try_from(self.save_top_k).unwrap_or(usize::MAX));
        }
        held.best.iter().map(|(step, _)| *step).collect()
    }

    fn monitors(&self) -> Vec<String> {
        let looks = self.save_top_k != 0 && (self.every_n_epochs > 0 || self.every_n_steps.is_some());
        looks.then(|| self.monitor.clone()).into_iter().collect()
    }
}

/// Whether a candidate is at the end of an n-th epoch or at an n-th step.
pub(crate) fn due(candidate: &Candidate, every_n_epochs: u32, every_n_steps: Option<u64>) -> bool {
    let nth_epoch = every_n_epochs > 0 && (u64::from(candidate.epoch) + 1).is_multiple_of(every_n_epochs.into());
    let nth_step = every_n_steps.is_some_and(|n| candidate.step > 0 && candidate.step.is_multiple_of(n));
    candidate.epoch_end && nth_epoch || nth_step
}
