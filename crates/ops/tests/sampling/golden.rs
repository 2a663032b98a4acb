//! Outputs and gradients against PyTorch, in f64 and in f32 (`golden/sampling.py` wrote the numbers).

use crate::common::flat;
use candle_core::{DType, Device, Result, Tensor, Var};
use pleach_ops::*;
use serde_json::Value;
use std::num::NonZeroUsize;

fn sizes<const N: usize>(v: &Value) -> [usize; N] {
    let list: Vec<usize> = serde_json::from_value(v.clone()).unwrap();
    list.try_into().unwrap()
}

fn tensor(v: &Value, dtype: DType) -> Tensor {
    let shape: Vec<usize> = serde_json::from_value(v["shape"].clone()).unwrap();
    let data: Vec<f64> = serde_json::from_value(v["data"].clone()).unwrap();
    Tensor::from_vec(data, shape, &Device::Cpu).unwrap().to_dtype(dtype).unwrap()
}

fn corners(p: &Value) -> Corners {
    if p["aligned"].as_bool().unwrap_or(false) { Corners::Centres } else { Corners::Edges }
}

fn patches(p: &Value) -> Patches {
    Patches {
        kernel: sizes(&p["kernel"]),
        stride: sizes(&p["stride"]),
        padding: sizes(&p["padding"]),
        dilation: sizes(&p["dilation"]),
    }
}

fn pool(p: &Value) -> Pool2d {
    Pool2d {
        kernel: sizes(&p["kernel"]),
        stride: sizes(&p["stride"]),
        padding: sizes(&p["padding"]),
        ceil_mode: p["ceil_mode"].as_bool().unwrap(),
    }
}

fn run(op: &str, p: &Value, x: &[Tensor]) -> Result<Tensor> {
    match op {
        "grid_sample" => {
            let how = match p["how"].as_str().unwrap() {
                "bilinear" => Sampling::Bilinear,
                "nearest" => Sampling::Nearest,
                _ => Sampling::Bicubic,
            };
            let outside = match p["outside"].as_str().unwrap() {
                "zeros" => Outside::Zeros,
                "border" => Outside::Border,
                _ => Outside::Reflection,
            };
            grid_sample(&x[0], &x[1], how, outside, corners(p))
        }
        "affine_grid" => affine_grid(&x[0], sizes(&p["size"]), corners(p)),
        "interpolate" => {
            let how = match (p["mode"].as_str().unwrap(), p["smooth"].as_bool().unwrap_or(false)) {
                ("nearest", _) => Interpolation::Nearest,
                ("nearest-exact", _) => Interpolation::NearestExact,
                ("area", _) => Interpolation::Area,
                ("bilinear", false) => Interpolation::Bilinear(corners(p)),
                ("bilinear", true) => Interpolation::SmoothBilinear(corners(p)),
                (_, false) => Interpolation::Bicubic(corners(p)),
                (_, true) => Interpolation::SmoothBicubic(corners(p)),
            };
            let size = match p.get("by") {
                Some(by) => Size::By(serde_json::from_value(by.clone()).unwrap()),
                None => Size::To(sizes(&p["size"])),
            };
            interpolate(&x[0], size, how)
        }
        "adaptive_max_pool2d" => adaptive_max_pool2d(&x[0], sizes(&p["size"])),
        "max_pool2d" => max_pool2d_dilated(&x[0], &pool(p), sizes(&p["dilation"])),
        "avg_pool2d" => {
            let divisor = NonZeroUsize::new(p["divisor"].as_u64().unwrap() as usize).unwrap();
            avg_pool2d(&x[0], &pool(p), CountPadding::Divisor(divisor))
        }
        "unfold" => unfold(&x[0], &patches(p)),
        "fold" => fold(&x[0], sizes(&p["size"]), &patches(p)),
        "pad2d" => {
            let with = match p["mode"].as_str().unwrap() {
                "reflect" => Pad::Reflect,
                "circular" => Pad::Circular,
                "replicate" => Pad::Replicate,
                _ => Pad::Zero,
            };
            pad2d(&x[0], sizes(&p["pad"]), with)
        }
        other => panic!("no operation {other}"),
    }
}

/// Element by element; the largest of a tensor is the measure, as errors come from sums of terms of that size. A tensor
/// of zeros (the gradient of a grid read by the nearest) must be one.
fn compare(what: &str, got: &Tensor, want: &Value, relative: f64) {
    let want = tensor(want, DType::F64);
    assert_eq!(got.dims(), want.dims(), "{what}: shape");
    let (got, want) = (flat(got), flat(&want));
    let scale = want.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
    for (i, (got, want)) in got.iter().zip(&want).enumerate() {
        let error = (got - want).abs();
        assert!(
            error <= relative * scale,
            "{what} at {i}: {got} for {want}, off by {:e} of the largest",
            error / scale
        );
    }
}

fn check(dtype: DType, tolerance: impl Fn(f64) -> f64) {
    let text = include_str!("../golden/sampling.json");
    let golden: Value = serde_json::from_str(text).unwrap();
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
