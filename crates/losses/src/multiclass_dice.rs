//! The Dice loss between classes.

use crate::numbers::{Numbers, check_weights};
use crate::overlap::{Divisor, Mean, Overlap};
use crate::reduce::Reduce;
use crate::region::{Beside, Region};
use pleach_core::read::Rules;
use pleach_core::{FusedLoss, Loss, LossInput, Result, Tensor, Wants, plugin};

/// Dice loss between classes: the mean of the Dice losses of all classes, the background's included.
///
/// `1 - mean_c (2 sum(p_c t_c) + smooth) / (sum(p_c) + sum(t_c) + smooth)` with p the softmax of the logits and t_c 1
/// where c is the class; sums run over all samples and pixels that count. With `weight` the mean is
/// `sum_c(weight_c ...) / sum_c(weight_c)`. It is MONAI's `DiceLoss` with `softmax`, `batch = true` and `smooth_nr =
/// smooth_dr = 1`.
#[plugin(loss, cite = "arXiv:1606.04797", check = Self::check)]
pub struct MulticlassDice {
    /// Added above and below the line, in pixels; more of it is milder to rare classes.
    #[plugin(default = 1.0, range = 0.0..)]
    pub smooth: f64,
    /// Weight of each class in the mean; without it all are 1.
    #[plugin(range = 0.0..)]
    pub weight: Option<Vec<f64>>,
    /// The class of targets that do not count, besides what the data ignore by themselves.
    #[plugin(default = Some(-100))]
    pub ignore_index: Option<i64>,
}

impl MulticlassDice {
    fn check(&self, rules: &mut Rules) {
        check_weights("weight", self.weight.as_ref(), rules);
    }

    pub(crate) fn region(&self) -> Region {
        let weight = self.weight.clone().map(Numbers::Each);
        let mean = Mean { weight, divisor: Divisor::Weights, ..Mean::default() };
        Region::classes(Reduce::Class, self.ignore_index, Overlap { mean, ..Overlap::dice(self.smooth) })
    }
}

impl Loss for MulticlassDice {
    fn wants(&self) -> Wants {
        self.region().wants()
    }

    fn forward(&self, x: &LossInput<'_>) -> Result<Tensor> {
        self.region().forward(x)
    }

    fn fused(&self) -> Option<FusedLoss> {
        self.region().fused("multiclass_dice", Beside::Nothing)
    }
}
