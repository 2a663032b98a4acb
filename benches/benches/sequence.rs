//! Products, attention, embeddings and cells, at the sizes of a small transformer.
#![allow(clippy::print_stderr, reason = "a bench reports to whoever runs it")]

mod common;

use candle_core::{Device, Tensor};
use common::both;
use criterion::Criterion;
use pleach_ops::*;

fn benches(c: &mut Criterion) {
    both(c, "linear", &[&[1024, 256], &[1024, 256], &[1024]], |v| linear(&v[0], &v[1], Some(&v[2])));
    both(c, "matmul", &[&[32, 128, 64], &[32, 64, 128]], |v| matmul(&v[0], &v[1]));
    both(c, "matmul, broadcast", &[&[32, 128, 64], &[64, 128]], |v| matmul(&v[0], &v[1]));
    let heads: &[usize] = &[8, 4, 128, 64];
    both(c, "attention", &[heads, heads, heads], |v| {
        scaled_dot_product_attention(&v[0], &v[1], &v[2], &Attention::default())
    });
    for (name, rows) in [("embedding of many rows", 30_000u32), ("embedding of few rows", 64)] {
        let indices: Vec<u32> = (0..16_384u32).map(|i| i.wrapping_mul(2_654_435_761) % rows).collect();
        both(c, name, &[&[rows as usize, 256]], |v| {
            embedding(&Tensor::from_slice(&indices, (128, 128), &Device::Cpu)?, &v[0], None)
        });
    }
    let shapes: [&[usize]; 5] = [&[64, 128], &[64, 256], &[64, 256], &[1024, 128], &[1024, 256]];
    both(c, "lstm_cell", &shapes, |v| {
        let cell = LstmCell { weight_ih: &v[3], weight_hh: &v[4], bias_ih: None, bias_hh: None };
        lstm_cell(&v[0], &v[1], &v[2], &cell).and_then(|(h, c)| h + c)
    });
}

fn main() {
    common::run(benches);
}
