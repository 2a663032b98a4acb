//! The area under the ROC curve of the classes' scores.

use crate::RankAverage;
use crate::ranking::{Ranking, auroc};
use pleach_core::kinds::metric::Part;
use pleach_core::{Better, DataInfo, Metric, Named, Result, Row, plugin};

/// The area under the ROC curve of the classes' scores.
///
/// The probability that a sample of the class has a higher score for it than one of another class, ties counting half;
/// exact, by ranks. A share, more is better. Of two classes it is that of class 1, as `roc_auc_score` of scikit-learn;
/// of more, each is held against all others (`multi_class = "ovr"`, torchmetrics' `MulticlassAUROC`). A class that all
/// samples are of, or none, has no value and is left out of the mean. The value is called `auroc` (`auroc_weighted`).
/// Memory: some 40 bytes for each score that differs, for each class; see `thresholds`.
#[plugin(metric, alias = ["MulticlassAUROC", "ROCAUC", "roc_auc_score"], cite = "doi:10.1016/j.patrec.2005.10.010")]
pub struct AUROC {
    /// How the values of the classes become one; `none` lists them as well.
    #[plugin(default = RankAverage::Macro)]
    pub average: RankAverage,
    /// Scores are rounded down to this many thresholds, evenly from 0 to 1, as torchmetrics does it: less memory and a
    /// value that is near. Off: every score counts as it is, and the value is exact.
    #[plugin(range = 2..)]
    pub thresholds: Option<usize>,
}

impl Metric for AUROC {
    type State = Ranking;

    fn start(&self, data: &DataInfo) -> Ranking {
        Ranking::new(data, None)
    }

    fn update(&self, state: &mut Ranking, predicted: &Row, truth: &Row) -> Result<()> {
        state.add_labels(predicted, truth, self.thresholds)
    }

    fn merge(&self, state: &mut Ranking, other: Ranking) {
        state.merge(other);
    }

    fn values(&self, state: &Ranking) -> Named<f64> {
        state.summary("auroc", &self.average, auroc)
    }

    fn names(&self, data: &DataInfo) -> Vec<String> {
        Ranking::names(data, "auroc", &self.average)
    }

    fn better(&self) -> Better {
        Better::Higher
    }

    fn reads(&self) -> Part {
        Part::Labels
    }
}
