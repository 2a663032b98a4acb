//! The negative logarithm of the likelihood.

use crate::binary::widened;
use crate::classes::{Grid, Ignore, Targets, own};
use crate::numbers::{check_weights, weights};
use crate::reduction::{Reduction, sum};
use pleach_core::kinds::backend::{Fused, FusedInput};
use pleach_core::read::Rules;
use pleach_core::{Form, FusedLoss, Loss, LossInput, Result, Target, Tensor, Wants, plugin};
use std::sync::Arc;

/// Negative log-likelihood of classes, from logarithms of probabilities: cross-entropy after log-softmax.
///
/// For each sample or pixel `-weight[y] x[y]`, y being its class. The mean divides by the sum of the weights of the
/// targets that count. Where no target counts, loss and gradient are 0 (PyTorch: NaN).
///
/// Predictions are (N, C) with classes (N), or (N, C, H, W) with (N, H, W), and so on.
#[plugin(
    loss,
    alias = ["NLLLoss"],
    cite = "https://docs.pytorch.org/docs/stable/generated/torch.nn.NLLLoss.html",
    check = Self::check
)]
pub struct NLL {
    /// Weight of each class; without it all are 1.
    #[plugin(range = 0.0..)]
    pub weight: Option<Vec<f64>>,
    /// The class of targets that do not count, besides what the data ignore by themselves.
    #[plugin(default = Some(-100))]
    pub ignore_index: Option<i64>,
    /// Whether the loss is the mean over the targets that count or their sum.
    #[plugin(default = Reduction::Mean)]
    pub reduction: Reduction,
}

impl NLL {
    fn check(&self, rules: &mut Rules) {
        check_weights("weight", self.weight.as_ref(), rules);
    }

    /// What the sum is multiplied by, where the targets that count have so much weight.
    fn scale(&self, total: f64) -> f64 {
        match self.reduction {
            Reduction::Sum => 1.0,
            Reduction::Mean if total > 0.0 => 1.0 / total,
            // Nothing to divide by: no target counts. The sum is 0 by itself, and a factor of 0 would cut its graph.
            Reduction::Mean => 1.0,
        }
    }

    fn one_pass(&self, input: &FusedInput<'_>) -> Result<Fused> {
        let grid = Grid::of(input.shape, input.classes.len())?;
        let ignore = Ignore::new(self.ignore_index);
        let counts = ignore.count(grid, input.classes)?;
        let weights = weights("weight", self.weight.as_ref(), grid.classes)?;
        let scale = self.scale(counts.iter().zip(weights.iter().cycle()).map(|(count, weight)| count * weight).sum());
        let (gradient, sums) = grid.blocks(false).made(input.prediction, |pixels, rows| {
            let (n, targets) = (pixels.len(), &input.classes[pixels]);
            let logs = own(rows, targets, ignore);
            rows.fill(0.0);
            let mut total = 0.0;
            for (i, (&y, log)) in targets.iter().zip(logs).enumerate() {
                if let Some(class) = ignore.class(y) {
                    total -= weights[class] * f64::from(log);
                    rows[class * n + i] = (-weights[class] * scale) as f32;
                }
            }
            total
        });
        Ok((sums.iter().sum::<f64>() * scale, gradient))
    }
}

impl Loss for NLL {
    fn wants(&self) -> Wants {
        Wants { form: Form::LogProbabilities, target: Target::Class }
    }

    fn forward(&self, x: &LossInput<'_>) -> Result<Tensor> {
        let logs = widened(x.prediction)?;
        let targets = Targets::read(x, Ignore::new(self.ignore_index))?;
        let weights = weights("weight", self.weight.as_ref(), targets.grid.classes)?;
        let weight_of = |class: usize| weights.get(class).copied().unwrap_or_default();
        let total: f64 = targets.classes.iter().map(|class| class.map_or(0.0, weight_of)).sum();
        let of_class = logs.reshape(targets.grid.dims())?.gather(&targets.index(logs.device())?, 1)?;
        let losses = (of_class * targets.each(logs.dtype(), logs.device(), weight_of)?)?;
        Ok((sum(&losses)? * -self.scale(total))?.to_dtype(logs.dtype())?)
    }

    fn fused(&self) -> Option<FusedLoss> {
        let this = self.clone();
        Some(FusedLoss { name: "nll", cpu: Arc::new(move |input| this.one_pass(input)) })
    }
}
