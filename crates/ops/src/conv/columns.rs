//! The columns of a product, which are positions of images, and their patches packed for outer tiles.

use super::planes::Grid;
use super::product::Patches;
use crate::host::Real;
use std::ops::Range;

/// A stretch of columns whose patches lie side by side, and so do their results.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    /// First column, counted within the panel.
    pub at: usize,
    /// Columns.
    pub len: usize,
    /// The image.
    pub image: usize,
    /// Row and first column of the positions.
    pub position: [usize; 2],
}

/// The stretches of columns `range` of all positions of all images.
pub(super) fn runs(grid: &Grid, range: Range<usize>) -> Vec<Run> {
    let [area, width] = [grid.area(), grid.size[1]];
    let (mut all, mut at) = (Vec::new(), range.start);
    while at < range.end {
        let (image, inside) = (at / area, at % area);
        let (y, x) = (inside / width, inside % width);
        let len = (width - x).min(range.end - at);
        all.push(Run { at: at - range.start, len, image, position: [y, x] });
        at += len;
    }
    all
}

/// Packs elements `depth` (channel by channel, tap by tap) of the patches of a panel's columns: `cols` a line, what no column
/// has stays as it is.
pub(super) fn pack<T: Real>(patches: &Patches<'_, T>, runs: &[Run], depth: Range<usize>, cols: usize, out: &mut [T]) {
    let grid = patches.grid;
    let taps = grid.offsets.len();
    for run in runs {
        let planes = patches.of(run.image);
        let start = run.position[0] * grid.down + run.position[1];
        let (mut channel, mut tap) = (depth.start / taps.max(1), depth.start % taps.max(1));
        for line in out.chunks_exact_mut(cols) {
            let from = channel * grid.plane + start + grid.offsets[tap];
            // By far the most frequent is a whole line: a copy of known length is two moves.
            match (run.len, line.first_chunk_mut::<16>(), planes[from..].first_chunk::<16>()) {
                (16, Some(line), Some(from)) if cols == 16 => *line = *from,
                _ => copy(&planes[from..from + run.len], &mut line[run.at..run.at + run.len]),
            }
            (channel, tap) = next(channel, tap, taps);
        }
    }
}

/// A copy of a few elements, which a call of the library's would take longer than.
#[inline(always)]
pub(super) fn copy<T: Copy>(from: &[T], to: &mut [T]) {
    let (from, from_rest) = from.as_chunks::<8>();
    let (to, to_rest) = to.as_chunks_mut::<8>();
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
    for (to, &v) in to_rest.iter_mut().zip(from_rest) {
        *to = v;
    }
}

fn next(channel: usize, tap: usize, taps: usize) -> (usize, usize) {
    if tap + 1 == taps { (channel + 1, 0) } else { (channel, tap + 1) }
}
