//! Convolutions, at the sizes of the table of performance notes.
#![allow(clippy::print_stderr, reason = "a bench reports to whoever runs it")]

mod common;

use common::both;
use criterion::Criterion;
use pleach_ops::*;

fn benches(c: &mut Criterion) {
    let square = |stride, padding| Conv2d { stride: [stride; 2], padding: [padding; 2], ..Conv2d::default() };
    both(c, "conv2d 3x3", &[&[4, 64, 64, 64], &[64, 64, 3, 3]], |v| conv2d(&v[0], &v[1], None, &square(1, 1)));
    both(c, "conv2d 7x7 stride 2", &[&[4, 3, 224, 224], &[64, 3, 7, 7]], |v| conv2d(&v[0], &v[1], None, &square(2, 3)));
    both(c, "conv2d 1x1", &[&[8, 256, 28, 28], &[64, 256, 1, 1]], |v| conv2d(&v[0], &v[1], None, &square(1, 0)));
    both(c, "conv2d depthwise", &[&[4, 96, 56, 56], &[96, 1, 3, 3]], |v| {
        conv2d(&v[0], &v[1], None, &Conv2d { groups: 96, ..square(1, 1) })
    });
    both(c, "conv_transpose2d 2x2", &[&[4, 128, 32, 32], &[128, 64, 2, 2]], |v| {
        conv_transpose2d(&v[0], &v[1], None, &ConvTranspose2d { stride: [2; 2], ..ConvTranspose2d::default() })
    });
    both(c, "conv1d 3", &[&[8, 64, 1000], &[64, 64, 3]], |v| {
        conv1d(&v[0], &v[1], None, &Conv1d { padding: 1, ..Conv1d::default() })
    });
    both(c, "conv3d 3x3x3", &[&[1, 16, 24, 32, 32], &[16, 16, 3, 3, 3]], |v| {
        conv3d(&v[0], &v[1], None, &Conv3d { padding: [1; 3], ..Conv3d::default() })
    });
}

fn main() {
    common::run(benches);
}
