//! The area under the ROC curve of the scores of binary maps' pixels.

use crate::RankAverage;
use crate::ranking::{Ranking, auroc};
use pleach_core::kinds::metric::Part;
use pleach_core::{Better, DataInfo, Metric, Named, Result, Row, plugin};

/// The area under the ROC curve of the scores of binary maps' pixels.
///
/// The probability that a pixel of the foreground has a higher score than one of the background, ties counting half,
/// over the pixels of all samples together; exact, by ranks. A share, more is better. Undefined, and left out, where
/// one of both is missing. The value is called `pixel_auroc`. Memory: some 40 bytes for each score that differs, which
/// may be as many as there are pixels; with `thresholds = 1000` next to nothing.
#[plugin(metric, cite = "doi:10.1016/j.patrec.2005.10.010")]
pub struct PixelAUROC {
    /// Pixels of this true class count nowhere; by default those of the class that the data ignore.
    pub ignore_index: Option<u32>,
    /// Scores are rounded down to this many thresholds, evenly from 0 to 1, as torchmetrics does it: less memory and a
    /// value that is near. Off: every score counts as it is, and the value is exact.
    #[plugin(range = 2..)]
    pub thresholds: Option<usize>,
}

impl Metric for PixelAUROC {
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
        state.summary("pixel_auroc", &RankAverage::Macro, auroc)
    }

    fn names(&self, _: &DataInfo) -> Vec<String> {
        vec!["pixel_auroc".to_owned()]
    }

    fn better(&self) -> Better {
        Better::Higher
    }

    fn reads(&self) -> Part {
        Part::Maps
    }
}
