//! Multiplies matrices that lie in slices.

use crate::fresh;
use crate::host::Real;
use crate::tile::{Factors, Onto, Soon};
use crate::turn::{Rows, turn};
use pleach_simd::{lanes, reduce};
use std::ops::Range;

/// A matrix read from a slice: element (r, c) is at `r * strides[0] + c * strides[1]`.
#[derive(Clone, Copy)]
pub(crate) struct Mat<'a, T> {
    data: &'a [T],
    size: [usize; 2],
    strides: [usize; 2],
}

impl<'a, T> Mat<'a, T> {
    /// The first `rows` x `cols` elements of rows that are `stride` apart.
    pub fn new(data: &'a [T], [rows, cols]: [usize; 2], stride: usize) -> Self {
        Self { data: &data[..extent([rows, cols], stride)], size: [rows, cols], strides: [stride, 1] }
    }

    /// Element (r, c) at `r * strides[0] + c * strides[1]`.
    pub fn view(data: &'a [T], [rows, cols]: [usize; 2], strides: [usize; 2]) -> Self {
        let reach = (rows.max(1) - 1) * strides[0] + (cols.max(1) - 1) * strides[1] + 1;
        let len = if rows == 0 || cols == 0 { 0 } else { reach };
        Self { data: &data[..len], size: [rows, cols], strides }
    }

    pub fn t(self) -> Self {
        let ([rows, cols], [down, along]) = (self.size, self.strides);
        Self { data: self.data, size: [cols, rows], strides: [along, down] }
    }
}

/// How many elements a matrix spans in memory.
fn extent([rows, cols]: [usize; 2], stride: usize) -> usize {
    if rows == 0 || cols == 0 { 0 } else { (rows - 1) * stride + cols }
}

/// What becomes of the elements that a product is written to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Old {
    Overwritten,
    AddedTo,
}

/// The right side of a product, packed for the innermost loops: for each tile's width of columns a panel, in it a line for each row.
pub(crate) struct Packed<T> {
    data: Vec<T>,
    size: [usize; 2],
}

/// Panels that are packed together: rows in memory are read in longer stretches.
const ABREAST: usize = 4;

impl<T: Real> Packed<T> {
    /// Packs a matrix, spread over threads.
    pub fn new(b: Mat<'_, T>) -> Self {
        let some = ABREAST * b.size[0] * T::outer_tile().cols;
        Self { data: fresh::blocks(Self::room(b), some, |i, to| pack(b, i * ABREAST, to)), size: b.size }
    }

    /// Packs a matrix on this thread.
    pub fn here(b: Mat<'_, T>) -> Self {
        let mut data = vec![T::ZERO; Self::room(b)];
        let some = ABREAST * b.size[0] * T::outer_tile().cols;
        data.chunks_mut(some.max(1)).enumerate().for_each(|(i, to)| pack(b, i * ABREAST, to));
        Self { data, size: b.size }
    }

    fn room(b: Mat<'_, T>) -> usize {
        b.size[1].next_multiple_of(T::outer_tile().cols) * b.size[0]
    }
}

/// Writes some panels of columns from panel `first` on, each a line for each row.
fn pack<T: Real>(b: Mat<'_, T>, first: usize, to: &mut [T]) {
    let (width, [k, n]) = (T::outer_tile().cols, b.size);
    let cols = first * width..n.min(first * width + to.len() / k);
    let from = &b.data[cols.start * b.strides[1]..];
    if b.strides[1] == 1 {
        for row in 0..k {
            let line = &from[row * b.strides[0]..][..cols.len()];
            for (part, panel) in line.chunks(width).zip(to.chunks_exact_mut(k * width)) {
                copy(part, &mut panel[row * width..][..part.len()]);
            }
        }
        return;
    }
    for (c, panel) in cols.clone().step_by(width).zip(to.chunks_exact_mut(k * width)) {
        let (from, count) = (&b.data[c * b.strides[1]..], width.min(cols.end - c));
        if b.strides[0] == 1 {
            turn(from, b.strides[1], &mut Rows::of(panel, k, count, width));
            continue;
        }
        for (row, line) in panel.chunks_exact_mut(width).enumerate() {
            for (c, to) in line[..count].iter_mut().enumerate() {
                *to = from[row * b.strides[0] + c * b.strides[1]];
            }
        }
    }
}

/// A copy of a few elements, which a call of the library's would take longer than.
#[inline(always)]
pub(crate) fn copy<T: Copy>(from: &[T], to: &mut [T]) {
    let (from, from_rest) = from.as_chunks::<8>();
    let (to, to_rest) = to.as_chunks_mut::<8>();
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
    for (to, &v) in to_rest.iter_mut().zip(from_rest) {
        *to = v;
    }
}

/// Depth of a pass over the results: with it a panel stays in a first-level cache.
const DEPTH: usize = 256;

/// `out = a b` or `out += a b`, with the rows of `out` `stride` apart, on this thread.
pub(crate) fn multiply_packed<T: Real>(out: &mut [T], stride: usize, old: Old, a: Mat<'_, T>, b: &Packed<T>) {
    let ([m, k], [k2, n], tile) = (a.size, b.size, T::outer_tile());
    assert_eq!(k, k2, "inner sizes of a product");
    let out = &mut out[..extent([m, n], stride)];
    if k == 0 && old == Old::Overwritten {
        out.chunks_mut(stride.max(1)).for_each(|row| row[..n].fill(T::ZERO));
    }
    let strips: Vec<_> = even(m, tile.rows).collect();
    let mut turned = Vec::new();
    let mut edge = vec![T::ZERO; tile.area()];
    for first in (0..k).step_by(DEPTH) {
        let depth = DEPTH.min(k - first);
        let onto = if first == 0 && old == Old::Overwritten { Onto::Nothing } else { Onto::Sums };
        // A left side whose rows are columns in memory would touch a cache line for each step of the depth.
        let (left, down) = if a.strides[1] == 1 {
            (&a.data[first..], a.strides[0])
        } else {
            turned.resize(m * depth, T::ZERO);
            let from = &a.data[first * a.strides[1]..];
            if a.strides[0] == 1 {
                turn(from, a.strides[1], &mut Rows::of(&mut turned, m, depth, depth));
            } else {
                for (i, to) in turned.iter_mut().enumerate() {
                    *to = from[i / depth * a.strides[0] + i % depth * a.strides[1]];
                }
            }
            (turned.as_slice(), depth)
        };
        for (panel, right) in b.data.chunks_exact(k * tile.cols).enumerate() {
            let col = panel * tile.cols;
            let width = tile.cols.min(n - col);
            for rows in &strips {
                let factors = Factors {
                    a: &left[rows.start * down..],
                    down,
                    along: 1,
                    b: &right[first * tile.cols..],
                    step: tile.cols,
                    depth,
                    rows: rows.len(),
                    soon: Soon::NOTHING,
                };
                let out = &mut out[rows.start * stride + col..];
                if width == tile.cols {
                    T::strided(&factors, onto, &mut Rows::of(out, rows.len(), tile.cols, stride));
                    continue;
                }
                // The last panel has fewer columns than a tile.
                T::strided(&factors, Onto::Nothing, &mut Rows::of(&mut edge, rows.len(), tile.cols, tile.cols));
                for (r, sums) in edge.chunks_exact(tile.cols).take(rows.len()).enumerate() {
                    for (out, &sum) in out[r * stride..][..width].iter_mut().zip(sums) {
                        *out = if onto == Onto::Nothing { sum } else { *out + sum };
                    }
                }
            }
        }
    }
}

/// [`multiply_packed`] with a right side that is used once.
pub(crate) fn multiply<T: Real>(out: &mut [T], stride: usize, old: Old, a: Mat<'_, T>, b: Mat<'_, T>) {
    multiply_packed(out, stride, old, a, &Packed::here(b));
}

/// Cuts `count` into parts of at most `most`, as even as they can be.
pub(crate) fn even(count: usize, most: usize) -> impl ExactSizeIterator<Item = Range<usize>> {
    let parts = count.div_ceil(most);
    (0..parts).map(move |i| i * count / parts..(i + 1) * count / parts)
}

/// The sum of each column of a matrix with rows of `cols` elements.
pub(crate) fn column_sums<T: Real>(x: &[T], cols: usize) -> Vec<T> {
    const ROWS: usize = 256;
    let block = ROWS * cols.max(1);
    reduce(
        x.len().div_ceil(block),
        |i| {
            let mut sums = vec![T::ZERO; cols];
            add_rows(&x[i * block..x.len().min((i + 1) * block)], &mut sums);
            sums
        },
        |mut a, b| {
            add_rows(&b, &mut a);
            a
        },
    )
    .unwrap_or_else(|| vec![T::ZERO; cols])
}

lanes! {
    fn add_rows<T: Real>(x: &[T], sums: &mut [T]) {
        for row in x.chunks_exact(sums.len()) {
            for (s, &v) in sums.iter_mut().zip(row) {
                *s += v;
            }
        }
    }
}
