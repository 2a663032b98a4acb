//! Binary cross-entropy of probabilities.

use crate::numbers::each;
use crate::pointwise::{inputs, no_probability, one_pass, scale};
use crate::reduction::Reduction;
use pleach_core::kinds::backend::{Fused, FusedInput};
use pleach_core::read::Rules;
use pleach_core::{DType, Form, FusedLoss, Loss, LossInput, Result, Target, Tensor, Wants, plugin};
use pleach_simd::Float;
use std::sync::Arc;

/// Binary cross-entropy of probabilities; of logits it is `BCE`, which is exact where this one saturates.
///
/// The mean over all elements of `-(t ln p + (1 - t) ln(1 - p))`, where logarithms end at -100. The gradient is that
/// of the formula without that end, `(p - t) / (p (1 - p))`, with a denominator of at least 1e-12: PyTorch's, for
/// which it is not the derivative of the value where p is 0 or 1.
#[plugin(
    loss,
    cite = "https://docs.pytorch.org/docs/stable/generated/torch.nn.BCELoss.html",
    check = Self::check
)]
pub struct BCELoss {
    /// Weight of each place along the last dimension, as PyTorch broadcasts a list; without it all are 1.
    pub weight: Option<Vec<f64>>,
    /// Whether the loss is the mean over all elements or their sum.
    #[plugin(default = Reduction::Mean)]
    pub reduction: Reduction,
}

/// The least that a logarithm counts as.
const LEAST_LOG: f64 = -100.0;
/// The least that the gradient divides by; of single precision in PyTorch, whatever the prediction is.
const LEAST_SPREAD: f32 = 1e-12;

impl BCELoss {
    fn check(&self, rules: &mut Rules) {
        if self.weight.as_ref().is_some_and(Vec::is_empty) {
            rules.refuse("weight", "an empty list has no weight for any place");
        }
    }

    fn one_pass(&self, input: &FusedInput<'_>) -> Result<Fused> {
        let scale = scale(self.reduction, input.prediction.len());
        let least_log = LEAST_LOG as f32;
        let made = one_pass(input, scale, |p, t| {
            // In this order, what is no number stays none.
            let (yes, no) = (least_log.larger(Float::ln(p)), least_log.larger(Float::ln_1p(-p)));
            [(t - 1.0) * no - t * yes, (p - t) / (p * (1.0 - p)).larger(LEAST_SPREAD)]
        })?;
        let odd = input.prediction.iter().copied().find(|p| !(0.0..=1.0).contains(p));
        match odd {
            Some(p) if made.0.is_nan() => Err(no_probability("the prediction", f64::from(p))),
            _ => Ok(made),
        }
    }
}

impl Loss for BCELoss {
    fn wants(&self) -> Wants {
        Wants { form: Form::Probabilities, target: Target::Mask }
    }

    fn forward(&self, x: &LossInput<'_>) -> Result<Tensor> {
        let (x, t) = inputs(x, Target::Mask)?;
        let (p, t) = (x.detach().to_dtype(DType::F64)?, t.to_dtype(DType::F64)?);
        for end in [p.min_all()?.to_scalar::<f64>()?, p.max_all()?.to_scalar()?] {
            if !(0.0..=1.0).contains(&end) {
                return Err(no_probability("the prediction", end));
            }
        }
        let (not_p, not_t) = ((1.0 - &p)?, (1.0 - &t)?);
        let (yes, no) = (p.log()?.maximum(LEAST_LOG)?, not_p.log()?.maximum(LEAST_LOG)?);
        let losses = ((&t * yes)? + (not_t * no)?)?.neg()?;
        let slopes = ((&p - &t)? / (&p * not_p)?.maximum(f64::from(LEAST_SPREAD))?)?;
        // The value with the slopes as its gradient: the second summand is 0 as a number.
        let around = (x.to_dtype(DType::F64)? - p)?;
        let mut all = (losses + (around * slopes)?)?;
        if let Some(list) = &self.weight {
            let places = x.dims().last().copied().unwrap_or(1);
            all = all.broadcast_mul(&Tensor::from_vec(each("weight", list, places)?, places, x.device())?)?;
        }
        Ok((all.sum_all()? * scale(self.reduction, x.elem_count()))?.to_dtype(x.dtype())?)
    }

    fn fused(&self) -> Option<FusedLoss> {
        if self.weight.is_some() {
            return None;
        }
        let this = self.clone();
        Some(FusedLoss { name: "bce_loss", cpu: Arc::new(move |input| this.one_pass(input)) })
    }
}
