//! How often each class is taken for each other.

use crate::Confusion;
use crate::confusion::share;
use pleach_core::kinds::metric::Part;
use pleach_core::{Better, DataInfo, Metric, Named, Result, Row, config, plugin};

/// The most classes whose cells are listed one by one; above it the values would be more than a person reads.
const LISTED: usize = 20;

/// By what the cells of the matrix are divided.
#[config]
#[derive(Default)]
pub enum Normalize {
    /// By nothing: the cells are counts.
    #[default]
    None,
    /// By the number of samples of the true class: rows sum to 1.
    True,
    /// By the number of samples predicted as the class: columns sum to 1.
    Pred,
    /// By the number of all samples.
    All,
}

/// How often each class is taken for each other: rows are true classes, columns predicted ones.
///
/// The values are `accuracy`, a share of which more is better, and, for up to 20 classes, each cell as
/// `confusion_<true>_as_<predicted>`, row by row; the whole matrix is the metric's saved state. Equals scikit-learn's
/// `confusion_matrix`.
#[plugin(metric, alias = ["MulticlassConfusionMatrix"])]
pub struct ConfusionMatrix {
    /// By what the cells are divided; a row or a column without samples stays 0.
    #[plugin(default = Normalize::None)]
    pub normalize: Normalize,
}

impl Metric for ConfusionMatrix {
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

    fn values(&self, m: &Confusion) -> Named<f64> {
        let mut values: Named<f64> = share(m.correct(), m.total()).map(|v| ("accuracy", v)).into_iter().collect();
        let n = m.classes();
        if n > LISTED || m.total() == 0 {
            return values;
        }
        for t in 0..n {
            for p in 0..n {
                let count = m.count(t, p);
                let cell = match self.normalize {
                    Normalize::None => Some(count as f64),
                    Normalize::True => share(count, m.tally(t).support()),
                    Normalize::Pred => share(count, m.tally(p).hit + m.tally(p).wrong),
                    Normalize::All => share(count, m.total()),
                };
                values.insert(format!("confusion_{}_as_{}", m.key(t), m.key(p)), cell.unwrap_or(0.0));
            }
        }
        values
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
