//! What losses between classes share: their targets, and passes over blocks of pixels.

use crate::batch::not_empty;
use crate::binary::shapes;
use pleach_core::kinds::backend::FusedInput;
use pleach_core::kinds::loss::IGNORED;
use pleach_core::{DType, Device, Error, Form, LossInput, Result, Target, Tensor, Wants};
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

/// The gradient of a prediction, zero. To be made before all else: of memory that the last one has left, anything smaller would take
/// a part, and the rest would be too small for this one.
pub(crate) fn gradient(input: &FusedInput<'_>) -> Vec<f32> {
    pleach_ops::zeros(input.prediction.len())
}

/// Numbers in one block: what fits the cache.
const BLOCK: usize = 1 << 14;

/// Some pixels of one sample (or, where a sample has one pixel, some samples): their part of the gradient, which
/// between two passes holds what the first leaves to the second, and the sums over them.
pub(crate) struct Block<'a> {
    /// A slice for each class; one for all where pixels are samples, whose classes lie together.
    rows: Vec<&'a mut [f32]>,
    grid: Grid,
    /// The first target.
    pub first: usize,
    /// The number of targets.
    pub len: usize,
    pub sums: Vec<f64>,
}

/// Cuts the gradient into blocks that the shape alone decides, each of one sample where `apart` says so.
pub(crate) fn blocks<'a>(gradient: &'a mut [f32], grid: Grid, apart: Apart) -> Vec<Block<'a>> {
    let Grid { classes, pixels, .. } = grid;
    let width = (BLOCK / classes).max(16);
    let new = |first| Block { rows: Vec::new(), grid, first, len: 0, sums: Vec::new() };
    if pixels == 1 {
        let width = if apart == Apart::Samples { 1 } else { width };
        let chunks = gradient.chunks_mut(width * classes).enumerate();
        let whole = |(i, g): (usize, &'a mut [f32])| Block { len: g.len() / classes, rows: vec![g], ..new(i * width) };
        return chunks.map(whole).collect();
    }
    let per_sample = pixels.div_ceil(width);
    let starts = (0..grid.samples).flat_map(|n| (0..per_sample).map(move |b| n * pixels + b * width));
    let mut blocks: Vec<Block<'a>> = starts.map(new).collect();
    for (r, row) in gradient.chunks_mut(pixels).enumerate() {
        let of_sample = blocks.iter_mut().skip(r / classes * per_sample);
        for (block, part) in of_sample.zip(row.chunks_mut(width)) {
            block.len = part.len();
            block.rows.push(part);
        }
    }
    blocks
}

/// What a block must not mix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Apart {
    /// Samples, whose sums are wanted each.
    Samples,
    /// Nothing.
    Nothing,
}

/// What a block's softmax leaves besides the exponentials.
pub(crate) struct Softmax {
    /// One through the sum of exponentials, for each target.
    pub share: Vec<f32>,
    /// The logarithm of the sum of exponentials, for each target.
    pub log_sum: Vec<f32>,
}

impl Block<'_> {
    /// The sample of the first target.
    pub(crate) fn sample(&self) -> usize {
        self.first / self.grid.pixels
    }

    /// The block's targets out of all.
    pub(crate) fn targets<'t>(&self, all: &'t [u32]) -> &'t [u32] {
        &all[self.first..self.first + self.len]
    }

    /// The logit of a class of the block's i-th target.
    pub(crate) fn logit(&self, x: &[f32], class: usize, i: usize) -> f32 {
        x[self.grid.at(class, self.first + i)]
    }

    /// Calls `f` with the block's part of the gradient, a row of `len` for each class, for it to be changed in place.
    pub(crate) fn with_rows<R>(&mut self, f: impl FnOnce(&mut [&mut [f32]]) -> R) -> R {
        let Grid { classes, pixels, .. } = self.grid;
        if pixels > 1 {
            return f(&mut self.rows);
        }
        // The classes of a sample lie together: turned, and turned back.
        let mut turned = vec![0.0; classes * self.len];
        for (i, g) in self.rows.iter().flat_map(|g| g.chunks(classes)).enumerate() {
            g.iter().enumerate().for_each(|(c, &g)| turned[c * self.len + i] = g);
        }
        let done = f(&mut turned.chunks_mut(self.len).collect::<Vec<_>>());
        for (i, g) in self.rows.iter_mut().flat_map(|g| g.chunks_mut(classes)).enumerate() {
            g.iter_mut().enumerate().for_each(|(c, g)| *g = turned[c * self.len + i]);
        }
        done
    }

    /// Leaves the exponentials of logits, less the largest of their target, in the gradient; they become probabilities
    /// when multiplied by [`Softmax::share`].
    pub(crate) fn softmax(&mut self, x: &[f32]) -> Softmax {
        let Grid { classes, pixels, .. } = self.grid;
        let (mut share, mut log_sum) = (vec![0.0; self.len], vec![0.0; self.len]);
        let x = &x[self.grid.at(0, self.first)..];
        if pixels > 1 {
            columns(x, pixels, &mut self.rows, &mut log_sum, &mut share);
        } else {
            let len = self.len;
            let mut turned = vec![0.0; classes * len];
            for (i, x) in x[..len * classes].chunks(classes).enumerate() {
                x.iter().enumerate().for_each(|(c, &x)| turned[c * len + i] = x);
            }
            self.with_rows(|rows| columns(&turned, len, rows, &mut log_sum, &mut share));
        }
        Softmax { share, log_sum }
    }
}

pleach_simd::lanes! {
    /// Writes the exponentials of logits, which lie in rows `stride` apart, less the largest of each column; and the
    /// logarithms of their sums and the inverses of these.
    fn columns<T: Float>(x: &[T], stride: usize, rows: &mut [&mut [T]], log_sum: &mut [T], share: &mut [T]) {
        let n = log_sum.len();
        log_sum.fill(T::of(f64::NEG_INFINITY));
        for x in x.chunks(stride).take(rows.len()) {
            for (top, &x) in log_sum.iter_mut().zip(&x[..n]) {
                // The sum with nothing is always stored; what may stay as it is would be stored under a mask, slowly.
                *top = x.larger(*top) + T::ZERO;
            }
        }
        share.fill(T::ZERO);
        for (row, x) in rows.iter_mut().zip(x.chunks(stride)) {
            for (((e, &x), &top), sum) in row.iter_mut().zip(&x[..n]).zip(log_sum.iter()).zip(share.iter_mut()) {
                *e = (x - top).exp_falling();
                *sum += *e;
            }
        }
        for (log, share) in log_sum.iter_mut().zip(share) {
            *log += share.ln();
            *share = T::ONE / *share;
        }
    }
}
