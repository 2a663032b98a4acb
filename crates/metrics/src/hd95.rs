//! How far the edges of true and predicted masks are from each other, but for the farthest 5 %.

use crate::hausdorff::{Asked, Distances};
use pleach_core::kinds::metric::Part;
use pleach_core::{Better, DataInfo, Metric, Named, Result, Row, plugin};

/// How far the edges of true and predicted masks are from each other, but for the farthest 5 %.
///
/// The 95th percentile over p of min over t of |p - t|, with p the pixels of the predicted mask's edge and t those of
/// the true one's, and the same from t to p, of which the larger counts; in pixels, less is better: HausdorffDistance
/// with `percentile = 95`. The value of a map is the mean over its classes, and `hd95` the mean over maps;
/// `hd95_<class>` is the mean of one class. Empty masks are as MONAI's `HausdorffDistanceMetric` has them: a class that
/// one of both maps does not hold is left out, so that a mask that was missed altogether counts for nothing here; see
/// it by Recall or Dice.
#[plugin(metric, alias = ["HausdorffDistance95"], cite = "doi:10.1109/34.232073")]
pub struct HD95 {
    /// Only from the predicted edge to the true one; otherwise the larger of both ways.
    #[plugin(default = false)]
    pub directed: bool,
    /// Whether class 0 counts as a class.
    #[plugin(default = false)]
    pub include_background: bool,
    /// Pixels of this true class are of no mask, and the class has no value; by default the class that the data ignore.
    pub ignore_index: Option<u32>,
}

impl Metric for HD95 {
    type State = Distances;

    fn start(&self, data: &DataInfo) -> Distances {
        Distances::new(data, self.ignore_index)
    }

    fn update(&self, state: &mut Distances, predicted: &Row, truth: &Row) -> Result<()> {
        state.add(predicted, truth, &self.asked())
    }

    fn merge(&self, state: &mut Distances, other: Distances) {
        state.merge(&other);
    }

    fn values(&self, state: &Distances) -> Named<f64> {
        state.values("hd95")
    }

    fn names(&self, data: &DataInfo) -> Vec<String> {
        Distances::names(data, "hd95", &self.asked())
    }

    fn better(&self) -> Better {
        Better::Lower
    }

    fn reads(&self) -> Part {
        Part::Maps
    }

    fn unit(&self) -> &'static str {
        "px"
    }
}

impl HD95 {
    fn asked(&self) -> Asked {
        Asked { percentile: Some(95.0), directed: self.directed, include_background: self.include_background }
    }
}
