//! The divergence between distributions.

use crate::pointwise::{inputs, no_probability, one_pass};
use crate::reduction::sum;
use pleach_core::kinds::backend::{Fused, FusedInput};
use pleach_core::{DType, Form, FusedLoss, Loss, LossInput, Result, Target, Tensor, Wants, config, plugin};
use pleach_simd::Float;
use std::sync::Arc;

/// How the pointwise divergences become one number.
#[config]
#[derive(Default)]
pub enum Divided {
    /// Their mean over all elements: PyTorch's default, which is not the divergence.
    #[default]
    Mean,
    /// Their sum divided by the number of samples, which is the divergence.
    Batchmean,
    /// Their sum.
    Sum,
}

/// Kullback-Leibler divergence of the target from the prediction, which is the logarithm of probabilities.
///
/// For every element `t (ln t - x)`, 0 where t is 0, with x the prediction and t the target; with `log_target`
/// `exp(t) (t - x)`. What is divided by is said by `reduction`: `batchmean` is the divergence of the textbooks.
#[plugin(
    loss,
    alias = ["KLDivLoss"],
    cite = "https://docs.pytorch.org/docs/stable/generated/torch.nn.KLDivLoss.html"
)]
pub struct KLDiv {
    /// Whether the sum over all elements is divided by their number (`mean`), by the number of samples
    /// (`batchmean`) or by nothing (`sum`).
    #[plugin(default = Divided::Mean)]
    pub reduction: Divided,
    /// Whether the target is the logarithm of probabilities too.
    #[plugin(default = false)]
    pub log_target: bool,
}

impl KLDiv {
    /// What the sum is multiplied by.
    fn scale(&self, shape: &[usize]) -> f64 {
        1.0 / match self.reduction {
            Divided::Mean => shape.iter().product::<usize>() as f64,
            Divided::Batchmean => shape.first().copied().unwrap_or(1) as f64,
            Divided::Sum => 1.0,
        }
    }

    fn one_pass(&self, input: &FusedInput<'_>) -> Result<Fused> {
        let scale = self.scale(input.shape);
        let made = match self.log_target {
            true => one_pass(input, scale, |x, t| {
                let p = Float::exp(t);
                [p * (t - x), -p]
            })?,
            false => one_pass(input, scale, |x, t| {
                let log = if t == 0.0 { 0.0 } else { Float::ln(t) };
                [t * (log - x), -t]
            })?,
        };
        // What is below 0 has no logarithm, and shows in the sum.
        let below = input.target.iter().copied().find(|t| *t < 0.0);
        match below {
            Some(t) if made.0.is_nan() && !self.log_target => Err(no_probability("the target", f64::from(t))),
            _ => Ok(made),
        }
    }
}

impl Loss for KLDiv {
    fn wants(&self) -> Wants {
        Wants { form: Form::LogProbabilities, target: Target::Values }
    }

    fn forward(&self, x: &LossInput<'_>) -> Result<Tensor> {
        let (x, t) = inputs(x, Target::Values)?;
        let losses = if self.log_target {
            (t.exp()? * (t - &x)?)?
        } else {
            let least = t.min_all()?.to_dtype(DType::F64)?.to_scalar::<f64>()?;
            if least < 0.0 {
                return Err(no_probability("the target", least));
            }
            let logs = t.maximum(f64::from(f32::MIN_POSITIVE))?.log()?;
            ((&t * logs)? - (&t * &x)?)?
        };
        Ok((sum(&losses)? * self.scale(x.dims()))?.to_dtype(x.dtype())?)
    }

    fn fused(&self) -> Option<FusedLoss> {
        let this = self.clone();
        Some(FusedLoss { name: "kl_div", cpu: Arc::new(move |input| this.one_pass(input)) })
    }
}
