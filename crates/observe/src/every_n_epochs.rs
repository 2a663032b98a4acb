//! EveryNEpochs: keeps a checkpoint of every n-th epoch for good.

use crate::best_k::due;
use pleach_core::kinds::observer::RunInfo;
use pleach_core::{Action, Candidate, Keeper, plugin, state};
use std::collections::BTreeSet;

/// Keeps the checkpoint of every `n`-th epoch for good: `n = 10` keeps those after 10, 20, 30 ... epochs.
#[plugin(keeper)]
pub struct EveryNEpochs {
    /// Epochs from one checkpoint to the next.
    #[plugin(example = 10, range = 1..)]
    pub n: u32,
}

/// The checkpoints that are held.
#[state]
#[derive(Default)]
pub struct Multiples {
    steps: BTreeSet<u64>,
}

impl Keeper for EveryNEpochs {
    type State = Multiples;

    fn start(&self) -> Multiples {
        Multiples::default()
    }

    fn hold(&self, held: &mut Multiples, candidate: &Candidate, _: &RunInfo) -> Action {
        if due(candidate, self.n, None) {
            held.steps.insert(candidate.step);
        }
        held.steps.clone()
    }
}
