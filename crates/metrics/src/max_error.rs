//! The largest absolute error of predicted values.

use crate::Multioutput;
use crate::pairs;
use crate::regression::{names, summary};
use pleach_core::kinds::metric::Part;
use pleach_core::{Better, DataInfo, Metric, Named, Result, Row, plugin, state};

/// The largest absolute error of predicted values.
///
/// The greatest |predicted - true| of all samples, in the unit of the values; less is better. Equals `max_error` of
/// scikit-learn for one output; of several it is the mean of their largest errors. Its value is called `max_error`; a
/// split without samples has none.
#[plugin(metric)]
pub struct MaxError {
    /// How the values of several outputs become one; `raw_values` lists them as well.
    #[plugin(default = Multioutput::UniformAverage)]
    pub multioutput: Multioutput,
}

/// The largest error of each output.
#[state]
#[derive(Default)]
pub struct Largest(Vec<f64>);

impl Metric for MaxError {
    type State = Largest;

    fn start(&self, _: &DataInfo) -> Largest {
        Largest::default()
    }

    fn update(&self, state: &mut Largest, predicted: &Row, truth: &Row) -> Result<()> {
        let pairs = pairs::values(predicted, truth, state.0.len())?;
        self.merge(state, Largest(pairs.into_iter().map(|(p, t)| (p - t).abs()).collect()));
        Ok(())
    }

    fn merge(&self, state: &mut Largest, other: Largest) {
        let outputs = state.0.len().max(other.0.len());
        state.0.resize(outputs, 0.0);
        state.0.iter_mut().zip(other.0).for_each(|(largest, error)| *largest = largest.max(error));
    }

    fn values(&self, state: &Largest) -> Named<f64> {
        let each: Vec<_> = state.0.iter().copied().map(Some).collect();
        summary("max_error", &each, &self.multioutput)
    }

    fn names(&self, _: &DataInfo) -> Vec<String> {
        names("max_error", "max_error", self.multioutput == Multioutput::RawValues)
    }

    fn better(&self) -> Better {
        Better::Lower
    }

    fn reads(&self) -> Part {
        Part::Values
    }
}
