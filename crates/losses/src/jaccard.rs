//! The Jaccard loss.

use crate::mode::Mode;
use crate::numbers::{Numbers, check_weights};
use crate::overlap::{Divisor, Mean, Overlap};
use crate::reduce::Reduce;
use crate::region::{Beside, Region, Score, Sums};
use pleach_core::read::Rules;
use pleach_core::{DType, FusedLoss, Loss, LossInput, Result, Tensor, Wants, plugin};

/// Jaccard loss: one minus the intersection as a share of the union (soft IoU).
///
/// `1 - (sum(p t) + smooth) / (sum(p) + sum(t) - sum(p t) + smooth)`, sums over all samples and pixels that count.
/// Between classes, p is the softmax of the logits and the loss the mean over all classes, with `weight`
/// `sum_c(weight_c ...) / sum_c(weight_c)`; in binary mode p is the logistic function and all elements are added up
/// together. As in segmentation_models_pytorch, a class of which the batch has nothing, or a mask without an object,
/// adds a loss of 0, whatever is predicted: another loss beside this one teaches what is absent.
#[plugin(
    loss,
    alias = ["JaccardLoss"],
    cite = "https://smp.readthedocs.io/en/latest/losses.html#jaccardloss",
    check = Self::check
)]
pub struct Jaccard {
    /// `multiclass`: softmax against classes. `binary`: sigmoid against masks.
    #[plugin(default = Mode::Multiclass)]
    pub mode: Mode,
    /// Added above and below the line, in pixels.
    #[plugin(default = 0.0, range = 0.0..)]
    pub smooth: f64,
    /// Weight of each class in the mean; without it all are 1.
    #[plugin(range = 0.0..)]
    pub weight: Option<Vec<f64>>,
    /// The class (or the value of a mask) that does not count, besides what the data ignore by themselves.
    pub ignore_index: Option<i64>,
    /// Whether the loss is `-ln(...)` of the quotient instead of one minus it.
    #[plugin(default = false)]
    pub log_loss: bool,
    /// With `log_loss`, the least quotient.
    #[plugin(default = 1e-7, above = 0.0)]
    pub eps: f64,
}

impl Jaccard {
    fn check(&self, rules: &mut Rules) {
        check_weights("weight", self.weight.as_ref(), rules);
        if self.weight.is_some() && self.mode == Mode::Binary {
            rules.refuse("weight", "binary maps have no classes to weigh");
        }
    }

    fn region(&self) -> Region {
        let (smooth, weight) = (self.smooth, self.weight.clone().map(Numbers::Each));
        let mean = Mean { weight, divisor: Divisor::Weights, ..Mean::default() };
        let union = Overlap { there: 1.0, cross: -1.0, mean, ..Overlap::tversky(1.0, 1.0, smooth) };
        let score = Present { union, log: self.log_loss.then_some(self.eps) };
        match self.mode {
            Mode::Multiclass => Region::classes(Reduce::Class, self.ignore_index, score),
            Mode::Binary => Region { ignore_index: self.ignore_index, ..Region::masks(Reduce::Batch, score) },
        }
    }
}

/// A mean to which only groups with something there add.
#[derive(Debug)]
struct Present {
    union: Overlap,
    /// The least quotient, where the logarithm is taken.
    log: Option<f64>,
}

impl Score for Present {
    fn value(&self, s: &Sums) -> Result<Tensor> {
        let losses = match self.log {
            Some(least) => self.union.quotient(s)?.maximum(least)?.log()?.neg()?,
            None => self.union.losses(s)?,
        };
        let present = s.there.gt(0.0)?.to_dtype(DType::F64)?;
        self.union.mean.of(&(losses * present)?)
    }
}

impl Loss for Jaccard {
    fn wants(&self) -> Wants {
        self.region().wants()
    }

    fn forward(&self, x: &LossInput<'_>) -> Result<Tensor> {
        self.region().forward(x)
    }

    fn fused(&self) -> Option<FusedLoss> {
        self.region().fused("jaccard", Beside::Nothing)
    }
}
