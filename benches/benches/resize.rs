//! Resizing, padding, sampling and patches.
#![allow(clippy::print_stderr, reason = "a bench reports to whoever runs it")]

mod common;

use common::both;
use criterion::Criterion;
use pleach_ops::*;

fn benches(c: &mut Criterion) {
    let image: &[&[usize]] = &[&[4, 32, 64, 64]];
    both(c, "nearest to twice the size", image, |v| upsample_nearest2d(&v[0], [128, 128]));
    both(c, "nearest to any size", image, |v| upsample_nearest2d(&v[0], [150, 97]));
    both(c, "bilinear to twice the size", image, |v| upsample_bilinear2d(&v[0], [128, 128], Corners::Edges));
    both(c, "bicubic to twice the size", image, |v| {
        interpolate(&v[0], Size::To([128, 128]), Interpolation::Bicubic(Corners::Edges))
    });
    both(c, "trilinear to twice the size", &[&[1, 8, 24, 32, 32]], |v| {
        interpolate3d(&v[0], [48, 64, 64], Interpolation::Bilinear(Corners::Edges))
    });
    both(c, "grid_sample", &[&[4, 16, 64, 64], &[4, 64, 64, 2]], |v| {
        grid_sample(&v[0], &v[1], Sampling::Bilinear, Outside::Zeros, Corners::Edges)
    });
    both(c, "grid_sample3d", &[&[1, 4, 32, 32, 32], &[1, 32, 32, 32, 3]], |v| {
        grid_sample3d(&v[0], &v[1], Sampling::Bilinear, Outside::Zeros, Corners::Edges)
    });
    both(c, "pad2d", &[&[4, 32, 128, 128]], |v| pad2d(&v[0], [1; 4], Pad::Replicate));
    both(c, "unfold 3x3", &[&[4, 16, 64, 64]], |v| unfold(&v[0], &Patches { padding: [1; 2], ..Patches::new(3) }));
}

fn main() {
    common::run(benches);
}
