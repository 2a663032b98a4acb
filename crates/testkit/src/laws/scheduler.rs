//! Laws of schedulers.

use super::{Bench, Law, fresh, through_text};
use crate::fault::{Check, ensure};
use pleach_core::kinds::scheduler::Every;
use pleach_core::{DynScheduler, GroupRates, Plan, Plug, Tick};
use std::any::Any;
use std::collections::BTreeMap;

/// Resume is exact.
pub const RESUMES: Law = Law {
    name: "a scheduler saved at any tick and restored into a fresh object goes on to the bit",
    why: "a resumed run must take the same steps as one that was never stopped",
    write: "everything that changes into `State`, nothing behind a `Cell` or `#[serde(skip)]`",
};

/// Rates can be used.
pub const USABLE: Law = Law {
    name: "rates are finite and at least 0 at every tick",
    why: "a rate of NaN or below 0 destroys the weights",
    write: "bounds on the parameters, and no division by a count that can be 0",
};

/// A run may be other than the scheduler would like.
pub const ANY_RUN: Law = Law {
    name: "a run without end, a group without momentum and ticks beyond the plan are refused, or give usable rates",
    why: "what a scheduler cannot do must be told, and not seen in the weights",
    write: "an `Err` from `start` or `rate`, and `None` left where a group has no momentum",
};

/// Those of the plan by epochs, all that it has.
const TICKS: u64 = 30;

pub(super) fn laws(bench: &mut Bench, plug: &Plug<dyn DynScheduler>) {
    bench.check(&USABLE, || usable(plug));
    bench.check(&RESUMES, || resumes(plug));
    bench.check(&ANY_RUN, || any_run(plug));
}

/// A run of 30 epochs of two steps, with groups that all have a momentum, because a cycle of the momentum asks for it.
fn plan(every: Every) -> Plan {
    let group = |lr, momentum| GroupRates { lr, momentum: Some(momentum), initial_lr: lr };
    Plan {
        steps_per_epoch: 2,
        total_steps: Some(2 * TICKS),
        every,
        base: vec![group(0.1, 0.9), group(0.003, 0.5)],
        better: BTreeMap::new(),
        part: None,
    }
}

/// The n-th tick; a watched metric gets better, worse, stalls and is missing by turns.
fn tick(plug: &Plug<dyn DynScheduler>, count: u64) -> Tick {
    let x = count as f64;
    let metrics = plug
        .monitors()
        .into_iter()
        .filter(|_| count % 7 != 3)
        .map(|name| (name, (2.0 / x + 0.2 * (0.9 * x).sin()).max(0.4)))
        .collect();
    Tick { count, step: 2 * count, epoch: count as u32 - 1, epoch_end: true, metrics }
}

fn run(
    plug: &Plug<dyn DynScheduler>,
    state: &mut dyn Any,
    now: &mut [GroupRates],
    counts: std::ops::RangeInclusive<u64>,
) -> Check<Vec<Vec<GroupRates>>> {
    counts
        .map(|count| {
            plug.rate(state, &tick(plug, count), now)?;
            Ok(now.to_vec())
        })
        .collect()
}

fn usable(plug: &Plug<dyn DynScheduler>) -> Check {
    for (every, ticks) in [(Every::Epoch, TICKS), (Every::Step, 2 * TICKS)] {
        let plan = plan(every);
        let mut now = plan.base.clone();
        let mut state = plug.start(&plan, &mut now)?;
        let at_start = vec![now.clone()];
        for (t, rates) in at_start.into_iter().chain(run(plug, &mut *state, &mut now, 1..=ticks)?).enumerate() {
            can_be_used(t, &rates)?;
        }
    }
    Ok(())
}

fn can_be_used(ticks: usize, rates: &[GroupRates]) -> Check {
    for g in rates {
        let momentum = g.momentum.unwrap_or(0.0);
        ensure(g.lr.is_finite() && g.lr >= 0.0 && momentum.is_finite() && momentum >= 0.0, || {
            format!("after {ticks} ticks: {g:?}")
        })?;
    }
    Ok(())
}

fn any_run(plug: &Plug<dyn DynScheduler>) -> Check {
    let planned = plan(Every::Epoch);
    let mut bare = planned.clone();
    bare.base.iter_mut().for_each(|g| g.momentum = None);
    for plan in [Plan { total_steps: None, ..planned.clone() }, bare, planned] {
        let mut now = plan.base.clone();
        let Ok(mut state) = plug.start(&plan, &mut now) else { continue };
        for count in 1..=2 * TICKS {
            if plug.rate(&mut *state, &tick(plug, count), &mut now).is_err() {
                break;
            }
            can_be_used(count as usize, &now)?;
            for (g, base) in now.iter().zip(&plan.base) {
                ensure(g.momentum.is_some() == base.momentum.is_some(), || {
                    format!("after {count} ticks the momentum {:?} is {:?}", base.momentum, g.momentum)
                })?;
            }
        }
    }
    Ok(())
}

fn resumes(plug: &Plug<dyn DynScheduler>) -> Check {
    let plan = plan(Every::Epoch);
    let mut now = plan.base.clone();
    let mut state = plug.start(&plan, &mut now)?;
    let whole = run(plug, &mut *state, &mut now, 1..=TICKS)?;
    for stop in 0..TICKS {
        let mut now = plan.base.clone();
        let mut state = plug.start(&plan, &mut now)?;
        run(plug, &mut *state, &mut now, 1..=stop)?;
        let saved = plug.save(&*state)?;
        let again = fresh(plug)?;
        let mut restored = again.restore(&through_text(&saved)?)?;
        ensure(again.save(&*restored)? == saved, || format!("after {stop} ticks {saved} is saved and not restored"))?;
        let rest = run(&again, &mut *restored, &mut now, stop + 1..=TICKS)?;
        for (i, (a, b)) in rest.iter().zip(&whole[stop as usize..]).enumerate() {
            let bits = |g: &GroupRates| (g.lr.to_bits(), g.momentum.map(f64::to_bits));
            ensure(a.iter().map(bits).eq(b.iter().map(bits)), || {
                format!(
                    "restored after {stop} ticks, at tick {} it has {a:?}, uninterrupted {b:?}",
                    stop as usize + i + 1
                )
            })?;
        }
    }
    Ok(())
}
