//! What losses between classes share: their targets, and passes over blocks of pixels.

use crate::batch::not_empty;
use crate::binary::shapes;
use pleach_core::kinds::backend::FusedInput;
use pleach_core::kinds::loss::IGNORED;
use pleach_core::{DType, Device, Error, Form, LossInput, Result, Target, Tensor, Wants};
use pleach_simd::Float;

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
    /// PL0202 for another number of targets, PL0327 for an empty batch.
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
        let mut counts = vec![0.0; grid.samples * grid.classes];
        for (counts, targets) in counts.chunks_mut(grid.classes).zip(targets.chunks(grid.pixels)) {
            for &y in targets {
                let Some(class) = self.class(y) else { continue };
                match counts.get_mut(class) {
                    Some(count) => *count += 1.0,
                    None => return Err(outside(y, grid.classes)),
                }
            }
        }
        Ok(counts)
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
    /// PL0202 for a target that is missing or of another shape, PL0326 for a class out of range, PL0327 for no samples.
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
pub(crate) fn blocks<'a>(input: &'a mut FusedInput<'_>, grid: Grid, apart: Apart) -> Result<Vec<Block<'a>>> {
    if input.gradient.len() != input.prediction.len() {
        return Err(shapes("a gradient", &[input.gradient.len()], input.shape));
    }
    let Grid { classes, pixels, .. } = grid;
    let width = (BLOCK / classes).max(16);
    let new = |first| Block { rows: Vec::new(), grid, first, len: 0, sums: Vec::new() };
    if pixels == 1 {
        let width = if apart == Apart::Samples { 1 } else { width };
        let chunks = input.gradient.chunks_mut(width * classes).enumerate();
        let whole = |(i, g): (usize, &'a mut [f32])| Block { len: g.len() / classes, rows: vec![g], ..new(i * width) };
        return Ok(chunks.map(whole).collect());
    }
    let per_sample = pixels.div_ceil(width);
    let starts = (0..grid.samples).flat_map(|n| (0..per_sample).map(move |b| n * pixels + b * width));
    let mut blocks: Vec<Block<'a>> = starts.map(new).collect();
    for (r, row) in input.gradient.chunks_mut(pixels).enumerate() {
        let of_sample = blocks.iter_mut().skip(r / classes * per_sample);
        for (block, part) in of_sample.zip(row.chunks_mut(width)) {
            block.len = part.len();
            block.rows.push(part);
        }
    }
    Ok(blocks)
}

/// What a block must not mix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Apart {
    /// Samples, whose sums are wanted each.
    Samples,
    /// Nothing.
    Nothing,
}

/// Softmax of a block: probabilities class by class, and what the logarithms need.
pub(crate) struct Softmax {
    /// A row of `len` for each class.
    pub p: Vec<f32>,
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

    /// The block's part of a prediction, a row for each class.
    pub(crate) fn load(&self, x: &[f32]) -> Vec<f32> {
        let Grid { classes, pixels, .. } = self.grid;
        let mut rows = vec![0.0; classes * self.len];
        if pixels == 1 {
            for (i, x) in x[self.first * classes..][..self.len * classes].chunks(classes).enumerate() {
                x.iter().enumerate().for_each(|(c, &x)| rows[c * self.len + i] = x);
            }
        } else {
            for (c, row) in rows.chunks_mut(self.len).enumerate() {
                row.copy_from_slice(&x[self.grid.at(c, self.first)..][..self.len]);
            }
        }
        rows
    }

    /// What the last pass left.
    pub(crate) fn read(&self) -> Vec<f32> {
        if self.grid.pixels > 1 {
            return self.rows.iter().flat_map(|row| row.iter().copied()).collect();
        }
        let mut rows = vec![0.0; self.grid.classes * self.len];
        for (i, g) in self.rows.iter().flat_map(|g| g.chunks(self.grid.classes)).enumerate() {
            g.iter().enumerate().for_each(|(c, &g)| rows[c * self.len + i] = g);
        }
        rows
    }

    /// Leaves rows as [`load`](Self::load) gives them in the gradient.
    pub(crate) fn write(&mut self, rows: &[f32]) {
        if self.grid.pixels > 1 {
            self.rows.iter_mut().zip(rows.chunks(self.len)).for_each(|(g, row)| g.copy_from_slice(row));
            return;
        }
        for (i, g) in self.rows.iter_mut().flat_map(|g| g.chunks_mut(self.grid.classes)).enumerate() {
            g.iter_mut().enumerate().for_each(|(c, g)| *g = rows[c * self.len + i]);
        }
    }

    /// Softmax of the block's logits.
    pub(crate) fn softmax(&self, x: &[f32]) -> Softmax {
        let mut p = self.load(x);
        let mut log_sum = vec![0.0; self.len];
        columns(&mut p, &mut log_sum);
        Softmax { p, log_sum }
    }
}

pleach_simd::lanes! {
    /// Turns rows of logits into probabilities, column by column.
    fn columns<T: Float>(rows: &mut [T], log_sum: &mut [T]) {
        let n = log_sum.len();
        let mut top = rows[..n].to_vec();
        for row in rows.chunks(n) {
            for (top, &x) in top.iter_mut().zip(row) {
                *top = top.larger(x);
            }
        }
        let mut sum = vec![T::ZERO; n];
        for row in rows.chunks_mut(n) {
            for ((x, sum), &top) in row.iter_mut().zip(&mut sum).zip(&top) {
                *x = (*x - top).exp();
                *sum += *x;
            }
        }
        for ((log, &sum), &top) in log_sum.iter_mut().zip(&sum).zip(&top) {
            *log = sum.ln() + top;
        }
        for row in rows.chunks_mut(n) {
            for (x, &sum) in row.iter_mut().zip(&sum) {
                *x /= sum;
            }
        }
    }
}
