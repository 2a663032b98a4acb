//! The mean squared error.

use crate::pointwise::{WANTS, fused, inputs, reduced};
use crate::reduction::Reduction;
use pleach_core::{FusedLoss, Loss, LossInput, Result, Target, Tensor, Wants, plugin};

/// Mean squared error: the mean of `(x - t)^2` over all elements.
#[plugin(
    loss,
    alias = ["MSELoss"],
    cite = "https://docs.pytorch.org/docs/stable/generated/torch.nn.MSELoss.html"
)]
pub struct MSE {
    /// Whether the loss is the mean over all elements or their sum.
    #[plugin(default = Reduction::Mean)]
    pub reduction: Reduction,
}

impl Loss for MSE {
    fn wants(&self) -> Wants {
        WANTS
    }

    fn forward(&self, x: &LossInput<'_>) -> Result<Tensor> {
        let (x, t) = inputs(x, Target::Values)?;
        reduced(&(x - t)?.sqr()?, self.reduction)
    }

    fn fused(&self) -> Option<FusedLoss> {
        fused("mse", self.reduction, |x, t| {
            let d = x - t;
            [d * d, d + d]
        })
    }
}
