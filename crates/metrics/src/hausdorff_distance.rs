//! How far the edges of true and predicted masks are from each other at most.

use crate::hausdorff::{Asked, Distances};
use pleach_core::kinds::metric::Part;
use pleach_core::{Better, DataInfo, Metric, Named, Result, Row, plugin};

/// How far the edges of true and predicted masks are from each other at most.
///
/// max over p of min over t of |p - t|, with p the pixels of the predicted mask's edge and t those of the true one's,
/// and the same from t to p, of which the larger counts; in pixels, less is better. A pixel is on the edge if one of
/// its four neighbours is outside. The value of a map is the mean over its classes, and `hausdorff_distance` the mean
/// over maps; `hausdorff_distance_<class>` is the mean of one class. Empty masks are as MONAI's
/// `HausdorffDistanceMetric` has them: a class that is in neither map is left out; one that is in one of both is
/// infinitely far, or, with a percentile, left out as well.
#[plugin(metric, alias = ["HausdorffDistanceMetric"], cite = "doi:10.1109/34.232073")]
pub struct HausdorffDistance {
    /// The percentile of distances that is taken in place of the largest, 0 to 100, with linear interpolation; 0 is the
    /// largest too, as MONAI has it. Off: the largest.
    #[plugin(range = 0.0..=100.0)]
    pub percentile: Option<f64>,
    /// Only from the predicted edge to the true one; otherwise the larger of both ways.
    #[plugin(default = false)]
    pub directed: bool,
    /// Whether class 0 counts as a class.
    #[plugin(default = false)]
    pub include_background: bool,
    /// Pixels of this true class are of no mask, and the class has no value; by default the class that the data ignore.
    pub ignore_index: Option<u32>,
}

impl Metric for HausdorffDistance {
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
        state.values("hausdorff_distance")
    }

    fn names(&self, data: &DataInfo) -> Vec<String> {
        Distances::names(data, "hausdorff_distance", &self.asked())
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

impl HausdorffDistance {
    fn asked(&self) -> Asked {
        Asked { percentile: self.percentile, directed: self.directed, include_background: self.include_background }
    }
}
