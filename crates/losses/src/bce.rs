//! Binary cross-entropy.

use crate::binary::{self, Stretch};
use crate::reduction::{Reduction, sum};
use crate::strips::{cross_entropy, logistic, of_logits};
use pleach_core::kinds::backend::{Fused, FusedInput};
use pleach_core::read::Rules;
use pleach_core::{Error, FusedLoss, Loss, LossInput, Result, Tensor, Wants, plugin};
use pleach_simd::Float;
use std::sync::Arc;

/// Binary cross-entropy of logits.
///
/// `-(pos_weight t ln p + (1 - t) ln(1 - p))` with p the logistic function of the logit and t the mask, computed as
/// `(1 - t) x + (1 + (pos_weight - 1) t) (ln(1 + exp(-|x|)) + max(-x, 0))`, which is finite for every logit x.
#[plugin(
    loss,
    alias = ["BCEWithLogitsLoss", "BCEWithLogits"],
    cite = "https://docs.pytorch.org/docs/stable/generated/torch.nn.BCEWithLogitsLoss.html",
    check = Self::check
)]
pub struct BCE {
    /// Weight of the ones against the zeros: one number in a list, or one for each channel (dimension 1).
    #[plugin(range = 0.0..)]
    pub pos_weight: Option<Vec<f64>>,
    /// Whether the loss is the mean over all elements or their sum.
    #[plugin(default = Reduction::Mean)]
    pub reduction: Reduction,
}

impl BCE {
    fn check(&self, rules: &mut Rules) {
        if self.pos_weight.as_ref().is_some_and(Vec::is_empty) {
            rules.refuse("pos_weight", "an empty list has no weight for any channel");
        }
    }

    /// What the sum is multiplied by.
    fn scale(&self, elements: usize) -> f64 {
        match self.reduction {
            Reduction::Mean => 1.0 / elements.max(1) as f64,
            Reduction::Sum => 1.0,
        }
    }
}

/// Whether so many weights fit a prediction of this shape.
fn fits(weights: usize, shape: &[usize]) -> Result<()> {
    if weights == 1 || shape.get(1) == Some(&weights) {
        return Ok(());
    }
    Err(Error::new("PL0216", format!("`pos_weight` has {weights} numbers for a prediction of shape {shape:?}"))
        .hint("give one number, or one for each channel (dimension 1)"))
}

impl Loss for BCE {
    fn wants(&self) -> Wants {
        binary::WANTS
    }

    fn forward(&self, x: &LossInput<'_>) -> Result<Tensor> {
        let (logits, mask) = binary::inputs(x)?;
        let weight = match &self.pos_weight {
            Some(list) => {
                fits(list.len(), logits.dims())?;
                let mut shape = vec![1; logits.rank()];
                if let (Some(channels), true) = (shape.get_mut(1), list.len() > 1) {
                    *channels = list.len();
                }
                Some(Tensor::from_vec(list.clone(), shape, logits.device())?.to_dtype(logits.dtype())?)
            }
            None => None,
        };
        let losses = pleach_ops::bce_with_logits(&logits, &mask, weight.as_ref())?;
        Ok((sum(&losses)? * self.scale(logits.elem_count()))?.to_dtype(logits.dtype())?)
    }

    fn fused(&self) -> Option<FusedLoss> {
        let this = self.clone();
        Some(FusedLoss { name: "bce", cpu: Arc::new(move |input| this.one_pass(input)) })
    }
}

impl BCE {
    fn one_pass(&self, input: &FusedInput<'_>) -> Result<Fused> {
        let weights: Vec<f32> = self.pos_weight.iter().flatten().map(|&w| w as f32).collect();
        if !weights.is_empty() {
            fits(weights.len(), input.shape)?;
        }
        let scale = self.scale(input.prediction.len());
        let inner: usize = input.shape.iter().skip(2).product::<usize>().max(1);
        let mut pieces = binary::pieces::<1>(input)?;
        let (gradient, [total]) = binary::pass(&mut pieces, |Stretch { x, t, at }, g| {
            let scale = scale as f32;
            let sum = match weights.as_slice() {
                [] => losses(x, t, g, 1.0, scale),
                [w] => losses(x, t, g, *w, scale),
                // Run by run of one channel.
                _ => {
                    let (mut sum, mut i) = (0.0, 0);
                    while i < x.len() {
                        let channel = (*at + i) / inner;
                        let end = ((channel + 1) * inner - *at).min(x.len());
                        sum += losses(&x[i..end], &t[i..end], &mut g[i..end], weights[channel % weights.len()], scale);
                        i = end;
                    }
                    sum
                }
            };
            [sum]
        });
        Ok((total * scale, gradient))
    }
}

/// The sum of the losses of some elements; writes their gradients times `scale`.
fn losses(x: &[f32], t: &[f32], g: &mut [f32], pos_weight: f32, scale: f32) -> f64 {
    let more = pos_weight - 1.0;
    let [sum] = match more {
        0.0 => of_logits(x, t, g, |x, t, e| (scale * (logistic(x, e)[0] - t), [cross_entropy(x, t, e)])),
        _ => of_logits(x, t, g, |x, t, e| {
            let [p, q] = logistic(x, e);
            // What ones weigh more, of which -ln p is the loss.
            let more = more * t;
            let loss = e.ln_1p_unit() + (-x).larger(0.0);
            (scale * ((p - t) - more * q), [cross_entropy(x, t, e) + more * loss])
        }),
    };
    sum
}
