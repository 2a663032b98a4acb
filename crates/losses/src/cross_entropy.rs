//! Cross-entropy between classes.

use crate::batch::not_empty;
use crate::binary::{shapes, widened};
use crate::classes::{self, Grid, Ignore, Targets, own, softmax};
use crate::numbers::{check_weights, weights};
use crate::reduction::{Reduction, sum};
use crate::strips::rewrite;
use pleach_core::kinds::backend::{Fused, FusedInput};
use pleach_core::kinds::loss::SHARES;
use pleach_core::read::Rules;
use pleach_core::{FusedLoss, Loss, LossInput, Result, Tensor, Wants, plugin};
use std::sync::Arc;

/// Cross-entropy between classes, from logits.
///
/// For each sample or pixel `-weight[y] ln softmax(x)[y]`, y being its class; `label_smoothing` s moves the share s
/// of the target to all C classes alike: `(1 - s)` of that and `s / C` of the sum over c of `-weight[c] ln
/// softmax(x)[c]`. The mean divides by the sum of the weights of the targets that count. Where no target counts,
/// loss and gradient are 0 (PyTorch: NaN). A batch without a sample is an error, as for every loss.
///
/// Logits are (N, C) with classes (N), or (N, C, H, W) with (N, H, W), and so on. Where samples are mixed (`MixUp`,
/// `CutMix`), the shares y_c of their classes are the target: `-sum over c of weight[c] y_c ln softmax(x)[c]`, the mean
/// being over samples, as in PyTorch for probabilities.
#[plugin(
    loss,
    alias = ["CrossEntropyLoss"],
    cite = "https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html",
    check = Self::check
)]
pub struct CrossEntropy {
    /// Weight of each class; without it all are 1.
    #[plugin(range = 0.0..)]
    pub weight: Option<Vec<f64>>,
    /// The class of targets that do not count, besides what the data ignore by themselves.
    #[plugin(default = Some(-100))]
    pub ignore_index: Option<i64>,
    /// Whether the loss is the mean over the targets that count or their sum.
    #[plugin(default = Reduction::Mean)]
    pub reduction: Reduction,
    /// The share of a target that is spread over all classes, 0 to 1.
    #[plugin(default = 0.0, range = 0.0..=1.0)]
    pub label_smoothing: f64,
}

impl CrossEntropy {
    fn check(&self, rules: &mut Rules) {
        check_weights("weight", self.weight.as_ref(), rules);
    }

    /// What the sum is multiplied by, where the targets that count have so much weight.
    fn scale(&self, total: f64) -> f64 {
        match self.reduction {
            Reduction::Sum => 1.0,
            Reduction::Mean if total > 0.0 => 1.0 / total,
            // Nothing to divide by: no target counts.
            Reduction::Mean => 0.0,
        }
    }
}

impl Loss for CrossEntropy {
    fn wants(&self) -> Wants {
        classes::WANTS
    }

    fn takes_shares(&self) -> bool {
        true
    }

    fn forward(&self, x: &LossInput<'_>) -> Result<Tensor> {
        if let Some(shares) = x.targets.get(SHARES) {
            return self.of_shares(x.prediction, shares);
        }
        let logits = widened(x.prediction)?;
        let targets = Targets::read(x, Ignore::new(self.ignore_index))?;
        let weights = weights("weight", self.weight.as_ref(), targets.grid.classes)?;
        let (device, dtype) = (logits.device(), logits.dtype());
        let weight_of = |class: usize| weights.get(class).copied().unwrap_or_default();
        let total: f64 = targets.classes.iter().map(|class| class.map_or(0.0, weight_of)).sum();
        let logs = pleach_ops::log_softmax(&logits.reshape(targets.grid.dims())?, 1)?;
        let of_class = logs.gather(&targets.index(device)?, 1)?;
        let mut loss = (sum(&(of_class * targets.each(dtype, device, weight_of)?)?)? * (self.label_smoothing - 1.0))?;
        if self.label_smoothing > 0.0 {
            // Where the targets have no weight at all, nothing is left of their smoothing either.
            let scale = self.scale(total);
            let counts = targets.each(dtype, device, |_| if scale > 0.0 { 1.0 } else { 0.0 })?;
            let share = self.label_smoothing / weights.len() as f64;
            let weights = Tensor::from_vec(weights.clone(), (1, weights.len(), 1), device)?.to_dtype(dtype)?;
            let all = (logs.broadcast_mul(&weights)?.sum_keepdim(1)? * counts)?;
            loss = (loss - (sum(&all)? * share)?)?;
        }
        // Multiplied by 0 it would lose its graph; it is 0 by itself.
        let scale = if self.scale(total) > 0.0 { self.scale(total) } else { 1.0 };
        Ok((loss * scale)?.to_dtype(dtype)?)
    }

    fn fused(&self) -> Option<FusedLoss> {
        let this = self.clone();
        Some(FusedLoss { name: "cross_entropy", cpu: Arc::new(move |input| this.one_pass(input)) })
    }
}

impl CrossEntropy {
    fn of_shares(&self, prediction: &Tensor, shares: &Tensor) -> Result<Tensor> {
        not_empty(prediction.dims())?;
        let (logits, [n, classes]) = (widened(prediction)?, prediction.dims()) else {
            return Err(shapes("shares of classes", shares.dims(), prediction.dims()));
        };
        if shares.dims() != prediction.dims() {
            return Err(shapes("shares of classes", shares.dims(), prediction.dims()));
        }
        let (device, dtype) = (logits.device(), logits.dtype());
        let weights = Tensor::from_vec(weights("weight", self.weight.as_ref(), *classes)?, (1, *classes), device)?;
        let smooth = self.label_smoothing / *classes as f64;
        let target = shares.to_dtype(dtype)?.affine(1.0 - self.label_smoothing, smooth)?;
        let target = target.broadcast_mul(&weights.to_dtype(dtype)?)?;
        let loss = sum(&(pleach_ops::log_softmax(&logits, 1)? * target)?)?;
        let by = match self.reduction {
            Reduction::Mean => 1.0 / *n as f64,
            Reduction::Sum => 1.0,
        };
        Ok((loss * -by)?.to_dtype(dtype)?)
    }

    fn one_pass(&self, input: &FusedInput<'_>) -> Result<Fused> {
        let (targets, x) = (input.classes, input.prediction);
        let grid = Grid::of(input.shape, targets.len())?;
        let ignore = Ignore::new(self.ignore_index);
        let spread = Spread::new(self, grid, &ignore.count(grid, targets)?)?;
        let (gradient, sums) = grid.blocks(false).made(x, |pixels, rows| {
            let (n, targets) = (pixels.len(), &targets[pixels]);
            let logits = spread.logits(rows, targets, ignore);
            let softmax = softmax(rows, n);
            let sum = spread.sum(&logits, targets, ignore, &softmax.log_sum);
            let mut weights = spread.weights(targets, ignore, 1.0);
            rewrite(&mut weights, &softmax.share, |weight, share| weight * share);
            rows.chunks_mut(n).for_each(|row| rewrite(row, &weights, |e, weight| e * weight));
            spread.take(rows, targets, ignore, 1.0);
            sum
        });
        let value = spread.scale * sums.iter().sum::<f64>();
        Ok((value, gradient))
    }
}

/// How a target is spread over the classes, as numbers ready for the passes.
pub(crate) struct Spread {
    /// The weight that its own class has, by class.
    own: Vec<f32>,
    /// The weight that every class has besides.
    every: Vec<f32>,
    /// The sum of these.
    everywhere: f32,
    /// What the sum over all targets is multiplied by.
    pub scale: f64,
}

impl Spread {
    /// For so many targets that count of each class of each sample.
    pub(crate) fn new(of: &CrossEntropy, grid: Grid, counts: &[f64]) -> Result<Self> {
        let weights = weights("weight", of.weight.as_ref(), grid.classes)?;
        let total: f64 = counts.iter().zip(weights.iter().cycle()).map(|(count, weight)| count * weight).sum();
        let (smoothing, share) = (of.label_smoothing, of.label_smoothing / grid.classes as f64);
        let every: Vec<f32> = weights.iter().map(|w| (w * share) as f32).collect();
        Ok(Self {
            own: weights.iter().map(|w| (w * (1.0 - smoothing)) as f32).collect(),
            everywhere: every.iter().sum(),
            every,
            scale: of.scale(total),
        })
    }

    /// For each target that counts the logit of its class, and the sum of all with the weights that every class has.
    pub(crate) fn logits(&self, rows: &[f32], targets: &[u32], ignore: Ignore) -> [Vec<f32>; 2] {
        let mut every = vec![0.0; targets.len()];
        if self.everywhere > 0.0 {
            for (row, &weight) in rows.chunks(targets.len()).zip(&self.every) {
                rewrite(&mut every, row, |sum, x| sum + weight * x);
            }
        }
        [own(rows, targets, ignore), every]
    }

    /// The sum of the losses of targets with such logits, not yet scaled.
    pub(crate) fn sum(&self, [own, every]: &[Vec<f32>; 2], targets: &[u32], ignore: Ignore, log_sum: &[f32]) -> f64 {
        let mut total = 0.0;
        for (((&y, x), every), log_sum) in targets.iter().zip(own).zip(every).zip(log_sum) {
            if let Some(y) = ignore.class(y) {
                total += f64::from(self.own[y] * (log_sum - x)) + f64::from(self.everywhere * log_sum - every);
            }
        }
        total
    }

    /// What the gradient has of the probability of each class of a target, with the scale and a factor.
    pub(crate) fn weights(&self, targets: &[u32], ignore: Ignore, factor: f64) -> Vec<f32> {
        let scale = (self.scale * factor) as f32;
        let weight = |y| ignore.class(y).map_or(0.0, |y| scale * (self.own[y] + self.everywhere));
        targets.iter().map(|&y| weight(y)).collect()
    }

    /// Takes from the gradient what targets are worth to it, with the scale and a factor.
    pub(crate) fn take(&self, rows: &mut [f32], targets: &[u32], ignore: Ignore, factor: f64) {
        let (scale, n) = ((self.scale * factor) as f32, targets.len());
        if self.everywhere > 0.0 {
            let count = |&y: &u32| if ignore.class(y).is_some() { scale } else { 0.0 };
            let counts: Vec<f32> = targets.iter().map(count).collect();
            for (row, every) in rows.chunks_mut(n).zip(&self.every) {
                rewrite(row, &counts, |g, count| g - count * every);
            }
        }
        for (i, &y) in targets.iter().enumerate() {
            if let Some(y) = ignore.class(y) {
                rows[y * n + i] -= scale * self.own[y];
            }
        }
    }
}
