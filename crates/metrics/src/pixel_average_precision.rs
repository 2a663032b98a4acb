//! The average precision of the scores of binary maps' pixels.

use crate::RankAverage;
use crate::ranking::{Ranking, average_precision};
use pleach_core::kinds::metric::Part;
use pleach_core::{Better, DataInfo, Metric, Named, Result, Row, plugin};

/// The average precision of the scores of binary maps' pixels.
///
/// Sum over the scores that differ, from the highest down, of (R_n - R_{n-1}) P_n, with precision P and recall R of all
/// pixels that score at least as much, over the pixels of all samples together. A share, more is better. Undefined, and
/// left out, where no pixel is foreground. The value is called `pixel_average_precision`. Memory: some 40 bytes for
/// each score that differs, which may be as many as there are pixels; with `thresholds = 1000` next to nothing.
#[plugin(
    metric,
    cite = "https://scikit-learn.org/stable/modules/generated/sklearn.metrics.average_precision_score.html"
)]
pub struct PixelAveragePrecision {
    /// Pixels of this true class count nowhere; by default those of the class that the data ignore.
    pub ignore_index: Option<u32>,
    /// Scores are rounded down to this many thresholds, evenly from 0 to 1, as torchmetrics does it: less memory and a
    /// value that is near. Off: every score counts as it is, and the value is exact.
    #[plugin(range = 2..)]
    pub thresholds: Option<usize>,
}

impl Metric for PixelAveragePrecision {
    type State = Ranking;

    fn start(&self, data: &DataInfo) -> Ranking {
        Ranking::new(&DataInfo { ignore_index: data.ignore_index, ..DataInfo::default() }, self.ignore_index)
    }

    fn update(&self, state: &mut Ranking, predicted: &Row, truth: &Row) -> Result<()> {
        state.add_maps(predicted, truth, self.thresholds)
    }

    fn merge(&self, state: &mut Ranking, other: Ranking) {
        state.merge(other);
    }

    fn values(&self, state: &Ranking) -> Named<f64> {
        state.summary("pixel_average_precision", &RankAverage::Macro, average_precision)
    }

    fn names(&self, _: &DataInfo) -> Vec<String> {
        vec!["pixel_average_precision".to_owned()]
    }

    fn better(&self) -> Better {
        Better::Higher
    }

    fn reads(&self) -> Part {
        Part::Maps
    }
}
