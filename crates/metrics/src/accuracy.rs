//! The share of samples whose class is predicted right.

use crate::confusion::{labels, mean, share};
use crate::{AverageOver, Confusion};
use pleach_core::kinds::metric::Part;
use pleach_core::{Better, DataInfo, Error, Metric, Named, Result, Row, plugin};

/// The share of samples whose class is predicted right.
///
/// Right predictions over all; a share, more is better. Samples of the class that the data ignore are left out, and a
/// split without samples has no value. The value is called `accuracy`; `accuracy_macro` over classes, with `_top5`
/// behind it for `top_k = 5`, so that several may stand in one list. Equals `accuracy_score` and `top_k_accuracy_score`
/// of scikit-learn; over classes, torchmetrics' `MulticlassAccuracy`.
#[plugin(metric, alias = ["MulticlassAccuracy"])]
pub struct Accuracy {
    /// `micro`: over all samples. `macro`: the mean over classes of the share that is right in each,
    /// which a frequent class does not dominate; classes that neither truth nor predictions hold are
    /// left out (with `top_k` above 1: classes without samples). `none`: after it each class, `accuracy_<class>`.
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
        let top = if self.top_k > 1 { format!("_top{}", self.top_k) } else { String::new() };
        if matches!(self.average, AverageOver::Micro | AverageOver::Weighted) {
            return share(m.correct(), m.total()).map(|v| (format!("accuracy{top}"), v)).into_iter().collect();
        }
        let counted = m.present().filter(|(_, c)| self.top_k == 1 || c.support() > 0);
        let recalls: Vec<_> = counted.map(|(i, c)| (i, share(c.hit, c.support()).unwrap_or(0.0))).collect();
        let main = mean(recalls.iter().map(|r| r.1)).map(|v| (format!("accuracy_macro{top}"), v));
        let each = recalls.iter().filter(|_| self.average == AverageOver::None);
        let each = each.map(|&(class, v)| (format!("accuracy_{}{top}", m.key(class)), v));
        main.into_iter().chain(each).collect()
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
