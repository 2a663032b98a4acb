//! The share of pixels whose class is predicted right.

use crate::confusion::{mean, share};
use crate::{AverageOver, Confusion};
use pleach_core::kinds::metric::Part;
use pleach_core::{Better, DataInfo, Metric, Named, Result, Row, plugin};

/// The share of pixels whose class is predicted right.
///
/// Its value is called `pixel_accuracy`, `pixel_accuracy_macro` over classes.
#[plugin(metric)]
pub struct PixelAccuracy {
    /// `micro`: over all pixels. `macro`: the mean over classes of the share that is right in each; classes
    /// without a true pixel are left out.
    #[plugin(default = AverageOver::Micro)]
    pub average: AverageOver,
    /// Pixels of this true class count nowhere, and the class has no value; by default the class that
    /// the data ignore.
    pub ignore_index: Option<u32>,
}

impl Metric for PixelAccuracy {
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
        let (name, value) = match self.average {
            AverageOver::Micro => ("pixel_accuracy", share(state.correct(), state.total())),
            AverageOver::Macro => {
                ("pixel_accuracy_macro", mean(state.present().filter_map(|(_, c)| share(c.hit, c.support()))))
            }
        };
        value.map(|v| (name, v)).into_iter().collect()
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
