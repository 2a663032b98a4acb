//! The smooth L1 loss.

use crate::huber::{bent, bent_element};
use crate::l1::L1;
use crate::pointwise::{WANTS, fused, inputs, reduced};
use crate::reduction::Reduction;
use pleach_core::{FusedLoss, Loss, LossInput, Result, Target, Tensor, Wants, plugin};

/// Smooth L1 loss: the absolute error, rounded off where prediction and target are near.
///
/// The mean over all elements of `d^2 / (2 beta)` where `|d| < beta`, and of `|d| - beta / 2` elsewhere, with
/// `d = x - t`. It is the Huber loss with that delta, divided by it; with beta 0 it is L1.
#[plugin(
    loss,
    alias = ["SmoothL1Loss"],
    cite = [
        "https://docs.pytorch.org/docs/stable/generated/torch.nn.SmoothL1Loss.html",
        "arXiv:1504.08083",
    ]
)]
pub struct SmoothL1 {
    /// Whether the loss is the mean over all elements or their sum.
    #[plugin(default = Reduction::Mean)]
    pub reduction: Reduction,
    /// Where it turns from squared to linear, in the unit of the values.
    #[plugin(default = 1.0, range = 0.0..)]
    pub beta: f64,
}

impl SmoothL1 {
    /// L1, where beta is too small to divide by in f32.
    fn sharp(&self) -> Option<L1> {
        (self.beta < f64::from(f32::MIN_POSITIVE)).then_some(L1 { reduction: self.reduction })
    }
}

impl Loss for SmoothL1 {
    fn wants(&self) -> Wants {
        WANTS
    }

    fn forward(&self, x: &LossInput<'_>) -> Result<Tensor> {
        if let Some(sharp) = self.sharp() {
            return sharp.forward(x);
        }
        let (x, t) = inputs(x, Target::Values)?;
        reduced(&(bent(&(x - t)?, self.beta)? / self.beta)?, self.reduction)
    }

    fn fused(&self) -> Option<FusedLoss> {
        if let Some(sharp) = self.sharp() {
            return sharp.fused();
        }
        let beta = self.beta as f32;
        fused("smooth_l1", self.reduction, move |x, t| bent_element(x - t, beta).map(|part| part / beta))
    }
}
