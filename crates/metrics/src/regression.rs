//! What metrics over numbers have in common: errors of each output, and how they become one.

use crate::exact::ExactSum;
use crate::pairs;
use pleach_core::{Named, Result, Row, config, state};

/// How many outputs have values of their own at most; above it there would be more than a person reads.
const LISTED: usize = 32;

/// How the values of several outputs become one.
#[config]
#[derive(Default)]
pub enum Multioutput {
    /// The plain mean over outputs.
    #[default]
    UniformAverage,
    /// The plain mean, and after it the value of each output under its number (of the first 32).
    RawValues,
}

/// The value of all outputs together as `name`, and that of each as `name_<output>` where they are asked for.
pub(crate) fn summary(name: &str, each: &[Option<f64>], how: &Multioutput) -> Named<f64> {
    let mut values = Named::new();
    if let Some(mean) = crate::confusion::mean(each.iter().copied().flatten()) {
        values.insert(name, mean);
    }
    if *how == Multioutput::RawValues {
        list(name, each, &mut values);
    }
    values
}

/// The value of each output as `name_<output>`.
pub(crate) fn list(name: &str, each: &[Option<f64>], values: &mut Named<f64>) {
    for (i, value) in each.iter().enumerate().take(LISTED) {
        if let Some(value) = value {
            values.insert(format!("{name}_{i}"), *value);
        }
    }
}

/// The names of all values, for any number of outputs.
pub(crate) fn names(main: &str, name: &str, raw: bool) -> Vec<String> {
    let each = (0..LISTED).filter(|_| raw).map(|i| format!("{name}_{i}"));
    std::iter::once(main.to_owned()).chain(each).collect()
}

/// Sums of errors for each output; they are exact, so that any cut of the data gives the same.
#[state]
#[derive(Default)]
pub struct Errors {
    samples: u64,
    sums: Vec<ExactSum>,
}

impl Errors {
    /// Adds `error(predicted, true)` of each output of a sample.
    pub(crate) fn add(&mut self, predicted: &Row, truth: &Row, error: impl Fn(f64, f64) -> f64) -> Result<()> {
        let pairs = pairs::values(predicted, truth, self.sums.len())?;
        self.sums.resize_with(pairs.len(), ExactSum::default);
        self.samples += 1;
        self.sums.iter_mut().zip(pairs).for_each(|(sum, (p, t))| sum.add(error(p, t)));
        Ok(())
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.samples += other.samples;
        let outputs = self.sums.len().max(other.sums.len());
        self.sums.resize_with(outputs, ExactSum::default);
        self.sums.iter_mut().zip(&other.sums).for_each(|(sum, theirs)| sum.merge(theirs));
    }

    /// The mean error of each output.
    pub(crate) fn means(&self) -> Vec<Option<f64>> {
        let n = self.samples as f64;
        self.sums.iter().map(|sum| Some(sum.value() / n)).collect()
    }
}
