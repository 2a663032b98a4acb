//! The focal loss.

use crate::binary::{self, Piece, widened};
use crate::classes::{self, Apart, Block, Grid, Ignore, Targets, blocks};
use crate::mode::Mode;
use crate::numbers::Numbers;
use crate::reduction::{Reduction, sum};
use pleach_core::kinds::backend::FusedInput;
use pleach_core::read::Rules;
use pleach_core::{FusedLoss, Loss, LossInput, Result, Tensor, Wants, plugin};
use pleach_simd::{Float, par_blocks};
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
            (Some(Numbers::Each(list)), Mode::Multiclass) if list.is_empty() => {
                rules.refuse("alpha", "an empty list has no weight for any class");
            }
            (Some(Numbers::Each(_)), Mode::Binary) => {
                rules.refuse("alpha", "binary maps have no classes: one number is the weight of ones");
            }
            (Some(Numbers::All(alpha)), Mode::Binary) if *alpha > 1.0 => {
                rules.refuse("alpha", "the weight of ones is at most 1: zeros have the rest");
            }
            _ => {}
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

    fn weights(&self, classes: usize) -> Result<Vec<f64>> {
        self.alpha.as_ref().map_or_else(|| Ok(vec![1.0; classes]), |alpha| alpha.of_each("alpha", classes))
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
        let weights = self.weights(targets.grid.classes)?;
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
    fn over_masks(&self, input: &mut FusedInput<'_>) -> Result<f64> {
        let scale = self.scale(input.prediction.len() as f64);
        let [ones, zeros] = self.sides().map(|side| side as f32);
        let gamma = self.gamma as f32;
        let mut pieces = binary::pieces::<1>(input)?;
        let [total] = binary::pass(&mut pieces, |Piece { x, t, g, sums, .. }| {
            sums[0] = masks(x, t, g, [ones - zeros, zeros, gamma, scale as f32]);
        });
        Ok(total * scale)
    }

    fn over_classes(&self, input: &mut FusedInput<'_>) -> Result<f64> {
        let (targets, x) = (input.classes, input.prediction);
        let grid = Grid::of(input.shape, targets.len())?;
        let ignore = Ignore::new(self.ignore_index);
        let count: f64 = ignore.count(grid, targets)?.iter().sum();
        let weights: Vec<f32> = self.weights(grid.classes)?.iter().map(|&w| w as f32).collect();
        let (scale, gamma) = (self.scale(count), self.gamma as f32);
        let mut blocks = blocks(input, grid, Apart::Nothing)?;
        par_blocks(&mut blocks, 1, |_, blocks| {
            for block in blocks {
                let total = block_of_classes(block, x, targets, ignore, &weights, [gamma, scale as f32]);
                block.sums = vec![total];
            }
        });
        Ok(scale * blocks.iter().flat_map(|block| &block.sums).sum::<f64>())
    }
}

/// The sum of a block's losses; writes its gradient.
fn block_of_classes(
    block: &mut Block<'_>,
    x: &[f32],
    targets: &[u32],
    ignore: Ignore,
    weights: &[f32],
    [gamma, scale]: [f32; 2],
) -> f64 {
    let mut softmax = block.softmax(x);
    let (len, targets) = (block.len, block.targets(targets));
    let mut slopes = vec![0.0; len];
    for (i, (&y, log)) in targets.iter().zip(&mut softmax.log_sum).enumerate() {
        match ignore.class(y) {
            Some(y) => (*log, slopes[i]) = (block.logit(x, y, i) - *log, weights[y]),
            None => *log = 0.0,
        }
    }
    let total = logs(&softmax.log_sum, &mut slopes, gamma);
    slopes.iter_mut().for_each(|slope| *slope *= scale);
    for row in softmax.p.chunks_mut(len) {
        row.iter_mut().zip(&slopes).for_each(|(p, slope)| *p *= slope);
    }
    for (i, &y) in targets.iter().enumerate() {
        if let Some(y) = ignore.class(y) {
            softmax.p[y * len + i] -= slopes[i];
        }
    }
    block.write(&softmax.p);
    total
}

/// Sums kept side by side, in f64.
const LANES: usize = 8;

/// A power and its slope.
#[inline(always)]
fn power<T: Float>(x: T, gamma: T) -> (T, T) {
    if gamma == T::ZERO {
        return (T::ONE, T::ZERO);
    }
    let x = x.larger(T::ZERO) + T::of(TINY);
    let y = if gamma == T::of(2.0) { x * x } else { (gamma * x.ln()).exp() };
    (y, gamma * y / x)
}

pleach_simd::lanes! {
    /// The sum of the losses of binary logits; writes their gradients. Of `[ones - zeros, zeros, gamma, scale]`.
    fn masks<T: Float>(x: &[T], t: &[T], g: &mut [T], numbers: [T; 4]) -> f64 {
        let [slant, zeros, gamma, scale] = numbers;
        let mut sums = [0.0; LANES];
        for ((x, t), g) in x.chunks(LANES).zip(t.chunks(LANES)).zip(g.chunks_mut(LANES)) {
            for (i, ((&x, &t), g)) in x.iter().zip(t).zip(g).enumerate() {
                let e = (-x.abs()).exp();
                let above = T::ONE / (T::ONE + e);
                let (p, q) = if x < T::ZERO { (e * above, above) } else { (above, e * above) };
                let loss = (T::ONE - t) * x + e.ln_1p() + (-x).larger(T::ZERO);
                let (factor, slope) = power(t * q + (T::ONE - t) * p, gamma);
                let alpha = slant * t + zeros;
                sums[i] += (alpha * factor * loss).wide();
                let by_factor = slope * (T::ONE - t - t) * p * q * loss;
                *g = scale * alpha * (by_factor + factor * ((T::ONE - t) * p - t * q));
            }
        }
        sums.iter().sum()
    }
}

pleach_simd::lanes! {
    /// The sum of the losses at logarithms of probabilities; turns weights into slopes by the logarithms, negated.
    fn logs<T: Float>(logs: &[T], weights: &mut [T], gamma: T) -> f64 {
        let mut sums = [0.0; LANES];
        for (logs, weights) in logs.chunks(LANES).zip(weights.chunks_mut(LANES)) {
            for (i, (&log, weight)) in logs.iter().zip(weights).enumerate() {
                let p = log.exp();
                let (factor, slope) = power(T::ONE - p, gamma);
                sums[i] += (-(*weight * factor * log)).wide();
                *weight *= factor - slope * p * log;
            }
        }
        sums.iter().sum()
    }
}
