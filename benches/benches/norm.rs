//! Normalisations, at the sizes of ResNet, U-Net and a small transformer.
#![allow(clippy::print_stderr, reason = "a bench reports to whoever runs it")]

mod common;

use common::both;
use criterion::Criterion;
use pleach_ops::*;

fn benches(c: &mut Criterion) {
    let image: &[&[usize]] = &[&[8, 64, 56, 56], &[64], &[64]];
    both(c, "batch_norm and rectifier", image, |v| {
        Ok(batch_norm_train(&v[0], Some(&v[1]), Some(&v[2]), 1e-5, Then::Relu)?.y)
    });
    both(c, "group_norm", image, |v| group_norm(&v[0], 8, Some(&v[1]), Some(&v[2]), 1e-5));
    both(c, "group_norm and rectifier", image, |v| {
        group_norm_then(&v[0], 8, Some(&v[1]), Some(&v[2]), 1e-5, Then::Relu)
    });
    both(c, "instance_norm", image, |v| instance_norm(&v[0], Some(&v[1]), Some(&v[2]), 1e-5));
    let words: &[&[usize]] = &[&[1024, 256], &[256], &[256]];
    both(c, "layer_norm", words, |v| layer_norm(&v[0], 1, Some(&v[1]), Some(&v[2]), 1e-5));
    both(c, "rms_norm", &words[..2], |v| rms_norm(&v[0], 1, Some(&v[1]), None));
}

fn main() {
    common::run(benches);
}
