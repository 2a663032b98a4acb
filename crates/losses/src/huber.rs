//! The Huber loss.

use crate::pointwise::{WANTS, absolute, fused, inputs, reduced, sign};
use crate::reduction::Reduction;
use pleach_core::{FusedLoss, Loss, LossInput, Result, Target, Tensor, Wants, plugin};
use pleach_simd::Float;

/// Huber loss: squared where prediction and target are near, linear where they are far apart.
///
/// The mean over all elements of `d^2 / 2` where `|d| <= delta`, and of `delta (|d| - delta / 2)` elsewhere, with
/// `d = x - t`.
#[plugin(
    loss,
    alias = ["HuberLoss"],
    cite = [
        "https://docs.pytorch.org/docs/stable/generated/torch.nn.HuberLoss.html",
        "doi:10.1214/aoms/1177703732",
    ]
)]
pub struct Huber {
    /// Whether the loss is the mean over all elements or their sum.
    #[plugin(default = Reduction::Mean)]
    pub reduction: Reduction,
    /// Where it turns from squared to linear, in the unit of the values; also the slope beyond.
    #[plugin(default = 1.0, above = 0.0)]
    pub delta: f64,
}

/// `m (|d| - m / 2)` with m the smaller of |d| and a bound: both branches in one.
pub(crate) fn bent(d: &Tensor, bound: f64) -> Result<Tensor> {
    let far = absolute(d)?;
    let near = far.minimum(bound)?;
    Ok((&near * (&far - (&near * 0.5)?)?)?)
}

/// The same for one element, with its slope.
#[inline(always)]
pub(crate) fn bent_element(d: f32, bound: f32) -> [f32; 2] {
    let far = d.abs();
    let near = far.smaller(bound);
    [near * (far - 0.5 * near), sign(d) * near]
}

impl Loss for Huber {
    fn wants(&self) -> Wants {
        WANTS
    }

    fn forward(&self, x: &LossInput<'_>) -> Result<Tensor> {
        let (x, t) = inputs(x, Target::Values)?;
        reduced(&bent(&(x - t)?, self.delta)?, self.reduction)
    }

    fn fused(&self) -> Option<FusedLoss> {
        let delta = self.delta as f32;
        fused("huber", self.reduction, move |x, t| bent_element(x - t, delta))
    }
}
