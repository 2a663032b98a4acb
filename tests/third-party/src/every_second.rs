use pleach_core::kinds::observer::RunInfo;
use pleach_core::{Action, Candidate, Keeper, plugin};

/// Holds the checkpoint of every second epoch.
#[plugin(keeper)]
pub struct EverySecond {}

impl Keeper for EverySecond {
    type State = Action;

    fn start(&self) -> Action {
        Action::new()
    }

    fn hold(&self, held: &mut Action, candidate: &Candidate, _: &RunInfo) -> Action {
        if candidate.epoch_end && candidate.epoch % 2 == 0 {
            held.insert(candidate.step);
        }
        held.clone()
    }
}
