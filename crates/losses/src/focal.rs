//! The focal loss.

use crate::binary::{self, Stretch, widened};
use crate::classes::{self, Grid, Ignore, Targets, own, softmax};
use crate::mode::Mode;
use crate::numbers::{Numbers, check_weights, weights};
use crate::reduction::{Reduction, sum};
use crate::strips::{cross_entropy, logistic, of_logits, of_values, rewrite};
use pleach_core::kinds::backend::{Fused, FusedInput};
use pleach_core::read::Rules;
use pleach_core::{FusedLoss, Loss, LossInput, Result, Tensor, Wants, plugin};
use pleach_simd::Float;
use std::sync::Arc;

/// Focal loss: cross-entropy that counts less where the prediction is right already.
///
/// `-alpha (1 - p)^gamma ln p`, where p is the probability of what is there. Between classes p is the softmax of
/// the logits at the class, and alpha one number for all or one for each class. In binary mode, against masks t, p
/// is the logistic function of the logit for 1 and one minus it for 0 (`p t + (1 - p)(1 - t)` between), and alpha
/// the weight of ones, that of zeros being 1 - alpha. Without alpha all weights are 1. The mean is over all
/// targets that count; where none does, loss and gradient are 0.
///
/// torchvision's `sigmoid_focal_loss` is `mode = "binary"`, `alpha = 0.25`; MONAI's loss of this name, with its own
/// parameters, is `FocalLoss`.
#[plugin(
    loss,
    cite = [
        "arXiv:1708.02002",
        "https://docs.pytorch.org/vision/stable/generated/torchvision.ops.sigmoid_focal_loss.html"
    ],
    check = Self::check
)]
pub struct Focal {
    /// `multiclass`: softmax against classes. `binary`: sigmoid against masks.
    #[plugin(default = Mode::Multiclass)]
    pub mode: Mode,
    /// Weight of all classes, or a list with one for each; in binary mode the weight of ones, 0 to 1.
    #[plugin(above = 0.0)]
    pub alpha: Option<Numbers>,
    /// The power; more of it attends to what is far off. 0 is cross-entropy.
    #[plugin(default = 2.0, range = 0.0..)]
    pub gamma: f64,
    /// The class (or the value of a mask) that does not count, besides what the data ignore by themselves.
    #[plugin(default = Some(-100))]
    pub ignore_index: Option<i64>,
    /// Whether the loss is the mean over the targets that count or their sum.
    #[plugin(default = Reduction::Mean)]
    pub reduction: Reduction,
}

impl Focal {
    fn check(&self, rules: &mut Rules) {
        match (&self.alpha, self.mode) {
            (Some(Numbers::Each(_)), Mode::Binary) => {
                rules.refuse("alpha", "binary maps have no classes: one number is the weight of ones");
            }
            (Some(Numbers::All(alpha)), Mode::Binary) if *alpha > 1.0 => {
                rules.refuse("alpha", "the weight of ones is at most 1: zeros have the rest");
            }
            _ => check_weights("alpha", self.alpha.as_ref(), rules),
        }
    }

    fn scale(&self, count: f64) -> f64 {
        match self.reduction {
            Reduction::Mean if count > 0.0 => 1.0 / count,
            _ => 1.0,
        }
    }

    /// The weights of ones and of zeros.
    fn sides(&self) -> [f64; 2] {
        match self.alpha {
            Some(Numbers::All(alpha)) => [alpha, 1.0 - alpha],
            _ => [1.0, 1.0],
        }
    }
}

/// Added to what a power is taken of, whose slope may be infinite at 0.
pub(crate) const TINY: f64 = 1e-30;

/// `(1 - p)^gamma ce` of each logit against a mask.
pub(crate) fn of_masks(logits: &Tensor, t: &Tensor, gamma: f64) -> Result<Tensor> {
    let losses = pleach_ops::bce_with_logits(logits, t, None)?;
    if gamma == 0.0 {
        return Ok(losses);
    }
    let (p, q) = (pleach_ops::sigmoid(logits)?, pleach_ops::sigmoid(&logits.neg()?)?);
    let wrong = ((t * q)? + ((1.0 - t)? * p)?)?;
    Ok((losses * (wrong + TINY)?.powf(gamma)?)?)
}

/// `-(1 - p)^gamma ln p` of each logarithm of a probability.
pub(crate) fn of_logs(logs: &Tensor, gamma: f64) -> Result<Tensor> {
    if gamma == 0.0 {
        return Ok(logs.neg()?);
    }
    let wrong = (pleach_ops::relu(&(1.0 - logs.exp()?)?)? + TINY)?;
    Ok((wrong.powf(gamma)? * logs.neg()?)?)
}

impl Loss for Focal {
    fn wants(&self) -> Wants {
        match self.mode {
            Mode::Multiclass => classes::WANTS,
            Mode::Binary => binary::WANTS,
        }
    }

    fn forward(&self, x: &LossInput<'_>) -> Result<Tensor> {
        if self.mode == Mode::Binary {
            let (logits, t) = binary::inputs(x)?;
            let counts = match self.ignore_index {
                Some(ignored) => t.ne(ignored as f64)?.to_dtype(t.dtype())?,
                None => t.ones_like()?,
            };
            let t = (t * &counts)?;
            let [ones, zeros] = self.sides();
            let alpha = (((&t * (ones - zeros))? + zeros)? * &counts)?;
            let losses = sum(&(of_masks(&logits, &t, self.gamma)? * alpha)?)?;
            let count: f64 = sum(&counts)?.to_scalar()?;
            return Ok((losses * self.scale(count))?.to_dtype(logits.dtype())?);
        }
        let logits = widened(x.prediction)?;
        let targets = Targets::read(x, Ignore::new(self.ignore_index))?;
        let (dtype, device) = (logits.dtype(), logits.device());
        let weights = weights("alpha", self.alpha.as_ref(), targets.grid.classes)?;
        let weights = targets.each(dtype, device, |class| weights.get(class).copied().unwrap_or_default())?;
        let logs = pleach_ops::log_softmax(&logits.reshape(targets.grid.dims())?, 1)?;
        let losses = (of_logs(&logs.gather(&targets.index(device)?, 1)?, self.gamma)? * weights)?;
        let count = targets.classes.iter().flatten().count() as f64;
        Ok((sum(&losses)? * self.scale(count))?.to_dtype(dtype)?)
    }

    fn fused(&self) -> Option<FusedLoss> {
        let this = self.clone();
        match self.mode {
            Mode::Multiclass => Some(FusedLoss { name: "focal", cpu: Arc::new(move |x| this.over_classes(x)) }),
            // -100 is what data ignore, and no value of a mask.
            Mode::Binary if self.ignore_index.is_none_or(|i| i == -100) => {
                Some(FusedLoss { name: "focal", cpu: Arc::new(move |x| this.over_masks(x)) })
            }
            Mode::Binary => None,
        }
    }
}

impl Focal {
    fn over_masks(&self, input: &FusedInput<'_>) -> Result<Fused> {
        let scale = self.scale(input.prediction.len() as f64);
        let [ones, zeros] = self.sides().map(|side| side as f32);
        let gamma = self.gamma as f32;
        let mut pieces = binary::pieces::<1>(input)?;
        let (gradient, [total]) = binary::pass(&mut pieces, |Stretch { x, t, .. }, g| {
            [masks(x, t, g, [ones - zeros, zeros, gamma, scale as f32])]
        });
        Ok((total * scale, gradient))
    }

    fn over_classes(&self, input: &FusedInput<'_>) -> Result<Fused> {
        let (targets, x) = (input.classes, input.prediction);
        let grid = Grid::of(input.shape, targets.len())?;
        let ignore = Ignore::new(self.ignore_index);
        let count: f64 = ignore.count(grid, targets)?.iter().sum();
        let weights: Vec<f32> =
            weights("alpha", self.alpha.as_ref(), grid.classes)?.iter().map(|&w| w as f32).collect();
        let (scale, gamma) = (self.scale(count), self.gamma as f32);
        let (gradient, sums) = grid
            .blocks(false)
            .made(x, |pixels, rows| over_rows(rows, &targets[pixels], ignore, &weights, [gamma, scale as f32]));
        let value = scale * sums.iter().sum::<f64>();
        Ok((value, gradient))
    }
}

/// The sum of the losses of some targets; makes the gradients of the rows of logits, one for each class.
fn over_rows(rows: &mut [f32], targets: &[u32], ignore: Ignore, weights: &[f32], [gamma, scale]: [f32; 2]) -> f64 {
    let n = targets.len();
    let mut log = own(rows, targets, ignore);
    let mut softmax = softmax(rows, n);
    let (mut of_each, mut slopes) = (vec![0.0; n], vec![0.0; n]);
    for (i, (&y, log)) in targets.iter().zip(&mut log).enumerate() {
        if let Some(y) = ignore.class(y) {
            (*log, of_each[i]) = (*log - softmax.log_sum[i], weights[y]);
        }
    }
    let total = logs(&log, &of_each, &mut slopes, [gamma, scale]);
    rewrite(&mut softmax.share, &slopes, |share, slope| share * slope);
    rows.chunks_mut(n).for_each(|row| rewrite(row, &softmax.share, |e, share| e * share));
    for (i, &y) in targets.iter().enumerate() {
        if let Some(y) = ignore.class(y) {
            rows[y * n + i] -= slopes[i];
        }
    }
    total
}

/// A power of a number that is not below 0, and its slope.
#[inline(always)]
fn power(x: f32, gamma: f32) -> [f32; 2] {
    let x = x + TINY as f32;
    let y = Float::exp(gamma * Float::ln(x));
    [y, gamma * y / x]
}

/// Calls `$f` with the power and its slope as a function, of which the usual ones need no logarithm.
macro_rules! with_power {
    ($gamma:expr, |$power:ident| $f:expr) => {{
        let gamma: f32 = $gamma;
        if gamma == 0.0 {
            let $power = |_: f32| [1.0, 0.0];
            $f
        } else if gamma == 2.0 {
            let $power = |x: f32| [x * x, x + x];
            $f
        } else {
            let $power = |x: f32| power(x, gamma);
            $f
        }
    }};
}

/// The sum of the losses of binary logits; writes their gradients. Of `[ones - zeros, zeros, gamma, scale]`.
fn masks(x: &[f32], t: &[f32], g: &mut [f32], [slant, zeros, gamma, scale]: [f32; 4]) -> f64 {
    let [sum] = with_power!(gamma, |power| of_logits(x, t, g, |x, t, e| {
        let ([p, q], u) = (logistic(x, e), 1.0 - t);
        let (loss, alpha) = (cross_entropy(x, t, e), slant * t + zeros);
        let [factor, slope] = power(t * q + u * p);
        let by_factor = slope * (u - t) * (p * q) * loss;
        (scale * alpha * (by_factor + factor * (u * p - t * q)), [alpha * factor * loss])
    }));
    sum
}

/// The sum of the losses at logarithms of probabilities; writes their slopes by the logarithms, negated and scaled.
fn logs(logs: &[f32], weights: &[f32], slopes: &mut [f32], [gamma, scale]: [f32; 2]) -> f64 {
    let [sum] = with_power!(gamma, |power| of_values(logs, weights, slopes, |log, weight| {
        let p = log.exp_falling();
        let [factor, slope] = power((1.0 - p).larger(0.0));
        (scale * weight * (factor - slope * p * log), [-(weight * factor * log)])
    }));
    sum
}
