//! The share of what is predicted as a class that is of it.

use crate::average::summary;
use crate::confusion::share;
use crate::{Average, Confusion};
use pleach_core::kinds::metric::Part;
use pleach_core::{Better, DataInfo, Metric, Named, Result, Row, plugin};

/// The share of what is predicted as a class that is of it.
///
/// True positives over true and false positives, as scikit-learn's `precision_score` over the classes that the truth or
/// the predictions hold. A share, more is better; a split without samples has none. Its value is called `precision`
/// (`precision_micro`, `precision_weighted`).
#[plugin(metric, alias = ["MulticlassPrecision"])]
pub struct Precision {
    /// How the values of the classes become one; `none` lists them as well.
    #[plugin(default = Average::Macro)]
    pub average: Average,
    /// The value of a class that the truth holds but that is never predicted, 0 to 1.
    #[plugin(default = 0.0, range = 0.0..=1.0)]
    pub zero_division: f64,
}

impl Metric for Precision {
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
        summary("precision", state, self.average, |c| share(c.hit, c.hit + c.wrong).unwrap_or(self.zero_division))
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
