//! MONAI's focal loss.

use crate::binary::{self, widened};
use crate::classes::{Ignore, Targets};
use crate::focal::{Focal, of_logs, of_masks};
use crate::mode::Mode;
use crate::numbers::{Numbers, PerClass, check_weights};
use crate::reduction::{Reduction, sum};
use crate::region::{Ignoring, one_channel};
use pleach_core::read::Rules;
use pleach_core::{DType, Error, Form, FusedLoss, Loss, LossInput, Result, Target, Tensor, Wants, plugin};

/// MONAI's focal loss, with its parameters and defaults: of every logit against a mask.
///
/// `-alpha (1 - p)^gamma ln p`, where p is the probability of what is there: with t the mask, the logistic
/// function of the logit for 1 and one minus it for 0. alpha is the weight of ones and 1 - alpha that of zeros; of
/// a list, with one for each channel, zeros have 1. With `use_softmax` the target is a class for each pixel and p
/// the softmax at it; then alpha is one number for each class, or one for all but the first, which has 1 - alpha.
/// `weight` multiplies the losses of a channel. The mean is over pixels and channels, with `ignore_index` over
/// what counts in MONAI's way: the sum over all channels through the number of elements of the target that count.
/// The sum is that over samples and channels of means over pixels.
///
/// One loss for each target, as in RetinaNet and between classes, is `Focal`.
#[plugin(
    loss,
    cite = ["arXiv:1708.02002", "https://monai.readthedocs.io/en/stable/losses.html#focalloss"],
    check = Self::check
)]
pub struct FocalLoss {
    /// Whether the first channel counts, where there are several; where not, softmax goes without it too.
    #[plugin(default = true)]
    pub include_background: bool,
    /// Whether the target is one of classes, which `use_softmax` alone says too.
    #[plugin(default = false)]
    pub to_onehot_y: bool,
    /// The power; more of it attends to what is far off. 0 is cross-entropy.
    #[plugin(default = 2.0, range = 0.0..)]
    pub gamma: f64,
    /// Weight of what is there against what is not, 0 to 1, or a list with one for each channel that counts.
    #[plugin(range = 0.0..)]
    pub alpha: Option<Numbers>,
    /// Weight of each channel that counts, or one for all.
    #[plugin(range = 0.0..)]
    pub weight: Option<Numbers>,
    /// Whether the loss is a mean or a sum.
    #[plugin(default = Reduction::Mean)]
    pub reduction: Reduction,
    /// Whether probabilities are the softmax of the logits, and not their logistic functions.
    #[plugin(default = false)]
    pub use_softmax: bool,
    /// The class that does not count, besides what the data ignore by themselves. Of masks of one channel, the value;
    /// of several, the channel whose pixels do not count, or any other number for the pixels that no channel marks.
    pub ignore_index: Option<i64>,
}

impl FocalLoss {
    fn check(&self, rules: &mut Rules) {
        if matches!(self.alpha, Some(Numbers::All(alpha)) if alpha > 1.0) {
            rules.refuse("alpha", "the weight of what is there is at most 1: what is not has the rest");
        }
        for (key, list) in [("alpha", &self.alpha), ("weight", &self.weight)] {
            check_weights(key, list.as_ref(), rules);
        }
    }

    fn of_classes(&self) -> bool {
        self.use_softmax || self.to_onehot_y
    }

    /// Logits, what is there, and 1 where a target counts (one for all channels of classes): (N, C, S).
    fn elements(&self, x: &LossInput<'_>) -> Result<[Tensor; 3]> {
        let (logits, t, counts) = if self.of_classes() {
            let logits = widened(x.prediction)?;
            let targets = Targets::read(x, Ignore::new(self.ignore_index))?;
            let (dtype, device) = (logits.dtype(), logits.device());
            let (t, counts) = (targets.one_hot(dtype, device)?, targets.each(dtype, device, |_| 1.0)?);
            (logits.reshape(targets.grid.dims())?, t, counts)
        } else {
            let (logits, t) = binary::inputs(x)?;
            let (n, c) = (logits.dim(0)?, logits.dims().get(1).copied().unwrap_or(1));
            let shape = (n, c, logits.elem_count() / (n * c));
            let (logits, t) = (logits.reshape(shape)?, t.reshape(shape)?);
            let counts = match self.ignore_index {
                Some(ignored) => Ignoring::Pixels.counts(&t, ignored)?,
                None => t.ones_like()?,
            };
            (logits, t.broadcast_mul(&counts)?, counts)
        };
        let channels = logits.dim(1)?;
        if self.include_background || channels == 1 {
            return Ok([logits, t, counts]);
        }
        let rest = |x: &Tensor| -> Result<Tensor> {
            Ok(if x.dim(1)? == 1 { x.clone() } else { x.narrow(1, 1, channels - 1)? })
        };
        Ok([rest(&logits)?, rest(&t)?, rest(&counts)?])
    }

    /// The weight of each channel where something is there.
    fn alphas(&self, channels: usize) -> Result<Option<Vec<f64>>> {
        Ok(match &self.alpha {
            None => None,
            Some(Numbers::All(_)) if self.use_softmax && !self.include_background => None,
            Some(Numbers::All(alpha)) if self.use_softmax => {
                Some((0..channels).map(|c| if c == 0 { 1.0 - alpha } else { *alpha }).collect())
            }
            Some(alpha) => Some(alpha.of_each("alpha", channels)?),
        })
    }
}

impl Loss for FocalLoss {
    fn wants(&self) -> Wants {
        Wants { form: Form::Logits, target: if self.of_classes() { Target::Class } else { Target::Mask } }
    }

    fn forward(&self, x: &LossInput<'_>) -> Result<Tensor> {
        let [logits, t, counts] = self.elements(x)?;
        let (samples, channels, pixels) = logits.dims3()?;
        if self.use_softmax && channels == 1 {
            return Err(one_channel());
        }
        let (dtype, device) = (logits.dtype(), logits.device());
        let by_channel = |v: Vec<f64>| Tensor::from_vec(v, (1, channels, 1), device)?.to_dtype(dtype);
        let alphas = self.alphas(channels)?.map(by_channel).transpose()?;
        let mut losses = if self.use_softmax {
            let losses = (of_logs(&pleach_ops::log_softmax(&logits, 1)?, self.gamma)? * &t)?;
            alphas.map_or(Ok(losses.clone()), |alpha| losses.broadcast_mul(&alpha))?
        } else {
            let losses = of_masks(&logits, &t, self.gamma)?;
            match (alphas, &self.alpha) {
                (Some(alpha), Some(Numbers::All(_))) => {
                    let zeros = (1.0 - &t)?.broadcast_mul(&(1.0 - &alpha)?)?;
                    (losses * (t.broadcast_mul(&alpha)? + zeros)?)?
                }
                (Some(alpha), _) => {
                    let ones = t.eq(1.0)?.to_dtype(dtype)?;
                    (losses * ((1.0 - &ones)? + ones.broadcast_mul(&alpha)?)?)?
                }
                (None, _) => losses,
            }
        };
        losses = losses.broadcast_mul(&counts)?;
        if let Some(weight) = &self.weight {
            if channels == 1 && matches!(weight, Numbers::Each(_)) {
                return Err(Error::new("PL0216", "`weight` is a list, and the prediction has one channel")
                    .hint("give one number"));
            }
            losses = losses.broadcast_mul(&by_channel(weight.of_each("weight", channels)?)?)?;
        }
        let ignores = self.ignore_index.is_some();
        let loss = match self.reduction {
            Reduction::Mean if ignores => (sum(&losses)? / sum(&counts)?.to_scalar::<f64>()?.max(1.0))?,
            Reduction::Mean => (sum(&losses)? / (samples * channels * pixels) as f64)?,
            Reduction::Sum if ignores => {
                let counts = counts.to_dtype(DType::F64)?.sum_keepdim(2)?.clamp(1.0, f64::INFINITY)?;
                losses.to_dtype(DType::F64)?.sum_keepdim(2)?.broadcast_div(&counts)?.sum_all()?
            }
            Reduction::Sum => (sum(&losses)? / pixels as f64)?,
        };
        Ok(loss.to_dtype(dtype)?)
    }

    fn fused(&self) -> Option<FusedLoss> {
        let plain = self.include_background && self.weight.is_none() && self.ignore_index.is_none();
        if !plain || self.of_classes() || self.reduction != Reduction::Mean {
            return None;
        }
        if matches!(self.alpha, Some(Numbers::Each(_))) {
            return None;
        }
        let (alpha, gamma) = (self.alpha.clone(), self.gamma);
        Focal { mode: Mode::Binary, alpha, gamma, ..Focal::default() }.fused()
    }
}
