//! Bad input is an error that names the operation and the shapes; odd input gives the right numbers.

use crate::common::{Seed, flat};
use candle_core::{DType, Device, Result, Tensor, Var};
use pleach_ops::*;

fn zeros(shape: &[usize]) -> Tensor {
    Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap()
}

fn says<T: std::fmt::Debug>(r: Result<T>, words: &[&str]) {
    let text = r.unwrap_err().to_string();
    for word in words {
        assert!(text.contains(word), "no {word} in: {text}");
    }
}

const HUGE: usize = 1 << 62;

#[test]
fn convolutions() {
    let p = Conv1d::default();
    let (x, w) = (zeros(&[2, 3, 8]), zeros(&[4, 3, 3]));
    says(conv1d(&zeros(&[3, 8]), &w, None, &p), &["conv1d", "[3, 8]", "[4, 3, 3]"]);
    says(conv1d(&x, &zeros(&[4, 2, 3]), None, &p), &["conv1d", "[4, 2, 3]", "1 groups"]);
    says(conv1d(&x, &zeros(&[4, 3, 9]), None, &p), &["conv1d", "window", "[4, 3, 9]"]);
    says(conv1d(&x, &zeros(&[4, 3, 0]), None, &p), &["conv1d", "[4, 3, 0]"]);
    says(conv1d(&x, &w, Some(&zeros(&[3])), &p), &["conv1d", "bias", "[4]", "[3]"]);
    says(conv1d(&x, &w, None, &Conv1d { groups: 0, ..p }), &["conv1d", "0 groups"]);
    for bad in [Conv1d { stride: 0, ..p }, Conv1d { dilation: 0, ..p }, Conv1d { dilation: HUGE, ..p }] {
        says(conv1d(&x, &w, None, &bad), &["conv1d", "window"]);
    }
    says(conv1d(&x, &w, None, &Conv1d { padding: HUGE / 2, ..p }), &["conv1d", "counted"]);
    says(conv1d(&zeros(&[1, 3, 0]), &w, None, &p), &["conv1d", "[1, 3, 0]"]);
    let edge = Conv1d { padding: 2, padding_mode: Pad::Replicate, ..p };
    says(conv1d(&zeros(&[1, 3, 0]), &w, None, &edge), &["conv1d", "no element", "[1, 3, 0]"]);

    let t = ConvTranspose1d::default();
    says(conv_transpose1d(&x, &w, None, &t), &["conv_transpose1d", "[4, 3, 3]"]);
    let w = zeros(&[3, 4, 3]);
    says(conv_transpose1d(&x, &w, None, &ConvTranspose1d { output_padding: 1, ..t }), &["output_padding"]);
    says(conv_transpose1d(&x, &w, None, &ConvTranspose1d { padding: 9, ..t }), &["conv_transpose1d", "nothing"]);
    says(conv_transpose1d(&x, &w, None, &ConvTranspose1d { stride: HUGE, ..t }), &["conv_transpose1d"]);
    says(conv_transpose1d(&zeros(&[2, 3, 0]), &w, None, &t), &["conv_transpose1d", "[2, 3, 0]"]);
    says(conv_transpose1d(&x, &w, Some(&zeros(&[3])), &t), &["conv_transpose1d", "bias", "[4]"]);
}

#[test]
fn convolutions_of_volumes() {
    let p = Conv3d::default();
    let (x, w) = (zeros(&[1, 2, 3, 4, 4]), zeros(&[4, 2, 3, 3, 3]));
    says(conv3d(&zeros(&[2, 3, 4, 4]), &w, None, &p), &["conv3d", "[2, 3, 4, 4]"]);
    says(conv3d(&x, &zeros(&[4, 2, 4, 3, 3]), None, &p), &["conv3d", "window", "[4, 2, 4, 3, 3]"]);
    says(conv3d(&x, &w, None, &Conv3d { groups: 2, ..p }), &["conv3d", "2 groups"]);
    says(conv3d(&x, &w, None, &Conv3d { padding: [HUGE, 0, 0], ..p }), &["conv3d"]);
    says(conv3d(&x, &w, None, &Conv3d { padding: [1 << 30; 3], ..p }), &["conv3d", "counted"]);
    says(conv3d(&x, &w, Some(&zeros(&[2])), &p), &["conv3d", "bias"]);
    let edge = Conv3d { padding: [2; 3], padding_mode: Pad::Replicate, ..p };
    says(conv3d(&zeros(&[1, 2, 0, 4, 4]), &w, None, &edge), &["conv3d", "[1, 2, 0, 4, 4]"]);
    let double = w.to_dtype(DType::F64).unwrap();
    says(conv3d(&x, &double, None, &p), &["conv3d", "F64", "F32"]);
    assert_eq!(conv3d(&zeros(&[0, 2, 3, 4, 4]), &w, None, &p).unwrap().dims(), [0, 4, 1, 2, 2]);

    let t = ConvTranspose3d::default();
    says(conv_transpose3d(&x, &w, None, &t), &["conv_transpose3d", "[4, 2, 3, 3, 3]"]);
    let w = zeros(&[2, 4, 3, 3, 3]);
    says(conv_transpose3d(&x, &w, None, &ConvTranspose3d { padding: [9, 0, 0], ..t }), &["nothing"]);
    says(conv_transpose3d(&x, &w, None, &ConvTranspose3d { output_padding: [1, 0, 0], ..t }), &["output_padding"]);
    says(conv_transpose3d(&x, &w, None, &ConvTranspose3d { stride: [1 << 30; 3], ..t }), &["counted"]);
    assert_eq!(conv_transpose3d(&zeros(&[0, 2, 3, 4, 4]), &w, None, &t).unwrap().dims(), [0, 4, 5, 6, 6]);
}

#[test]
fn attentions() {
    let op = "scaled_dot_product_attention";
    let plain = Attention::default();
    let (q, k, v) = (zeros(&[2, 3, 4]), zeros(&[2, 5, 4]), zeros(&[2, 5, 6]));
    let attend = |q: &Tensor, k: &Tensor, v: &Tensor| scaled_dot_product_attention(q, k, v, &plain);
    says(attend(&zeros(&[4]), &k, &v), &[op, "[4]", "[2, 5, 4]"]);
    says(attend(&q, &zeros(&[2, 5, 3]), &v), &[op, "[2, 3, 4]", "[2, 5, 3]"]);
    says(attend(&q, &k, &zeros(&[2, 4, 6])), &[op, "[2, 5, 4]", "[2, 4, 6]"]);
    says(attend(&q, &zeros(&[3, 5, 4]), &v), &[op, "[3, 5, 4]"]);
    says(attend(&zeros(&[2, 3, 0]), &zeros(&[2, 5, 0]), &v), &[op, "[2, 3, 0]"]);
    says(attend(&q, &k.to_dtype(DType::F64).unwrap(), &v), &[op, "F64", "F32"]);
    let with = |mask: &Tensor| {
        scaled_dot_product_attention(&q, &k, &v, &Attention { mask: Some(mask), ..Attention::default() })
    };
    says(with(&zeros(&[3, 4])), &[op, "mask", "[3, 4]", "[2, 3, 4]"]);
    says(with(&zeros(&[1, 2, 3, 5])), &[op, "mask", "[1, 2, 3, 5]"]);
    says(with(&zeros(&[3, 5]).to_dtype(DType::F64).unwrap()), &[op, "mask", "F64"]);
    let mask = zeros(&[3, 5]);
    let both = Attention { mask: Some(&mask), is_causal: true, scale: None };
    says(scaled_dot_product_attention(&q, &k, &v, &both), &[op, "is_causal", "[3, 5]"]);
    // No queries, no matrices: nothing. No keys: a query that sees nothing.
    assert_eq!(attend(&zeros(&[2, 0, 4]), &k, &v).unwrap().dims(), [2, 0, 6]);
    assert_eq!(attend(&zeros(&[0, 3, 4]), &zeros(&[0, 5, 4]), &zeros(&[0, 5, 6])).unwrap().dims(), [0, 3, 6]);
    let none = attend(&q, &zeros(&[2, 0, 4]), &zeros(&[2, 0, 6])).unwrap();
    assert_eq!(flat(&none), vec![0.0; 36]);
}

#[test]
fn a_query_that_sees_nothing_gives_zeros_and_moves_nothing() {
    let mut seed = Seed(3);
    let [q, k, v] = [[2, 3], [4, 3], [4, 3]].map(|s| Var::from_tensor(&seed.tensor(&s)).unwrap());
    let mask = Tensor::from_slice(&[1u8, 1, 1, 1, 0, 0, 0, 0], (2, 4), &Device::Cpu).unwrap();
    let p = Attention { mask: Some(&mask), ..Attention::default() };
    let y = scaled_dot_product_attention(&q, &k, &v, &p).unwrap();
    assert_eq!(flat(&y)[3..], [0.0; 3]);
    let grads = y.sum_all().unwrap().backward().unwrap();
    assert_eq!(flat(grads.get(&q).unwrap())[3..], [0.0; 3]);
    assert!(flat(grads.get(&k).unwrap()).iter().chain(&flat(grads.get(&v).unwrap())).all(|g| g.is_finite()));
}

#[test]
fn scores_of_any_size_stay_finite_and_nan_is_seen() {
    let q = Tensor::from_slice(&[1e4f32, -1e4, 3e4], (3, 1), &Device::Cpu).unwrap();
    let k = Var::from_tensor(&Tensor::from_slice(&[1e4f32, -1e4], (2, 1), &Device::Cpu).unwrap()).unwrap();
    let v = Tensor::from_slice(&[1f32, 2.0], (2, 1), &Device::Cpu).unwrap();
    let y = scaled_dot_product_attention(&q, &k, &v, &Attention::default()).unwrap();
    assert_eq!(flat(&y), [1.0, 2.0, 1.0]);
    let grads = y.sum_all().unwrap().backward().unwrap();
    assert!(flat(grads.get(&k).unwrap()).iter().all(|g| g.is_finite()));

    let q = Tensor::from_slice(&[f32::NAN, 1.0], (2, 1), &Device::Cpu).unwrap();
    let y = flat(&scaled_dot_product_attention(&q, &v, &v, &Attention::default()).unwrap());
    assert!(y[0].is_nan() && y[1].is_finite());
}

#[test]
fn views_that_repeat_are_read_where_they_lie() {
    let mut seed = Seed(8);
    let (q, k) = (seed.tensor(&[2, 3, 4, 5]), seed.tensor(&[1, 3, 6, 5]));
    let (v, bias) = (seed.tensor(&[6, 2]), seed.tensor(&[3, 1, 6]));
    let whole = |t: &Tensor, shape: [usize; 4]| t.broadcast_as(&shape[..]).unwrap().contiguous().unwrap();
    let (wide_k, wide_v) = (whole(&k, [2, 3, 6, 5]), whole(&v, [2, 3, 6, 2]));
    let wide_bias = whole(&bias, [2, 3, 4, 6]);
    let with = |k: &Tensor, v: &Tensor, mask: &Tensor| {
        let p = Attention { mask: Some(mask), ..Attention::default() };
        flat(&scaled_dot_product_attention(&q, k, v, &p).unwrap())
    };
    let want = with(&wide_k, &wide_v, &wide_bias);
    assert_eq!(with(&k, &v, &bias), want);
    assert_eq!(with(&k, &v, &bias.broadcast_as((2, 3, 4, 6)).unwrap()), want);
    let turned = wide_bias.transpose(2, 3).unwrap().contiguous().unwrap().transpose(2, 3).unwrap();
    assert_eq!(with(&k, &v, &turned), want);

    let table = seed.tensor(&[4]).broadcast_as((3, 4)).unwrap();
    let rows = Tensor::from_slice(&[2u8, 0], 2, &Device::Cpu).unwrap();
    assert_eq!(flat(&embedding(&rows, &table, None).unwrap()), flat(&table.narrow(0, 0, 2).unwrap()));
}

#[test]
fn embeddings() {
    let table = zeros(&[4, 3]);
    let at = |i: &[i64]| Tensor::from_slice(i, i.len(), &Device::Cpu).unwrap();
    says(embedding(&at(&[0, 4]), &table, None), &["embedding", "index 4", "[2]", "[4, 3]"]);
    says(embedding(&at(&[-1]), &table, None), &["embedding", "index -1"]);
    says(embedding(&at(&[0]), &zeros(&[4]), None), &["embedding", "[4]"]);
    says(embedding(&at(&[0]), &table, Some(4)), &["embedding", "padding_idx 4", "[4, 3]"]);
    says(embedding(&table, &table, None), &["embedding", "indices", "F32"]);
    says(embedding(&at(&[0]), &table.to_dtype(DType::I64).unwrap(), None), &["embedding", "I64"]);
    assert_eq!(embedding(&at(&[]), &table, None).unwrap().dims(), [0, 3]);
    assert_eq!(embedding(&at(&[1]), &zeros(&[4, 0]), None).unwrap().dims(), [1, 0]);
}

#[test]
fn cells_and_norms() {
    let (x, h, ih, hh) = (zeros(&[2, 3]), zeros(&[2, 5]), zeros(&[20, 3]), zeros(&[20, 5]));
    let cell = LstmCell { weight_ih: &ih, weight_hh: &hh, bias_ih: None, bias_hh: None };
    says(lstm_cell(&zeros(&[3]), &h, &h, &cell), &["lstm_cell", "[3]", "[2, 5]"]);
    says(lstm_cell(&x, &zeros(&[1, 5]), &h, &cell), &["lstm_cell", "h of shape", "[2, 5]", "[1, 5]"]);
    says(lstm_cell(&x, &h, &zeros(&[2, 4]), &cell), &["lstm_cell", "c of shape", "[2, 4]"]);
    says(lstm_cell(&x, &h, &h, &LstmCell { weight_ih: &hh, ..cell }), &["lstm_cell", "weight_ih", "[20, 3]"]);
    says(lstm_cell(&x, &h, &h, &LstmCell { bias_hh: Some(&x), ..cell }), &["lstm_cell", "bias_hh", "[20]"]);
    says(lstm_cell(&zeros(&[2, 0]), &h, &h, &cell), &["lstm_cell", "[2, 0]"]);
    let empty = lstm_cell(&zeros(&[0, 3]), &zeros(&[0, 5]), &zeros(&[0, 5]), &cell).unwrap();
    assert_eq!((empty.0.dims(), empty.1.dims()), (&[0, 5][..], &[0, 5][..]));

    says(rms_norm(&x, 3, None, None), &["rms_norm", "3 last", "[2, 3]"]);
    says(rms_norm(&x, 1, Some(&zeros(&[2])), None), &["rms_norm", "weight", "[3]", "[2]"]);
    says(rms_norm(&zeros(&[2, 0]), 1, None, None), &["rms_norm", "[2, 0]"]);
    says(rms_norm(&x.to_dtype(DType::I64).unwrap(), 1, None, None), &["rms_norm", "I64"]);
    assert_eq!(rms_norm(&zeros(&[0, 3]), 1, None, None).unwrap().dims(), [0, 3]);
    assert_eq!(flat(&rms_norm(&x, 1, None, None).unwrap()), [0.0; 6]);
}
