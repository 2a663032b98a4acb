//! Counts scores of what is and of what is not of a class: the one state of all metrics of ranks.

use crate::confusion::{class_keys, mean};
use crate::counts::{Counts, ordered};
use crate::pairs;
use pleach_core::{DataInfo, Error, Named, Result, Row, config, state};

/// How the values of the classes, each against all others, become one; two classes have one value, that of class 1.
#[config]
#[derive(Default)]
pub enum RankAverage {
    /// The plain mean over the classes that have a value.
    #[default]
    Macro,
    /// The mean over classes, each weighted by how many samples are of it.
    Weighted,
    /// The plain mean, and after it the value of each class under the class's name.
    None,
}

/// For one class: how often each score was given to what is not of it, and to what is.
pub(crate) type Scores = Counts<u32, (u64, u64)>;

/// For each class how often each score was given to samples of it and to others.
///
/// Counts are whole numbers, so that merging is exact. It grows by some 40 bytes for each score that differs, for each
/// class: at most classes x samples; with a number of thresholds, classes x thresholds.
#[state]
pub struct Ranking {
    keys: Vec<String>,
    ignore_index: Option<u32>,
    classes: Vec<Scores>,
}

impl Ranking {
    /// Nothing yet, for the classes of the data; for two of them class 1 is counted alone.
    pub(crate) fn new(data: &DataInfo, ignore_index: Option<u32>) -> Self {
        let n = if data.classes.len() > 2 { data.classes.len() } else { 1 };
        let ignore_index = ignore_index.or(data.ignore_index);
        Self { keys: class_keys(&data.classes), ignore_index, classes: vec![Scores::default(); n] }
    }

    /// Counts the scores of a sample.
    ///
    /// # Errors
    /// PL0330 where the truth has no label or one out of range; PL0230 where a score is missing or no number.
    pub(crate) fn add_labels(&mut self, predicted: &Row, truth: &Row, thresholds: Option<usize>) -> Result<()> {
        let (key, n) = (&truth.id.key, self.classes.len());
        let Some(t) = truth.labels.class else { return Err(pairs::untold(truth, "label")) };
        if self.ignore_index == Some(t) {
            return Ok(());
        }
        let classes = n.max(2);
        if t as usize >= classes {
            return Err(Error::new(
                "PL0330",
                format!("the class of sample `{key}` is {t}, but there are {classes} classes"),
            )
            .hint("classes are counted from 0; a class that counts nowhere is the data's `ignore_index`"));
        }
        let scores = &predicted.labels.scores;
        if scores.len() != classes && (n > 1 || scores.len() != 1) {
            let got = scores.len();
            return Err(Error::new("PL0230", format!("{got} scores were predicted for sample `{key}`, not {classes}"))
                .hint("this metric ranks samples by the probability of each class"));
        }
        if let Some(odd) = scores.iter().find(|s| !s.is_finite()) {
            return Err(Error::new("PL0230", format!("a score predicted for sample `{key}` is {odd}")));
        }
        // Of two classes the last score is the positive one's.
        let first = if n == 1 { classes - 1 } else { 0 };
        let own = scores.iter().skip(scores.len().saturating_sub(n));
        for (class, (counts, &score)) in (first..).zip(self.classes.iter_mut().zip(own)) {
            count(counts, score, t as usize == class, thresholds);
        }
        Ok(())
    }

    /// Counts the scores of the pixels of a sample's binary maps.
    ///
    /// # Errors
    /// See [`pairs::maps`] and [`pairs::scored_pixels`].
    pub(crate) fn add_maps(&mut self, predicted: &Row, truth: &Row, thresholds: Option<usize>) -> Result<()> {
        let Some(counts) = self.classes.first_mut() else { return Ok(()) };
        for (guess, map) in pairs::maps(predicted, truth)? {
            for (score, positive) in pairs::scored_pixels(guess, map, self.ignore_index, truth)? {
                count(counts, score, positive, thresholds);
            }
        }
        Ok(())
    }

    pub(crate) fn merge(&mut self, other: Self) {
        for (counts, theirs) in self.classes.iter_mut().zip(other.classes) {
            counts.merge(theirs, |a, b| {
                a.0 += b.0;
                a.1 += b.1;
            });
        }
    }

    /// The values of a score of classes; undefined ones are left out.
    pub(crate) fn summary(
        &self,
        name: &str,
        average: &RankAverage,
        score: impl Fn(&Scores) -> Option<f64>,
    ) -> Named<f64> {
        if let [one] = self.classes.as_slice() {
            return score(one).map(|v| (name, v)).into_iter().collect();
        }
        let all = self.keys.iter().zip(&self.classes);
        let each: Vec<_> = all.filter_map(|(key, counts)| Some((key, positives(counts), score(counts)?))).collect();
        let mut values = Named::new();
        if *average == RankAverage::Weighted {
            let total: u64 = each.iter().map(|e| e.1).sum();
            if total > 0 {
                let sum: f64 = each.iter().map(|e| e.1 as f64 * e.2).sum();
                values.insert(format!("{name}_weighted"), sum / total as f64);
            }
            return values;
        }
        if let Some(mean) = mean(each.iter().map(|e| e.2)) {
            values.insert(name, mean);
        }
        if *average == RankAverage::None {
            each.iter().for_each(|(key, _, v)| values.insert(format!("{name}_{key}"), *v));
        }
        values
    }

    /// The names of all values that [`summary`](Self::summary) can give.
    pub(crate) fn names(data: &DataInfo, name: &str, average: &RankAverage) -> Vec<String> {
        let keys = class_keys(&data.classes);
        match average {
            _ if keys.len() < 3 => vec![name.to_owned()],
            RankAverage::Macro => vec![name.to_owned()],
            RankAverage::Weighted => vec![format!("{name}_weighted")],
            RankAverage::None => {
                std::iter::once(name.to_owned()).chain(keys.iter().map(|key| format!("{name}_{key}"))).collect()
            }
        }
    }
}

fn count(counts: &mut Scores, score: f32, positive: bool, thresholds: Option<usize>) {
    let count = counts.at(thresholds.map_or_else(|| ordered(score), |n| bin(score, n)));
    if positive { count.1 += 1 } else { count.0 += 1 }
}

/// How many of `n` thresholds, evenly from 0 to 1, a score reaches.
fn bin(score: f32, n: usize) -> u32 {
    let last = n.saturating_sub(1).max(1);
    let step = 1.0 / last as f32;
    // As PyTorch spaces them: from both ends towards the middle.
    let threshold = |i: usize| if i < n / 2 { step * i as f32 } else { 1.0 - step * (last - i) as f32 };
    let near = (score * last as f32).round().clamp(0.0, last as f32) as usize;
    let reached = (near.saturating_sub(1)..=(near + 1).min(last)).filter(|&i| threshold(i) <= score).max();
    reached.map_or(0, |i| i as u32 + 1)
}

fn positives(counts: &Scores) -> u64 {
    counts.iter().map(|(_, count)| count.1).sum()
}

/// The probability that one of the class is scored above one that is not of it, ties counting half: the area under the
/// ROC curve. Undefined where one of both is missing.
pub(crate) fn auroc(counts: &Scores) -> Option<f64> {
    let (mut below, mut positives, mut twice) = (0u128, 0u128, 0u128);
    for (_, &(no, yes)) in counts.iter() {
        let (no, yes) = (u128::from(no), u128::from(yes));
        twice += yes * (2 * below + no);
        below += no;
        positives += yes;
    }
    let pairs = 2 * below * positives;
    (pairs > 0).then(|| twice as f64 / pairs as f64)
}

/// The sum of precisions at each score from the highest down, each weighted by the recall that it adds. Undefined
/// where nothing is of the class.
pub(crate) fn average_precision(counts: &Scores) -> Option<f64> {
    let (mut hit, mut taken, mut sum) = (0u64, 0u64, 0.0);
    for (_, &(no, yes)) in counts.iter().rev() {
        hit += yes;
        taken += yes + no;
        if yes > 0 {
            sum += yes as f64 * (hit as f64 / taken as f64);
        }
    }
    (hit > 0).then(|| sum / hit as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_reaches_all_thresholds_up_to_its_own() {
        assert_eq!([-0.1, 0.0, 0.1, 0.15, 0.7, 0.99, 1.0, 7.0].map(|s| bin(s, 11)), [0, 1, 2, 2, 8, 10, 11, 11]);
        assert_eq!([0.0, 0.5, 1.0].map(|s| bin(s, 2)), [1, 1, 2]);
    }

    #[test]
    fn ties_count_half() {
        let mut counts = Scores::default();
        [(0.5, true), (0.5, false)].iter().for_each(|&(s, yes)| count(&mut counts, s, yes, None));
        assert_eq!((auroc(&counts), average_precision(&counts)), (Some(0.5), Some(0.5)));
    }
}
