//! Weights times patches: the product behind the forward pass and the gradient of the input.
//!
//! The patches are never a matrix in memory: a block of columns and depth is packed from the planes straight into the
//! layout of the tiles and used by all rows.

use super::blocked::{Cut, Output, blocked};
use super::columns::{self, Run};
use super::panels::Panels;
use super::planes::Grid;
use crate::host::Real;
use crate::tile::{Soon, Starts};
use crate::turn::Rows;
use std::ops::Range;

/// Where a product's results go: position (y, x) of row r of image n is element
/// `(n * rows_of_image + first_row + r) * plane + origin + y * down + x * right`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// Planes of an image in the output.
    pub rows_of_image: usize,
    /// The first of them that is written.
    pub first_row: usize,
    /// Elements of a plane.
    pub plane: usize,
    /// The first position.
    pub origin: usize,
    /// From one row of positions to the next.
    pub down: usize,
    /// From one position to the next.
    pub right: usize,
}

impl Place {
    /// Whether all positions of an image are one stretch of columns and of memory.
    fn in_line(&self, grid: &Grid) -> bool {
        let row = grid.row();
        [row, self.down] == [grid.size[1]; 2] && self.right == 1
    }
}

/// The patches of a group of channels of all images.
pub(super) struct Patches<'a, T> {
    /// All planes: `images * planes_of_image` of them.
    pub planes: &'a [T],
    /// Planes of an image.
    pub planes_of_image: usize,
    /// The group's first plane and their number.
    pub channels: Range<usize>,
    /// Number of images.
    pub images: usize,
    /// How positions read planes.
    pub grid: &'a Grid,
}

impl<'a, T> Patches<'a, T> {
    /// The group's planes of an image.
    pub fn of(&self, image: usize) -> &'a [T] {
        let first = image * self.planes_of_image + self.channels.start;
        &self.planes[first * self.grid.plane..][..self.channels.len() * self.grid.plane]
    }
}

/// The product of a group's weights with the patches of all images, plus a bias for each row.
///
/// Every element at the `place` is written once.
pub(super) fn product<T: Real>(
    weights: &Panels<T>,
    rows: usize,
    patches: &Patches<'_, T>,
    cut: Cut,
    bias: Option<&[T]>,
    out: &Output<'_, T>,
    place: Place,
) {
    let (plane, offsets) = (patches.grid.plane, &patches.grid.offsets);
    let starts =
        patches.channels.clone().flat_map(|channel| offsets.iter().map(move |offset| channel * plane + offset));
    let positions = Positions { patches, starts: Starts::new(starts.collect()), bias, out, place };
    blocked(weights, rows, cut, &positions);
}

/// Positions of images as the columns of a product.
pub(super) struct Positions<'a, T> {
    pub patches: &'a Patches<'a, T>,
    /// Where each element of a patch stands in the planes of an image.
    pub starts: Starts,
    bias: Option<&'a [T]>,
    out: &'a Output<'a, T>,
    place: Place,
}

/// Columns that are packed together, as they are read and as they are written.
pub(super) struct Stretches {
    pub len: usize,
    reads: Vec<Run>,
    pub writes: Vec<Run>,
    /// For each tile's width of them, where they stand in the planes if they lie together.
    whole: Vec<Option<usize>>,
    /// For each tile's width of them, the place of the first row's results if sums are taken there: none of `writes`.
    direct: Vec<Option<usize>>,
}

impl<T: Real> Positions<'_, T> {
    /// The columns of a range; with `sums` their results are summed up in their place, where that can be.
    pub fn open(&self, range: Range<usize>, sums: bool) -> Stretches {
        let (grid, cols) = (self.patches.grid, T::outer_tile().cols);
        let (len, reads) = (range.len(), columns::reads(grid, range.clone()));
        let panels = || (0..len).step_by(cols).map(|first| first..first + cols);
        let place = |panel: Range<usize>| {
            let run = columns::holding(&reads, &panel)?;
            Some(run.image * self.patches.planes_of_image * grid.plane + run.start[1] + panel.start - run.at)
        };
        let whole = panels().map(place).collect();
        let in_line = self.place.in_line(grid);
        let (mut writes, mut direct) = (columns::writes(grid, range, in_line), Vec::new());
        if sums && in_line && self.bias.is_none() {
            let place = |panel| columns::holding(&writes, &panel).map(|run| self.first(run, 0) + panel.start - run.at);
            direct = panels().map(place).collect();
            let summed = panels().zip(&direct).filter(|(_, place)| place.is_none());
            writes = summed.flat_map(|(panel, _)| columns::within(&writes, panel)).collect();
        }
        Stretches { len, whole, direct, reads, writes }
    }

    /// Where the results of a row for a run of columns begin.
    fn first(&self, run: &Run, row: usize) -> usize {
        let at = self.place;
        let plane = (run.image * at.rows_of_image + at.first_row + row) * at.plane;
        plane + at.origin + run.start[0] * at.down + run.start[1] * at.right
    }

    /// Packs elements `depth` of tile `panel` of columns, or gives the planes from where they can be read as they lie.
    pub fn pack(&self, columns: &Stretches, panel: usize, depth: Range<usize>, out: &mut [T]) -> Option<&[T]> {
        if let Some(start) = columns.whole[panel] {
            return Some(&self.patches.planes[start..]);
        }
        let cols = T::outer_tile().cols;
        columns::pack(self.patches, &columns.reads, panel * cols..(panel + 1) * cols, depth, out);
        None
    }

    /// Where the first columns of a range stand in the planes, and how many of them together.
    pub fn first_run(&self, range: Range<usize>) -> Option<(usize, usize)> {
        let grid = self.patches.grid;
        let runs = columns::reads(grid, range);
        let run = runs.first()?;
        Some((run.image * self.patches.planes_of_image * grid.plane + run.start[1], run.len))
    }

    /// Elements `depth` of a run of columns, which are packed soon.
    pub fn soon(&self, run: Option<(usize, usize)>, depth: Range<usize>) -> Soon<'_, T> {
        run.map_or(Soon::NOTHING, |(start, len)| Soon::new(&self.patches.planes[start..], self.starts.of(depth), len))
    }

    /// Rows of results of tile `panel` of columns, where sums are taken in their place.
    pub fn direct(&self, columns: &Stretches, panel: usize, rows: Range<usize>) -> Option<Rows<'_, T>> {
        let (plane, cols) = (self.place.plane, T::outer_tile().cols);
        let start = columns.direct.get(panel).copied().flatten()? + rows.start * plane;
        let to = self.out.part(start, rows.len().saturating_sub(1) * plane + cols);
        // SAFETY: the elements exist, as `part` has seen. Columns are dealt out to tasks, each to one; the first block of depth writes
        // what others add to.
        #[allow(unsafe_code)]
        Some(unsafe { Rows::new(to, rows.len(), cols, plane) })
    }

    /// Writes the results of a row for some columns, which no one else writes.
    pub fn store(&self, writes: &[Run], row: usize, line: &[T]) {
        let (at, plus) = (self.place, self.bias.map_or(T::ZERO, |bias| bias[row]));
        for run in writes {
            let first = self.first(run, row);
            // SAFETY: columns are dealt out to tasks, each to one, and each has its own elements in every row.
            #[allow(unsafe_code)]
            unsafe {
                self.out.store(first, at.right, &line[run.at..run.at + run.len], plus);
            }
        }
    }
}
