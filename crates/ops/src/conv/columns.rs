//! The columns of a product, which are positions of images, and their patches packed for outer tiles.

use super::planes::Grid;
use super::product::Patches;
use crate::host::Real;
use crate::matrix::copy;
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

/// The stretches of columns `range` of all images that are positions: `start` is the first one's row and column, or where it stands in a plane
/// all of whose positions are written `in_line`.
pub(super) fn writes(grid: &Grid, range: Range<usize>, in_line: bool) -> Vec<Run> {
    let row = grid.row();
    if in_line {
        return cut(grid.columns(row), range, |inside| (usize::MAX, [0, inside]));
    }
    let mut all = cut(grid.columns(row), range, |inside| (row - inside % row, [inside / row, inside % row]));
    all.retain_mut(|run| {
        run.len = run.len.min(grid.size[1].saturating_sub(run.start[1]));
        run.len > 0
    });
    all
}

/// The stretch that has all of some columns.
pub(super) fn holding<'a>(runs: &'a [Run], columns: &Range<usize>) -> Option<&'a Run> {
    runs.iter().find(|run| run.at <= columns.start && columns.end <= run.at + run.len)
}

/// What lies within some columns, of stretches that are written in line.
pub(super) fn within(runs: &[Run], columns: Range<usize>) -> impl Iterator<Item = Run> {
    runs.iter().filter_map(move |run| {
        let (at, end) = (run.at.max(columns.start), (run.at + run.len).min(columns.end));
        (at < end).then(|| Run { at, len: end - at, start: [run.start[0], run.start[1] + at - run.at], ..*run })
    })
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

/// Packs elements `depth` (channel by channel, tap by tap) of the patches of `columns`, in a line for each element; what no column has stays
/// as it is.
pub(super) fn pack<T: Real>(
    patches: &Patches<'_, T>,
    runs: &[Run],
    columns: Range<usize>,
    depth: Range<usize>,
    out: &mut [T],
) {
    let grid = patches.grid;
    let taps = grid.offsets.len().max(1);
    for run in runs {
        let (first, end) = (run.at.max(columns.start), (run.at + run.len).min(columns.end));
        if first >= end {
            continue;
        }
        let (at, len) = (first - columns.start, end - first);
        let planes = &patches.of(run.image)[run.start[1] + first - run.at..];
        for (k, line) in depth.clone().zip(out.chunks_exact_mut(columns.len())) {
            let start = k / taps * grid.plane + grid.offsets[k % taps];
            copy(&planes[start..][..len], &mut line[at..at + len]);
        }
    }
}
