//! The Tversky loss.

use crate::binary;
use crate::overlap::Overlap;
use pleach_core::{FusedLoss, Loss, LossInput, Result, Tensor, Wants, plugin};

/// Tversky loss of binary maps: Dice with unequal weights for false positives and false negatives.
///
/// `1 - (TP + smooth) / (TP + alpha FP + (1 - alpha) FN + smooth)` with TP = sum(p t), FP = sum(p (1 - t)),
/// FN = sum(t (1 - p)), p the logistic function of the logits and t the mask; sums run over the whole batch.
/// A batch in which nothing is there and nothing predicted has loss 0.
#[plugin(loss, alias = ["TverskyLoss"], cite = "arXiv:1706.05721")]
pub struct Tversky {
    /// Weight of false positives, 0 to 1; false negatives have the rest.
    #[plugin(default = 0.7, range = 0.0..=1.0)]
    pub alpha: f64,
    /// Added above and below the line, in pixels; more of it is milder to small objects.
    #[plugin(default = 0.0, range = 0.0..)]
    pub smooth: f64,
}

/// TP + alpha FP + (1 - alpha) FN is alpha sum(p) + (1 - alpha) sum(t): the products cancel.
pub(crate) fn overlap(alpha: f64, gamma: f64, smooth: f64) -> Overlap {
    Overlap { both: 1.0, predicted: alpha, there: 1.0 - alpha, smooth, gamma }
}

impl Loss for Tversky {
    fn wants(&self) -> Wants {
        binary::WANTS
    }

    fn forward(&self, x: &LossInput<'_>) -> Result<Tensor> {
        overlap(self.alpha, 1.0, self.smooth).forward(x)
    }

    fn fused(&self) -> Option<FusedLoss> {
        Some(overlap(self.alpha, 1.0, self.smooth).fused("tversky"))
    }
}
