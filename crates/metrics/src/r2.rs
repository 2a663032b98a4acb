//! The share of the variance of true values that the predictions explain.

use crate::exact::ExactSum;
use crate::pairs;
use crate::regression::{list, names};
use pleach_core::kinds::metric::Part;
use pleach_core::{Better, DataInfo, Metric, Named, Result, Row, config, plugin, state};

/// How the R2 of several outputs become one.
#[config]
#[derive(Default)]
pub enum R2Multioutput {
    /// The plain mean over outputs.
    #[default]
    UniformAverage,
    /// The plain mean, and after it the value of each output under its number (of the first 32).
    RawValues,
    /// The mean over outputs, each weighted by the variance of its true values.
    VarianceWeighted,
}

/// The share of the variance of true values that the predictions explain.
///
/// 1 - sum (true - predicted)^2 / sum (true - mean true)^2: 1 is perfect, 0 what the mean as a constant prediction
/// gives, and less is worse; more is better. Equals `r2_score` of scikit-learn and torchmetrics' `R2Score`, but for an
/// output whose true values are all alike: its R2 is undefined and left out, where the references put 0 or 1. The value
/// is called `r2`, `r2_weighted` where outputs are weighted.
#[plugin(metric, alias = ["R2Score", "r2_score"])]
pub struct R2 {
    /// How the values of several outputs become one; `raw_values` lists them as well.
    #[plugin(default = R2Multioutput::UniformAverage)]
    pub multioutput: R2Multioutput,
    /// The number of regressors p of the adjusted R2, 1 - (1 - R2) (n - 1) / (n - p - 1) over n samples, which has no
    /// value for n up to p + 1; 0 is the plain one.
    #[plugin(default = 0)]
    pub adjusted: u64,
}

/// Exact sums over samples for each output.
#[state]
#[derive(Default)]
pub struct Variances {
    samples: u64,
    outputs: Vec<Variance>,
}

/// Exact sums over the samples of one output.
#[state]
#[derive(Default)]
pub struct Variance {
    sum: ExactSum,
    squares: ExactSum,
    residuals: ExactSum,
}

impl Metric for R2 {
    type State = Variances;

    fn start(&self, _: &DataInfo) -> Variances {
        Variances::default()
    }

    fn update(&self, state: &mut Variances, predicted: &Row, truth: &Row) -> Result<()> {
        let pairs = pairs::values(predicted, truth, state.outputs.len())?;
        state.outputs.resize_with(pairs.len(), Variance::default);
        state.samples += 1;
        for (output, (p, t)) in state.outputs.iter_mut().zip(pairs) {
            output.sum.add(t);
            output.squares.add_product(t, t);
            output.residuals.add((t - p).powi(2));
        }
        Ok(())
    }

    fn merge(&self, state: &mut Variances, other: Variances) {
        state.samples += other.samples;
        let outputs = state.outputs.len().max(other.outputs.len());
        state.outputs.resize_with(outputs, Variance::default);
        for (output, theirs) in state.outputs.iter_mut().zip(&other.outputs) {
            output.sum.merge(&theirs.sum);
            output.squares.merge(&theirs.squares);
            output.residuals.merge(&theirs.residuals);
        }
    }

    fn values(&self, state: &Variances) -> Named<f64> {
        let n = state.samples as f64;
        // n times the sum of squares about the mean.
        let spread = |o: &Variance| ExactSum::spread(state.samples, &o.squares, &o.sum);
        let spreads: Vec<f64> = state.outputs.iter().map(spread).collect();
        let each = state.outputs.iter().zip(&spreads);
        let each: Vec<Option<f64>> = each.map(|(o, s)| (*s > 0.0).then(|| 1.0 - n * o.residuals.value() / s)).collect();
        let weight = |s: &f64| if self.multioutput == R2Multioutput::VarianceWeighted { *s } else { 1.0 };
        let defined = each.iter().zip(&spreads).filter_map(|(v, s)| v.map(|v| (v, weight(s))));
        let (sum, total) = defined.fold((0.0, 0.0), |(sum, total), (v, w)| (sum + v * w, total + w));
        let mut values = Named::new();
        if total == 0.0 {
            return values;
        }
        let mut main = sum / total;
        let mut each = each;
        if self.adjusted > 0 {
            if state.samples <= self.adjusted.saturating_add(1) {
                return values;
            }
            let factor = (n - 1.0) / (n - self.adjusted as f64 - 1.0);
            main = 1.0 - (1.0 - main) * factor;
            each.iter_mut().flatten().for_each(|v| *v = 1.0 - (1.0 - *v) * factor);
        }
        values.insert(self.name(), main);
        if self.multioutput == R2Multioutput::RawValues {
            list("r2", &each, &mut values);
        }
        values
    }

    fn names(&self, _: &DataInfo) -> Vec<String> {
        names(self.name(), "r2", self.multioutput == R2Multioutput::RawValues)
    }

    fn better(&self) -> Better {
        Better::Higher
    }

    fn reads(&self) -> Part {
        Part::Values
    }
}

impl R2 {
    fn name(&self) -> &'static str {
        if self.multioutput == R2Multioutput::VarianceWeighted { "r2_weighted" } else { "r2" }
    }
}
