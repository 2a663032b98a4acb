//! The gradient of the weights: rows of the padded input as they lie, times the output's gradient with its channels side by side.
//!
//! Each weight has a row of its own in the input's planes, moved by its tap, so that only the gradient is turned, a block of
//! positions at a time, and the sums are `[weights of a window, output channels]` until the end.

use super::planes::{self, Grid, Layout};
use super::{Geometry, add};
use crate::fresh;
use crate::host::Real;
use crate::matrix::even;
use crate::tile::{Soon, Strands};
use crate::turn::{Rows, turn};
use pleach_simd::{par_blocks, par_map};
use std::ops::Range;

/// Positions of a block: rows of the input this long are read in memory's order, the turned gradient stays in a second-level cache.
const POSITIONS: usize = 1024;
/// Bytes of the rows of a task and of their sums, which are gone through once for each tile's width of channels: the gradient is turned
/// again for other rows.
const ROOM: usize = 1280 << 10;
/// Fewer tasks than this leave threads without work.
const PLENTY: usize = 16;
/// A task is not worth its sums with fewer positions than this.
const LEAST: usize = 512;
/// What a call of the innermost loops costs, in positions.
const CALL: usize = 7;

pub(super) fn weight_grad<T: Real>(g: &Geometry, x: &[T], dy: &[T]) -> Vec<T> {
    let layout = planes::of_windows(g);
    let (grid, pass) = (&layout.grid, Pass { g, layout: &layout, x, dy });
    // Over the gaps between rows the gradient is zero, which spoils sums if what stands there is not finite.
    if grid.size[0] > 1 && grid.down > grid.size[1] && grid.down <= grid.size[1] + CALL {
        let dw = pass.run(&blocks(grid, grid.down));
        if dw.iter().all(|v| !(*v * T::ZERO).is_nan()) {
            return dw;
        }
    }
    pass.run(&blocks(grid, grid.size[1]))
}

/// Positions of an image that follow each other in the planes.
struct Block {
    /// Where a tap at 0 reads the first.
    start: usize,
    len: usize,
    /// What of them is positions: the first, as counted in the block and in the gradient's plane, and how many.
    spans: Vec<(usize, usize, usize)>,
}

/// The blocks of an image: rows of positions, or all of it where a row is as long as a row of memory.
fn blocks(grid: &Grid, row: usize) -> Vec<Block> {
    let [height, width] = grid.size;
    let together = row == grid.down;
    let stretches = if together { 1 } else { height };
    let stretch = if together { grid.columns(row) } else { width };
    let mut all = Vec::new();
    for y in 0..stretches {
        for part in even(stretch, POSITIONS) {
            let rows = y + part.start / row..(y + part.end.div_ceil(row)).min(height);
            let spans = rows.filter_map(|line| {
                // The row's first and last position within the part.
                let first = ((line - y) * row).max(part.start);
                let end = ((line - y) * row + width).min(part.end);
                (first < end).then(|| (first - part.start, line * width + first - (line - y) * row, end - first))
            });
            all.push(Block { start: y * grid.down + part.start, len: part.len(), spans: spans.collect() });
        }
    }
    all
}

struct Pass<'a, T> {
    g: &'a Geometry,
    layout: &'a Layout,
    x: &'a [T],
    dy: &'a [T],
}

/// What a task sums up: some rows of a group's weights over some blocks of all images.
struct Task {
    group: usize,
    rows: Range<usize>,
    blocks: Range<usize>,
}

impl<T: Real> Pass<'_, T> {
    fn run(&self, blocks: &[Block]) -> Vec<T> {
        let g = self.g;
        let (depth, cols) = (g.depth(), T::outer_tile().cols);
        let wide = g.co.next_multiple_of(cols);
        let of_a_row = self.layout.grid.plane / (blocks.len() * g.area()).max(1) + wide;
        let splits = depth.div_ceil((ROOM / size_of::<T>() / of_a_row).max(1)).max(1);
        let rows = depth.div_ceil(splits).next_multiple_of(T::outer_tile().rows);
        let splits = depth.div_ceil(rows);
        let total = g.images * blocks.len();
        let enough = (g.images * g.area_out()).div_ceil(LEAST);
        let parts = PLENTY.div_ceil((g.groups * splits).max(1)).min(enough).min(total).max(1);
        // The task of an image makes its planes, if it is the only one that reads them.
        let apart = g.groups * splits * blocks.len() == 1;
        let planes = (!apart).then(|| self.layout.planes(self.x));
        let mut sums = par_map(g.groups * splits * parts, |i| {
            let (group, split, part) = (i / parts / splits, i / parts % splits, i % parts);
            let rows = split * rows..((split + 1) * rows).min(depth);
            self.sums(
                &Task { group, rows, blocks: part * total / parts..(part + 1) * total / parts },
                blocks,
                planes.as_deref(),
            )
        });
        // The parts of rows follow each other: all are added to the first, in their order.
        par_blocks(&mut sums, parts, |_, sums| {
            if let Some((first, rest)) = sums.split_first_mut() {
                rest.iter().for_each(|part| add(first, part));
            }
        });
        // Some of a group's output channels at a time, so that all threads turn.
        let together = g.co.div_ceil(g.co.div_ceil(cols));
        let mut dw = Vec::new();
        for group in 0..g.groups {
            let sums = &sums[group * splits * parts..][..splits * parts];
            let turned = fresh::blocks(g.co * depth, together * depth, |i, out| {
                for (split, sums) in sums.iter().step_by(parts).enumerate() {
                    let first = split * rows;
                    let height = rows.min(depth - first);
                    let count = out.len() / depth;
                    let mut to = Rows::of(&mut out[first..], count, height, depth);
                    turn(&sums[i * together..], wide, &mut to);
                }
            });
            match g.groups {
                1 => return turned,
                _ => dw.extend(turned),
            }
        }
        dw
    }

    /// `[rows, output channels]`, the latter filled up to whole tiles.
    fn sums(&self, task: &Task, blocks: &[Block], planes: Option<&[T]>) -> Vec<T> {
        let (g, grid, tile) = (self.g, &self.layout.grid, T::outer_tile());
        let (taps, area, panels) = (grid.offsets.len(), g.area_out(), g.co.div_ceil(tile.cols));
        let wide = panels * tile.cols;
        let starts: Vec<_> = task.rows.clone().map(|row| row / taps * grid.plane + grid.offsets[row % taps]).collect();
        let mut sums = vec![T::ZERO; starts.len() * wide];
        let longest = blocks.iter().map(|block| block.len).max().unwrap_or(0);
        let mut turned = vec![T::ZERO; longest * wide];
        for i in task.blocks.clone() {
            let (image, block) = (i / blocks.len(), &blocks[i % blocks.len()]);
            let lines = block.len * tile.cols;
            if lines == 0 {
                continue;
            }
            let gradient = &self.dy[(image * g.groups + task.group) * g.co * area..][..g.co * area];
            for (p, panel) in turned.chunks_exact_mut(lines).take(panels).enumerate() {
                let channels = tile.cols.min(g.co - p * tile.cols);
                let mut done = 0;
                for &(at, pixel, len) in &block.spans {
                    panel[done * tile.cols..at * tile.cols].fill(T::ZERO);
                    let mut to = Rows::of(&mut panel[at * tile.cols..], len, channels, tile.cols);
                    turn(&gradient[p * tile.cols * area + pixel..], area, &mut to);
                    done = at + len;
                }
                panel[done * tile.cols..].fill(T::ZERO);
            }
            let own;
            let planes = match planes {
                Some(all) => &all[(image * g.groups + task.group) * g.ci * grid.plane..],
                None => {
                    own = self.layout.planes_here(self.x, image, g.ci);
                    &*own
                }
            };
            let a = &planes[block.start..];
            for (p, b) in turned.chunks_exact(lines).take(panels).enumerate() {
                for rows in even(starts.len(), tile.rows) {
                    // The first panel reads the rows from memory, and calls for the next ones; taps of one plane do so for each other.
                    let ahead = if p == 0 && taps == 1 { tile.rows } else { 0 };
                    let next = rows.end..starts.len().min(rows.end + ahead);
                    let soon = Soon::new(a, &starts[next], block.len);
                    let strands = Strands { a, starts: &starts[rows.clone()], b, depth: block.len, soon };
                    let sums = &mut sums[rows.start * wide + p * tile.cols..];
                    T::gathered(&strands, &mut Rows::of(sums, rows.len(), tile.cols, wide));
                }
            }
        }
        sums
    }
}
