//! The gradient of the input: weights transposed times the output's gradient, added back patch by patch.

use super::{Geometry, geometry::Tiles, patches};
use crate::host::Real;
use crate::matrix::{Mat, Old, multiply};
use pleach_simd::par_blocks;

/// Fewer tasks than this leave threads without work.
const PLENTY: usize = 8;

pub(super) fn input_grad<T: Real>(g: &Geometry, dy: &[T], w: &[T], bias: Option<&[T]>) -> Vec<T> {
    let (area_in, area_out) = (g.area_in(), g.area_out());
    let mut dx = vec![T::ZERO; g.images * g.groups * g.ci * area_in];
    // A task is some input channels of one image and group: all, or fewer where that would be few tasks.
    let wanted = PLENTY.div_ceil((g.images * g.groups).max(1)).min(g.ci);
    let blocks = (wanted..=g.ci).find(|b| g.ci.is_multiple_of(*b)).unwrap_or(1);
    let channels = g.ci / blocks;
    let rows = channels * g.area();
    let tiles = Tiles::new(g, rows);

    par_blocks(&mut dx, channels * area_in, |task, dx| {
        let (image_group, first) = (task / blocks, task % blocks * channels);
        let group = image_group % g.groups;
        let dy = &dy[image_group * g.co * area_out..][..g.co * area_out];
        let w = &w[group * g.co * g.depth() + first * g.area()..];
        let w = Mat::new(w, [g.co, rows], g.depth()).t();
        if let Some(bias) = bias {
            let bias = &bias[group * g.ci + first..];
            for (plane, &b) in dx.chunks_mut(area_in).zip(bias) {
                plane.fill(b);
            }
        }
        if g.pointwise() {
            let dy = Mat::new(dy, [g.co, area_out], area_out);
            let old = if bias.is_some() { Old::AddedTo } else { Old::Overwritten };
            return multiply(dx, area_in, old, w, dy);
        }
        let mut cols = vec![T::ZERO; rows * tiles.pixels];
        for part in 0..tiles.parts() {
            let pixels = tiles.part(part);
            let width = pixels.len();
            let dy = Mat::new(&dy[pixels.start..], [g.co, width], area_out);
            multiply(&mut cols, width, Old::Overwritten, w, dy);
            patches::scatter(g, &cols, width, &pixels, dx);
        }
    });
    dx
}
