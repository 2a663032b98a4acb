//! The share of samples whose class is predicted right.

use crate::confusion::{labels, mean, share};
use crate::{AverageOver, Confusion};
use pleach_core::kinds::metric::Part;
use pleach_core::{Better, DataInfo, Error, Metric, Named, Result, Row, plugin};

/// The share of samples whose class is predicted right.
///
/// Its value is called `accuracy`; `accuracy_macro` over classes, with `_top5` behind it for `top_k = 5`,
/// so that several may stand in one list. Equals `accuracy_score` and `top_k_accuracy_score` of
/// scikit-learn; over classes, torchmetrics' `MulticlassAccuracy`.
#[plugin(metric, alias = ["MulticlassAccuracy"])]
pub struct Accuracy {
    /// `micro`: over all samples. `macro`: the mean over classes of the share that is right in each,
    /// which a frequent class does not dominate; classes that neither truth nor predictions hold are
    /// left out (with `top_k` above 1: classes without samples).
    #[plugin(default = AverageOver::Micro)]
    pub average: AverageOver,
    /// A prediction is right when the true class is among this many of the highest scores; equal
    /// scores count in the order of their classes.
    #[plugin(default = 1, range = 1..)]
    pub top_k: usize,
}

impl Metric for Accuracy {
    type State = Confusion;

    fn start(&self, data: &DataInfo) -> Confusion {
        Confusion::new(data, None)
    }

    fn update(&self, state: &mut Confusion, predicted: &Row, truth: &Row) -> Result<()> {
        let Some((t, p)) = labels(predicted, truth, state)? else { return Ok(()) };
        let right = self.top_k > 1 && among_the_highest(&predicted.labels.scores, t, self.top_k, predicted)?;
        state.add(t, if right { t } else { p });
        Ok(())
    }

    fn merge(&self, state: &mut Confusion, other: Confusion) {
        state.merge(other);
    }

    fn values(&self, m: &Confusion) -> Named<f64> {
        let (mut name, value) = match self.average {
            AverageOver::Micro => ("accuracy".to_owned(), share(m.correct(), m.total())),
            AverageOver::Macro => {
                let counted = m.present().filter(|(_, c)| self.top_k == 1 || c.support() > 0);
                let recalls = counted.map(|(_, c)| share(c.hit, c.support()).unwrap_or(0.0));
                ("accuracy_macro".to_owned(), mean(recalls))
            }
        };
        if self.top_k > 1 {
            name = format!("{name}_top{}", self.top_k);
        }
        value.map(|v| (name, v)).into_iter().collect()
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

/// Whether fewer than `k` classes come before class `t`.
fn among_the_highest(scores: &[f32], t: usize, k: usize, row: &Row) -> Result<bool> {
    let Some(own) = scores.get(t) else {
        return Err(Error::new(
            "PL0230",
            format!("the prediction for sample `{}` has {} scores, none for class {t}", row.id.key, scores.len()),
        ));
    };
    let before = scores.iter().enumerate().filter(|&(c, s)| s > own || (s == own && c < t)).count();
    Ok(before < k)
}
