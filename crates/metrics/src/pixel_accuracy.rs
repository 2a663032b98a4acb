//! The share of pixels whose class is predicted right.

use crate::confusion::{mean, share};
use crate::{AverageOver, Confusion};
use pleach_core::kinds::metric::Part;
use pleach_core::{Better, DataInfo, Metric, Named, Result, Row, plugin};

/// The share of pixels whose class is predicted right.
///
/// Right pixels over all; a share, more is better. A split without pixels has no value. It is called `pixel_accuracy`,
/// `pixel_accuracy_macro` over classes.
#[plugin(metric)]
pub struct PixelAccuracy {
    /// `micro`: over all pixels. `macro`: the mean over classes of the share that is right in each; classes
    /// without a true pixel are left out. `none`: after it each class, `pixel_accuracy_<class>`.
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
        if matches!(self.average, AverageOver::Micro | AverageOver::Weighted) {
            return share(state.correct(), state.total()).map(|v| ("pixel_accuracy", v)).into_iter().collect();
        }
        let recalls = state.present().filter_map(|(i, c)| share(c.hit, c.support()).map(|v| (i, v)));
        let recalls: Vec<_> = recalls.collect();
        let main = mean(recalls.iter().map(|r| r.1)).map(|v| ("pixel_accuracy_macro".to_owned(), v));
        let each = recalls.iter().filter(|_| self.average == AverageOver::None);
        let each = each.map(|&(class, v)| (format!("pixel_accuracy_{}", state.key(class)), v));
        main.into_iter().chain(each).collect()
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
