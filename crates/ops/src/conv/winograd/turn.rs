//! Images with their channels side by side, in blocks of a tile's width, and back.

use super::vector::{Vector, widest};
use crate::host::Real;
use pleach_simd::par_blocks;
use std::marker::PhantomData;

/// Where an image stands in its frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    /// Rows and columns of the image.
    pub image: [usize; 2],
    /// Zeros before it.
    pub before: [usize; 2],
    /// Rows and columns of the frame.
    pub size: [usize; 2],
}

impl Frame {
    /// Elements of a block of channels.
    pub fn block<T: Real>(&self) -> usize {
        self.size[0] * self.size[1] * T::outer_tile().cols
    }

    /// Where tiles (image, row, column) begin in block `first` of frames of `blocks` blocks each.
    pub fn starts<T: Real>(&self, blocks: usize, first: usize, tiles: &[[usize; 3]]) -> Vec<usize> {
        let start = |&[image, row, col]: &[usize; 3]| {
            (image * blocks + first) * self.block::<T>() + 2 * (row * self.size[1] + col) * T::outer_tile().cols
        };
        tiles.iter().map(start).collect()
    }
}

/// Planes `[images, channels, ...]` as `[images, blocks, rows, columns, a block's channels]` of the frame; zeros around the
/// images and in the channels that the last block has too many.
pub(super) fn turned<T: Real>(x: &[T], channels: usize, frame: &Frame) -> Vec<T> {
    let width = T::outer_tile().cols;
    let (area, blocks) = (frame.image[0] * frame.image[1], channels.div_ceil(width));
    let images = x.len() / (area * channels).max(1);
    let mut out = vec![T::ZERO; images * blocks * frame.block::<T>()];
    par_blocks(&mut out, frame.block::<T>(), |piece, out| {
        let (image, block) = (piece / blocks, piece % blocks);
        let first = block * width;
        let planes = &x[(image * channels + first) * area..][..width.min(channels - first) * area];
        for row in 0..frame.image[0].min(frame.size[0] - frame.before[0]) {
            let cols = frame.image[1].min(frame.size[1] - frame.before[1]);
            let to = &mut out[((row + frame.before[0]) * frame.size[1] + frame.before[1]) * width..];
            turn(&planes[row * frame.image[1]..], area, &mut Rows::of(to, cols, planes.len().div_ceil(area), width));
        }
    });
    out
}

/// Rows of elements to write to, some step apart.
pub(super) struct Rows<'a, T> {
    start: *mut T,
    rows: usize,
    cols: usize,
    step: usize,
    of: PhantomData<&'a mut [T]>,
}

impl<'a, T> Rows<'a, T> {
    /// Rows of a slice.
    pub fn of(all: &'a mut [T], rows: usize, cols: usize, step: usize) -> Self {
        assert!(rows == 0 || all.len() >= (rows - 1) * step + cols, "rows of a slice");
        Self { start: all.as_mut_ptr(), rows, cols, step, of: PhantomData }
    }

    /// Rows that others have elements between.
    ///
    /// # Safety
    /// From `start` on, `(rows - 1) * step + cols` elements must be one piece of memory that outlives `'a`, and nobody else touches
    /// the elements of the rows meanwhile.
    #[allow(unsafe_code)]
    pub unsafe fn new(start: *mut T, rows: usize, cols: usize, step: usize) -> Self {
        Self { start, rows, cols, step, of: PhantomData }
    }
}

widest! {
    /// Element (r, c) of `from`, rows `step` apart, becomes element (c, r) of `to`.
    pub(super) fn turn<T, V>(from: &[T], step: usize, to: &mut Rows<'_, T>) {
        let (rows, cols) = (to.cols, to.rows);
        if rows == 0 || cols == 0 {
            return;
        }
        assert!(from.len() >= (rows - 1) * step + cols, "rows to turn");
        let (whole_rows, whole_cols) = (rows / V::SQUARE * V::SQUARE, cols / V::SQUARE * V::SQUARE);
        // SAFETY: what is read lies within `from`, by the assertion above; what is written, within the rows of `to`, which are
        // good by their contract. The level has the vector's instructions.
        #[allow(unsafe_code)]
        unsafe {
            let at = |r: usize, c: usize| (from.as_ptr().add(r * step + c), to.start.add(c * to.step + r));
            for r in (0..whole_rows).step_by(V::SQUARE) {
                for c in (0..whole_cols).step_by(V::SQUARE) {
                    let (from, into) = at(r, c);
                    V::turn(from, step, into, to.step);
                }
            }
            for r in 0..rows {
                let first = if r < whole_rows { whole_cols } else { 0 };
                for c in first..cols {
                    let (from, into) = at(r, c);
                    into.write(*from);
                }
            }
        }
    }
}
