//! Laws of keepers.

use super::{Bench, Law, fresh, through_text};
use crate::fault::{Check, ensure};
use pleach_core::kinds::observer::RunInfo;
use pleach_core::{Action, Candidate, DynKeeper, Plug};
use std::any::Any;
use std::ops::RangeInclusive;

/// Only what is there can be held.
pub const HOLDS: Law = Law {
    name: "a keeper holds the present checkpoint or ones that it held before",
    why: "what it let go is deleted, and cannot come back",
    write: "an `Action` of steps in the state, and of the candidate's step",
};

/// Resume is exact.
pub const RESUMES: Law = Law {
    name: "a keeper saved at any candidate and restored into a fresh object decides as it would have",
    why: "a resumed run must keep the same checkpoints as one that was never stopped",
    write: "everything that is remembered into `State`",
};

const CANDIDATES: u64 = 16;

pub(super) fn laws(bench: &mut Bench, plug: &Plug<dyn DynKeeper>) {
    bench.check(&HOLDS, || {
        let mut state = plug.start();
        let mut held = Action::new();
        for (i, now) in decide(plug, &mut *state, 1..=CANDIDATES).into_iter().enumerate() {
            let step = candidate(plug, i as u64 + 1).step;
            let lost: Vec<_> = now.iter().filter(|s| **s != step && !held.contains(s)).collect();
            ensure(lost.is_empty(), || format!("at step {step} it asks for {lost:?}, and held {held:?}"))?;
            held = now;
        }
        Ok(())
    });
    bench.check(&RESUMES, || resumes(plug));
}

fn candidate(plug: &Plug<dyn DynKeeper>, n: u64) -> Candidate {
    let value = |k: usize| (1.3 * n as f64 + k as f64).sin().abs() + 0.1;
    Candidate {
        step: 5 * n,
        epoch: (n / 2) as u32,
        epoch_end: n % 2 == 1,
        run_end: n == CANDIDATES,
        metrics: plug.monitors().into_iter().enumerate().map(|(k, name)| (name, value(k))).collect(),
    }
}

fn decide(plug: &Plug<dyn DynKeeper>, state: &mut dyn Any, which: RangeInclusive<u64>) -> Vec<Action> {
    let run = RunInfo { name: "laws".into(), max_epochs: Some(8), steps_per_epoch: 10, ..RunInfo::default() };
    which.map(|n| plug.hold(state, &candidate(plug, n), &run)).collect()
}

fn resumes(plug: &Plug<dyn DynKeeper>) -> Check {
    let whole = decide(plug, &mut *plug.start(), 1..=CANDIDATES);
    for stop in 0..CANDIDATES {
        let mut state = plug.start();
        decide(plug, &mut *state, 1..=stop);
        let saved = plug.save(&*state)?;
        let again = fresh(plug)?;
        let mut state = again.restore(&through_text(&saved)?)?;
        ensure(again.save(&*state)? == saved, || format!("{saved} is saved and not restored"))?;
        let rest = decide(&again, &mut *state, stop + 1..=CANDIDATES);
        ensure(rest == whole[stop as usize..], || format!("restored after {stop} candidates: {rest:?}"))?;
    }
    Ok(())
}
