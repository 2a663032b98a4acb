//! The mean absolute error of predicted values.

use crate::Multioutput;
use crate::regression::{Errors, names, summary};
use pleach_core::kinds::metric::Part;
use pleach_core::{Better, DataInfo, Metric, Named, Result, Row, plugin};

/// The mean absolute error of predicted values.
///
/// The mean of |predicted - true| over samples, in the unit of the values; less is better. Equals `mean_absolute_error`
/// of scikit-learn. Its value is called `mae`; a split without samples has none.
#[plugin(metric, alias = ["MeanAbsoluteError"])]
pub struct MAE {
    /// How the values of several outputs become one; `raw_values` lists them as well.
    #[plugin(default = Multioutput::UniformAverage)]
    pub multioutput: Multioutput,
}

impl Metric for MAE {
    type State = Errors;

    fn start(&self, _: &DataInfo) -> Errors {
        Errors::default()
    }

    fn update(&self, state: &mut Errors, predicted: &Row, truth: &Row) -> Result<()> {
        state.add(predicted, truth, |p, t| (p - t).abs())
    }

    fn merge(&self, state: &mut Errors, other: Errors) {
        state.merge(&other);
    }

    fn values(&self, state: &Errors) -> Named<f64> {
        summary("mae", &state.means(), &self.multioutput)
    }

    fn names(&self, _: &DataInfo) -> Vec<String> {
        names("mae", "mae", self.multioutput == Multioutput::RawValues)
    }

    fn better(&self) -> Better {
        Better::Lower
    }

    fn reads(&self) -> Part {
        Part::Values
    }
}
