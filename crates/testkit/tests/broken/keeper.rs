//! Keepers that break a law.

use pleach_core::kinds::observer::RunInfo;
use pleach_core::*;

pub const BREAKS: &[(&str, &[&str])] = &[("Regretful", &["held before"]), ("Drowsy", &["decides as it would have"])];

/// Wants a checkpoint back that it let go.
#[plugin(keeper)]
struct Regretful {}

impl Keeper for Regretful {
    type State = Vec<u64>;
    fn start(&self) -> Vec<u64> {
        Vec::new()
    }
    fn hold(&self, seen: &mut Vec<u64>, candidate: &Candidate, _: &RunInfo) -> Action {
        seen.push(candidate.step);
        seen.iter().copied().filter(|_| seen.len().is_multiple_of(2)).collect()
    }
}

/// Holds the latest checkpoint, and every third one that it remembers to have seen.
#[plugin(keeper)]
struct Drowsy {}

#[state]
struct Seen {
    held: Action,
    #[serde(skip)]
    count: u64,
}

impl Keeper for Drowsy {
    type State = Seen;
    fn start(&self) -> Seen {
        Seen { held: Action::new(), count: 0 }
    }
    fn hold(&self, seen: &mut Seen, candidate: &Candidate, _: &RunInfo) -> Action {
        seen.count += 1;
        if seen.count.is_multiple_of(3) {
            seen.held.insert(candidate.step);
        }
        seen.held.clone()
    }
}
