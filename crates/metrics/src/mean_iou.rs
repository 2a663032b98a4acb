//! Intersection over union of true and predicted pixels, the mean over classes.

use crate::average::PerClass;
use crate::confusion::share;
use crate::{Confusion, MapAverage};
use pleach_core::kinds::metric::Part;
use pleach_core::{Better, DataInfo, Metric, Named, Result, Row, plugin};

/// Intersection over union of true and predicted pixels, the mean over classes.
///
/// TP / (TP + FP + FN) of each class over the pixels of all samples together, as torchmetrics' `JaccardIndex`. A share,
/// more is better. Classes that neither the truth nor the predictions hold are left out of the mean and have no value
/// of their own. The values are called `mean_iou` (`mean_iou_micro`, `mean_iou_weighted`) and, for each class,
/// `iou_<class>`.
#[plugin(metric, alias = ["IoU", "Jaccard", "JaccardIndex", "MulticlassJaccardIndex"])]
pub struct MeanIoU {
    /// How the values of the classes become one: `macro`, `micro` or `weighted`.
    #[plugin(default = MapAverage::Macro)]
    pub average: MapAverage,
    /// Whether class 0 counts as a class; `false` where it is the background and of no interest.
    #[plugin(default = true)]
    pub include_background: bool,
    /// Pixels of this true class count nowhere, and the class has no value; by default the class that
    /// the data ignore.
    pub ignore_index: Option<u32>,
}

impl Metric for MeanIoU {
    type State = Confusion;

    fn start(&self, data: &DataInfo) -> Confusion {
        Confusion::new(data, self.ignore_index)
    }

    fn update(&self, state: &mut Confusion, predicted: &Row, truth: &Row) -> Result<()> {
        state.add_maps(predicted, truth)
    }

    fn merge(&self, state: &mut Confusion, other: Confusion) {
        state.merge(other);
    }

    fn values(&self, state: &Confusion) -> Named<f64> {
        let classes =
            PerClass { name: "mean_iou", each: "iou", average: &self.average, background: self.include_background };
        classes.values(state, |c| share(c.hit, c.union()))
    }

    fn names(&self, data: &DataInfo) -> Vec<String> {
        Confusion::names(self, data)
    }

    fn better(&self) -> Better {
        Better::Higher
    }

    fn reads(&self) -> Part {
        Part::Maps
    }
}
