//! Cross-entropy and Dice between classes, added.

use crate::cross_entropy::CrossEntropy;
use crate::multiclass_dice::MulticlassDice;
use crate::numbers::check_weights;
use crate::reduction::Reduction;
use crate::region::Beside;
use pleach_core::read::Rules;
use pleach_core::{FusedLoss, Loss, LossInput, Result, Tensor, Wants, plugin};

/// The sum of the losses `CrossEntropy` and `MulticlassDice` between classes.
///
/// `lambda_ce` times the mean of `-weight[y] ln p_y`, plus `lambda_dice` times `1 - mean_c (2 sum(p_c t_c) + smooth) /
/// (sum(p_c) + sum(t_c) + smooth)`, with p the softmax of the logits; sums run over all samples and pixels that count,
/// and `weight` weighs both. MONAI's loss of this kind, with its own parameters and defaults, is `DiceCELoss`.
#[plugin(
    loss,
    name = "CE+Dice",
    alias = ["DiceCE", "CEDice"],
    cite = "https://monai.readthedocs.io/en/stable/losses.html#diceceloss",
    check = Self::check
)]
pub struct CEDice {
    /// Factor of cross-entropy.
    #[plugin(default = 1.0, range = 0.0..)]
    pub lambda_ce: f64,
    /// Factor of Dice.
    #[plugin(default = 1.0, range = 0.0..)]
    pub lambda_dice: f64,
    /// Added above and below the line of Dice, in pixels; more of it is milder to rare classes.
    #[plugin(default = 1.0, range = 0.0..)]
    pub smooth: f64,
    /// Weight of each class, in cross-entropy and in the mean of Dice; without it all are 1.
    #[plugin(range = 0.0..)]
    pub weight: Option<Vec<f64>>,
    /// The class of targets that do not count, besides what the data ignore by themselves.
    #[plugin(default = Some(-100))]
    pub ignore_index: Option<i64>,
    /// The share of a target that cross-entropy spreads over all classes, 0 to 1.
    #[plugin(default = 0.0, range = 0.0..=1.0)]
    pub label_smoothing: f64,
}

impl CEDice {
    fn check(&self, rules: &mut Rules) {
        check_weights("weight", self.weight.as_ref(), rules);
    }

    fn cross_entropy(&self) -> CrossEntropy {
        CrossEntropy {
            weight: self.weight.clone(),
            ignore_index: self.ignore_index,
            reduction: Reduction::Mean,
            label_smoothing: self.label_smoothing,
        }
    }

    fn dice(&self) -> MulticlassDice {
        MulticlassDice { smooth: self.smooth, weight: self.weight.clone(), ignore_index: self.ignore_index }
    }
}

impl Loss for CEDice {
    fn wants(&self) -> Wants {
        self.dice().wants()
    }

    fn forward(&self, x: &LossInput<'_>) -> Result<Tensor> {
        let cross_entropy = (self.cross_entropy().forward(x)? * self.lambda_ce)?;
        Ok((cross_entropy + (self.dice().forward(x)? * self.lambda_dice)?)?)
    }

    fn fused(&self) -> Option<FusedLoss> {
        let beside =
            Beside::CrossEntropy { region: self.lambda_dice, cross_entropy: self.lambda_ce, of: self.cross_entropy() };
        self.dice().region().fused("ce_dice", beside)
    }
}
