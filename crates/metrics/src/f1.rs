//! The harmonic mean of precision and recall.

use crate::average::summary;
use crate::confusion::share;
use crate::{Average, Confusion};
use pleach_core::kinds::metric::Part;
use pleach_core::{Better, DataInfo, Metric, Named, Result, Row, plugin};

/// The harmonic mean of precision and recall.
///
/// 2 TP / (2 TP + FP + FN), as scikit-learn's `f1_score` over the classes that the truth or the predictions hold, of
/// which each has a value. A share, more is better; a split without samples has none. Its value is called `f1`
/// (`f1_micro`, `f1_weighted`).
#[plugin(metric, alias = ["F1Score", "MulticlassF1Score"])]
pub struct F1 {
    /// How the values of the classes become one; `none` lists them as well.
    #[plugin(default = Average::Macro)]
    pub average: Average,
}

impl Metric for F1 {
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
        summary("f1", state, self.average, |c| share(2 * c.hit, c.hit + c.union()).unwrap_or(0.0))
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
