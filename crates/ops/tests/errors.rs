//! What does not fit is an error that names the operation and the shapes.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use candle_core::{DType, Device, Result, Tensor};
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

#[test]
fn shapes() {
    let (x, w) = (zeros(&[2, 3, 8, 8]), zeros(&[4, 3, 3, 3]));
    let p = Conv2d::default();
    says(conv2d(&zeros(&[3, 8, 8]), &w, None, &p), &["conv2d", "[3, 8, 8]"]);
    says(conv2d(&x, &zeros(&[4, 2, 3, 3]), None, &p), &["conv2d", "[2, 3, 8, 8]", "[4, 2, 3, 3]"]);
    says(conv2d(&x, &zeros(&[4, 3, 9, 3]), None, &p), &["conv2d", "fits"]);
    says(conv2d(&x, &w, Some(&zeros(&[3])), &p), &["conv2d", "bias", "[4]", "[3]"]);
    says(conv2d(&x, &w, None, &Conv2d { groups: 0, ..p }), &["conv2d", "0 groups"]);
    says(conv2d(&x, &w, None, &Conv2d { stride: [0, 1], ..p }), &["conv2d"]);

    let t = ConvTranspose2d::default();
    says(conv_transpose2d(&x, &w, None, &t), &["conv_transpose2d", "[4, 3, 3, 3]"]);
    let much = ConvTranspose2d { output_padding: [1, 1], ..t };
    says(conv_transpose2d(&x, &zeros(&[3, 4, 3, 3]), None, &much), &["output_padding"]);
    let cut = ConvTranspose2d { padding: [9, 9], ..t };
    says(conv_transpose2d(&x, &zeros(&[3, 4, 3, 3]), None, &cut), &["conv_transpose2d", "padding"]);

    says(linear(&zeros(&[2, 5]), &zeros(&[3, 4]), None), &["linear", "[2, 5]", "[3, 4]"]);
    says(max_pool2d(&x, &Pool2d::new(9)), &["max_pool2d"]);
    says(max_pool2d(&x, &Pool2d { padding: [2, 2], ..Pool2d::new(3) }), &["max_pool2d", "half"]);
    says(avg_pool2d(&x, &Pool2d::new(0), CountPadding::Included), &["avg_pool2d"]);
    says(adaptive_avg_pool2d(&x, [0, 1]), &["adaptive_avg_pool2d"]);
    says(upsample_nearest2d(&x, [0, 1]), &["upsample_nearest2d"]);
    says(upsample_bilinear2d(&zeros(&[1, 1, 0, 3]), [2, 1], Corners::Edges), &["upsample_bilinear2d"]);
    says(batch_norm_train(&zeros(&[1, 3]), None, None, 1e-5, Then::Identity), &["batch_norm", "more than one"]);
    says(batch_norm_train(&x, Some(&zeros(&[4])), None, 1e-5, Then::Identity), &["batch_norm", "weight", "[3]"]);
    says(batch_norm(&x, &zeros(&[4]), &zeros(&[3]), None, None, 1e-5, Then::Identity), &["batch_norm", "mean"]);
    says(layer_norm(&x, 5, None, None, 1e-5), &["layer_norm"]);
    says(layer_norm(&x, 1, Some(&zeros(&[4])), None, 1e-5), &["layer_norm", "weight", "[8]", "[4]"]);
    says(group_norm(&x, 2, None, None, 1e-5), &["group_norm", "2 groups"]);
    says(instance_norm(&zeros(&[2]), None, None, 1e-5), &["instance_norm", "[2]"]);
    says(pad2d(&zeros(&[1, 1, 0, 3]), [1, 1, 1, 1], Pad::Replicate), &["pad2d"]);
    says(dropout(&x, 1.5, || 0.0), &["dropout", "1.5"]);
    says(softmax(&x, 4), &["softmax"]);
    says(bce_with_logits(&x, &w, None), &["bce_with_logits", "[2, 3, 8, 8]", "[4, 3, 3, 3]"]);
    says(bce_with_logits(&x, &x, Some(&zeros(&[5]))), &["bce_with_logits", "pos_weight", "[5]"]);
}

#[test]
fn element_types() {
    let whole = zeros(&[1, 1, 4, 4]).to_dtype(DType::I64).unwrap();
    says(relu(&whole), &["relu", "I64"]);
    says(max_pool2d(&whole, &Pool2d::new(2)), &["max_pool2d", "I64"]);
    let half = zeros(&[1, 1, 4, 4]).to_dtype(DType::F16).unwrap();
    let (x, w) = (zeros(&[1, 1, 4, 4]), zeros(&[1, 1, 2, 2]));
    says(conv2d(&half, &w, None, &Conv2d::default()), &["conv2d", "F16", "F32"]);
    let w = w.to_dtype(DType::F64).unwrap();
    says(conv2d(&x, &w, None, &Conv2d::default()), &["conv2d", "F64", "F32"]);
}

#[test]
fn logits_of_any_size_stay_finite() {
    let x = Tensor::from_slice(&[100f32, -100.0, 1e30, -1e30], 4, &Device::Cpu).unwrap();
    for target in [0f32, 1.0] {
        let t = Tensor::full(target, 4, &Device::Cpu).unwrap();
        let x = candle_core::Var::from_tensor(&x).unwrap();
        let y = bce_with_logits(x.as_tensor(), &t, None).unwrap();
        let grads = y.backward().unwrap();
        for t in [&y, grads.get(x.as_tensor()).unwrap()] {
            assert!(t.to_vec1::<f32>().unwrap().iter().all(|v| v.is_finite()), "{t}");
        }
    }
}
