//! The mean squared error of predicted values.

use crate::Multioutput;
use crate::regression::{Errors, names, summary};
use pleach_core::kinds::metric::Part;
use pleach_core::{Better, DataInfo, Metric, Named, Result, Row, plugin};

/// The mean squared error of predicted values.
///
/// The mean of (predicted - true)^2 over samples, in the square of the unit of the values; less is better. Equals
/// `mean_squared_error` of scikit-learn. Its value is called `mse`; a split without samples has none.
#[plugin(metric, alias = ["MeanSquaredError"])]
pub struct MSE {
    /// How the values of several outputs become one; `raw_values` lists them as well.
    #[plugin(default = Multioutput::UniformAverage)]
    pub multioutput: Multioutput,
}

impl Metric for MSE {
    type State = Errors;

    fn start(&self, _: &DataInfo) -> Errors {
        Errors::default()
    }

    fn update(&self, state: &mut Errors, predicted: &Row, truth: &Row) -> Result<()> {
        state.add(predicted, truth, |p, t| (p - t).powi(2))
    }

    fn merge(&self, state: &mut Errors, other: Errors) {
        state.merge(&other);
    }

    fn values(&self, state: &Errors) -> Named<f64> {
        summary("mse", &state.means(), &self.multioutput)
    }

    fn names(&self, _: &DataInfo) -> Vec<String> {
        names("mse", "mse", self.multioutput == Multioutput::RawValues)
    }

    fn better(&self) -> Better {
        Better::Lower
    }

    fn reads(&self) -> Part {
        Part::Values
    }
}
