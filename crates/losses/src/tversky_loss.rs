//! MONAI's Tversky loss.

use crate::dice_loss::{Inputs, check_inputs};
use crate::overlap::{Background, Mean, Overlap};
use crate::reduce::Reduce;
use crate::reduction::Reduction;
use crate::region::{Beside, Region, Terms};
use pleach_core::read::Rules;
use pleach_core::{FusedLoss, Loss, LossInput, Result, Tensor, Wants, plugin};

/// MONAI's Tversky loss, with its parameters and defaults: of each class of each sample, and the mean of them.
///
/// `1 - (TP + smooth_nr) / (TP + alpha FP + beta FN + smooth_dr)` with TP = sum(p t), FP = sum(p (1 - t)) and FN =
/// sum(t (1 - p)).
///
/// Without `sigmoid` and `softmax` predictions are taken for probabilities, as in MONAI. With `sigmoid` the target is a
/// mask for each channel, with `softmax` (or `to_onehot_y`) a class for each pixel. The polyp system's formula, sums
/// over the whole batch, is `Tversky`.
#[plugin(
    loss,
    cite = ["arXiv:1706.05721", "https://monai.readthedocs.io/en/stable/losses.html#tverskyloss"],
    check = Self::check
)]
pub struct TverskyLoss {
    /// Whether the first class counts, where there are several.
    #[plugin(default = true)]
    pub include_background: bool,
    /// Whether the target is one of classes, which `softmax` alone says too.
    #[plugin(default = false)]
    pub to_onehot_y: bool,
    /// Whether predictions are logits that the logistic function makes probabilities of.
    #[plugin(default = false)]
    pub sigmoid: bool,
    /// Whether predictions are logits that softmax over the classes makes probabilities of.
    #[plugin(default = false)]
    pub softmax: bool,
    /// Weight of false positives.
    #[plugin(default = 0.5, range = 0.0..)]
    pub alpha: f64,
    /// Weight of false negatives.
    #[plugin(default = 0.5, range = 0.0..)]
    pub beta: f64,
    /// Whether the loss is the mean over samples and classes or their sum.
    #[plugin(default = Reduction::Mean)]
    pub reduction: Reduction,
    /// Added above the line.
    #[plugin(default = 1e-5, range = 0.0..)]
    pub smooth_nr: f64,
    /// Added below the line.
    #[plugin(default = 1e-5, range = 0.0..)]
    pub smooth_dr: f64,
    /// Whether the samples of a batch are added up before dividing.
    #[plugin(default = false)]
    pub batch: bool,
    /// Whether masks have values between 0 and 1, for which the overlap is the smaller of prediction and mask.
    #[plugin(default = false)]
    pub soft_label: bool,
    /// The class that does not count, besides what the data ignore by themselves. Of masks of one channel, the value;
    /// of several, the channel whose pixels do not count, or any other number for the pixels that no channel marks.
    pub ignore_index: Option<i64>,
}

impl TverskyLoss {
    fn check(&self, rules: &mut Rules) {
        check_inputs(self.sigmoid, self.softmax, rules);
    }

    fn region(&self) -> Region {
        let background = if self.include_background { Background::Counts } else { Background::LeftOut };
        // With FP = P - TP and FN = T - TP.
        let score = Overlap {
            there: self.beta,
            cross: 1.0 - self.alpha - self.beta,
            above: self.smooth_nr,
            below: self.smooth_dr,
            mean: Mean { reduction: self.reduction, background, ..Mean::default() },
            ..Overlap::tversky(self.alpha, 1.0, 0.0)
        };
        let inputs = Inputs { sigmoid: self.sigmoid, softmax: self.softmax, to_onehot_y: self.to_onehot_y };
        let reduce = if self.batch { Reduce::Class } else { Reduce::SampleClass };
        let terms = if self.soft_label { Terms::Soft } else { Terms::Plain };
        Region { terms, ..inputs.region(reduce, self.ignore_index, score) }
    }
}

impl Loss for TverskyLoss {
    fn wants(&self) -> Wants {
        self.region().wants()
    }

    fn forward(&self, x: &LossInput<'_>) -> Result<Tensor> {
        self.region().forward(x)
    }

    fn fused(&self) -> Option<FusedLoss> {
        self.region().fused("tversky_loss", Beside::Nothing)
    }
}
