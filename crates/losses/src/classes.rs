//! What losses between classes share: their targets, and the softmax of some pixels.

use crate::batch::not_empty;
use crate::binary::shapes;
use pleach_core::kinds::loss::IGNORED;
use pleach_core::{DType, Device, Error, Form, LossInput, Result, Target, Tensor, Wants};
use pleach_ops::Pixels;
use pleach_simd::{Float, par_map};

/// Logits against classes.
pub(crate) const WANTS: Wants = Wants { form: Form::Logits, target: Target::Class };

/// A prediction (N, C, ...) seen as samples of so many pixels with a logit for each class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Grid {
    pub samples: usize,
    pub classes: usize,
    pub pixels: usize,
}

impl Grid {
    /// The grid of a prediction, for so many targets.
    ///
    /// # Errors
    /// PL0217 for another number of targets, PL0327 for an empty batch.
    pub(crate) fn of(prediction: &[usize], targets: usize) -> Result<Self> {
        not_empty(prediction)?;
        let [samples, classes, rest @ ..] = prediction else {
            return Err(shapes("a target", &[targets], prediction));
        };
        let grid = Self { samples: *samples, classes: *classes, pixels: rest.iter().product() };
        if grid.samples * grid.pixels != targets {
            return Err(shapes("a target", &[targets], prediction));
        }
        Ok(grid)
    }

    /// Its blocks, in which a pass makes the gradient of logits; each of one sample if that is asked for.
    pub(crate) fn blocks(self, one_sample: bool) -> Pixels {
        Pixels::new(self.dims().into(), one_sample)
    }

    /// As the shape of a tensor.
    pub(crate) fn dims(self) -> (usize, usize, usize) {
        (self.samples, self.classes, self.pixels)
    }

    /// Where the logit of a class of a target is, targets being counted over all samples.
    pub(crate) fn at(self, class: usize, target: usize) -> usize {
        target / self.pixels * self.classes * self.pixels + class * self.pixels + target % self.pixels
    }
}

/// Which targets count: those whose class is neither [`IGNORED`] nor the ignored one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ignore(u32);

impl Ignore {
    pub(crate) fn new(index: Option<i64>) -> Self {
        // A negative number stands in u32 as the data write it, as -100 does.
        Self(index.map_or(IGNORED, |i| i as u32))
    }

    /// The class of a target that counts.
    #[inline(always)]
    pub(crate) fn class(self, y: u32) -> Option<usize> {
        if y == IGNORED || y == self.0 { None } else { Some(y as usize) }
    }

    /// How many targets that count there are of each class of each sample.
    ///
    /// # Errors
    /// PL0326 for a class that the prediction has not.
    pub(crate) fn count(self, grid: Grid, targets: &[u32]) -> Result<Vec<f64>> {
        let of_sample = |sample: usize| {
            let mut counts = vec![0.0; grid.classes];
            for &y in &targets[sample * grid.pixels..][..grid.pixels] {
                let Some(class) = self.class(y) else { continue };
                match counts.get_mut(class) {
                    Some(count) => *count += 1.0,
                    None => return Err(outside(y, grid.classes)),
                }
            }
            Ok(counts)
        };
        Ok(par_map(grid.samples, of_sample).into_iter().collect::<Result<Vec<_>>>()?.concat())
    }
}

fn outside(class: u32, classes: usize) -> Error {
    Error::new("PL0326", format!("a target has class {class}, and the model gives {classes} classes"))
        .hint(format!("if {class} means that a target does not count, write `ignore_index = {class}`"))
}

/// The targets of a batch, found to be in order.
pub(crate) struct Targets {
    pub grid: Grid,
    /// The class of each, `None` where it does not count.
    pub classes: Vec<Option<usize>>,
}

impl Targets {
    /// Reads the targets of a prediction of this shape.
    ///
    /// # Errors
    /// PL0217 for a target that is missing or of another shape, PL0326 for a class out of range, PL0327 for no samples.
    pub(crate) fn read(x: &LossInput<'_>, ignore: Ignore) -> Result<Self> {
        let (target, prediction) = (x.target(Target::Class)?, x.prediction.dims());
        let fits = match prediction {
            [n, _, rest @ ..] => target.dims() == [&[*n], rest].concat(),
            _ => false,
        };
        if !fits {
            return Err(shapes("a target", target.dims(), prediction));
        }
        let grid = Grid::of(prediction, target.elem_count())?;
        let targets = target.to_dtype(DType::U32)?.flatten_all()?.to_vec1::<u32>()?;
        ignore.count(grid, &targets)?;
        Ok(Self { grid, classes: targets.into_iter().map(|y| ignore.class(y)).collect() })
    }

    /// 1 for the class of each target that counts, else 0: (N, C, S).
    pub(crate) fn one_hot(&self, dtype: DType, device: &Device) -> Result<Tensor> {
        let grid = self.grid;
        let mut hot = vec![0u8; grid.samples * grid.classes * grid.pixels];
        for (i, class) in self.classes.iter().enumerate() {
            if let Some(hot) = class.and_then(|class| hot.get_mut(grid.at(class, i))) {
                *hot = 1;
            }
        }
        Ok(Tensor::from_vec(hot, grid.dims(), device)?.to_dtype(dtype)?)
    }

    /// A number for each target, 0 where it does not count: (N, 1, S).
    pub(crate) fn each(&self, dtype: DType, device: &Device, f: impl Fn(usize) -> f64) -> Result<Tensor> {
        let numbers: Vec<f64> = self.classes.iter().map(|class| class.map_or(0.0, &f)).collect();
        Ok(Tensor::from_vec(numbers, (self.grid.samples, 1, self.grid.pixels), device)?.to_dtype(dtype)?)
    }

    /// The class of each, 0 where it does not count: (N, 1, S).
    pub(crate) fn index(&self, device: &Device) -> Result<Tensor> {
        let index: Vec<u32> = self.classes.iter().map(|class| class.unwrap_or_default() as u32).collect();
        Ok(Tensor::from_vec(index, (self.grid.samples, 1, self.grid.pixels), device)?)
    }
}

/// Of rows of numbers, one for each class, those of the class of each target, 0 where it does not count.
pub(crate) fn own(rows: &[f32], targets: &[u32], ignore: Ignore) -> Vec<f32> {
    let of = |(i, &y): (usize, &u32)| ignore.class(y).map_or(0.0, |y| rows[y * targets.len() + i]);
    targets.iter().enumerate().map(of).collect()
}

/// What the softmax of some pixels leaves besides the exponentials.
pub(crate) struct Softmax {
    /// One through the sum of exponentials, for each pixel.
    pub share: Vec<f32>,
    /// The logarithm of the sum of exponentials, for each pixel.
    pub log_sum: Vec<f32>,
}

/// Makes of logits, a row for each class of so many pixels, their exponentials, less the largest of their pixel; they become
/// probabilities when multiplied by [`Softmax::share`].
pub(crate) fn softmax(rows: &mut [f32], pixels: usize) -> Softmax {
    let (mut share, mut log_sum) = (vec![0.0; pixels], vec![0.0; pixels]);
    exponentials(rows, &mut log_sum, &mut share);
    Softmax { share, log_sum }
}

pleach_simd::lanes! {
    /// Leaves the exponentials of rows of logits, less the largest of each column; and the logarithms of their sums and the
    /// inverses of these.
    fn exponentials<T: Float>(rows: &mut [T], log_sum: &mut [T], share: &mut [T]) {
        let n = log_sum.len();
        log_sum.fill(T::of(f64::NEG_INFINITY));
        for row in rows.chunks_exact(n) {
            for (top, &x) in log_sum.iter_mut().zip(row) {
                // The sum with nothing is always stored; what may stay as it is would be stored under a mask, slowly.
                *top = x.larger(*top) + T::ZERO;
            }
        }
        share.fill(T::ZERO);
        for row in rows.chunks_exact_mut(n) {
            for ((e, &top), sum) in row.iter_mut().zip(log_sum.iter()).zip(share.iter_mut()) {
                *e = (*e - top).exp_falling();
                *sum += *e;
            }
        }
        for (log, share) in log_sum.iter_mut().zip(share) {
            *log += share.ln();
            *share = T::ONE / *share;
        }
    }
}
