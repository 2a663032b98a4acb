//! Outputs and gradients against PyTorch, in f64 and in f32 (`golden/volumes.py` wrote the numbers).

use crate::common::flat;
use candle_core::{DType, Device, Result, Tensor, Var};
use pleach_ops::*;
use serde_json::Value;
use std::num::NonZeroUsize;

fn sizes<const N: usize>(v: &Value) -> [usize; N] {
    let list: Vec<usize> = serde_json::from_value(v.clone()).unwrap();
    list.try_into().unwrap()
}

fn number(v: &Value) -> usize {
    v.as_u64().unwrap() as usize
}

fn tensor(v: &Value, dtype: DType) -> Tensor {
    let shape: Vec<usize> = serde_json::from_value(v["shape"].clone()).unwrap();
    let data: Vec<f64> = serde_json::from_value(v["data"].clone()).unwrap();
    Tensor::from_vec(data, shape, &Device::Cpu).unwrap().to_dtype(dtype).unwrap()
}

fn corners(p: &Value) -> Corners {
    if p["aligned"].as_bool().unwrap_or(false) { Corners::Centres } else { Corners::Edges }
}

fn line(p: &Value) -> Pool1d {
    Pool1d {
        kernel: number(&p["kernel"]),
        stride: number(&p["stride"]),
        padding: number(&p["padding"]),
        dilation: number(&p["dilation"]),
        ceil_mode: p["ceil_mode"].as_bool().unwrap(),
    }
}

fn solid(p: &Value) -> Pool3d {
    Pool3d {
        kernel: sizes(&p["kernel"]),
        stride: sizes(&p["stride"]),
        padding: sizes(&p["padding"]),
        dilation: sizes(&p["dilation"]),
        ceil_mode: p["ceil_mode"].as_bool().unwrap(),
    }
}

fn count(p: &Value) -> CountPadding {
    match (p["divisor"].as_u64(), p["include"].as_bool()) {
        (Some(n), _) => CountPadding::Divisor(NonZeroUsize::new(n as usize).unwrap()),
        (_, Some(false)) => CountPadding::Excluded,
        _ => CountPadding::Included,
    }
}

fn way(p: &Value) -> Interpolation {
    match p["mode"].as_str().unwrap() {
        "nearest" => Interpolation::Nearest,
        "nearest-exact" => Interpolation::NearestExact,
        "area" => Interpolation::Area,
        _ => Interpolation::Bilinear(corners(p)),
    }
}

fn run(op: &str, p: &Value, x: &[Tensor]) -> Result<Tensor> {
    let eps = 1e-5;
    match op {
        "matmul" => matmul(&x[0], &x[1]),
        "max_pool1d" => max_pool1d(&x[0], &line(p)),
        "avg_pool1d" => avg_pool1d(&x[0], &line(p), count(p)),
        "max_pool3d" => max_pool3d(&x[0], &solid(p)),
        "avg_pool3d" => avg_pool3d(&x[0], &solid(p), count(p)),
        "adaptive_avg_pool1d" => adaptive_avg_pool1d(&x[0], number(&p["size"])),
        "adaptive_max_pool1d" => adaptive_max_pool1d(&x[0], number(&p["size"])),
        "adaptive_avg_pool3d" => adaptive_avg_pool3d(&x[0], sizes(&p["size"])),
        "adaptive_max_pool3d" => adaptive_max_pool3d(&x[0], sizes(&p["size"])),
        "max_unpool2d" => {
            let places: Vec<i64> = serde_json::from_value(p["indices"].clone()).unwrap();
            max_unpool2d(&x[0], &Tensor::from_vec(places, x[0].shape(), &Device::Cpu)?, sizes(&p["size"]))
        }
        "interpolate1d" => interpolate1d(&x[0], number(&p["size"]), way(p)),
        "interpolate3d" => interpolate3d(&x[0], sizes(&p["size"]), way(p)),
        "grid_sample3d" => {
            let how = if p["how"] == "nearest" { Sampling::Nearest } else { Sampling::Bilinear };
            let outside = match p["outside"].as_str().unwrap() {
                "zeros" => Outside::Zeros,
                "border" => Outside::Border,
                _ => Outside::Reflection,
            };
            grid_sample3d(&x[0], &x[1], how, outside, corners(p))
        }
        "affine_grid3d" => affine_grid3d(&x[0], sizes(&p["size"]), corners(p)),
        "group_norm_then" => group_norm_then(&x[0], 2, Some(&x[1]), Some(&x[2]), eps, Then::Relu),
        "instance_norm_then" => instance_norm_then(&x[0], Some(&x[1]), Some(&x[2]), eps, Then::Relu),
        "layer_norm_then" => layer_norm_then(&x[0], 1, Some(&x[1]), Some(&x[2]), eps, Then::Relu),
        other => panic!("no operation {other}"),
    }
}

/// The largest of a tensor is the measure, as errors come from sums of terms of that size.
fn compare(what: &str, got: &Tensor, want: &Value, relative: f64) {
    let want = tensor(want, DType::F64);
    assert_eq!(got.dims(), want.dims(), "{what}: shape");
    let (got, want) = (flat(got), flat(&want));
    let scale = want.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
    for (i, (got, want)) in got.iter().zip(&want).enumerate() {
        assert!((got - want).abs() <= relative * scale, "{what} at {i}: {got} for {want}");
    }
}

fn check(dtype: DType, tolerance: impl Fn(f64) -> f64) {
    let golden: Value = serde_json::from_str(include_str!("../golden/volumes.json")).unwrap();
    for (i, case) in golden["cases"].as_array().unwrap().iter().enumerate() {
        let op = case["op"].as_str().unwrap();
        let what = format!("{op}, case {i} in {dtype:?} ({})", case["params"]);
        let relative = tolerance(case["terms"].as_f64().unwrap());
        let inputs = case["inputs"].as_array().unwrap().iter();
        let vars: Vec<Var> = inputs.map(|v| Var::from_tensor(&tensor(v, dtype)).unwrap()).collect();
        let args: Vec<Tensor> = vars.iter().map(|v| v.as_tensor().clone()).collect();
        let y = run(op, &case["params"], &args).unwrap_or_else(|e| panic!("{what}: {e}"));
        compare(&format!("{what}, output"), &y, &case["output"], relative);
        let loss = (&y * tensor(&case["cotangent"], dtype)).unwrap().sum_all().unwrap();
        let grads = loss.backward().unwrap();
        for (g, (var, want)) in vars.iter().zip(case["grads"].as_array().unwrap()).enumerate() {
            compare(&format!("{what}, gradient {g}"), grads.get(var.as_tensor()).unwrap(), want, relative);
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
