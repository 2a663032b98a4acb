//! Activations, softmax, dropout and the binary cross-entropy.
#![allow(clippy::print_stderr, reason = "a bench reports to whoever runs it")]

mod common;

use common::both;
use criterion::Criterion;
use pleach_ops::*;

fn benches(c: &mut Criterion) {
    let image: &[&[usize]] = &[&[8, 64, 56, 56]];
    both(c, "relu", image, |v| relu(&v[0]));
    both(c, "gelu", image, |v| gelu(&v[0]));
    both(c, "silu", image, |v| silu(&v[0]));
    both(c, "sigmoid", image, |v| sigmoid(&v[0]));
    both(c, "hardswish", image, |v| hardswish(&v[0]));
    both(c, "softmax over channels", &[&[8, 21, 256, 256]], |v| softmax(&v[0], 1));
    both(c, "log_softmax over channels", &[&[8, 21, 256, 256]], |v| log_softmax(&v[0], 1));
    both(c, "softmax over rows", &[&[8, 4, 128, 128]], |v| softmax(&v[0], 3));
    both(c, "dropout", image, |v| {
        let mut state = 1u32;
        dropout(&v[0], 0.5, || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 24) as f32
        })
    });
    both(c, "bce_with_logits", &[&[8, 1, 352, 352], &[8, 1, 352, 352]], |v| bce_with_logits(&v[0], &v[1], None));
    both(c, "relu in bf16", image, |v| relu(&v[0].to_dtype(candle_core::DType::BF16)?));
}

fn main() {
    common::run(benches);
}
