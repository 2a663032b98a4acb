//! Copies patches of an image to the rows of a matrix, and adds them back.

use super::Geometry;
use crate::host::Real;
use std::ops::Range;

/// One stretch of an output row: where it lies in a row of patches, and in the image.
struct Run {
    /// First pixel of the stretch, counted within the tile.
    at: usize,
    len: usize,
    /// Index in the image's plane of the first one's source.
    source: usize,
}

/// Calls `f` for each stretch of `pixels` whose tap (`i`, `j`) falls on the image.
fn runs(g: &Geometry, [i, j]: [usize; 2], pixels: &Range<usize>, mut f: impl FnMut(Run)) {
    let (rows, cols) = (g.reach(0, i), g.reach(1, j));
    let width = g.output[1];
    for row in rows.start.max(pixels.start / width)..rows.end.min(pixels.end.div_ceil(width)) {
        let first = (row * width + cols.start).max(pixels.start);
        let last = (row * width + cols.end).min(pixels.end);
        if first < last {
            f(Run {
                at: first - pixels.start,
                len: last - first,
                source: g.source(0, i, row) * g.input[1] + g.source(1, j, first - row * width),
            });
        }
    }
}

/// Writes the patches of `pixels` of some channels of an image, `x`, to columns `at..` of the matrix `out` with
/// rows of `stride` elements.
pub(super) fn gather<T: Real>(g: &Geometry, x: &[T], pixels: &Range<usize>, out: &mut [T], stride: usize, at: usize) {
    let step = g.stride[1];
    let mut rows = out.chunks_mut(stride);
    for plane in x.chunks_exact(g.area_in()) {
        for tap in g.taps() {
            let Some(row) = rows.next() else { return };
            let row = &mut row[at..at + pixels.len()];
            let mut done = 0;
            runs(g, tap, pixels, |r| {
                row[done..r.at].fill(T::ZERO);
                done = r.at + r.len;
                let to = &mut row[r.at..done];
                if step == 1 {
                    to.copy_from_slice(&plane[r.source..r.source + r.len]);
                } else {
                    for (to, &v) in to.iter_mut().zip(plane[r.source..].iter().step_by(step)) {
                        *to = v;
                    }
                }
            });
            row[done..].fill(T::ZERO);
        }
    }
}

/// The transpose of [`gather`]: adds the rows of `patches` to the pixels of `dx` that they would come from.
pub(super) fn scatter<T: Real>(g: &Geometry, patches: &[T], stride: usize, pixels: &Range<usize>, dx: &mut [T]) {
    let step = g.stride[1];
    let mut rows = patches.chunks(stride);
    for plane in dx.chunks_exact_mut(g.area_in()) {
        for tap in g.taps() {
            let Some(row) = rows.next() else { return };
            runs(g, tap, pixels, |r| {
                add(&mut plane[r.source..], step, &row[r.at..r.at + r.len]);
            });
        }
    }
}

#[inline(always)]
fn add<T: Real>(to: &mut [T], step: usize, from: &[T]) {
    if step == 1 {
        for (to, &v) in to.iter_mut().zip(from) {
            *to += v;
        }
    } else {
        for (to, &v) in to.iter_mut().step_by(step).zip(from) {
            *to += v;
        }
    }
}
