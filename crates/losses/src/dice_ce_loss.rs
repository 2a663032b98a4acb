//! MONAI's sum of Dice and cross-entropy.

use crate::bce::BCE;
use crate::binary;
use crate::cross_entropy::CrossEntropy;
use crate::dice_loss::{DiceLoss, check_inputs};
use crate::numbers::{Numbers, check_weights, each};
use crate::reduction::{Reduction, sum};
use crate::region::Beside;
use pleach_core::read::Rules;
use pleach_core::{FusedLoss, Loss, LossInput, Result, Target, Tensor, Wants, plugin};

/// MONAI's sum of `DiceLoss` and cross-entropy, with its parameters and defaults.
///
/// `lambda_dice DiceLoss + lambda_ce CE`. CE is that of classes or, with `sigmoid`, that of masks: binary cross-entropy
/// with `weight` as `pos_weight` for one channel, and for several the mean over pixels of `-sum_c weight_c t_c ln
/// softmax(x)_c`. `weight` is used in Dice too, without the background's where that is left out. One of `sigmoid` and
/// `softmax` must be set: without them MONAI takes the same numbers for probabilities in Dice and for logits in CE.
///
/// The sum with the vision application's defaults is `CE+Dice`.
#[plugin(
    loss,
    cite = "https://monai.readthedocs.io/en/stable/losses.html#diceceloss",
    check = Self::check
)]
pub struct DiceCELoss {
    /// Whether the first class counts in Dice, where there are several.
    #[plugin(default = true)]
    pub include_background: bool,
    /// Whether the target is one of classes, which `softmax` alone says too.
    #[plugin(default = false)]
    pub to_onehot_y: bool,
    /// Whether Dice is of the logistic function of the logits, and the target a mask for each channel.
    #[plugin(default = false)]
    pub sigmoid: bool,
    /// Whether Dice is of the softmax over the classes, and the target a class for each pixel.
    #[plugin(default = false, sample = true)]
    pub softmax: bool,
    /// Whether sums below the line of Dice are of squares.
    #[plugin(default = false)]
    pub squared_pred: bool,
    /// Whether the quotient of Dice is intersection through union.
    #[plugin(default = false)]
    pub jaccard: bool,
    /// Whether both losses are means or sums.
    #[plugin(default = Reduction::Mean)]
    pub reduction: Reduction,
    /// Added above the line of Dice.
    #[plugin(default = 1e-5, range = 0.0..)]
    pub smooth_nr: f64,
    /// Added below the line of Dice.
    #[plugin(default = 1e-5, range = 0.0..)]
    pub smooth_dr: f64,
    /// Whether Dice adds up the samples of a batch before dividing.
    #[plugin(default = false)]
    pub batch: bool,
    /// Weight of each class in both losses; with one channel, of the ones against the zeros.
    #[plugin(range = 0.0..)]
    pub weight: Option<Vec<f64>>,
    /// Factor of Dice.
    #[plugin(default = 1.0, range = 0.0..)]
    pub lambda_dice: f64,
    /// Factor of cross-entropy.
    #[plugin(default = 1.0, range = 0.0..)]
    pub lambda_ce: f64,
    /// The share of a target that cross-entropy spreads over all classes, 0 to 1.
    #[plugin(default = 0.0, range = 0.0..=1.0)]
    pub label_smoothing: f64,
}

impl DiceCELoss {
    fn check(&self, rules: &mut Rules) {
        check_inputs(self.sigmoid, self.softmax, rules);
        if !self.sigmoid && !self.softmax {
            rules.refuse("softmax", "set `softmax` for classes or `sigmoid` for masks: cross-entropy needs logits");
        }
        if self.sigmoid && self.to_onehot_y {
            rules.refuse("to_onehot_y", "classes go with `softmax`, and masks with `sigmoid`");
        }
        check_weights("weight", self.weight.as_ref(), rules);
    }

    fn dice(&self) -> DiceLoss {
        let of_dice = |weight: &Vec<f64>| match (weight.as_slice(), self.include_background) {
            // MONAI weighs no single channel.
            ([_], _) => None,
            ([_, rest @ ..], false) => Some(Numbers::Each(rest.to_vec())),
            _ => Some(Numbers::Each(weight.clone())),
        };
        DiceLoss {
            include_background: self.include_background,
            to_onehot_y: self.to_onehot_y,
            sigmoid: self.sigmoid,
            softmax: self.softmax,
            squared_pred: self.squared_pred,
            jaccard: self.jaccard,
            reduction: self.reduction,
            smooth_nr: self.smooth_nr,
            smooth_dr: self.smooth_dr,
            batch: self.batch,
            weight: self.weight.as_ref().and_then(of_dice),
            soft_label: false,
            ignore_index: None,
        }
    }

    fn cross_entropy(&self) -> CrossEntropy {
        CrossEntropy {
            weight: self.weight.clone(),
            reduction: self.reduction,
            label_smoothing: self.label_smoothing,
            ..CrossEntropy::default()
        }
    }

    /// Cross-entropy between masks, as distributions over the channels, and softmax.
    fn of_masks(&self, x: &LossInput<'_>) -> Result<Tensor> {
        let (logits, t) = binary::inputs(x)?;
        let channels = logits.dim(1)?;
        let share = self.label_smoothing / channels as f64;
        let mut t = ((t * (1.0 - self.label_smoothing))? + share)?;
        if let Some(weight) = &self.weight {
            let mut shape = vec![1; logits.rank()];
            shape.iter_mut().skip(1).take(1).for_each(|n| *n = channels);
            let weight = Tensor::from_vec(each("weight", weight, channels)?, shape, logits.device())?;
            t = t.broadcast_mul(&weight.to_dtype(t.dtype())?)?;
        }
        let losses = sum(&(pleach_ops::log_softmax(&logits, 1)? * t)?)?.neg()?;
        let scale = match self.reduction {
            Reduction::Mean => channels as f64 / logits.elem_count() as f64,
            Reduction::Sum => 1.0,
        };
        Ok((losses * scale)?.to_dtype(logits.dtype())?)
    }
}

impl Loss for DiceCELoss {
    fn wants(&self) -> Wants {
        self.dice().wants()
    }

    fn forward(&self, x: &LossInput<'_>) -> Result<Tensor> {
        let dice = self.dice();
        let cross_entropy = match dice.wants().target {
            Target::Class => self.cross_entropy().forward(x)?,
            _ if x.prediction.dims().get(1).is_none_or(|&channels| channels == 1) => {
                BCE { pos_weight: self.weight.clone(), reduction: self.reduction }.forward(x)?
            }
            _ => self.of_masks(x)?,
        };
        Ok(((dice.forward(x)? * self.lambda_dice)? + (cross_entropy * self.lambda_ce)?)?)
    }

    fn fused(&self) -> Option<FusedLoss> {
        let beside =
            Beside::CrossEntropy { region: self.lambda_dice, cross_entropy: self.lambda_ce, of: self.cross_entropy() };
        // Masks need a rule for one channel and another for several, which the shape alone tells.
        if self.softmax { self.dice().region().fused("dice_ce", beside) } else { None }
    }
}
