//! The gradient of the input: weights transposed times the patches of the output's gradient, one product for each residue of the
//! pixels modulo the stride.

use super::Geometry;
use super::blocked::{Cut, Output};
use super::panels::Panels;
use super::planes::{self, Phase};
use super::product::{Patches, Place, product};
use super::scatter::{self, Share, scattered};
use crate::host::Real;

pub(super) fn input_grad<T: Real>(g: &Geometry, dy: &[T], w: &[T], bias: Option<&[T]>) -> Vec<T> {
    let (taps, area) = (g.area(), g.area_in());
    let (dy, phases) = planes::of_gradient(g, dy);
    let len = g.images * g.groups * g.ci * area;
    let mut dx = Vec::new();
    let out = Output::new(&mut dx, len);
    for group in 0..g.groups {
        let w = &w[group * g.co * g.depth()..][..g.co * g.depth()];
        let bias = bias.map(|bias| &bias[group * g.ci..][..g.ci]);
        let place = |phase: &Phase| Place {
            rows_of_image: g.groups * g.ci,
            first_row: group * g.ci,
            plane: area,
            origin: phase.first[0] * g.input[1] + phase.first[1],
            down: g.stride[0] * g.input[1],
            right: g.stride[1],
        };
        let patches = |grid| Patches {
            planes: &dy,
            planes_of_image: g.groups * g.co,
            channels: group * g.co..(group + 1) * g.co,
            images: g.images,
            grid,
        };
        if let Some(phase) = phases.first().filter(|phase| scatter::pays::<T>(g.ci, g.co, phase.grid.plane)) {
            let rows =
                phases.iter().flat_map(|phase| (0..g.ci).flat_map(|r| phase.taps.iter().map(move |&tap| (r, tap))));
            let weights: Vec<_> =
                rows.flat_map(|(r, tap)| (0..g.co).map(move |c| w[(c * g.ci + r) * taps + tap])).collect();
            let shares: Vec<_> = phases.iter().map(|p| Share { grid: &p.grid, place: place(p) }).collect();
            scattered(&weights, g.ci, &patches(&phase.grid), &shares, bias, &out);
            continue;
        }
        for phase in &phases {
            let reaching = phase.taps.len();
            let patches = patches(&phase.grid);
            let cut = Cut::of::<T>(g.ci, [g.images, g.co], &phase.grid);
            let weights = Panels::pack(g.ci, g.co * reaching, cut.deepest, |r, first, line| {
                let (mut c, mut t) = (first / reaching, first % reaching);
                for to in line {
                    *to = w[(c * g.ci + r) * taps + phase.taps[t]];
                    (c, t) = if t + 1 == reaching { (c + 1, 0) } else { (c, t + 1) };
                }
            });
            product(&weights, g.ci, &patches, cut, bias, &out, place(phase));
        }
    }
    // SAFETY: each pixel has one residue, so the products of all phases and groups have written all planes.
    #[allow(unsafe_code)]
    unsafe {
        dx.set_len(len);
    }
    dx
}
