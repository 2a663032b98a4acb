//! The Lovász losses.

use crate::binary;
use crate::classes::{self, Ignore, Targets};
use crate::mode::Mode;
use crate::numbers::{check_weights, weights};
use crate::reduction::sum;
use crate::region::one_channel;
use pleach_core::read::Rules;
use pleach_core::{DType, Loss, LossInput, Result, Tensor, Wants, config, plugin};

/// Which classes add to a mean.
#[config]
#[derive(Default)]
pub enum Classes {
    /// Those of which something is there.
    #[default]
    Present,
    /// All.
    All,
}

/// Lovász loss: a convex stand-in for the Jaccard index, which it equals where predictions are sure.
///
/// With the errors m of all pixels in falling order and J_i the Jaccard loss of a prediction that is wrong in the
/// first i of them, `sum_i m_i (J_i - J_(i-1))`. Between classes m is `|t_c - p_c|`, p being the softmax of the
/// logits and t_c 1 where c is the class, and the loss is the mean over classes (Lovász-Softmax). In binary mode m
/// is `max(0, 1 - x (2 t - 1))` with logits x and masks t of 0 and 1 (Lovász hinge). Where nothing counts, loss
/// and gradient are 0.
#[plugin(
    loss,
    alias = ["LovaszLoss"],
    cite = ["arXiv:1705.08790", "https://smp.readthedocs.io/en/latest/losses.html#lovaszloss"],
    check = Self::check
)]
pub struct Lovasz {
    /// `multiclass`: softmax against classes. `binary`: the hinge, against masks.
    #[plugin(default = Mode::Multiclass)]
    pub mode: Mode,
    /// Whether each sample has a loss of its own, of which the mean is taken.
    #[plugin(default = false)]
    pub per_image: bool,
    /// Between classes, which of them add to the mean: `present` ones or `all`.
    #[plugin(default = Classes::Present)]
    pub classes: Classes,
    /// Weight of each class in the mean; without it all are 1.
    #[plugin(range = 0.0..)]
    pub weight: Option<Vec<f64>>,
    /// The class (or the value of a mask) that does not count, besides what the data ignore by themselves.
    pub ignore_index: Option<i64>,
}

/// An error with what is there (0 or 1), and where in the prediction it is.
#[derive(Clone, Copy)]
struct Miss {
    at: usize,
    error: f64,
    there: f64,
}

/// Adds to `slopes` what each error is worth, times a share.
fn add_slopes(mut misses: Vec<Miss>, share: f64, slopes: &mut [f64]) {
    // A stable sort: equal errors stay in the order of the pixels.
    misses.sort_by(|a, b| b.error.total_cmp(&a.error));
    let total: f64 = misses.iter().map(|miss| miss.there).sum();
    let (mut found, mut others, mut before) = (0.0, 0.0, 0.0);
    for miss in misses {
        found += miss.there;
        others += 1.0 - miss.there;
        let jaccard = 1.0 - (total - found) / (total + others);
        if let Some(slope) = slopes.get_mut(miss.at) {
            *slope += share * (jaccard - before);
        }
        before = jaccard;
    }
}

impl Lovasz {
    fn check(&self, rules: &mut Rules) {
        check_weights("weight", self.weight.as_ref(), rules);
        if self.weight.is_some() && self.mode == Mode::Binary {
            rules.refuse("weight", "binary maps have no classes to weigh");
        }
    }

    /// The images with a loss each: their number, and the length of one.
    fn images(&self, samples: usize, elements: usize) -> (usize, usize) {
        if self.per_image { (samples, elements / samples.max(1)) } else { (1, elements) }
    }

    fn hinge(&self, x: &LossInput<'_>) -> Result<Tensor> {
        let (logits, t) = binary::inputs(x)?;
        let mask = t.to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>()?;
        let errors = (1.0 - (&logits * ((t * 2.0)? - 1.0)?)?)?;
        let values = errors.to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>()?;
        let (images, len) = self.images(logits.dims().first().copied().unwrap_or(1), values.len());
        let mut slopes = vec![0.0; values.len()];
        for image in 0..images {
            let counts = |there: &f64| self.ignore_index.is_none_or(|i| *there != i as f64);
            let elements = values.iter().zip(&mask).enumerate().skip(image * len).take(len);
            let misses = elements.filter(|(_, (_, there))| counts(there));
            let misses = misses.map(|(at, (&error, &there))| Miss { at, error, there }).collect();
            add_slopes(misses, 1.0 / images as f64, &mut slopes);
        }
        let slopes = Tensor::from_vec(slopes, logits.shape(), logits.device())?.to_dtype(logits.dtype())?;
        Ok(sum(&(pleach_ops::relu(&errors)? * slopes)?)?.to_dtype(logits.dtype())?)
    }

    fn softmax(&self, x: &LossInput<'_>) -> Result<Tensor> {
        let logits = binary::widened(x.prediction)?;
        let targets = Targets::read(x, Ignore::new(self.ignore_index))?;
        let grid = targets.grid;
        if grid.classes == 1 {
            return Err(one_channel());
        }
        let (dtype, device) = (logits.dtype(), logits.device());
        let p = pleach_ops::softmax(&logits.reshape(grid.dims())?, 1)?;
        let t = targets.one_hot(dtype, device)?;
        // |t - p|, as p is between 0 and 1.
        let errors = (&t + (p * (1.0 - (&t * 2.0)?)?)?)?;
        let values = errors.to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>()?;
        let weights = weights("weight", self.weight.as_ref(), grid.classes)?;
        let (images, len) = self.images(grid.samples, targets.classes.len());
        let mut slopes = vec![0.0; values.len()];
        for image in 0..images {
            let of_image = || targets.classes.iter().enumerate().skip(image * len).take(len);
            let is_there = |class| self.classes == Classes::All || of_image().any(|(_, y)| *y == Some(class));
            let takes: Vec<usize> = (0..grid.classes).filter(|&class| is_there(class)).collect();
            let total: f64 = takes.iter().filter_map(|&class| weights.get(class)).sum();
            for class in takes {
                let miss = |(i, y): (usize, &Option<usize>)| {
                    let at = grid.at(class, i);
                    let error = values.get(at).copied().unwrap_or_default();
                    y.map(|y| Miss { at, error, there: f64::from(y == class) })
                };
                let weight = weights.get(class).copied().unwrap_or_default();
                if weight > 0.0 {
                    add_slopes(of_image().filter_map(miss).collect(), weight / total / images as f64, &mut slopes);
                }
            }
        }
        let slopes = Tensor::from_vec(slopes, grid.dims(), device)?.to_dtype(dtype)?;
        Ok(sum(&(errors * slopes)?)?.to_dtype(dtype)?)
    }
}

impl Loss for Lovasz {
    fn wants(&self) -> Wants {
        match self.mode {
            Mode::Multiclass => classes::WANTS,
            Mode::Binary => binary::WANTS,
        }
    }

    fn forward(&self, x: &LossInput<'_>) -> Result<Tensor> {
        match self.mode {
            Mode::Multiclass => self.softmax(x),
            Mode::Binary => self.hinge(x),
        }
    }
}
