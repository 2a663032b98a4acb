//! The weighted harmonic mean of precision and recall.

use crate::average::summary;
use crate::{Average, Confusion};
use pleach_core::kinds::metric::Part;
use pleach_core::{Better, DataInfo, Metric, Named, Result, Row, plugin};

/// The weighted harmonic mean of precision and recall.
///
/// (1 + beta^2) TP / ((1 + beta^2) TP + beta^2 FN + FP), as scikit-learn's `fbeta_score` over the classes that the
/// truth or the predictions hold, of which each has a value. A share, more is better. Its value is called
/// `f_beta_<beta>` (`f_beta_2`, `f_beta_0_5_micro`), so that several may stand in one list; a split without samples has
/// none.
#[plugin(metric, alias = ["FBetaScore", "MulticlassFBetaScore"])]
pub struct FBeta {
    /// How many times as much recall counts as precision; 1 is F1, below 1 precision counts more.
    #[plugin(example = 2.0, above = 0.0)]
    pub beta: f64,
    /// How the values of the classes become one; `none` lists them as well.
    #[plugin(default = Average::Macro)]
    pub average: Average,
}

impl Metric for FBeta {
    type State = Confusion;

    fn start(&self, data: &DataInfo) -> Confusion {
        Confusion::new(data, None)
    }

    fn update(&self, state: &mut Confusion, predicted: &Row, truth: &Row) -> Result<()> {
        state.add_labels(predicted, truth)
    }

    fn merge(&self, state: &mut Confusion, other: Confusion) {
        state.merge(other);
    }

    fn values(&self, state: &Confusion) -> Named<f64> {
        let name = format!("f_beta_{}", self.beta).replace('.', "_");
        let square = self.beta * self.beta;
        summary(&name, state, self.average, |c| {
            let hits = (1.0 + square) * c.hit as f64;
            // A class that is present has at least one of the three.
            hits / (hits + square * c.missed as f64 + c.wrong as f64)
        })
    }

    fn names(&self, data: &DataInfo) -> Vec<String> {
        Confusion::names(self, data)
    }

    fn better(&self) -> Better {
        Better::Higher
    }

    fn reads(&self) -> Part {
        Part::Labels
    }
}
