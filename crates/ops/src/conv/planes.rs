//! Images laid out so that every tap of a window reads stretches of memory: padded with zeros, and with a stride, the
//! columns that one tap can meet side by side.

use super::Geometry;
use crate::fresh;
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
    /// Positions of one image.
    pub fn area(&self) -> usize {
        self.size[0] * self.size[1]
    }
}

/// The planes of images for the windows of a convolution, and the grid of its output positions.
pub(super) fn of_windows<'a, T: Real>(g: &Geometry, x: &'a [T]) -> (Cow<'a, [T]>, Grid) {
    let [step_y, step_x] = g.stride;
    if g.pointwise() {
        // The image as one long row.
        let area = g.area_in();
        return (Cow::Borrowed(x), Grid { size: [1, area], down: area, offsets: vec![0], plane: area });
    }
    let reach = |axis: usize| g.dilation[axis] * (g.kernel[axis] - 1) + g.stride[axis] * (g.output[axis] - 1) + 1;
    let (height, width) = (reach(0), reach(1));
    // Columns of one residue modulo the stride stand together.
    let part = width.div_ceil(step_x);
    let row = part * step_x;
    let offset = |[i, j]: [usize; 2]| {
        let (i, j) = (i * g.dilation[0], j * g.dilation[1]);
        i * row + j % step_x * part + j / step_x
    };
    let grid =
        Grid { size: g.output, down: step_y * row, offsets: g.taps().map(offset).collect(), plane: height * row };
    (Cow::Owned(padded(x, g.input, g.padding, [height, row], step_x)), grid)
}

/// Planes with `margin` zeros before each axis and as many after as fill `size`; what does not fit is cut off. The columns of
/// each residue modulo `step` stand together.
fn padded<T: Real>(x: &[T], input: [usize; 2], margin: [usize; 2], size: [usize; 2], step: usize) -> Vec<T> {
    let (area, part) = (input[0] * input[1], size[1] / step.max(1));
    fresh::rows(x.len() / area.max(1) * size[0] * size[1], size[0] * size[1], |p, out| {
        let plane = &x[p * area..][..area];
        for (row, from) in out.chunks_exact_mut(size[1]).skip(margin[0]).zip(plane.chunks_exact(input[1])) {
            if step == 1 {
                let n = from.len().min(size[1].saturating_sub(margin[1]));
                row[margin[1]..margin[1] + n].copy_from_slice(&from[..n]);
                continue;
            }
            for (residue, row) in row.chunks_exact_mut(part).enumerate() {
                // The first column of this residue that is not margin.
                let skipped = margin[1].saturating_sub(residue).div_ceil(step);
                let first = skipped * step + residue - margin[1];
                for (to, &v) in row.iter_mut().skip(skipped).zip(from.iter().skip(first).step_by(step)) {
                    *to = v;
                }
            }
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
pub(super) fn of_gradient<T: Real>(g: &Geometry, dy: &[T]) -> (Vec<T>, Vec<Phase>) {
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
    (padded(dy, g.output, margin, size, 1), phases)
}
