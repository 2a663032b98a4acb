//! MONAI's Dice loss, and what MONAI's losses of overlap have in common.

use crate::numbers::{Numbers, check_weights};
use crate::overlap::{Background, Divisor, Mean, Overlap};
use crate::reduce::Reduce;
use crate::reduction::Reduction;
use crate::region::{Act, Beside, Ignoring, Region, Score, Terms};
use pleach_core::read::Rules;
use pleach_core::{FusedLoss, Loss, LossInput, Result, Target, Tensor, Wants, plugin};

/// MONAI's Dice loss, with its parameters and defaults: of each class of each sample, and the mean of them.
///
/// `1 - (2 sum(p t) + smooth_nr) / (sum(p) + sum(t) + smooth_dr)`; with `squared_pred` the sums below the line are of
/// squares, with `jaccard` what is below is `2 (sum(p) + sum(t) - sum(p t)) + smooth_dr`. With `weight` each loss is
/// multiplied by that of its class before the mean over samples and classes.
///
/// Without `sigmoid` and `softmax` predictions are taken for probabilities, as in MONAI. With `sigmoid` the target is a
/// mask for each channel, with `softmax` (or `to_onehot_y`) a class for each pixel. The polyp system's formula, sums
/// over the whole batch, is `Dice`.
#[plugin(
    loss,
    cite = ["arXiv:1606.04797", "https://monai.readthedocs.io/en/stable/losses.html#diceloss"],
    check = Self::check
)]
pub struct DiceLoss {
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
    /// Whether sums below the line are of squares.
    #[plugin(default = false)]
    pub squared_pred: bool,
    /// Whether the quotient is intersection through union.
    #[plugin(default = false)]
    pub jaccard: bool,
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
    /// Weight of each class that counts (without the background's where that is left out), or one for all.
    #[plugin(range = 0.0..)]
    pub weight: Option<Numbers>,
    /// Whether masks have values between 0 and 1, for which the overlap is the smaller of prediction and mask.
    #[plugin(default = false)]
    pub soft_label: bool,
    /// The class that does not count, besides what the data ignore by themselves. Of masks of one channel, the value;
    /// of several, the channel whose pixels do not count, or any other number for the pixels that no channel marks.
    pub ignore_index: Option<i64>,
}

impl DiceLoss {
    fn check(&self, rules: &mut Rules) {
        check_inputs(self.sigmoid, self.softmax, rules);
        check_weights("weight", self.weight.as_ref(), rules);
    }

    pub(crate) fn region(&self) -> Region {
        let background = if self.include_background { Background::Counts } else { Background::LeftOut };
        let mean =
            Mean { weight: self.weight.clone(), divisor: Divisor::Groups, reduction: self.reduction, background };
        let (predicted, cross) = if self.jaccard { (2.0, -2.0) } else { (1.0, 0.0) };
        let score = Overlap {
            predicted,
            there: predicted,
            cross,
            above: self.smooth_nr,
            below: self.smooth_dr,
            mean,
            ..Overlap::dice(0.0)
        };
        let inputs = Inputs { sigmoid: self.sigmoid, softmax: self.softmax, to_onehot_y: self.to_onehot_y };
        let reduce = if self.batch { Reduce::Class } else { Reduce::SampleClass };
        let terms = match (self.squared_pred, self.soft_label) {
            (true, _) => Terms::Squared,
            (false, true) => Terms::Soft,
            (false, false) => Terms::Plain,
        };
        Region { terms, ..inputs.region(reduce, self.ignore_index, score) }
    }
}

/// How MONAI's losses are told what they get.
pub(crate) struct Inputs {
    pub sigmoid: bool,
    pub softmax: bool,
    pub to_onehot_y: bool,
}

impl Inputs {
    pub(crate) fn region(&self, reduce: Reduce, ignore_index: Option<i64>, score: impl Score + 'static) -> Region {
        let act = match (self.sigmoid, self.softmax) {
            (true, _) => Act::Sigmoid,
            (false, true) => Act::Softmax,
            (false, false) => Act::Nothing,
        };
        let target = if self.softmax || self.to_onehot_y { Target::Class } else { Target::Mask };
        Region { act, target, ignore_index, ignoring: Ignoring::Pixels, ..Region::masks(reduce, score) }
    }
}

/// The rule that MONAI has between its parameters.
pub(crate) fn check_inputs(sigmoid: bool, softmax: bool, rules: &mut Rules) {
    if sigmoid && softmax {
        rules.refuse("softmax", "predictions go through `sigmoid` or through `softmax`, not through both");
    }
}

impl Loss for DiceLoss {
    fn wants(&self) -> Wants {
        self.region().wants()
    }

    fn forward(&self, x: &LossInput<'_>) -> Result<Tensor> {
        self.region().forward(x)
    }

    fn fused(&self) -> Option<FusedLoss> {
        self.region().fused("dice_loss", Beside::Nothing)
    }
}
