//! Losses of regions: sums over groups of elements, and a score of these sums. The score is written once, in tensor
//! algebra; the fused form takes the slopes of its few numbers from the graph and spreads them over the elements.

mod classes;
mod masks;

use crate::batch::not_empty;
use crate::binary::{shapes, widened};
use crate::classes::{Ignore, Targets};
use crate::cross_entropy::CrossEntropy;
use crate::reduce::Reduce;
use pleach_core::{DType, Device, Error, Form, FusedLoss, LossInput, Result, Target, Tensor, Var, Wants};
use std::fmt::Debug;
use std::sync::Arc;

/// The sums of p t, p and t (of p and t squared, where asked) over each group, in f64; their shape is that of the
/// groups.
pub(crate) struct Sums {
    pub both: Tensor,
    pub predicted: Tensor,
    pub there: Tensor,
}

/// What a loss makes of the sums: a number, with its graph.
pub(crate) trait Score: Debug + Send + Sync {
    fn value(&self, sums: &Sums) -> Result<Tensor>;
}

/// How predictions become probabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    /// The logistic function of each.
    Sigmoid,
    /// Softmax over the classes.
    Softmax,
    /// They are probabilities.
    Nothing,
}

/// What stands in the sums of p and of t.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Terms {
    /// They themselves.
    #[default]
    Plain,
    /// Their squares.
    Squared,
    /// They themselves, and in place of p t the smaller of both, which is right for targets between 0 and 1.
    Soft,
}

/// What a mask's `ignore_index` leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ignoring {
    /// Each element of that value.
    Elements,
    /// MONAI's rule. Of one channel, the elements of that value; of several, the pixels that the channel of that index
    /// marks, or, where there is no such channel, those that no channel marks.
    Pixels,
}

impl Ignoring {
    /// 1 where a mask (N, C, S) counts, else 0: for each element, or (N, 1, S).
    pub(crate) fn counts(self, t: &Tensor, ignored: i64) -> Result<Tensor> {
        let channels = t.dim(1)?;
        if self == Self::Elements || channels == 1 {
            return Ok(t.ne(ignored as f64)?.to_dtype(t.dtype())?);
        }
        Ok(match usize::try_from(ignored) {
            Ok(channel) if channel < channels => (1.0 - t.narrow(1, channel, 1)?)?,
            _ => t.sum_keepdim(1)?.gt(0.0)?.to_dtype(t.dtype())?,
        })
    }
}

/// A loss of regions.
#[derive(Debug, Clone)]
pub(crate) struct Region {
    pub act: Act,
    pub target: Target,
    pub reduce: Reduce,
    pub terms: Terms,
    pub ignore_index: Option<i64>,
    pub ignoring: Ignoring,
    pub score: Arc<dyn Score>,
}

/// What is added to a loss of regions in the same passes, and the factors of both.
#[derive(Debug, Clone)]
pub(crate) enum Beside {
    Nothing,
    /// The mean of binary cross-entropy.
    Bce,
    /// Cross-entropy between classes.
    CrossEntropy {
        region: f64,
        cross_entropy: f64,
        of: CrossEntropy,
    },
}

/// Slopes of the value by the sum of p and by the sum of p t, for each group.
struct Slopes {
    value: f64,
    predicted: Vec<f32>,
    both: Vec<f32>,
}

impl Region {
    /// Logits against masks.
    pub(crate) fn masks(reduce: Reduce, score: impl Score + 'static) -> Self {
        let (act, target) = (Act::Sigmoid, Target::Mask);
        let (terms, ignoring) = (Terms::Plain, Ignoring::Elements);
        Self { act, target, reduce, terms, ignore_index: None, ignoring, score: Arc::new(score) }
    }

    /// Logits against classes.
    pub(crate) fn classes(reduce: Reduce, ignore_index: Option<i64>, score: impl Score + 'static) -> Self {
        let (act, target) = (Act::Softmax, Target::Class);
        Self { act, target, ignore_index, ..Self::masks(reduce, score) }
    }

    pub(crate) fn wants(&self) -> Wants {
        let form = if self.act == Act::Nothing { Form::Probabilities } else { Form::Logits };
        Wants { form, target: self.target }
    }

    /// The definition.
    pub(crate) fn forward(&self, x: &LossInput<'_>) -> Result<Tensor> {
        let prediction = widened(x.prediction)?;
        let (p, t) = self.elements(&prediction, x)?;
        let (both, power) = match self.terms {
            Terms::Plain => ((&p * &t)?, None),
            Terms::Squared => ((&p * &t)?, Some((p.sqr()?, t.sqr()?))),
            Terms::Soft => ((((&p + &t)? - (&p - &t)?.abs()?)? * 0.5)?, None),
        };
        let (predicted, there) = power.unwrap_or((p, t));
        let sums = |x: &Tensor| self.reduce.sums(x);
        let sums = Sums { both: sums(&both)?, predicted: sums(&predicted)?, there: sums(&there)? };
        Ok(self.score.value(&sums)?.to_dtype(prediction.dtype())?)
    }

    /// Probabilities and what is there, (N, C, S); both 0 where a target does not count.
    fn elements(&self, prediction: &Tensor, x: &LossInput<'_>) -> Result<(Tensor, Tensor)> {
        not_empty(prediction.dims())?;
        let dims = prediction.dims();
        let (samples, channels) = (dims.first().copied().unwrap_or(1), dims.get(1).copied().unwrap_or(1));
        let shape = (samples, channels, prediction.elem_count() / (samples * channels));
        let p = match self.act {
            Act::Sigmoid => pleach_ops::sigmoid(prediction)?,
            Act::Softmax if channels == 1 => return Err(one_channel()),
            Act::Softmax => pleach_ops::softmax(prediction, 1)?,
            Act::Nothing => prediction.clone(),
        };
        let p = p.reshape(shape)?;
        if self.target == Target::Class {
            let targets = Targets::read(x, Ignore::new(self.ignore_index))?;
            let (dtype, device) = (p.dtype(), p.device().clone());
            let p = match targets.classes.contains(&None) {
                true => p.broadcast_mul(&targets.each(dtype, &device, |_| 1.0)?)?,
                false => p,
            };
            let t = targets.one_hot(dtype, &device)?;
            return Ok((p, t));
        }
        let mask = x.target(Target::Mask)?;
        if mask.dims() != dims {
            return Err(shapes("a mask", mask.dims(), dims));
        }
        let t = mask.to_dtype(p.dtype())?.reshape(shape)?;
        Ok(match self.ignore_index {
            Some(ignored) => {
                let counts = self.ignoring.counts(&t, ignored)?;
                (p.broadcast_mul(&counts)?, t.broadcast_mul(&counts)?)
            }
            None => (p, t),
        })
    }

    /// Value and gradient over slices, where there is such a form.
    pub(crate) fn fused(&self, name: &'static str, beside: Beside) -> Option<FusedLoss> {
        let this = self.clone();
        match (self.act, self.target, self.terms) {
            (Act::Sigmoid, Target::Mask, Terms::Plain | Terms::Squared) if self.ignore_index.is_none() => {
                Some(FusedLoss { name, cpu: Arc::new(move |input| masks::passes(&this, &beside, input)) })
            }
            // The smaller of p and of a target that is 0 or 1 is their product.
            (Act::Softmax, Target::Class, _) => {
                Some(FusedLoss { name, cpu: Arc::new(move |input| classes::passes(&this, &beside, input)) })
            }
            _ => None,
        }
    }

    /// The value and its slopes at the sums of groups, `[both, predicted, there]` each.
    fn slopes(&self, shape: [usize; 2], sums: [Vec<f64>; 3]) -> Result<Slopes> {
        let tensor = |v| Tensor::from_vec(v, (shape[0], shape[1]), &Device::Cpu);
        let [both, predicted, there] = sums;
        let (both, predicted) = (Var::from_tensor(&tensor(both)?)?, Var::from_tensor(&tensor(predicted)?)?);
        let sums =
            Sums { both: both.as_tensor().clone(), predicted: predicted.as_tensor().clone(), there: tensor(there)? };
        let value = self.score.value(&sums)?;
        let grads = value.backward()?;
        let of = |x: &Var| -> Result<Vec<f32>> {
            match grads.get(x) {
                Some(grad) => Ok(grad.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?),
                None => Ok(vec![0.0; x.elem_count()]),
            }
        };
        Ok(Slopes { value: value.to_scalar()?, predicted: of(&predicted)?, both: of(&both)? })
    }
}

/// The error of softmax over a single channel.
pub(crate) fn one_channel() -> Error {
    Error::new("PL0328", "softmax over one channel is 1 everywhere: there is nothing to learn")
        .hint("a model of one channel is for masks: `sigmoid = true`, or `mode = \"binary\"`")
}
