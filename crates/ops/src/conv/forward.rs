//! The forward pass: weights times the patches of the image.

use super::Geometry;
use super::blocked::{Cut, Output};
use super::panels::Panels;
use super::planes::{self, Grid};
use super::product::{Patches, Place, product};
use super::scatter::{self, Share, scattered};
use crate::host::Real;
use pleach_simd::par_each;

pub(super) fn forward<T: Real>(g: &Geometry, x: &[T], w: &[T], bias: Option<&[T]>) -> Vec<T> {
    let (depth, area) = (g.depth(), g.area_out());
    let layout = planes::of_windows(g);
    let grid = &layout.grid;
    let len = g.images * g.groups * g.co * area;
    let mut y = Vec::new();
    let out = Output::new(&mut y, len);
    let place = |first_row| Place {
        rows_of_image: g.groups * g.co,
        first_row,
        plane: area,
        origin: 0,
        down: grid.size[1],
        right: 1,
    };
    let panels = |w: &[T], deepest| {
        Panels::pack(g.co, depth, deepest, |r, k, line| line.copy_from_slice(&w[r * depth + k..][..line.len()]))
    };
    let few = scatter::pays::<T>(g.co, g.ci, grid.plane);
    let cut = Cut::of::<T>(g.co, [g.images, g.ci], grid);
    let apart = g.groups == 1 && layout.copies() && !few;
    if let Some(cut) = cut.of_image().filter(|_| apart) {
        // The task of an image makes its planes.
        let weights = panels(w, cut.deepest);
        par_each(g.images, |image| {
            let planes = layout.planes_here(x, image, g.ci);
            product(&weights, g.co, &patches(g, grid, &planes, 0, 1), cut, bias, &out, place(image * g.co));
        });
    } else {
        let planes = layout.planes(x);
        for group in 0..g.groups {
            let w = &w[group * g.co * depth..][..g.co * depth];
            let bias = bias.map(|bias| &bias[group * g.co..][..g.co]);
            let (patches, place) = (patches(g, grid, &planes, group, g.images), place(group * g.co));
            if few {
                let taps = g.area();
                let weights: Vec<_> =
                    (0..g.co * depth).map(|i| w[i / depth * depth + i % g.ci * taps + i % depth / g.ci]).collect();
                scattered(&weights, g.co, &patches, &[Share { grid, place }], bias, &out);
            } else {
                product(&panels(w, cut.deepest), g.co, &patches, cut, bias, &out, place);
            }
        }
    }
    // SAFETY: the products of all groups have written all rows of all images.
    #[allow(unsafe_code)]
    unsafe {
        y.set_len(len);
    }
    y
}

/// The patches of a group of channels of some images.
fn patches<'a, T>(g: &Geometry, grid: &'a Grid, planes: &'a [T], group: usize, images: usize) -> Patches<'a, T> {
    let channels = group * g.ci..(group + 1) * g.ci;
    Patches { planes, planes_of_image: g.groups * g.ci, channels, images, grid }
}
