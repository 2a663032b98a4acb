//! The Dice loss.

use crate::overlap::Overlap;
use crate::reduce::Reduce;
use crate::region::{Beside, Region};
use pleach_core::{FusedLoss, Loss, LossInput, Result, Tensor, Wants, plugin};

/// Dice loss of binary maps: one minus twice the overlap, as a share of what is predicted and what is there.
///
/// `1 - (2 sum(p t) + smooth) / (sum(p) + sum(t) + smooth)` with p the logistic function of the logits and t the
/// mask; sums run over the whole batch, or over the groups of `reduce`, and then the loss is the mean over these. A
/// group in which nothing is there and nothing predicted has loss 0.
///
/// MONAI's loss of this name, with its own parameters and defaults, is `DiceLoss`; the one between classes is
/// `MulticlassDice`. segmentation_models_pytorch's binary mode is this with `smooth = 0`, but for masks without an
/// object, which it leaves out.
#[plugin(loss, cite = "arXiv:1606.04797")]
pub struct Dice {
    /// Added above and below the line, in pixels; more of it is milder to small objects.
    #[plugin(default = 0.0, range = 0.0..)]
    pub smooth: f64,
    /// Which elements are added up together: `batch`, `sample`, `class` (channel) or `sample_class`.
    #[plugin(default = Reduce::Batch)]
    pub reduce: Reduce,
}

impl Dice {
    pub(crate) fn region(&self) -> Region {
        Region::masks(self.reduce, Overlap::dice(self.smooth))
    }
}

impl Loss for Dice {
    fn wants(&self) -> Wants {
        self.region().wants()
    }

    fn forward(&self, x: &LossInput<'_>) -> Result<Tensor> {
        self.region().forward(x)
    }

    fn fused(&self) -> Option<FusedLoss> {
        self.region().fused("dice", Beside::Nothing)
    }
}
