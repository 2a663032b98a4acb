//! Counts how often each true class was predicted as each class: the one state of all metrics over classes.

use crate::pairs;
use pleach_core::kinds::loss::snake;
use pleach_core::{DataInfo, Error, Metric, Result, Row, state};

/// How often each true class was predicted as each class.
///
/// Counts are whole numbers, so that merging is exact: any cut of the data gives the same matrix.
#[state]
pub struct Confusion {
    keys: Vec<String>,
    ignore_index: Option<u32>,
    counts: Vec<u64>,
}

impl Confusion {
    /// A matrix of zeros for the classes of the data; truths of the class `ignore_index` (by default
    /// the data's own) will not be counted.
    pub fn new(data: &DataInfo, ignore_index: Option<u32>) -> Self {
        let n = data.classes.len();
        Self {
            keys: class_keys(&data.classes),
            ignore_index: ignore_index.or(data.ignore_index),
            counts: vec![0; n * n],
        }
    }

    /// The names of all values of a metric, which are those of a matrix that has seen every class.
    pub(crate) fn names<M: Metric<State = Self>>(metric: &M, data: &DataInfo) -> Vec<String> {
        let mut all = metric.start(data);
        (0..all.classes()).for_each(|class| all.add(class, class));
        metric.values(&all).names().map(str::to_owned).collect()
    }

    /// How many classes there are.
    pub fn classes(&self) -> usize {
        self.keys.len()
    }

    /// The name of a class as it stands in the names of values: snake case, unique.
    pub fn key(&self, class: usize) -> &str {
        self.keys.get(class).map_or("", String::as_str)
    }

    /// How often `truth` was predicted as `predicted`; 0 for classes that do not exist.
    pub fn count(&self, truth: usize, predicted: usize) -> u64 {
        let n = self.classes();
        if truth >= n || predicted >= n { 0 } else { self.counts.get(truth * n + predicted).copied().unwrap_or(0) }
    }

    /// Whether a class is the one that counts nowhere.
    pub fn ignores(&self, class: usize) -> bool {
        self.ignore_index.is_some_and(|i| i as usize == class)
    }

    /// Counts the labels of a sample.
    ///
    /// # Errors
    /// PL0330 where the truth has no label or one out of range; PL0230 where the prediction has.
    pub fn add_labels(&mut self, predicted: &Row, truth: &Row) -> Result<()> {
        if let Some((t, p)) = labels(predicted, truth, self)? {
            self.add(t, p);
        }
        Ok(())
    }

    /// Counts every pixel of the true maps of a sample; predictions for other frames are not looked at.
    ///
    /// # Errors
    /// PL0330 where the truth has no map or a class out of range; PL0230 where a prediction is missing,
    /// of another size, or of a class out of range.
    pub fn add_maps(&mut self, predicted: &Row, truth: &Row) -> Result<()> {
        let key = &truth.id.key;
        for (guess, map) in pairs::maps(predicted, truth)? {
            for (i, (&t, &p)) in map.classes.iter().zip(&guess.classes).enumerate() {
                let (t, p) = (usize::from(t), usize::from(p));
                if self.ignores(t) {
                    continue;
                }
                if t >= self.classes() || p >= self.classes() {
                    let (x, y) = (i % map.width.max(1), i / map.width.max(1));
                    return Err(self.out_of_range(t, p, &format!("pixel ({x}, {y}) of sample `{key}`")));
                }
                self.add(t, p);
            }
        }
        Ok(())
    }

    /// Adds what another matrix has counted. Matrices of different numbers of classes add up class by
    /// class, under the names of the larger one.
    pub fn merge(&mut self, mut other: Self) {
        if other.classes() > self.classes() {
            std::mem::swap(self, &mut other);
        }
        for t in 0..other.classes() {
            for p in 0..other.classes() {
                let n = self.classes();
                if let Some(cell) = self.counts.get_mut(t * n + p) {
                    *cell += other.count(t, p);
                }
            }
        }
    }

    /// Everything counted.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// What was predicted right.
    pub fn correct(&self) -> u64 {
        (0..self.classes()).map(|c| self.count(c, c)).sum()
    }

    /// The counts of one class against the rest.
    pub fn tally(&self, class: usize) -> Tally {
        let n = self.classes();
        let hit = self.count(class, class);
        let row: u64 = (0..n).map(|p| self.count(class, p)).sum();
        let column: u64 = (0..n).map(|t| self.count(t, class)).sum();
        Tally { hit, missed: row - hit, wrong: column - hit }
    }

    /// The classes that the truth or the predictions hold, but for the ignored one, with their counts.
    pub fn present(&self) -> impl Iterator<Item = (usize, Tally)> {
        (0..self.classes()).filter(|&c| !self.ignores(c)).map(|c| (c, self.tally(c))).filter(|(_, t)| t.union() > 0)
    }

    /// Counts one pair; classes that do not exist are left out.
    pub(crate) fn add(&mut self, truth: usize, predicted: usize) {
        let n = self.classes();
        if truth < n
            && predicted < n
            && let Some(cell) = self.counts.get_mut(truth * n + predicted)
        {
            *cell += 1;
        }
    }

    fn out_of_range(&self, truth: usize, predicted: usize, place: &str) -> Error {
        let n = self.classes();
        if truth >= n {
            return Error::new("PL0330", format!("the class of {place} is {truth}, but there are {n} classes"))
                .hint("classes are counted from 0; a class that counts nowhere is the data's `ignore_index`");
        }
        Error::new("PL0230", format!("class {predicted} was predicted for {place}, but there are {n} classes"))
    }
}

/// One class against the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// Of the class and predicted as it (true positives).
    pub hit: u64,
    /// Of the class and predicted as another (false negatives).
    pub missed: u64,
    /// Of another class and predicted as this one (false positives).
    pub wrong: u64,
}

impl Tally {
    /// How many are of the class.
    pub fn support(self) -> u64 {
        self.hit + self.missed
    }

    /// How many are of the class, predicted as it, or both.
    pub fn union(self) -> u64 {
        self.hit + self.missed + self.wrong
    }
}

/// The true and the predicted class of a sample; `None` where the truth is ignored.
pub(crate) fn labels(predicted: &Row, truth: &Row, counts: &Confusion) -> Result<Option<(usize, usize)>> {
    let key = &truth.id.key;
    let Some(t) = truth.labels.class else {
        return Err(pairs::untold(truth, "label"));
    };
    if counts.ignores(t as usize) {
        return Ok(None);
    }
    let Some(p) = predicted.labels.class else {
        return Err(Error::new("PL0230", format!("no class was predicted for sample `{key}`")));
    };
    let (t, p) = (t as usize, p as usize);
    if t >= counts.classes() || p >= counts.classes() {
        return Err(counts.out_of_range(t, p, &format!("sample `{key}`")));
    }
    Ok(Some((t, p)))
}

/// A share of a whole; `None` of nothing.
pub(crate) fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// The plain mean; `None` of nothing.
pub(crate) fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, n) = values.fold((0.0, 0u64), |(sum, n), v| (sum + v, n + 1));
    (n > 0).then(|| sum / n as f64)
}

/// Names of classes in snake case; one that is empty or already taken gets its index behind it.
pub(crate) fn class_keys(names: &[String]) -> Vec<String> {
    let mut keys: Vec<String> = Vec::with_capacity(names.len());
    for (i, name) in names.iter().enumerate() {
        let mut key = snake(name).trim_matches('_').to_owned();
        if key.is_empty() || keys.contains(&key) {
            key = format!("{key}_{i}").trim_start_matches('_').to_owned();
        }
        while keys.contains(&key) {
            key.push('_');
        }
        keys.push(key);
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_of_like_names_stay_apart() {
        let names = ["T-shirt/top", "T shirt top", "+", "-", "Größe", "2", "3"].map(String::from);
        assert_eq!(class_keys(&names), ["t_shirt_top", "t_shirt_top_1", "2", "3", "größe", "2_5", "3_6"]);
    }

    #[test]
    fn a_matrix_of_fewer_classes_merges_into_a_larger_one() {
        let data = |n: usize| DataInfo { classes: (0..n).map(|c| format!("c{c}")).collect(), ..DataInfo::default() };
        let (mut small, mut large) = (Confusion::new(&data(2), None), Confusion::new(&data(3), None));
        small.add(1, 0);
        large.add(2, 1);
        small.merge(large);
        assert_eq!((small.classes(), small.count(1, 0), small.count(2, 1), small.total()), (3, 1, 1, 2));
    }
}
