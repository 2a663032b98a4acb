//! A product of few rows: each tap has rows of its own, whose results are added up where the tap puts them.
//!
//! With few channels to write, patches would be packed to be read once. Here channels are multiplied as they lie,
//! `z(row, tap) = sum over channels of w(row, channel, tap) x(channel)`, and `y(row) = sum over taps of z(row, tap)` moved by the tap:
//! one addition where the product has as many steps as there are channels.

use super::add;
use super::blocked::Output;
use super::planes::Grid;
use super::product::{Patches, Place};
use crate::host::Real;
use crate::matrix::even;
use crate::tile::{Factors, Onto, Soon};
use crate::turn::Rows;
use pleach_simd::{par_each, par_map};
use std::ops::Range;

/// Places of a plane that are multiplied before their results are added up: those stay in a second-level cache.
const PLACES: usize = 256;
/// Fewer tasks than this leave threads without work.
const PLENTY: usize = 16;
/// A task is not worth its sums with fewer places than this.
const LEAST: usize = 2048;
/// With fewer channels, the additions would count.
const CHANNELS: usize = 8;

/// Positions that are read through the same taps, and where their results go.
pub(super) struct Share<'a> {
    pub grid: &'a Grid,
    pub place: Place,
}

/// Whether the rows are few, and the planes large enough for a tile.
pub(super) fn pays<T: Real>(rows: usize, channels: usize, plane: usize) -> bool {
    2 * rows <= T::outer_tile().rows && channels >= CHANNELS && plane >= T::outer_tile().cols
}

/// The product for all shares of the same planes. `weights` has a row of channels for each tap of each share, `[shares, rows, taps,
/// channels]`; the patches' own grid is not read.
pub(super) fn scattered<T: Real>(
    weights: &[T],
    rows: usize,
    patches: &Patches<'_, T>,
    shares: &[Share<'_>],
    bias: Option<&[T]>,
    out: &Output<'_, T>,
) {
    let plane = patches.grid.plane;
    let parts = PLENTY.div_ceil(patches.images.max(1)).min(plane.div_ceil(LEAST)).max(1);
    let part = |i: usize| i * plane / parts..(i + 1) * plane / parts;
    let sums = par_map(patches.images * parts, |task| {
        sums(weights, rows, patches.of(task / parts), part(task % parts), shares, plane)
    });
    par_each(patches.images * rows, |task| {
        let (image, row) = (task / rows, task % rows);
        let plus = bias.map_or(T::ZERO, |bias| bias[row]);
        for (s, Share { grid, place }) in shares.iter().enumerate() {
            let mut all = vec![T::ZERO; grid.columns(grid.down)];
            for sums in &sums[image * parts..][..parts] {
                let Sums { range, values } = &sums[s];
                add(&mut all[range.clone()], &values[row * range.len()..]);
            }
            for (y, line) in all.chunks(grid.down.max(1)).take(grid.size[0]).enumerate() {
                let plane = (image * place.rows_of_image + place.first_row + row) * place.plane;
                // SAFETY: each task has rows of its own, and each share positions of its own.
                #[allow(unsafe_code)]
                unsafe {
                    out.store(plane + place.origin + y * place.down, place.right, &line[..grid.size[1]], plus);
                }
            }
        }
    });
}

/// What some places of an image give to the positions of a share.
struct Sums<T> {
    /// The positions, in rows of `down`.
    range: Range<usize>,
    /// `[rows, positions]`.
    values: Vec<T>,
}

fn sums<T: Real>(
    weights: &[T],
    rows: usize,
    planes: &[T],
    places: Range<usize>,
    shares: &[Share<'_>],
    plane: usize,
) -> Vec<Sums<T>> {
    let (tile, depth) = (T::outer_tile(), planes.len() / plane);
    let mut all: Vec<_> = shares.iter().map(|share| empty(share.grid, rows, &places)).collect();
    let tall = shares.iter().map(|share| rows * share.grid.offsets.len()).sum();
    let step = PLACES + tile.cols;
    let mut products = vec![T::ZERO; tall * step];
    for some in even(places.len(), PLACES) {
        // A tile's width of places exists at least, if not of those.
        let first = (places.start + some.start).min(plane - tile.cols);
        let len = places.start + some.end - first;
        for rows in even(tall, tile.rows) {
            for col in (0..len).step_by(tile.cols) {
                let col = col.min(len.max(tile.cols) - tile.cols);
                let factors = Factors {
                    a: &weights[rows.start * depth..],
                    down: depth,
                    along: 1,
                    b: &planes[first + col..],
                    step: plane,
                    depth,
                    rows: rows.len(),
                    soon: Soon::NOTHING,
                };
                let to = &mut products[rows.start * step + col..];
                T::strided(&factors, Onto::Nothing, &mut Rows::of(to, rows.len(), tile.cols, step));
            }
        }
        let mut products = products.chunks_exact(step);
        for (share, sums) in shares.iter().zip(&mut all) {
            let len_of_row = sums.range.len();
            for row in 0..rows {
                for &offset in &share.grid.offsets {
                    let Some(product) = products.next() else { return all };
                    // Place p holds what position p - offset takes through this tap.
                    let start = (places.start + some.start).max(sums.range.start + offset);
                    let end = (places.start + some.end).min(sums.range.end + offset);
                    if start < end {
                        let to = row * len_of_row + start - offset - sums.range.start;
                        add(&mut sums.values[to..to + end - start], &product[start - first..]);
                    }
                }
            }
        }
    }
    all
}

/// No sums yet, for all positions that the places give something to.
fn empty<T: Real>(grid: &Grid, rows: usize, places: &Range<usize>) -> Sums<T> {
    let (least, most) = (grid.offsets.iter().min(), grid.offsets.iter().max());
    let columns = grid.columns(grid.down);
    let start = places.start.saturating_sub(most.copied().unwrap_or(0)).min(columns);
    let end = places.end.saturating_sub(least.copied().unwrap_or(0)).clamp(start, columns);
    Sums { range: start..end, values: vec![T::ZERO; rows * (end - start)] }
}
