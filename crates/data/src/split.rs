//! Splits samples by ratio or into folds, alike in every stratum, by nothing but the seed.

use crate::order::Permutation;
use crate::sources::no_sample;
use pleach_core::error::Class;
use pleach_core::rng::{Purpose, Stream};
use pleach_core::{DataInfo, Error, Result, Row, Samples};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Two lists of samples, ascending, that share none and leave none out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// To train on.
    pub train: Vec<usize>,
    /// Held out.
    pub held_out: Vec<usize>,
}

/// The stratum of every sample; samples without one share a stratum.
pub fn strata(samples: &dyn Samples) -> Vec<u32> {
    (0..samples.len()).map(|i| samples.stratum(i).unwrap_or(u32::MAX)).collect()
}

/// Holds out the share `held_out` of the samples, between 0 and 1: of the whole, and of each
/// stratum, to within one sample.
///
/// # Errors
/// `PL0313`: the share is not between 0 and 1, or leaves one side without samples.
pub fn by_ratio(strata: &[u32], held_out: f64, seed: u64) -> Result<Split> {
    if !(held_out > 0.0 && held_out < 1.0) {
        return Err(refuse(format!("{held_out} of the samples cannot be held out: give a share between 0 and 1")));
    }
    // Sample j of the line is held out where j x ratio passes a whole number, so that every stretch
    // of the line, and so every stratum, holds its share.
    let passed = |j: usize| (j as f64).mul_add(held_out, 0.5).floor();
    let split = deal(strata, seed, |j| passed(j + 1) > passed(j));
    if split.train.is_empty() || split.held_out.is_empty() {
        return Err(refuse(format!("{} samples are too few to hold out {held_out} of them", strata.len())));
    }
    Ok(split)
}

/// One fold of a cross-validation is held out; each stratum is spread over the folds to within one sample.
///
/// # Errors
/// `PL0313`: there are fewer than two folds, fewer samples than folds, or no fold of this number (counted from 0).
pub fn k_fold(strata: &[u32], num_folds: usize, validation_fold: usize, seed: u64) -> Result<Split> {
    check_folds(strata.len(), "samples", num_folds, validation_fold)?;
    Ok(deal(strata, seed, |j| j % num_folds == validation_fold))
}

/// As [`k_fold`], but each group (all clips of one video, say) stays whole: groups are dealt out, not samples.
///
/// # Errors
/// As [`k_fold`], counting groups.
pub fn k_fold_of_groups(groups: &[u32], num_folds: usize, validation_fold: usize, seed: u64) -> Result<Split> {
    let mut names = groups.to_vec();
    names.sort_unstable();
    names.dedup();
    check_folds(names.len(), "groups", num_folds, validation_fold)?;
    let permutation = Permutation::new(seed, Purpose::Split, Stream::default(), names.len() as u64);
    let (held_out, train) = (0..groups.len()).partition(|&i| {
        let group = names.partition_point(|&name| name < groups[i]);
        permutation.at(group as u64) as usize % num_folds == validation_fold
    });
    Ok(Split { train, held_out })
}

/// Lines up the samples stratum by stratum, each stratum in an order of its own, and asks for each place in the line.
fn deal(strata: &[u32], seed: u64, is_held_out: impl Fn(usize) -> bool) -> Split {
    let mut members: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (i, &stratum) in strata.iter().enumerate() {
        members.entry(stratum).or_default().push(i);
    }
    // Many strata of one sample each would otherwise always lose the same ones.
    let n = strata.len() as u64;
    let turn = Permutation::new(seed, Purpose::Split, Stream::default(), n).at(0) as usize;
    let mut split = Split { train: Vec::new(), held_out: Vec::new() };
    let mut line = turn;
    for (stratum, members) in members {
        let at = Stream { sample: u64::from(stratum), op: 1, ..Stream::default() };
        let order = Permutation::new(seed, Purpose::Split, at, members.len() as u64);
        for j in 0..members.len() {
            let sample = members[order.at(j as u64) as usize];
            if is_held_out(line) { &mut split.held_out } else { &mut split.train }.push(sample);
            line += 1;
        }
    }
    split.train.sort_unstable();
    split.held_out.sort_unstable();
    split
}

fn check_folds(n: usize, what: &str, num_folds: usize, validation_fold: usize) -> Result<()> {
    if num_folds < 2 || num_folds > n {
        return Err(refuse(format!("{n} {what} cannot be split into {num_folds} folds")));
    }
    if validation_fold >= num_folds {
        return Err(refuse(format!("there is no fold {validation_fold}: the {num_folds} folds are counted from 0")));
    }
    Ok(())
}

fn refuse(why: String) -> Error {
    Error::new("PL0313", why).with_class(Class::Config)
}

/// Some samples of a source.
#[derive(Clone)]
pub struct Subset {
    samples: Arc<dyn Samples>,
    indices: Vec<usize>,
}

impl Subset {
    /// The samples of these indices, in this order. Rows keep the index that they have in the whole.
    ///
    /// # Errors
    /// `PL0313`: an index is beyond the samples.
    pub fn new(samples: Arc<dyn Samples>, indices: Vec<usize>) -> Result<Self> {
        match indices.iter().find(|&&i| i >= samples.len()) {
            Some(i) => Err(refuse(format!("there is no sample {i}: there are {}", samples.len()))),
            None => Ok(Self { samples, indices }),
        }
    }

    fn whole(&self, index: usize) -> Option<usize> {
        self.indices.get(index).copied()
    }
}

impl Samples for Subset {
    fn len(&self) -> usize {
        self.indices.len()
    }
    fn row(&self, index: usize) -> Result<Row> {
        self.samples.row(self.whole(index).ok_or_else(|| no_sample(index, self.len()))?)
    }
    fn info(&self) -> DataInfo {
        self.samples.info()
    }
    fn stratum(&self, index: usize) -> Option<u32> {
        self.samples.stratum(self.whole(index)?)
    }
    fn key(&self, index: usize) -> String {
        self.whole(index).map_or_else(|| index.to_string(), |i| self.samples.key(i))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn is_partition(split: &Split, n: usize) -> bool {
        let mut all = [split.train.clone(), split.held_out.clone()].concat();
        all.sort_unstable();
        all == (0..n).collect::<Vec<_>>() && split.train.is_sorted() && split.held_out.is_sorted()
    }

    fn of(strata: &[u32], stratum: u32, list: &[usize]) -> f64 {
        list.iter().filter(|&&i| strata[i] == stratum).count() as f64
    }

    proptest! {
        #[test]
        fn a_ratio_holds_in_every_stratum(
            strata in prop::collection::vec(0u32..6, 2..300), ratio in 0.02..0.98, seed: u64,
        ) {
            let Ok(split) = by_ratio(&strata, ratio, seed) else {
                prop_assert!((strata.len() as f64) * ratio.min(1.0 - ratio) < 1.5);
                return Ok(());
            };
            prop_assert!(is_partition(&split, strata.len()));
            prop_assert!((split.held_out.len() as f64 - ratio * strata.len() as f64).abs() <= 1.0 + 1e-9);
            for s in 0..6 {
                let size = strata.iter().filter(|&&x| x == s).count() as f64;
                prop_assert!((of(&strata, s, &split.held_out) - ratio * size).abs() <= 1.0 + 1e-9);
            }
            prop_assert_eq!(split, by_ratio(&strata, ratio, seed).unwrap());
        }

        #[test]
        fn folds_share_no_sample_and_leave_none_out(
            strata in prop::collection::vec(0u32..6, 10..200), k in 2usize..10, seed: u64,
        ) {
            let mut held = Vec::new();
            for fold in 0..k {
                let split = k_fold(&strata, k, fold, seed).unwrap();
                prop_assert!(is_partition(&split, strata.len()));
                for s in 0..6 {
                    let size = strata.iter().filter(|&&x| x == s).count() as f64;
                    prop_assert!((of(&strata, s, &split.held_out) - size / k as f64).abs() <= 1.0);
                }
                held.extend(split.held_out);
            }
            held.sort_unstable();
            prop_assert_eq!(held, (0..strata.len()).collect::<Vec<_>>());
        }

        #[test]
        fn groups_stay_whole(groups in prop::collection::vec(0u32..40, 60..200), k in 2usize..5, seed: u64) {
            let mut held = Vec::new();
            for fold in 0..k {
                let split = k_fold_of_groups(&groups, k, fold, seed).unwrap();
                prop_assert!(is_partition(&split, groups.len()));
                prop_assert!(split.held_out.iter().all(|&i| split.train.iter().all(|&j| groups[i] != groups[j])));
                held.extend(split.held_out);
            }
            held.sort_unstable();
            prop_assert_eq!(held, (0..groups.len()).collect::<Vec<_>>());
        }
    }

    #[test]
    fn another_seed_makes_another_split() {
        let strata: Vec<u32> = (0..100).map(|i| i % 4).collect();
        assert_ne!(by_ratio(&strata, 0.2, 1).unwrap(), by_ratio(&strata, 0.2, 2).unwrap());
        assert_ne!(k_fold(&strata, 5, 0, 1).unwrap(), k_fold(&strata, 5, 0, 2).unwrap());
        let alone: Vec<u32> = (0..100).collect();
        let differ = (2..20).any(|s| by_ratio(&alone, 0.2, 1).unwrap() != by_ratio(&alone, 0.2, s).unwrap());
        assert!(differ, "strata of one sample are chosen by the seed too");
    }

    #[test]
    fn senseless_splits_are_refused_as_mistakes_of_the_file() {
        for error in [
            by_ratio(&[0; 10], 0.0, 1).unwrap_err(),
            by_ratio(&[0; 10], f64::NAN, 1).unwrap_err(),
            by_ratio(&[0], 0.5, 1).unwrap_err(),
            k_fold(&[0; 10], 1, 0, 1).unwrap_err(),
            k_fold(&[0; 10], 11, 0, 1).unwrap_err(),
            k_fold(&[0; 10], 5, 5, 1).unwrap_err(),
        ] {
            assert_eq!((error.code(), error.class()), ("PL0313", Class::Config));
        }
    }
}
