//! The root of the mean squared error of predicted values.

use crate::Multioutput;
use crate::regression::{Errors, names, summary};
use pleach_core::kinds::metric::Part;
use pleach_core::{Better, DataInfo, Metric, Named, Result, Row, plugin};

/// The root of the mean squared error of predicted values.
///
/// The root of the mean of (predicted - true)^2 over samples, in the unit of the values; less is better. Of several
/// outputs it is the mean of their roots, as `root_mean_squared_error` of scikit-learn has it, not the root of the
/// mean. Its value is called `rmse`; a split without samples has none.
#[plugin(metric, alias = ["RootMeanSquaredError"])]
pub struct RMSE {
    /// How the values of several outputs become one; `raw_values` lists them as well.
    #[plugin(default = Multioutput::UniformAverage)]
    pub multioutput: Multioutput,
}

impl Metric for RMSE {
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
        let roots: Vec<_> = state.means().into_iter().map(|mean| mean.map(f64::sqrt)).collect();
        summary("rmse", &roots, &self.multioutput)
    }

    fn names(&self, _: &DataInfo) -> Vec<String> {
        names("rmse", "rmse", self.multioutput == Multioutput::RawValues)
    }

    fn better(&self) -> Better {
        Better::Lower
    }

    fn reads(&self) -> Part {
        Part::Values
    }
}
