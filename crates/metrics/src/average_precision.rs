//! The average precision of the classes' scores: the area under the precision-recall curve, by steps.

use crate::RankAverage;
use crate::ranking::{Ranking, average_precision};
use pleach_core::kinds::metric::Part;
use pleach_core::{Better, DataInfo, Metric, Named, Result, Row, plugin};

/// The average precision of the classes' scores: the area under the precision-recall curve, by steps.
///
/// Sum over the scores that differ, from the highest down, of (R_n - R_{n-1}) P_n, with precision P and recall R of all
/// that score at least as much; without interpolation, as `average_precision_score` of scikit-learn. A share, more is
/// better. Of two classes it is that of class 1; of more, each is held against all others. A class without samples has
/// no value and is left out of the mean. The value is called `average_precision` (`average_precision_weighted`).
/// Memory: some 40 bytes for each score that differs, for each class; see `thresholds`. For boxes see
/// MeanAveragePrecision.
#[plugin(metric, alias = ["MulticlassAveragePrecision", "average_precision_score"], cite = "https://scikit-learn.org/stable/modules/generated/sklearn.metrics.average_precision_score.html")]
pub struct AveragePrecision {
    /// How the values of the classes become one; `none` lists them as well.
    #[plugin(default = RankAverage::Macro)]
    pub average: RankAverage,
    /// Scores are rounded down to this many thresholds, evenly from 0 to 1, as torchmetrics does it: less memory and a
    /// value that is near. Off: every score counts as it is, and the value is exact.
    #[plugin(range = 2..)]
    pub thresholds: Option<usize>,
}

impl Metric for AveragePrecision {
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
        state.summary("average_precision", &self.average, average_precision)
    }

    fn names(&self, data: &DataInfo) -> Vec<String> {
        Ranking::names(data, "average_precision", &self.average)
    }

    fn better(&self) -> Better {
        Better::Higher
    }

    fn reads(&self) -> Part {
        Part::Labels
    }
}
