//! Keepers hold what they promise, whatever happens.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use pleach_core::kinds::observer::RunInfo;
use pleach_core::*;
use pleach_observe::{BestK, EveryNEpochs, Last};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Two steps in an epoch; a value of None is a metric that is not there.
fn candidates(values: &[Option<f64>]) -> Vec<Candidate> {
    let last = values.len();
    let candidate = |(i, value): (usize, &Option<f64>)| Candidate {
        step: i as u64 + 1,
        epoch: i as u32 / 2,
        epoch_end: i % 2 == 1,
        run_end: i + 1 == last,
        metrics: value.map(|v| BTreeMap::from([("val_loss".to_owned(), v)])).unwrap_or_default(),
    };
    values.iter().enumerate().map(candidate).collect()
}

/// What a keeper holds after each candidate; it is saved and restored into a fresh one after `kill` of them.
fn trace<K: DynKeeper>(keeper: &K, all: &[Candidate], run: &RunInfo, kill: usize) -> Vec<Vec<u64>> {
    let mut state = DynKeeper::start(keeper);
    let mut held = Vec::new();
    for (i, candidate) in all.iter().enumerate() {
        if i == kill {
            let text = DynKeeper::save(keeper, &*state).unwrap().to_string();
            state = DynKeeper::restore(keeper, &serde_json::from_str(&text).unwrap()).unwrap();
        }
        held.push(Vec::from_iter(DynKeeper::hold(keeper, &mut *state, candidate, run)));
    }
    held
}

/// At the ends of epochs only.
fn at_epochs(values: &[f64]) -> Vec<Candidate> {
    let twice: Vec<_> = values.iter().flat_map(|v| [Some(*v), Some(*v)]).collect();
    candidates(&twice).into_iter().filter(|c| c.epoch_end).collect()
}

#[test]
fn of_equal_values_the_earlier_is_kept_and_nan_never() {
    let run = RunInfo::default();
    let best = BestK { save_top_k: 2, ..BestK::default() };
    let all = at_epochs(&[f64::NAN, 0.5, 0.5, 0.5, 0.4]);
    assert_eq!(trace(&best, &all, &run, 9), [vec![], vec![4], vec![4, 6], vec![4, 6], vec![4, 10]]);
}

#[test]
fn the_direction_is_that_of_the_metric() {
    let run = RunInfo { better: BTreeMap::from([("val_loss".to_owned(), Better::Higher)]), ..RunInfo::default() };
    assert_eq!(trace(&BestK::default(), &at_epochs(&[0.1, 0.3, 0.2]), &run, 9), [[2], [4], [4]]);
}

#[test]
fn zero_turns_the_best_off_and_minus_one_keeps_all() {
    let (run, all) = (RunInfo::default(), at_epochs(&[0.1, f64::NAN]));
    for off in [BestK { save_top_k: 0, ..BestK::default() }, BestK { every_n_epochs: 0, ..BestK::default() }] {
        assert!(trace(&off, &all, &run, 9).concat().is_empty());
        assert!(Keeper::monitors(&off).is_empty());
    }
    assert_eq!(trace(&BestK { save_top_k: -1, ..BestK::default() }, &all, &run, 9), [vec![2], vec![2, 4]]);
}

#[test]
fn multiples_of_n_epochs_stay_for_good() {
    let all = at_epochs(&[0.0; 7]);
    assert_eq!(trace(&EveryNEpochs { n: 3 }, &all, &RunInfo::default(), 4).last(), Some(&vec![6, 12]));
}

#[test]
fn the_last_follows_epochs_and_steps_and_always_the_end() {
    let all = candidates(&[None; 7]);
    let run = RunInfo::default();
    let by_epoch = Last { every_n_epochs: 2, every_n_steps: None };
    assert_eq!(trace(&by_epoch, &all, &run, 9), [vec![], vec![], vec![], vec![4], vec![4], vec![4], vec![7]]);
    let by_step = Last { every_n_epochs: 0, every_n_steps: Some(3) };
    assert_eq!(trace(&by_step, &all, &run, 9), [vec![], vec![], vec![3], vec![3], vec![3], vec![6], vec![7]]);
}

fn value() -> impl Strategy<Value = Option<f64>> {
    let odd = prop_oneof![Just(f64::NAN), Just(f64::INFINITY), Just(f64::NEG_INFINITY)];
    proptest::option::weighted(0.9, prop_oneof![8 => (0u8..6).prop_map(f64::from), 1 => odd])
}

proptest! {
    #[test]
    fn never_more_than_k_are_held_and_none_held_is_worse_than_one_passed_over(
        values in prop::collection::vec(value(), 2..40), k in 0i64..5, kill in 0usize..40,
    ) {
        let (run, all) = (RunInfo::default(), candidates(&values));
        let best = BestK { save_top_k: k, ..BestK::default() };
        let held = trace(&best, &all, &run, kill);
        prop_assert_eq!(&held, &trace(&best, &all, &run, usize::MAX));
        let mut seen: Vec<(f64, u64)> = Vec::new();
        for (candidate, held) in all.iter().zip(held) {
            if let Some(v) = candidate.metrics.get("val_loss").filter(|v| candidate.epoch_end && !v.is_nan()) {
                seen.push((*v, candidate.step));
            }
            // A stable sort, so that of equal values the earlier comes first.
            seen.sort_by(|a, b| a.0.total_cmp(&b.0));
            let mut expected: Vec<_> = seen.iter().take(k as usize).map(|(_, step)| *step).collect();
            expected.sort_unstable();
            prop_assert_eq!(held, expected);
        }
    }

    #[test]
    fn a_run_that_ends_leaves_its_last_checkpoint(
        n in 1usize..30, kill in 0usize..30, every_n_epochs in 0u32..4, every_n_steps in proptest::option::of(1u64..5),
    ) {
        let all = candidates(&vec![None; n]);
        let last = Last { every_n_epochs, every_n_steps };
        let held = trace(&last, &all, &RunInfo::default(), kill);
        prop_assert!(held.iter().all(|h| h.len() <= 1));
        prop_assert_eq!(held.last(), Some(&vec![n as u64]));
    }
}
