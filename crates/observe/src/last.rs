//! Last: keeps the newest checkpoint.

use crate::best_k::due;
use pleach_core::kinds::observer::RunInfo;
use pleach_core::{Action, Candidate, Keeper, plugin, state};

/// Keeps the newest checkpoint, from which a killed run goes on, and always that of the run's end.
#[plugin(keeper)]
pub struct Last {
    /// Epochs from one checkpoint to the next; 0: none at the end of epochs.
    #[plugin(default = 1)]
    pub every_n_epochs: u32,
    /// Steps from one checkpoint to the next, besides those of epochs.
    #[plugin(range = 1..)]
    pub every_n_steps: Option<u64>,
}

/// The checkpoint that is held.
#[state]
#[derive(Default)]
pub struct Newest {
    step: Option<u64>,
}

impl Keeper for Last {
    type State = Newest;

    fn start(&self) -> Newest {
        Newest::default()
    }

    fn hold(&self, newest: &mut Newest, candidate: &Candidate, _: &RunInfo) -> Action {
        if candidate.run_end || due(candidate, self.every_n_epochs, self.every_n_steps) {
            newest.step = Some(candidate.step);
        }
        newest.step.into_iter().collect()
    }
}
