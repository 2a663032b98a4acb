//! The gradient of many weights over few pixels: a product whose left side is the output's gradient and whose columns are
//! the rows of patches, turned while they are packed.

use super::Geometry;
use super::blocked::{Columns, Output, blocked};
use super::columns;
use super::panels::Panels;
use super::planes;
use super::product::Patches;
use crate::host::Real;
use std::ops::Range;

/// Whether turning the patches costs less than keeping the sums of every weight spread over lanes.
pub(super) fn pays(g: &Geometry) -> bool {
    let pixels = g.images * g.area_out();
    (g.co >= 64 && pixels < 2048) || (g.co >= 256 && pixels < 8192)
}

pub(super) fn weight_grad<T: Real>(g: &Geometry, x: &[T], dy: &[T]) -> Vec<T> {
    let (depth, area) = (g.depth(), g.area_out());
    let (x, grid) = planes::of_windows(g, x);
    let len = g.groups * g.co * depth;
    let mut dw = Vec::new();
    let out = Output::new(&mut dw, len);
    for group in 0..g.groups {
        let grads = Panels::pack(g.co, g.images * area, |row, first, line| {
            let (mut at, mut done) = (first, 0);
            while done < line.len() {
                let (image, pixel) = (at / area, at % area);
                let n = (area - pixel).min(line.len() - done);
                let plane = (image * g.groups + group) * g.co + row;
                line[done..done + n].copy_from_slice(&dy[plane * area + pixel..][..n]);
                (at, done) = (at + n, done + n);
            }
        });
        let patches = Patches {
            planes: &x,
            planes_of_image: g.groups * g.ci,
            channels: group * g.ci..(group + 1) * g.ci,
            images: g.images,
            grid: &grid,
        };
        blocked(&grads, g.co, depth, &Weights { patches: &patches, out: &out, first_row: group * g.co, depth });
    }
    // SAFETY: the products of all groups have written all weights.
    #[allow(unsafe_code)]
    unsafe {
        dw.set_len(len);
    }
    dw
}

/// Weights of each output channel as the columns of a product.
struct Weights<'a, T> {
    patches: &'a Patches<'a, T>,
    out: &'a Output<'a, T>,
    first_row: usize,
    depth: usize,
}

impl<T: Real> Columns<T> for Weights<'_, T> {
    type Panel = Range<usize>;

    fn open(&self, range: Range<usize>) -> Range<usize> {
        range
    }

    fn pack(&self, panel: &Range<usize>, pixels: Range<usize>, out: &mut [T]) {
        let (grid, cols) = (self.patches.grid, T::outer_tile().cols);
        let taps = grid.offsets.len();
        for run in columns::runs(grid, pixels) {
            let planes = self.patches.of(run.image);
            let start = run.position[0] * grid.down + run.position[1];
            let lines = &mut out[run.at * cols..][..run.len * cols];
            for (c, patch) in panel.clone().enumerate() {
                let from = patch / taps * grid.plane + start + grid.offsets[patch % taps];
                for (line, &v) in lines.chunks_exact_mut(cols).zip(&planes[from..from + run.len]) {
                    line[c] = v;
                }
            }
        }
    }

    fn write(&self, panel: &Range<usize>, row: usize, line: &[T]) {
        let first = (self.first_row + row) * self.depth + panel.start;
        // SAFETY: columns are dealt out to tasks, each to one, and each has its own element in every row.
        #[allow(unsafe_code)]
        unsafe {
            self.out.store(first, 1, &line[..panel.len()], T::ZERO);
        }
    }
}
