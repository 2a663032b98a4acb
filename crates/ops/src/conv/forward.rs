//! The forward pass: weights times the patches of the image.

use super::Geometry;
use super::blocked::{Cut, Output};
use super::panels::Panels;
use super::planes;
use super::product::{Patches, Place, product};
use super::scatter::{self, Share, scattered};
use crate::host::Real;

pub(super) fn forward<T: Real>(g: &Geometry, x: &[T], w: &[T], bias: Option<&[T]>) -> Vec<T> {
    let (depth, area) = (g.depth(), g.area_out());
    let (x, grid) = planes::of_windows(g, x);
    let len = g.images * g.groups * g.co * area;
    let mut y = Vec::new();
    let out = Output::new(&mut y, len);
    for group in 0..g.groups {
        let w = &w[group * g.co * depth..][..g.co * depth];
        let patches = Patches {
            planes: &x,
            planes_of_image: g.groups * g.ci,
            channels: group * g.ci..(group + 1) * g.ci,
            images: g.images,
            grid: &grid,
        };
        let bias = bias.map(|bias| &bias[group * g.co..][..g.co]);
        let place = Place {
            rows_of_image: g.groups * g.co,
            first_row: group * g.co,
            plane: area,
            origin: 0,
            down: grid.size[1],
            right: 1,
        };
        if scatter::pays::<T>(g.co, g.ci, grid.plane) {
            let taps = g.area();
            let weights: Vec<_> =
                (0..g.co * depth).map(|i| w[i / depth * depth + i % g.ci * taps + i % depth / g.ci]).collect();
            scattered(&weights, g.co, &patches, &[Share { grid: &grid, place }], bias, &out);
            continue;
        }
        let cut = Cut::of::<T>(g.co, &patches);
        let row = |r: usize, k: usize, line: &mut [T]| line.copy_from_slice(&w[r * depth + k..][..line.len()]);
        product(&Panels::pack(g.co, depth, cut.deepest, row), g.co, &patches, cut, bias, &out, place);
    }
    // SAFETY: the products of all groups have written all rows of all images.
    #[allow(unsafe_code)]
    unsafe {
        y.set_len(len);
    }
    y
}
