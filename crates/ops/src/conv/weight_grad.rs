//! The gradient of the weights: the output's gradient times the patches transposed, added up tile by tile.

use super::{Geometry, geometry::Tiles, patches};
use crate::host::Real;
use crate::matrix::{Mat, Old, multiply};
use pleach_simd::par_map;
use std::ops::Range;

/// Into how many tasks a group's work is cut, whatever the number of threads.
const TASKS: usize = 8;
/// Weights above which partial sums for each task would cost more than they save.
const MANY: usize = 1 << 16;

/// Large weights: each task sums up its own input channels over all tiles. Small ones: each task sums
/// up all weights over its own run of tiles, and the partial sums are added in the order of the tiles.
pub(super) fn weight_grad<T: Real>(g: &Geometry, x: &[T], dy: &[T]) -> Vec<T> {
    let depth = g.depth();
    let size = g.co * depth;
    let mut dw = vec![T::ZERO; g.groups * size];
    if size >= MANY && g.ci >= 2 * TASKS {
        let channels = g.ci.div_ceil(TASKS);
        let blocks = g.ci.div_ceil(channels);
        let tiles = Tiles::new(g, channels * g.area());
        let list: Vec<_> = tiles.all(g.images).collect();
        let parts = par_map(g.groups * blocks, |t| {
            let (group, first) = (t / blocks, t % blocks * channels);
            let last = (first + channels).min(g.ci);
            accumulate(g, x, dy, group, first..last, &list)
        });
        for (t, part) in parts.iter().enumerate() {
            let (group, first) = (t / blocks, t % blocks * channels * g.area());
            let width = (channels * g.area()).min(depth - first);
            let rows = dw[group * size..][..size].chunks_mut(depth);
            for (to, from) in rows.zip(part.chunks(width)) {
                to[first..first + width].copy_from_slice(from);
            }
        }
    } else {
        let list: Vec<_> = Tiles::new(g, depth).all(g.images).collect();
        let run = list.len().div_ceil(TASKS).max(1);
        let runs: Vec<_> = list.chunks(run).collect();
        let parts = par_map(g.groups * runs.len(), |t| {
            let (group, run) = (t / runs.len(), t % runs.len());
            accumulate(g, x, dy, group, 0..g.ci, runs[run])
        });
        for (t, part) in parts.iter().enumerate() {
            let to = &mut dw[t / runs.len() * size..][..size];
            for (to, &v) in to.iter_mut().zip(part) {
                *to += v;
            }
        }
    }
    dw
}

/// The weight gradient of one group and some of its input channels, over some tiles.
fn accumulate<T: Real>(
    g: &Geometry,
    x: &[T],
    dy: &[T],
    group: usize,
    channels: Range<usize>,
    tiles: &[(Range<usize>, Range<usize>)],
) -> Vec<T> {
    let (area_in, area_out) = (g.area_in(), g.area_out());
    let rows = channels.len() * g.area();
    let mut dw = vec![T::ZERO; g.co * rows];
    let (mut cols, mut grads) = (Vec::new(), Vec::new());
    for (images, pixels) in tiles {
        let (each, width) = (pixels.len(), pixels.len() * images.len());
        let input = |n: usize| {
            let first = (n * g.groups + group) * g.ci + channels.start;
            &x[first * area_in..][..channels.len() * area_in]
        };
        let grad = |n: usize| &dy[(n * g.groups + group) * g.co * area_out..][..g.co * area_out];

        let dy = if images.len() == 1 {
            let dy = &grad(images.start)[pixels.start..];
            Mat::new(dy, [g.co, each], area_out)
        } else {
            // The same pixels of several images, side by side: one product with a long inner side.
            grads.resize(g.co * width, T::ZERO);
            for (i, n) in images.clone().enumerate() {
                let from = grad(n).chunks_exact(area_out);
                for (row, from) in grads.chunks_mut(width).zip(from) {
                    row[i * each..][..each].copy_from_slice(&from[pixels.clone()]);
                }
            }
            Mat::new(&grads, [g.co, width], width)
        };
        let patches = if g.pointwise() && images.len() == 1 {
            let x = &input(images.start)[pixels.start..];
            Mat::new(x, [rows, each], area_in)
        } else {
            cols.resize(rows * width, T::ZERO);
            for (i, n) in images.clone().enumerate() {
                patches::gather(g, input(n), pixels, &mut cols, width, i * each);
            }
            Mat::new(&cols, [rows, width], width)
        };
        multiply(&mut dw, rows, Old::AddedTo, dy, patches.t());
    }
    dw
}
