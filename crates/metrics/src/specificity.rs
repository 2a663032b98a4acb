//! The share of what is not of a class that is not predicted as it.

use crate::average::summary;
use crate::confusion::share;
use crate::{Average, Confusion};
use pleach_core::kinds::metric::Part;
use pleach_core::{Better, DataInfo, Metric, Named, Result, Row, plugin};

/// The share of what is not of a class that is not predicted as it.
///
/// True negatives over true negatives and false positives, as torchmetrics' `MulticlassSpecificity` over the classes
/// that the truth or the predictions hold. A share, more is better. Its value is called `specificity`
/// (`specificity_micro`, `specificity_weighted`); a split without samples has none.
#[plugin(metric, alias = ["TrueNegativeRate", "MulticlassSpecificity"])]
pub struct Specificity {
    /// How the values of the classes become one; `none` lists them as well.
    #[plugin(default = Average::Macro)]
    pub average: Average,
    /// The value of a class that every sample is of, 0 to 1.
    #[plugin(default = 0.0, range = 0.0..=1.0)]
    pub zero_division: f64,
}

impl Metric for Specificity {
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
        let samples = state.total();
        if self.average == Average::Micro {
            // Over all classes together, each sample is right or wrong once for each of them.
            let (wrong, all) = (samples - state.correct(), state.classes() as u64 * samples);
            let right = all.saturating_sub(samples + wrong);
            return share(right, right + wrong).map(|v| ("specificity_micro", v)).into_iter().collect();
        }
        summary("specificity", state, self.average, |c| {
            let right = samples - c.union();
            share(right, right + c.wrong).unwrap_or(self.zero_division)
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
