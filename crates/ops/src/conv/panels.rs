//! A matrix packed for outer tiles: blocks of its depth, in each block panels of as many rows as a tile has.

use crate::host::Real;
use pleach_simd::par_rows;

/// Depth of a block: with it a panel of columns stays in a first-level cache.
pub(super) const DEPTH: usize = 256;

/// The packed left side of a product.
pub(super) struct Panels<T> {
    data: Vec<T>,
    depth: usize,
    panels: usize,
    tile_rows: usize,
}

impl<T: Real> Panels<T> {
    /// Packs a matrix of `rows` x `depth`; `row(r, k, out)` writes elements `k..` of row `r`, as many as `out` has.
    pub fn pack(rows: usize, depth: usize, row: impl Fn(usize, usize, &mut [T]) + Sync + Send) -> Self {
        let tile_rows = T::outer_tile().rows;
        let panels = rows.div_ceil(tile_rows);
        let mut data = vec![T::ZERO; panels * tile_rows * depth];
        // One panel through all blocks would not lie together, so each block of each panel is a piece of its own.
        let mut pieces: Vec<(usize, usize, &mut [T])> = Vec::new();
        let mut rest = data.as_mut_slice();
        for first in (0..depth).step_by(DEPTH) {
            let k = DEPTH.min(depth - first);
            for panel in 0..panels {
                let (piece, after) = std::mem::take(&mut rest).split_at_mut(k * tile_rows);
                pieces.push((first, panel, piece));
                rest = after;
            }
        }
        par_rows(&mut pieces, 1, |_, piece| {
            for (first, panel, out) in piece {
                let mut line = [T::ZERO; DEPTH];
                let line = &mut line[..out.len() / tile_rows];
                for r in 0..tile_rows.min(rows - *panel * tile_rows) {
                    row(*panel * tile_rows + r, *first, line);
                    for (to, &v) in out.iter_mut().skip(r).step_by(tile_rows).zip(line.iter()) {
                        *to = v;
                    }
                }
            }
        });
        Self { data, depth, panels, tile_rows }
    }

    /// Length of the sums.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// The panels of the block that begins at `first`, in order.
    pub fn block(&self, first: usize) -> impl Iterator<Item = &[T]> {
        let k = DEPTH.min(self.depth - first);
        let start = first * self.panels * self.tile_rows;
        self.data[start..][..k * self.panels * self.tile_rows].chunks_exact(k * self.tile_rows)
    }
}
