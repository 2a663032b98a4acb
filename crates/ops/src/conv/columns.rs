//! The columns of a product, which are positions of images, and their patches packed for outer tiles.

use super::planes::Grid;
use super::product::Patches;
use crate::host::Real;
use crate::matrix::copy;
use pleach_simd::prefetch;
use std::ops::Range;

/// A stretch of columns that lies together in memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    /// First column, counted within the panel.
    pub at: usize,
    /// Columns.
    pub len: usize,
    /// The image.
    pub image: usize,
    /// The first position: where it stands in the planes that are read, or its row and column as they are written.
    pub start: [usize; 2],
}

/// The stretches of columns `range` of all images as their planes are read: `start[1]` is where a tap at 0 reads.
pub(super) fn reads(grid: &Grid, range: Range<usize>) -> Vec<Run> {
    let row = grid.row();
    cut(grid.columns(row), range, |inside| match row == grid.down {
        true => (usize::MAX, [0, inside]),
        false => (row - inside % row, [0, inside / row * grid.down + inside % row]),
    })
}

/// The stretches of columns `range` of all images that are positions: `start` is the first one's row and column.
pub(super) fn writes(grid: &Grid, range: Range<usize>) -> Vec<Run> {
    let row = grid.row();
    let mut all = cut(grid.columns(row), range, |inside| (row - inside % row, [inside / row, inside % row]));
    all.retain_mut(|run| {
        run.len = run.len.min(grid.size[1].saturating_sub(run.start[1]));
        run.len > 0
    });
    all
}

/// Cuts columns at the ends of images and where `inside` says: how far the stretch reaches that begins there, and its start.
fn cut(columns: usize, range: Range<usize>, inside: impl Fn(usize) -> (usize, [usize; 2])) -> Vec<Run> {
    let (mut all, mut at) = (Vec::new(), range.start);
    while at < range.end {
        let (image, column) = (at / columns, at % columns);
        let (reach, start) = inside(column);
        let len = reach.min(columns - column).min(range.end - at);
        all.push(Run { at: at - range.start, len, image, start });
        at += len;
    }
    all
}

/// Panels that are packed side by side: enough for the source to be read along, few enough for as many streams of writes.
const ABREAST: usize = 4;

/// Packs elements `depth` (channel by channel, tap by tap) of the patches of columns, for each tile's width of columns a panel, in it a
/// line for each element; what no column has stays as it is.
pub(super) fn pack<T: Real>(patches: &Patches<'_, T>, runs: &[Run], depth: Range<usize>, out: &mut [T]) {
    let (grid, cols) = (patches.grid, T::outer_tile().cols);
    let taps = grid.offsets.len();
    let panel = depth.len() * cols;
    for run in runs {
        let planes = patches.of(run.image);
        let mut done = 0;
        while done < run.len {
            let at = run.at + done;
            let len = (run.len - done).min(ABREAST * cols - at % (ABREAST * cols));
            let (mut channel, mut tap) = (depth.start / taps.max(1), depth.start % taps.max(1));
            for line in 0..depth.len() {
                let start = channel * grid.plane + run.start[1] + done + grid.offsets[tap];
                let from = &planes[start..][..len];
                (0..len).step_by(cols).for_each(|at| prefetch(planes, start + 2 * grid.plane + at));
                spread(from, at % cols, cols, panel, &mut out[at / cols * panel + line * cols..]);
                (channel, tap) = if tap + 1 == taps { (channel + 1, 0) } else { (channel, tap + 1) };
            }
            done += len;
        }
    }
}

/// Writes a stretch of a line, from column `at` of the first panel on.
#[inline(always)]
fn spread<T: Copy>(from: &[T], at: usize, cols: usize, panel: usize, out: &mut [T]) {
    if cols == 16 && at == 0 && from.len().is_multiple_of(16) {
        // By far the most frequent: a copy of known length is two moves.
        for (p, from) in from.as_chunks::<16>().0.iter().enumerate() {
            if let Some(to) = out[p * panel..].first_chunk_mut::<16>() {
                *to = *from;
            }
        }
        return;
    }
    let (first, rest) = from.split_at(from.len().min(cols - at));
    copy(first, &mut out[at..at + first.len()]);
    for (p, from) in rest.chunks(cols).enumerate() {
        copy(from, &mut out[(p + 1) * panel..][..from.len()]);
    }
}
