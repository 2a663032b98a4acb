//! The Tversky loss.

use crate::overlap::Overlap;
use crate::reduce::Reduce;
use crate::region::{Beside, Region};
use pleach_core::{FusedLoss, Loss, LossInput, Result, Tensor, Wants, plugin};

/// Tversky loss of binary maps: Dice with unequal weights for false positives and false negatives.
///
/// `1 - (TP + smooth) / (TP + alpha FP + (1 - alpha) FN + smooth)` with TP = sum(p t), FP = sum(p (1 - t)),
/// FN = sum(t (1 - p)), p the logistic function of the logits and t the mask; sums run over the whole batch, or over
/// the groups of `reduce`, and then the loss is the mean over these. A group in which nothing is there and nothing
/// predicted has loss 0.
///
/// MONAI's loss of this name, with its own parameters and defaults, is `TverskyLoss`.
#[plugin(loss, cite = "arXiv:1706.05721")]
pub struct Tversky {
    /// Weight of false positives, 0 to 1; false negatives have the rest.
    #[plugin(default = 0.7, range = 0.0..=1.0)]
    pub alpha: f64,
    /// Added above and below the line, in pixels; more of it is milder to small objects.
    #[plugin(default = 0.0, range = 0.0..)]
    pub smooth: f64,
    /// Which elements are added up together: `batch`, `sample`, `class` (channel) or `sample_class`.
    #[plugin(default = Reduce::Batch)]
    pub reduce: Reduce,
}

impl Tversky {
    fn region(&self) -> Region {
        Region::masks(self.reduce, Overlap::tversky(self.alpha, 1.0, self.smooth))
    }
}

impl Loss for Tversky {
    fn wants(&self) -> Wants {
        self.region().wants()
    }

    fn forward(&self, x: &LossInput<'_>) -> Result<Tensor> {
        self.region().forward(x)
    }

    fn fused(&self) -> Option<FusedLoss> {
        self.region().fused("tversky", Beside::Nothing)
    }
}
