//! The generalised Dice loss.

use crate::dice_loss::{Inputs, check_inputs};
use crate::overlap::{Background, Mean};
use crate::reduce::Reduce;
use crate::reduction::Reduction;
use crate::region::{Beside, Region, Score, Sums, Terms};
use pleach_core::read::Rules;
use pleach_core::{DType, FusedLoss, Loss, LossInput, Result, Tensor, Wants, config, plugin};

/// What the weight of a class is, from the number of pixels that it has.
#[config]
#[derive(Default)]
pub enum WeightType {
    /// One through its square.
    #[default]
    Square,
    /// One through it.
    Simple,
    /// 1.
    Uniform,
}

/// Generalised Dice loss: overlaps of all classes in one quotient, rare classes weighing more.
///
/// `1 - (2 sum_c(w_c sum(p_c t_c)) + smooth_nr) / (sum_c(w_c (sum(p_c) + sum(t_c))) + smooth_dr)` for each sample, or
/// over the whole batch with `batch`, with `w_c = 1 / sum(t_c)^2`; a class of which nothing is there has the largest
/// weight of the others (0 if there is no other). Parameters, defaults and values are those of MONAI's
/// `GeneralizedDiceLoss`; unlike there, `softmax` takes classes as they are, and `to_onehot_y` only says that the
/// target is one of classes.
#[plugin(
    loss,
    alias = ["GeneralizedDiceLoss"],
    cite = ["arXiv:1707.03237", "https://monai.readthedocs.io/en/stable/losses.html#generalizeddiceloss"],
    check = Self::check
)]
pub struct GeneralizedDice {
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
    /// How a class is weighted by its pixels: `square`, `simple` or `uniform`.
    #[plugin(default = WeightType::Square)]
    pub w_type: WeightType,
    /// Whether the loss is the mean over samples or their sum.
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
}

impl GeneralizedDice {
    fn check(&self, rules: &mut Rules) {
        check_inputs(self.sigmoid, self.softmax, rules);
    }

    fn region(&self) -> Region {
        let background = if self.include_background { Background::Counts } else { Background::LeftOut };
        let score = Weighed {
            w_type: self.w_type,
            above: self.smooth_nr,
            below: self.smooth_dr,
            mean: Mean { reduction: self.reduction, background, ..Mean::default() },
        };
        let inputs = Inputs { sigmoid: self.sigmoid, softmax: self.softmax, to_onehot_y: self.to_onehot_y };
        let reduce = if self.batch { Reduce::Class } else { Reduce::SampleClass };
        let terms = if self.soft_label { Terms::Soft } else { Terms::Plain };
        Region { terms, ..inputs.region(reduce, None, score) }
    }
}

#[derive(Debug)]
struct Weighed {
    w_type: WeightType,
    above: f64,
    below: f64,
    mean: Mean,
}

impl Weighed {
    /// The weight of each class of each sample; from targets alone, so without a graph.
    fn weights(&self, there: &Tensor) -> Result<Tensor> {
        let mut rows = there.to_vec2::<f64>()?;
        for row in &mut rows {
            for w in row.iter_mut() {
                *w = match self.w_type {
                    WeightType::Square => 1.0 / (*w * *w),
                    WeightType::Simple => 1.0 / *w,
                    WeightType::Uniform => 1.0,
                };
            }
            let largest = row.iter().copied().filter(|w| w.is_finite()).fold(0.0, f64::max);
            row.iter_mut().filter(|w| !w.is_finite()).for_each(|w| *w = largest);
        }
        let shape = there.dims2()?;
        Ok(Tensor::from_vec(rows.concat(), shape, there.device())?)
    }
}

impl Score for Weighed {
    fn value(&self, s: &Sums) -> Result<Tensor> {
        let of = |x: &Tensor| self.mean.background.of(x);
        let (both, predicted, there) = (of(&s.both)?, of(&s.predicted)?, of(&s.there)?);
        let w = self.weights(&there)?;
        let above = (((both * &w)?.sum_keepdim(1)? * 2.0)? + self.above)?;
        let below = (((predicted + there)? * w)?.sum_keepdim(1)? + self.below)?;
        // Nothing there, and nothing added: as right as a sample can be.
        let nothing = below.eq(0.0)?.to_dtype(DType::F64)?;
        let losses = (1.0 - ((above + &nothing)? / (below + nothing)?)?)?;
        self.mean.of(&losses)
    }
}

impl Loss for GeneralizedDice {
    fn wants(&self) -> Wants {
        self.region().wants()
    }

    fn forward(&self, x: &LossInput<'_>) -> Result<Tensor> {
        self.region().forward(x)
    }

    fn fused(&self) -> Option<FusedLoss> {
        self.region().fused("generalized_dice", Beside::Nothing)
    }
}
