//! The Dice loss.

use crate::binary;
use crate::overlap::Overlap;
use pleach_core::{FusedLoss, Loss, LossInput, Result, Tensor, Wants, plugin};

/// Dice loss of binary maps: one minus twice the overlap, as a share of what is predicted and what is there.
///
/// `1 - (2 sum(p t) + smooth) / (sum(p) + sum(t) + smooth)` with p the logistic function of the logits and t the
/// mask; sums run over the whole batch. A batch in which nothing is there and nothing predicted has loss 0.
#[plugin(loss, alias = ["DiceLoss"], cite = "arXiv:1606.04797")]
pub struct Dice {
    /// Added above and below the line, in pixels; more of it is milder to small objects.
    #[plugin(default = 0.0, range = 0.0..)]
    pub smooth: f64,
}

impl Dice {
    fn overlap(&self) -> Overlap {
        Overlap { both: 2.0, predicted: 1.0, there: 1.0, smooth: self.smooth, gamma: 1.0 }
    }
}

impl Loss for Dice {
    fn wants(&self) -> Wants {
        binary::WANTS
    }

    fn forward(&self, x: &LossInput<'_>) -> Result<Tensor> {
        self.overlap().forward(x)
    }

    fn fused(&self) -> Option<FusedLoss> {
        Some(self.overlap().fused("dice"))
    }
}
