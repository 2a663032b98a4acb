//! Images laid out so that every tap of a window reads stretches of memory: padded with zeros, and with a stride, the pixels that
//! one tap can meet as an image of their own.

use super::Geometry;
use crate::fresh::{self, Writer};
use crate::host::Real;
use std::borrow::Cow;

/// How a grid of positions reads planes of values: position (y, x) and tap t of a plane is element
/// `y * down + x + offsets[t]` of the plane.
pub(super) struct Grid {
    /// Positions: rows and columns.
    pub size: [usize; 2],
    /// Elements from one row of positions to the next.
    pub down: usize,
    /// Where each tap of position (0, 0) stands.
    pub offsets: Vec<usize>,
    /// Elements of a plane.
    pub plane: usize,
}

impl Grid {
    /// An image as one long row, for a window of one tap.
    fn of_a_row(area: usize) -> Self {
        Self { size: [1, area], down: area, offsets: vec![0], plane: area }
    }

    /// Columns from one row of positions to the next where positions are the columns of a product: rows of memory where few
    /// columns of them are no positions, so that all of an image is one stretch, or else rows of positions.
    pub fn row(&self) -> usize {
        if 8 * self.down <= 9 * self.size[1] { self.down } else { self.size[1] }
    }

    /// Columns of an image, in rows of `row`.
    pub fn columns(&self, row: usize) -> usize {
        (self.size[0].max(1) - 1) * row + self.size[1]
    }
}

/// How the planes of a convolution's windows are made of images, and its output positions read them.
pub(super) struct Layout {
    pub grid: Grid,
    /// Rows and columns of an image.
    input: [usize; 2],
    /// Nothing where images are planes already.
    plan: Option<Plan>,
}

impl Layout {
    /// Whether planes are other memory than images.
    pub fn copies(&self) -> bool {
        self.plan.is_some()
    }

    /// The planes of some images, each plane made by one of many threads.
    pub fn planes<'a, T: Real>(&self, x: &'a [T]) -> Cow<'a, [T]> {
        self.plan.as_ref().map_or(Cow::Borrowed(x), |plan| Cow::Owned(padded(x, self.input, plan, 1)))
    }

    /// The planes of one of several images, made by this thread, which then has them in its cache.
    pub fn planes_here<'a, T: Real>(&self, x: &'a [T], image: usize, channels: usize) -> Cow<'a, [T]> {
        let len = channels * self.input[0] * self.input[1];
        let x = &x[image * len..][..len];
        self.plan.as_ref().map_or(Cow::Borrowed(x), |plan| Cow::Owned(padded(x, self.input, plan, channels)))
    }
}

/// The layout for the windows of a convolution.
pub(super) fn of_windows(g: &Geometry) -> Layout {
    if g.pointwise() {
        return Layout { grid: Grid::of_a_row(g.area_in()), input: g.input, plan: None };
    }
    let reach = |axis: usize| g.dilation[axis] * (g.kernel[axis] - 1) + g.stride[axis] * (g.output[axis] - 1) + 1;
    // Pixels of one residue modulo the stride stand together, if a tap meets them.
    let residues = [0, 1].map(|axis| {
        let mut all: Vec<_> = (0..g.kernel[axis]).map(|tap| tap * g.dilation[axis] % g.stride[axis]).collect();
        all.sort_unstable();
        all.dedup();
        all
    });
    let size = [0, 1].map(|axis| reach(axis).div_ceil(g.stride[axis]));
    let plan = Plan { margin: g.padding, step: g.stride, residues, size };
    let offset = |tap: [usize; 2]| {
        let at = [0, 1].map(|axis| tap[axis] * g.dilation[axis]);
        let part = [0, 1].map(|axis| {
            let residue = at[axis] % g.stride[axis];
            plan.residues[axis].binary_search(&residue).unwrap_or(0)
        });
        let inside = at[0] / g.stride[0] * size[1] + at[1] / g.stride[1];
        (part[0] * plan.residues[1].len() + part[1]) * size[0] * size[1] + inside
    };
    let grid = Grid { size: g.output, down: size[1], offsets: g.taps().map(offset).collect(), plane: plan.plane() };
    Layout { grid, input: g.input, plan: Some(plan) }
}

/// How planes are laid out: for each pair of residues modulo the step an image of its own.
struct Plan {
    /// Zeros before each axis.
    margin: [usize; 2],
    step: [usize; 2],
    /// The residues that are wanted, along each axis in order.
    residues: [Vec<usize>; 2],
    /// Rows and columns of each residue's image; what does not fit is cut off.
    size: [usize; 2],
}

impl Plan {
    fn plane(&self) -> usize {
        self.residues.iter().map(Vec::len).product::<usize>() * self.size[0] * self.size[1]
    }

    /// For a residue along an axis, its first place that is not margin, and the pixel that stands there.
    fn inside(&self, axis: usize, residue: usize) -> (usize, usize) {
        let first = self.margin[axis].saturating_sub(residue).div_ceil(self.step[axis]);
        (first, first * self.step[axis] + residue - self.margin[axis])
    }

    /// Writes the images of all residues of a plane with rows of so many pixels.
    fn lay_out<T: Real>(&self, plane: &[T], columns: usize, out: &mut Writer<'_, T>) {
        let [height, width] = self.size;
        for &residue_y in &self.residues[0] {
            let (margin, first) = self.inside(0, residue_y);
            for &residue_x in &self.residues[1] {
                let (before, from) = self.inside(1, residue_x);
                let mut lines = plane.chunks_exact(columns).skip(first).step_by(self.step[0]);
                for row in 0..height {
                    let line = if row < margin { None } else { lines.next().and_then(|line| line.get(from..)) };
                    out.zeros(before.min(width));
                    out.every(line.unwrap_or_default(), self.step[1], width.saturating_sub(before));
                }
            }
        }
    }
}

/// The planes of images, so many of them by one thread.
fn padded<T: Real>(x: &[T], input: [usize; 2], plan: &Plan, together: usize) -> Vec<T> {
    let (area, together) = ((input[0] * input[1]).max(1), together.max(1));
    fresh::rows_in_order(x.len() / area * plan.plane(), together * plan.plane(), |r, out| {
        for plane in x.chunks_exact(area).skip(r * together).take(together) {
            plan.lay_out(plane, input[1], out);
        }
    })
}

/// One phase of the gradient of the input: the pixels of one residue modulo the stride, which only some taps reach.
pub(super) struct Phase {
    /// The first pixel, rows and columns; the others follow at the stride.
    pub first: [usize; 2],
    /// The taps that reach it, as indices into the window.
    pub taps: Vec<usize>,
    /// The grid of its pixels over the planes of the output's gradient.
    pub grid: Grid,
}

/// The planes of the output's gradient, and the phases of the input's: pixel (h, w) takes from the output position
/// ((h + padding - i dilation) / stride, ...) through tap (i, j), where that is a whole number.
pub(super) fn of_gradient<'a, T: Real>(g: &Geometry, dy: &'a [T]) -> (Cow<'a, [T]>, Vec<Phase>) {
    if g.pointwise() {
        return (Cow::Borrowed(dy), vec![Phase { first: [0, 0], taps: vec![0], grid: Grid::of_a_row(g.area_out()) }]);
    }
    // Along an axis: for each residue the pixels, and for each tap the shift, if it reaches them.
    let along = |axis: usize| -> Vec<(usize, Vec<Option<isize>>)> {
        let (step, input) = (g.stride[axis], g.input[axis]);
        (0..step.min(input))
            .map(|first| {
                let shifts = (0..g.kernel[axis]).map(|tap| {
                    let at = (first + g.padding[axis]) as isize - (tap * g.dilation[axis]) as isize;
                    (at.rem_euclid(step as isize) == 0).then(|| at.div_euclid(step as isize))
                });
                ((input - first).div_ceil(step), shifts.collect())
            })
            .collect()
    };
    let (rows, cols) = (along(0), along(1));
    let least = |all: &[(usize, Vec<Option<isize>>)]| {
        all.iter().flat_map(|(_, shifts)| shifts.iter().flatten()).copied().min().unwrap_or(0).min(0)
    };
    let most = |all: &[(usize, Vec<Option<isize>>)], outputs: usize| {
        let ends = all.iter().flat_map(|(n, shifts)| shifts.iter().flatten().map(move |s| *n as isize + s));
        ends.max().unwrap_or(0).max(outputs as isize)
    };
    let margin = [least(&rows), least(&cols)].map(isize::unsigned_abs);
    let size = [margin[0] + most(&rows, g.output[0]) as usize, margin[1] + most(&cols, g.output[1]) as usize];
    let mut phases = Vec::new();
    for (ry, (height, down)) in rows.iter().enumerate() {
        for (rx, (width, right)) in cols.iter().enumerate() {
            let (mut taps, mut offsets) = (Vec::new(), Vec::new());
            for (i, dy) in down.iter().enumerate() {
                for (j, dx) in right.iter().enumerate() {
                    let (Some(dy), Some(dx)) = (dy, dx) else { continue };
                    taps.push(i * g.kernel[1] + j);
                    let at = |shift: &isize, axis: usize| margin[axis].saturating_add_signed(*shift);
                    offsets.push(at(dy, 0) * size[1] + at(dx, 1));
                }
            }
            let grid = Grid { size: [*height, *width], down: size[1], offsets, plane: size[0] * size[1] };
            phases.push(Phase { first: [ry, rx], taps, grid });
        }
    }
    let plan = Plan { margin, step: [1, 1], residues: [vec![0], vec![0]], size };
    (Cow::Owned(padded(dy, g.output, &plan, 1)), phases)
}
