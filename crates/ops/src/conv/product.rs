//! Weights times patches: the product behind the forward pass and the gradient of the input.
//!
//! The patches are never a matrix in memory: a block of columns and depth is packed from the planes straight into the
//! layout of the tiles, small enough to stay in a second-level cache, and used by all rows.

use super::columns::{self, Run};
use super::panels::{DEPTH, Panels};
use super::planes::Grid;
use crate::host::Real;
use crate::tile::LARGEST;
use pleach_simd::par_each;
use std::marker::PhantomData;

/// Columns of a block.
const COLUMNS: usize = 256;
/// Fewer tasks than this leave threads without work.
const PLENTY: usize = 16;

/// Where a product's results go: position (y, x) of row r of image n is element
/// `(n * rows_of_image + first_row + r) * plane + origin + y * down + x * right`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// Planes of an image in the output.
    pub rows_of_image: usize,
    /// The first of them that is written.
    pub first_row: usize,
    /// Elements of a plane.
    pub plane: usize,
    /// The first position.
    pub origin: usize,
    /// From one row of positions to the next.
    pub down: usize,
    /// From one position to the next.
    pub right: usize,
}

/// Memory that tasks write to, each to elements of its own.
pub(super) struct Output<'a, T> {
    start: *mut T,
    len: usize,
    of: PhantomData<&'a mut [T]>,
}

// SAFETY: tasks on several threads write to elements of their own, which `store` asks of its callers.
#[allow(unsafe_code)]
unsafe impl<T: Send> Sync for Output<'_, T> {}

impl<'a, T: Real> Output<'a, T> {
    /// The spare room of a vector, `len` elements.
    pub fn new(room: &'a mut Vec<T>, len: usize) -> Self {
        room.reserve_exact(len);
        Self { start: room.as_mut_ptr(), len, of: PhantomData }
    }

    /// Writes `values` to every `step`-th element from `first` on, or adds them to what is there.
    ///
    /// # Safety
    /// No other thread touches these elements meanwhile; with `Old::Kept` they have been written before.
    #[allow(unsafe_code)]
    unsafe fn store(&self, first: usize, step: usize, values: &[T], plus: T, old: Old) {
        let Some(last) = values.len().checked_sub(1) else { return };
        assert!(first + last * step < self.len, "a product's place");
        // SAFETY: all elements are below `len` by the assertion, which is within the reserved room.
        unsafe {
            let start = self.start.add(first);
            match (old, step) {
                (Old::Kept, 1) => {
                    let to = std::slice::from_raw_parts_mut(start, values.len());
                    to.iter_mut().zip(values).for_each(|(to, &value)| *to += value);
                }
                (Old::Kept, _) => {
                    values.iter().enumerate().for_each(|(i, &value)| *start.add(i * step) += value);
                }
                (Old::Nothing, 1) => {
                    values.iter().enumerate().for_each(|(i, &value)| start.add(i).write(value + plus));
                }
                (Old::Nothing, _) => {
                    values.iter().enumerate().for_each(|(i, &value)| start.add(i * step).write(value + plus));
                }
            }
        }
    }
}

/// What stands where a result goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Old {
    /// An earlier part of the sum.
    Kept,
    /// Nothing yet.
    Nothing,
}

/// The product of a group's weights with the patches of all images, plus a bias for each row.
///
/// Every element at the `place` is written, once or more, by one task.
#[allow(clippy::too_many_arguments)]
pub(super) fn product<'x, T: Real>(
    weights: &Panels<T>,
    rows: usize,
    grid: &Grid,
    images: usize,
    planes: impl Fn(usize) -> &'x [T] + Sync + Send,
    bias: Option<&[T]>,
    out: &Output<'_, T>,
    place: Place,
) {
    let total = images * grid.area();
    let cols = T::outer_tile().cols;
    let fair = total.div_ceil(PLENTY).next_multiple_of(cols);
    let block = COLUMNS.min(fair).max(cols);
    par_each(total.div_ceil(block), |task| {
        let range = task * block..((task + 1) * block).min(total);
        let panels: Vec<Vec<Run>> = range
            .clone()
            .step_by(cols)
            .map(|first| columns::runs(grid, first..(first + cols).min(range.end)))
            .collect();
        let mut packed = vec![T::ZERO; panels.len() * DEPTH.min(weights.depth()) * cols];
        let mut tile = [T::ZERO; LARGEST];
        if weights.depth() == 0 {
            for runs in &panels {
                for r in 0..rows {
                    write(out, place, runs, r, &tile, bias.map_or(T::ZERO, |b| b[r]), Old::Nothing);
                }
            }
        }
        for first in (0..weights.depth()).step_by(DEPTH) {
            let depth = first..(first + DEPTH).min(weights.depth());
            let size = depth.len() * cols;
            for (runs, packed) in panels.iter().zip(packed.chunks_exact_mut(size)) {
                columns::pack(grid, runs, depth.clone(), &planes, cols, packed);
            }
            let old = if first == 0 { Old::Nothing } else { Old::Kept };
            for (runs, packed) in panels.iter().zip(packed.chunks_exact(size)) {
                for (p, weights) in weights.block(first).enumerate() {
                    T::outer(weights, packed, &mut tile);
                    let begin = p * T::outer_tile().rows;
                    for (r, line) in (begin..rows).zip(tile.chunks_exact(cols)).take(T::outer_tile().rows) {
                        write(out, place, runs, r, line, bias.map_or(T::ZERO, |b| b[r]), old);
                    }
                }
            }
        }
    });
}

/// Writes a line of a tile to the positions of its columns.
fn write<T: Real>(out: &Output<'_, T>, at: Place, runs: &[Run], row: usize, line: &[T], bias: T, old: Old) {
    for run in runs {
        let plane = (run.image * at.rows_of_image + at.first_row + row) * at.plane;
        let first = plane + at.origin + run.position[0] * at.down + run.position[1] * at.right;
        // SAFETY: columns are dealt out to tasks, each to one, and each has its own elements in every row; the
        // first block of the depth writes them before later ones add to them.
        #[allow(unsafe_code)]
        unsafe {
            out.store(first, at.right, &line[run.at..run.at + run.len], bias, old);
        }
    }
}
