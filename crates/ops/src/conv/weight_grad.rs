//! The gradient of the weights: inner products of the rows of the output's gradient with rows of patches.
//!
//! Both lie along the pixels as they are, so nothing is transposed: rows are copied a block of pixels at a time, and the
//! sums stay spread over the lanes of a vector until the end.

use super::Geometry;
use super::columns;
use super::planes::{self, Grid};
use crate::host::Real;
use pleach_simd::par_map;
use std::ops::Range;

/// Pixels of a block: with it the rows of a tile stay in a first-level cache.
const PIXELS: usize = 512;
/// Rows of patches of a task: with a block of pixels they stay in a second-level cache.
const ROWS: usize = 160;
/// Fewer tasks than this leave threads without work.
const PLENTY: usize = 16;
/// A task is not worth its sums with fewer pixels than this.
const LEAST: usize = 4096;

pub(super) fn weight_grad<T: Real>(g: &Geometry, x: &[T], dy: &[T]) -> Vec<T> {
    let (depth, area) = (g.depth(), g.area_out());
    let (x, grid) = planes::of_windows(g, x);
    let blocks = depth.div_ceil(ROWS);
    let rows = depth.div_ceil(blocks.max(1)).max(1);
    let blocks = depth.div_ceil(rows);
    let total = g.images * area;
    let wanted = PLENTY.div_ceil((g.groups * blocks).max(1));
    let runs = wanted.min(total.div_ceil(LEAST)).max(1);
    let run = total.div_ceil(runs).next_multiple_of(PIXELS);
    let runs = total.div_ceil(run.max(1)).max(1);

    let parts = par_map(g.groups * blocks * runs, |task| {
        let (group, block, part) = (task / runs / blocks, task / runs % blocks, task % runs);
        let patches = block * rows..((block + 1) * rows).min(depth);
        let pixels = part * run..((part + 1) * run).min(total);
        accumulate(g, &grid, &x, dy, group, patches, pixels)
    });
    let mut dw = vec![T::ZERO; g.groups * g.co * depth];
    for (task, part) in parts.iter().enumerate() {
        let (group, block) = (task / runs / blocks, task / runs % blocks);
        let width = rows.min(depth - block * rows);
        let to = dw[group * g.co * depth..][..g.co * depth].chunks_exact_mut(depth);
        for (to, from) in to.zip(part.chunks_exact(width)) {
            for (to, &v) in to[block * rows..].iter_mut().zip(from) {
                *to += v;
            }
        }
    }
    dw
}

/// Some columns of a group's weight gradient, over some pixels of all images: `[co, patches]`.
fn accumulate<T: Real>(
    g: &Geometry,
    grid: &Grid,
    x: &[T],
    dy: &[T],
    group: usize,
    patches: Range<usize>,
    pixels: Range<usize>,
) -> Vec<T> {
    let (tile, lanes) = (T::inner_tile(), T::lanes());
    let (area, size) = (g.area_out(), g.ci * grid.plane);
    let (tall, wide) = (g.co.div_ceil(tile.rows), patches.len().div_ceil(tile.cols));
    let mut sums = vec![T::ZERO; tall * wide * tile.area() * lanes];
    let mut grads = vec![T::ZERO; tall * tile.rows * PIXELS];
    let mut cols = vec![T::ZERO; wide * tile.cols * PIXELS];
    for first in pixels.clone().step_by(PIXELS) {
        let block = first..(first + PIXELS).min(pixels.end);
        let k = block.len().next_multiple_of(lanes);
        let stretches = columns::runs(grid, block.clone());
        // What stands behind a short block would be multiplied too.
        for row in grads.chunks_exact_mut(k).chain(cols.chunks_exact_mut(k)) {
            row[block.len()..].fill(T::ZERO);
        }
        for s in &stretches {
            let pixel = s.position[0] * grid.size[1] + s.position[1];
            let plane = (s.image * g.groups + group) * g.co;
            for (c, row) in grads.chunks_exact_mut(k).take(g.co).enumerate() {
                columns::copy(&dy[(plane + c) * area + pixel..][..s.len], &mut row[s.at..s.at + s.len]);
            }
            let planes = &x[(s.image * g.groups + group) * size..][..size];
            let start = s.position[0] * grid.down + s.position[1];
            for (patch, row) in patches.clone().zip(cols.chunks_exact_mut(k)) {
                let (channel, tap) = (patch / grid.offsets.len(), patch % grid.offsets.len());
                let from = channel * grid.plane + start + grid.offsets[tap];
                columns::copy(&planes[from..from + s.len], &mut row[s.at..s.at + s.len]);
            }
        }
        let mut sums = sums.chunks_exact_mut(tile.area() * lanes);
        for right in cols.chunks_exact(tile.cols * k).take(wide) {
            for left in grads.chunks_exact(tile.rows * k).take(tall) {
                if let Some(sums) = sums.next() {
                    T::inner(left, right, k, sums);
                }
            }
        }
    }
    let mut dw = vec![T::ZERO; g.co * patches.len()];
    for (t, sums) in sums.chunks_exact(tile.area() * lanes).enumerate() {
        for (i, sums) in sums.chunks_exact(lanes).enumerate() {
            let (row, col) = (t % tall * tile.rows + i % tile.rows, t / tall * tile.cols + i / tile.rows);
            if row < g.co && col < patches.len() {
                dw[row * patches.len() + col] = sums.iter().fold(T::ZERO, |all, &v| all + v);
            }
        }
    }
    dw
}
