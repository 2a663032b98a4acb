//! PyTorch's outputs and gradients, in f64 and in f32 (`../golden/sequences.py` wrote the numbers).

use crate::common::flat;
use candle_core::{DType, Device, Result, Tensor, Var};
use pleach_ops::*;
use serde_json::Value;

fn sizes<const N: usize>(v: &Value) -> [usize; N] {
    let list: Vec<usize> = serde_json::from_value(v.clone()).unwrap();
    list.try_into().unwrap()
}

fn tensor(v: &Value, dtype: DType) -> Tensor {
    let shape: Vec<usize> = serde_json::from_value(v["shape"].clone()).unwrap();
    let data: Vec<f64> =
        v["data"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap_or(f64::NEG_INFINITY)).collect();
    Tensor::from_vec(data, shape, &Device::Cpu).unwrap().to_dtype(dtype).unwrap()
}

/// A mask of nested lists.
fn mask(v: &Value) -> Option<Tensor> {
    let (mut shape, mut all) = (Vec::new(), vec![v]);
    while let Some(list) = all.first()?.as_array() {
        shape.push(list.len());
        all = all.iter().flat_map(|v| v.as_array().unwrap()).collect();
    }
    let data = all.iter().map(|v| v.as_bool().map(u8::from)).collect::<Option<Vec<u8>>>()?;
    Some(Tensor::from_vec(data, shape, &Device::Cpu).unwrap())
}

fn mode(p: &Value) -> Pad {
    if p["mode"] == "replicate" { Pad::Replicate } else { Pad::Zero }
}

fn run(op: &str, p: &Value, x: &[Tensor]) -> Result<Vec<Tensor>> {
    let groups = p["groups"].as_u64().unwrap_or_default() as usize;
    macro_rules! conv {
        ($type:ident, $pick:expr, $($more:ident = $value:expr),*) => {
            $type {
                stride: $pick(&p["stride"]),
                padding: $pick(&p["padding"]),
                dilation: $pick(&p["dilation"]),
                groups,
                $($more: $value),*
            }
        };
    }
    let one = |v: &Value| sizes::<1>(v)[0];
    let y = match op {
        "conv1d" => conv1d(&x[0], &x[1], x.get(2), &conv!(Conv1d, one, padding_mode = mode(p))),
        "conv2d" => conv2d_padded(&x[0], &x[1], x.get(2), &conv!(Conv2d, sizes,), mode(p)),
        "conv3d" => conv3d(&x[0], &x[1], x.get(2), &conv!(Conv3d, sizes, padding_mode = mode(p))),
        "conv_transpose1d" => {
            let p = conv!(ConvTranspose1d, one, output_padding = one(&p["output_padding"]));
            conv_transpose1d(&x[0], &x[1], x.get(2), &p)
        }
        "conv_transpose3d" => {
            let p = conv!(ConvTranspose3d, sizes, output_padding = sizes(&p["output_padding"]));
            conv_transpose3d(&x[0], &x[1], x.get(2), &p)
        }
        "scaled_dot_product_attention" => {
            let keep = mask(&p["mask"]);
            let p = Attention {
                mask: x.get(3).or(keep.as_ref()),
                is_causal: p["is_causal"].as_bool().unwrap_or_default(),
                scale: p["scale"].as_f64(),
            };
            scaled_dot_product_attention(&x[0], &x[1], &x[2], &p)
        }
        "embedding" => {
            let rows: Vec<u32> = serde_json::from_value(p["indices"].clone()).unwrap();
            let shape: Vec<usize> = serde_json::from_value(p["shape"].clone()).unwrap();
            let indices = Tensor::from_vec(rows, shape, &Device::Cpu)?;
            embedding(&indices, &x[0], p["padding_idx"].as_u64().map(|i| i as usize))
        }
        "lstm_cell" => {
            let cell = LstmCell { weight_ih: &x[3], weight_hh: &x[4], bias_ih: x.get(5), bias_hh: x.get(6) };
            let (h, c) = lstm_cell(&x[0], &x[1], &x[2], &cell)?;
            return Ok(vec![h, c]);
        }
        "rms_norm" => rms_norm(&x[0], p["dims"].as_u64().unwrap() as usize, x.get(1), p["eps"].as_f64()),
        other => panic!("no operation {other}"),
    };
    Ok(vec![y?])
}

/// Small elements are measured by the largest of the case's outputs, or of its gradients, as their errors come from sums of terms of
/// that size. (By its own size alone, PyTorch's f32 too misses the one input gradient of a cell with one input.)
fn compare(what: &str, got: &Tensor, want: &Value, scale: f64, relative: f64) {
    let want = tensor(want, DType::F64);
    assert_eq!(got.dims(), want.dims(), "{what}: shape");
    let (got, want) = (flat(got), flat(&want));
    for (i, (got, want)) in got.iter().zip(&want).enumerate() {
        let error = (got - want).abs();
        assert!(
            error <= relative * scale,
            "{what} at {i}: {got} for {want}, off by {:e} of the largest",
            error / scale
        );
    }
}

/// The largest magnitude in some tensors.
fn largest(tensors: &[Value]) -> f64 {
    tensors.iter().flat_map(|t| flat(&tensor(t, DType::F64))).fold(0.0, |m, v| m.max(v.abs()))
}

fn check(dtype: DType, tolerance: impl Fn(f64) -> f64) {
    let golden: Value = serde_json::from_str(include_str!("../golden/sequences.json")).unwrap();
    for (i, case) in golden["cases"].as_array().unwrap().iter().enumerate() {
        let op = case["op"].as_str().unwrap();
        let what = format!("{op}, case {i} in {dtype:?} ({})", case["params"]);
        let relative = tolerance(case["terms"].as_f64().unwrap());
        let list = |key: &str| case[key].as_array().unwrap();
        let vars: Vec<Var> = list("inputs").iter().map(|v| Var::from_tensor(&tensor(v, dtype)).unwrap()).collect();
        let args: Vec<Tensor> = vars.iter().map(|v| v.as_tensor().clone()).collect();
        let outputs = run(op, &case["params"], &args).unwrap_or_else(|e| panic!("{what}: {e}"));
        assert_eq!(outputs.len(), list("outputs").len());
        let mut loss = Tensor::zeros((), dtype, &Device::Cpu).unwrap();
        for (o, (got, want)) in outputs.iter().zip(list("outputs")).enumerate() {
            compare(&format!("{what}, output {o}"), got, want, largest(list("outputs")), relative);
            let part = (got * tensor(&list("cotangents")[o], dtype)).unwrap().sum_all().unwrap();
            loss = (loss + part).unwrap();
        }
        let grads = loss.backward().unwrap();
        for (g, (var, want)) in vars.iter().zip(list("grads")).enumerate() {
            let got = grads.get(var.as_tensor()).unwrap_or_else(|| panic!("{what}: no gradient {g}"));
            compare(&format!("{what}, gradient {g}"), got, want, largest(list("grads")), relative);
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
