//! Pools, at the sizes of ResNet's stem and of U-Net's first level.
#![allow(clippy::print_stderr, reason = "a bench reports to whoever runs it")]

mod common;

use common::both;
use criterion::Criterion;
use pleach_ops::*;

fn benches(c: &mut Criterion) {
    let stem = Pool2d { kernel: [3; 2], stride: [2; 2], padding: [1; 2], ceil_mode: false };
    both(c, "max_pool2d 3x3 stride 2", &[&[8, 64, 112, 112]], |v| max_pool2d(&v[0], &stem));
    both(c, "max_pool2d 2x2", &[&[4, 32, 128, 128]], |v| max_pool2d(&v[0], &Pool2d::new(2)));
    both(c, "avg_pool2d 2x2", &[&[4, 32, 128, 128]], |v| avg_pool2d(&v[0], &Pool2d::new(2), CountPadding::Included));
    both(c, "adaptive_avg_pool2d to 1", &[&[8, 512, 7, 7]], |v| adaptive_avg_pool2d(&v[0], [1, 1]));
    both(c, "max_pool3d 2x2x2", &[&[1, 16, 32, 64, 64]], |v| max_pool3d(&v[0], &Pool3d::new(2)));
}

fn main() {
    common::run(benches);
}
