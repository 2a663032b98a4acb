//! How sums over groups become a loss of overlap: one minus a quotient.

use crate::numbers::{Numbers, PerClass};
use crate::reduction::Reduction;
use crate::region::{Score, Sums};
use pleach_core::{DType, Result, Tensor};

/// `(1 - (both B + above) / (predicted P + there T + cross B + below))^gamma` for each group, and their mean.
#[derive(Debug, Clone)]
pub(crate) struct Overlap {
    pub both: f64,
    pub predicted: f64,
    pub there: f64,
    pub cross: f64,
    /// Added above the line.
    pub above: f64,
    /// Added below the line.
    pub below: f64,
    pub gamma: f64,
    pub mean: Mean,
}

/// A denominator below this is that of a group without an object, in which none was found either: both count as
/// right, the loss is 0, and so is its gradient. A billion f32 probabilities that are all but 0 add up to less,
/// so that it does not matter how the exponential of a saturated logit is rounded.
const NOTHING: f64 = 1e-20;
/// A loss below this is 0: a power below 1 has an infinite slope there.
const PERFECT: f64 = 1e-12;

impl Overlap {
    /// `1 - (2 B + smooth) / (P + T + smooth)`.
    pub(crate) fn dice(smooth: f64) -> Self {
        Self { both: 2.0, there: 1.0, ..Self::tversky(1.0, 1.0, smooth) }
    }

    /// `(1 - (TP + smooth) / (TP + alpha FP + (1 - alpha) FN + smooth))^gamma`: with FP = P - TP and FN = T - TP the
    /// denominator is alpha P + (1 - alpha) T, as the products cancel.
    pub(crate) fn tversky(alpha: f64, gamma: f64, smooth: f64) -> Self {
        let (there, cross) = (1.0 - alpha, 0.0);
        Self { both: 1.0, predicted: alpha, there, cross, above: smooth, below: smooth, gamma, mean: Mean::default() }
    }

    /// The quotient of each group; 1 where its denominator says that nothing is there.
    pub(crate) fn quotient(&self, s: &Sums) -> Result<Tensor> {
        let above = ((&s.both * self.both)? + self.above)?;
        let mut below = (((&s.predicted * self.predicted)? + (&s.there * self.there)?)? + self.below)?;
        if self.cross != 0.0 {
            below = (below + (&s.both * self.cross)?)?;
        }
        let nothing = below.lt(NOTHING)?.to_dtype(DType::F64)?;
        Ok(((above + &nothing)? / (below + nothing)?)?)
    }

    /// The loss of each group.
    pub(crate) fn losses(&self, s: &Sums) -> Result<Tensor> {
        let loss = (1.0 - self.quotient(s)?)?;
        if self.gamma == 1.0 {
            return Ok(loss);
        }
        let perfect = loss.lt(PERFECT)?.to_dtype(DType::F64)?;
        let loss = ((loss * (1.0 - &perfect)?)? + &perfect)?;
        Ok((loss.powf(self.gamma)? - perfect)?)
    }
}

impl Score for Overlap {
    fn value(&self, s: &Sums) -> Result<Tensor> {
        self.mean.of(&self.losses(s)?)
    }
}

/// What a weighted sum over groups is divided by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Divisor {
    /// Their number: a weight of 2 doubles what a class adds.
    #[default]
    Groups,
    /// Their weights: the loss stays between 0 and 1.
    Weights,
}

/// How the losses of groups, of shape (samples or 1, classes or 1), become one number.
#[derive(Debug, Clone, Default)]
pub(crate) struct Mean {
    /// Weights of the classes.
    pub weight: Option<Numbers>,
    pub divisor: Divisor,
    pub reduction: Reduction,
    /// Leaves the first class out, where there are several.
    pub background: Background,
}

/// Whether the first class counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Background {
    #[default]
    Counts,
    LeftOut,
}

impl Background {
    /// The columns of the classes that count.
    pub(crate) fn of(self, groups: &Tensor) -> Result<Tensor> {
        Ok(match (self, groups.dim(1)?) {
            (Self::LeftOut, classes @ 2..) => groups.narrow(1, 1, classes - 1)?,
            _ => groups.clone(),
        })
    }
}

impl Mean {
    pub(crate) fn of(&self, losses: &Tensor) -> Result<Tensor> {
        let mut losses = self.background.of(losses)?;
        let (samples, classes) = losses.dims2()?;
        let mut divisor = (samples * classes) as f64;
        if let Some(weight) = &self.weight {
            let weights = weight.of_each("weight", classes)?;
            if self.divisor == Divisor::Weights {
                divisor = samples as f64 * weights.iter().sum::<f64>();
            }
            losses = losses.broadcast_mul(&Tensor::from_vec(weights, (1, classes), losses.device())?)?;
        }
        let sum = losses.sum_all()?;
        Ok(match self.reduction {
            Reduction::Sum => sum,
            // Weights that are all 0 make a loss of 0.
            Reduction::Mean if divisor > 0.0 => (sum / divisor)?,
            Reduction::Mean => sum,
        })
    }
}
