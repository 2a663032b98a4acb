//! A matrix packed for outer tiles: blocks of its depth, in each block panels of as many rows as a tile has, or of fewer if these are more even.

use crate::host::Real;
use pleach_simd::par_rows;
use std::ops::Range;

/// Greatest depth of a block: with it a panel of columns stays in a first-level cache.
pub(super) const DEPTH: usize = 320;

/// The packed left side of a product.
pub(super) struct Panels<T> {
    data: Vec<T>,
    depth: usize,
    /// Depth of a block; the last may have less.
    block: usize,
    panels: usize,
    /// Rows of a panel; the last may have less.
    high: usize,
}

impl<T: Real> Panels<T> {
    /// Packs a matrix of `rows` x `depth` in blocks of at most `deepest`, which is at most [`DEPTH`]; `row(r, k, out)` writes elements
    /// `k..` of row `r`, as many as `out` has.
    pub fn pack(rows: usize, depth: usize, deepest: usize, row: impl Fn(usize, usize, &mut [T]) + Sync + Send) -> Self {
        // Tiles of few rows wait for their columns.
        let panels = rows.div_ceil(T::outer_tile().rows);
        let high = rows.div_ceil(panels.max(1)).max(1);
        // Blocks of even depth: each ends with a pass over the results.
        let block = depth.div_ceil(depth.div_ceil(deepest.clamp(1, DEPTH)).max(1)).max(1);
        let mut data = vec![T::ZERO; panels * high * depth];
        // One panel through all blocks would not lie together, so each block of each panel is a piece of its own.
        let mut pieces: Vec<(usize, usize, &mut [T])> = Vec::new();
        let mut rest = data.as_mut_slice();
        for first in (0..depth).step_by(block) {
            let k = block.min(depth - first);
            for panel in 0..panels {
                let (piece, after) = std::mem::take(&mut rest).split_at_mut(k * high);
                pieces.push((first, panel, piece));
                rest = after;
            }
        }
        par_rows(&mut pieces, 1, |_, piece| {
            for (first, panel, out) in piece {
                let mut line = [T::ZERO; DEPTH];
                let line = &mut line[..out.len() / high];
                for r in 0..high.min(rows - *panel * high) {
                    row(*panel * high + r, *first, line);
                    for (to, &v) in out.iter_mut().skip(r).step_by(high).zip(line.iter()) {
                        *to = v;
                    }
                }
            }
        });
        Self { data, depth, block, panels, high }
    }

    /// The blocks of the depth, in order.
    pub fn blocks(&self) -> impl Iterator<Item = Range<usize>> {
        (0..self.depth).step_by(self.block).map(|first| first..(first + self.block).min(self.depth))
    }

    /// Rows of a panel; the last may have less.
    pub fn high(&self) -> usize {
        self.high
    }

    /// Panels of a block.
    pub fn count(&self) -> usize {
        self.panels
    }

    /// Depth of the deepest block.
    pub fn deepest(&self) -> usize {
        self.block.min(self.depth)
    }

    /// The panels of the block that begins at `first`, in order.
    pub fn block(&self, first: usize) -> impl Iterator<Item = &[T]> {
        let k = self.block.min(self.depth - first);
        let start = first * self.panels * self.high;
        self.data[start..][..k * self.panels * self.high].chunks_exact(k * self.high)
    }
}
