//! Every operation against PyTorch: outputs and gradients, in f64 and in f32 (`golden/make.py` wrote the numbers).
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use candle_core::{DType, Device, Result, Tensor, Var};
use pleach_ops::*;
use serde_json::Value;

fn sizes<const N: usize>(v: &Value) -> [usize; N] {
    let list: Vec<usize> = serde_json::from_value(v.clone()).unwrap();
    list.try_into().unwrap()
}

fn tensor(v: &Value, dtype: DType) -> Tensor {
    let shape: Vec<usize> = serde_json::from_value(v["shape"].clone()).unwrap();
    let data: Vec<f64> = serde_json::from_value(v["data"].clone()).unwrap();
    let t = Tensor::from_vec(data, shape, &Device::Cpu).unwrap();
    t.to_dtype(dtype).unwrap()
}

fn flag(v: &Value) -> bool {
    v.as_bool().unwrap()
}

fn pool(p: &Value) -> Pool2d {
    Pool2d {
        kernel: sizes(&p["kernel"]),
        stride: sizes(&p["stride"]),
        padding: sizes(&p["padding"]),
        ceil_mode: flag(&p["ceil_mode"]),
    }
}

/// The outputs of operation `op`; only the first has gradients.
fn run(op: &str, p: &Value, x: &[Tensor]) -> Result<Vec<Tensor>> {
    let number = |key: &str| p[key].as_u64().unwrap() as usize;
    let eps = p["eps"].as_f64().unwrap_or_default();
    let y = match op {
        "conv2d" => {
            let p = Conv2d {
                stride: sizes(&p["stride"]),
                padding: sizes(&p["padding"]),
                dilation: sizes(&p["dilation"]),
                groups: number("groups"),
            };
            conv2d(&x[0], &x[1], x.get(2), &p)
        }
        "conv_transpose2d" => {
            let p = ConvTranspose2d {
                stride: sizes(&p["stride"]),
                padding: sizes(&p["padding"]),
                output_padding: sizes(&p["output_padding"]),
                dilation: sizes(&p["dilation"]),
                groups: number("groups"),
            };
            conv_transpose2d(&x[0], &x[1], x.get(2), &p)
        }
        "linear" => linear(&x[0], &x[1], x.get(2)),
        "max_pool2d" => max_pool2d(&x[0], &pool(p)),
        "avg_pool2d" => {
            let count = if flag(&p["include"]) { CountPadding::Included } else { CountPadding::Excluded };
            avg_pool2d(&x[0], &pool(p), count)
        }
        "adaptive_avg_pool2d" => adaptive_avg_pool2d(&x[0], sizes(&p["size"])),
        "upsample_nearest2d" => upsample_nearest2d(&x[0], sizes(&p["size"])),
        "upsample_bilinear2d" => {
            let corners = if flag(&p["aligned"]) { Corners::Centres } else { Corners::Edges };
            upsample_bilinear2d(&x[0], sizes(&p["size"]), corners)
        }
        "batch_norm_train" => {
            let out = batch_norm_train(&x[0], x.get(1), x.get(2), eps, Then::Identity)?;
            return Ok(vec![out.y, out.mean, out.var]);
        }
        "batch_norm" => batch_norm(&x[0], &x[3], &x[4], x.get(1), x.get(2), eps, Then::Identity),
        "layer_norm" => layer_norm(&x[0], number("dims"), x.get(1), x.get(2), eps),
        "group_norm" => group_norm(&x[0], number("groups"), x.get(1), x.get(2), eps),
        "instance_norm" => instance_norm(&x[0], x.get(1), x.get(2), eps),
        "relu" => relu(&x[0]),
        "gelu" => gelu(&x[0]),
        "silu" => silu(&x[0]),
        "sigmoid" => sigmoid(&x[0]),
        "hardswish" => hardswish(&x[0]),
        "softmax" => softmax(&x[0], number("dim")),
        "log_softmax" => log_softmax(&x[0], number("dim")),
        "pad2d" => {
            let with = if flag(&p["replicate"]) { Pad::Replicate } else { Pad::Zero };
            pad2d(&x[0], sizes(&p["pad"]), with)
        }
        "bce_with_logits" => bce_with_logits(&x[0], &x[1], x.get(2)),
        other => panic!("no operation {other}"),
    };
    Ok(vec![y?])
}

/// Compares element by element; small elements of a tensor are measured by its largest, as their errors
/// come from sums of terms of that size.
fn compare(what: &str, got: &Tensor, want: &Value, relative: f64) {
    let want = tensor(want, DType::F64);
    assert_eq!(got.dims(), want.dims(), "{what}: shape");
    let flat = |t: &Tensor| -> Vec<f64> {
        let t = t.to_dtype(DType::F64).unwrap();
        t.flatten_all().unwrap().to_vec1().unwrap()
    };
    let (got, want) = (flat(got), flat(&want));
    let scale = want.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
    for (i, (got, want)) in got.iter().zip(&want).enumerate() {
        assert!(
            (got - want).abs() <= relative * scale,
            "{what} at {i}: {got} for {want}, off by {:e} of the largest",
            (got - want).abs() / scale
        );
    }
}

fn check(dtype: DType, tolerance: impl Fn(f64) -> f64) {
    let text = include_str!("golden/golden.json");
    let golden: Value = serde_json::from_str(text).unwrap();
    for (i, case) in golden["cases"].as_array().unwrap().iter().enumerate() {
        let op = case["op"].as_str().unwrap();
        let what = format!("{op}, case {i} in {dtype:?} ({})", case["params"]);
        let relative = tolerance(case["terms"].as_f64().unwrap());

        let grads_wanted = case["grads"].as_array().unwrap();
        let inputs: Vec<Tensor> = (case["inputs"].as_array().unwrap().iter()).map(|v| tensor(v, dtype)).collect();
        let vars: Vec<Var> = (inputs[..grads_wanted.len()].iter()).map(|t| Var::from_tensor(t).unwrap()).collect();
        let args: Vec<Tensor> =
            (vars.iter().map(|v| v.as_tensor().clone())).chain(inputs[vars.len()..].iter().cloned()).collect();
        let outputs = run(op, &case["params"], &args).unwrap_or_else(|e| panic!("{what}: {e}"));
        for (o, (got, want)) in (outputs.iter()).zip(case["outputs"].as_array().unwrap()).enumerate() {
            compare(&format!("{what}, output {o}"), got, want, relative);
        }
        let cotangent = tensor(&case["cotangent"], dtype);
        let loss = (&outputs[0] * cotangent).unwrap().sum_all().unwrap();
        let grads = loss.backward().unwrap();
        for (g, (var, want)) in vars.iter().zip(grads_wanted).enumerate() {
            let got = grads.get(var.as_tensor()).unwrap();
            compare(&format!("{what}, gradient {g}"), got, want, relative);
        }
    }
}

#[test]
fn as_pytorch_in_f64() {
    check(DType::F64, |_| 1e-12);
}

#[test]
fn as_pytorch_in_f32() {
    // Four units in the last place for each step of a random walk over the terms of the longest sum.
    check(DType::F32, |terms| 4.0 * f64::from(f32::EPSILON) * terms.sqrt());
}
