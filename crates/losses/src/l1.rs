//! The mean absolute error.

use crate::pointwise::{WANTS, absolute, fused, inputs, reduced, sign};
use crate::reduction::Reduction;
use pleach_core::{FusedLoss, Loss, LossInput, Result, Target, Tensor, Wants, plugin};

/// Mean absolute error: the mean of `|x - t|` over all elements, with a gradient of 0 where both are equal.
#[plugin(
    loss,
    alias = ["L1Loss"],
    cite = "https://docs.pytorch.org/docs/stable/generated/torch.nn.L1Loss.html"
)]
pub struct L1 {
    /// Whether the loss is the mean over all elements or their sum.
    #[plugin(default = Reduction::Mean)]
    pub reduction: Reduction,
}

impl Loss for L1 {
    fn wants(&self) -> Wants {
        WANTS
    }

    fn forward(&self, x: &LossInput<'_>) -> Result<Tensor> {
        let (x, t) = inputs(x, Target::Values)?;
        reduced(&absolute(&(x - t)?)?, self.reduction)
    }

    fn fused(&self) -> Option<FusedLoss> {
        fused("l1", self.reduction, |x, t| {
            let d = x - t;
            [d.abs(), sign(d)]
        })
    }
}
