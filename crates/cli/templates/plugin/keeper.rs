use pleach_core::kinds::observer::RunInfo;
use pleach_core::{Action, Candidate, Keeper, plugin};

/// Holds the latest checkpoints that end an epoch.
#[plugin(keeper)]
pub struct MyPlugin {
    /// How many.
    #[plugin(default = 3, range = 1..)]
    pub count: usize,
}

impl Keeper for MyPlugin {
    /// The steps whose checkpoints it holds.
    type State = Action;

    fn start(&self) -> Action {
        Action::new()
    }

    fn hold(&self, held: &mut Action, candidate: &Candidate, _: &RunInfo) -> Action {
        if candidate.epoch_end {
            held.insert(candidate.step);
        }
        while held.len() > self.count {
            held.pop_first();
        }
        held.clone()
    }
}
