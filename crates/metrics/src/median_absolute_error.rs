//! The median of the absolute errors of predicted values.

use crate::Multioutput;
use crate::counts::Counts;
use crate::pairs;
use crate::regression::{names, summary};
use pleach_core::kinds::metric::Part;
use pleach_core::{Better, DataInfo, Metric, Named, Result, Row, plugin, state};

/// The median of the absolute errors of predicted values.
///
/// The middle one of all |predicted - true|, of an even number the mean of the middle two, in the unit of the values;
/// less is better. A few errors that are far off do not move it. Equals `median_absolute_error` of scikit-learn. Its
/// value is called `median_absolute_error`; a split without samples has none. Every error that differs is kept, some 40
/// bytes for each sample and output.
#[plugin(metric)]
pub struct MedianAbsoluteError {
    /// How the values of several outputs become one; `raw_values` lists them as well.
    #[plugin(default = Multioutput::UniformAverage)]
    pub multioutput: Multioutput,
}

/// How often each absolute error was seen, for each output; floats that are not negative have the order of their bits.
#[state]
#[derive(Default)]
pub struct AbsoluteErrors(Vec<Counts<u64, u64>>);

impl Metric for MedianAbsoluteError {
    type State = AbsoluteErrors;

    fn start(&self, _: &DataInfo) -> AbsoluteErrors {
        AbsoluteErrors::default()
    }

    fn update(&self, state: &mut AbsoluteErrors, predicted: &Row, truth: &Row) -> Result<()> {
        let pairs = pairs::values(predicted, truth, state.0.len())?;
        state.0.resize_with(pairs.len(), Counts::default);
        state.0.iter_mut().zip(pairs).for_each(|(counts, (p, t))| *counts.at((p - t).abs().to_bits()) += 1);
        Ok(())
    }

    fn merge(&self, state: &mut AbsoluteErrors, other: AbsoluteErrors) {
        let outputs = state.0.len().max(other.0.len());
        state.0.resize_with(outputs, Counts::default);
        state.0.iter_mut().zip(other.0).for_each(|(counts, theirs)| counts.merge(theirs, |a, b| *a += b));
    }

    fn values(&self, state: &AbsoluteErrors) -> Named<f64> {
        let medians: Vec<_> = state.0.iter().map(median).collect();
        summary("median_absolute_error", &medians, &self.multioutput)
    }

    fn names(&self, _: &DataInfo) -> Vec<String> {
        let name = "median_absolute_error";
        names(name, name, self.multioutput == Multioutput::RawValues)
    }

    fn better(&self) -> Better {
        Better::Lower
    }

    fn reads(&self) -> Part {
        Part::Values
    }
}

fn median(counts: &Counts<u64, u64>) -> Option<f64> {
    let total: u64 = counts.iter().map(|(_, n)| n).sum();
    let nth = |nth: u64| {
        let mut seen = 0;
        let mut up_to = counts.iter().map(|(bits, n)| {
            seen += n;
            (f64::from_bits(*bits), seen)
        });
        up_to.find(|(_, seen)| *seen > nth).map(|(error, _)| error)
    };
    Some((nth(total.checked_sub(1)? / 2)? + nth(total / 2)?) / 2.0)
}
