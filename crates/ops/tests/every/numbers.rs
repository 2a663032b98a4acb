//! What is no number, or infinite, comes out where it should and nowhere else.

use crate::common::flat;
use crate::table::{Entry, forward_and_back_with, table};
use candle_core::{DType, Device, Tensor, Var};
use pleach_ops::*;
use serde_json::Value;

fn with(t: &Tensor, at: usize, v: f64) -> Tensor {
    let mut data = flat(t);
    data[at] = v;
    Tensor::from_vec(data, t.shape(), &Device::Cpu).unwrap().to_dtype(t.dtype()).unwrap()
}

/// Which elements of `f` hang on the number that it is given, and that a NaN there reaches exactly those.
fn reaches(what: &str, exact: bool, now: f64, f: impl Fn(f64) -> Vec<f64>) {
    let (base, spoilt) = (f(now), f(f64::NAN));
    let moved: Vec<Vec<f64>> = [1e3, -1e3, now + 0.25, now - 0.25].into_iter().map(&f).collect();
    for (i, &v) in base.iter().enumerate() {
        let hangs = moved.iter().any(|m| m[i] != v);
        if hangs {
            assert!(spoilt[i].is_nan(), "{what}: element {i} swallows a NaN and is {}", spoilt[i]);
        } else if exact {
            assert_eq!(spoilt[i].to_bits(), v.to_bits(), "{what}: element {i} is touched by a NaN that is not its own");
        }
    }
}

fn places(t: &Tensor) -> impl Iterator<Item = usize> {
    (0..t.elem_count()).step_by(1 + t.elem_count() / 11)
}

fn check(e: &Entry) {
    let inputs: Vec<Tensor> = e.small().iter().map(|t| t.to_dtype(DType::F32).unwrap()).collect();
    for (i, input) in inputs.iter().enumerate() {
        let values = flat(input);
        for at in places(input) {
            let what = format!("{}, input {i} at {at}", e.name);
            reaches(&what, e.exact, values[at], |v| {
                let mut args = inputs.clone();
                args[i] = with(input, at, v);
                flat(&(e.run)(&args).unwrap())
            });
        }
    }
    let y = (e.run)(&inputs).unwrap();
    let up = crate::table::cotangent(&y);
    let values = flat(&up);
    for part in 0..inputs.len() {
        for at in places(&up) {
            let what = format!("{}, gradient of input {part} from element {at}", e.name);
            reaches(&what, e.exact, values[at], |v| {
                flat(&forward_and_back_with(e, &inputs, &with(&up, at, v)).1[part])
            });
        }
    }
}

#[test]
fn every_operation_hands_nan_on_to_what_hangs_on_it_and_to_nothing_else() {
    table().iter().for_each(check);
}

fn numbers(v: &Value) -> Tensor {
    let shape: Vec<usize> = serde_json::from_value(v["shape"].clone()).unwrap();
    let data: Vec<f32> = v["data"].as_array().unwrap().iter().map(|v| v.as_str().unwrap().parse().unwrap()).collect();
    Tensor::from_vec(data, shape, &Device::Cpu).unwrap()
}

fn run(case: &Value, x: &Tensor) -> Tensor {
    let number = |key: &str| case["params"][key].as_u64().unwrap() as usize;
    let y = match case["op"].as_str().unwrap() {
        "relu" => relu(x),
        "gelu" => gelu(x),
        "silu" => silu(x),
        "sigmoid" => sigmoid(x),
        "hardswish" => hardswish(x),
        "softmax" => softmax(x, number("dim")),
        "log_softmax" => log_softmax(x, number("dim")),
        "layer_norm" => layer_norm(x, 1, None, None, 1e-5),
        "rms_norm" => rms_norm(x, 1, None, None),
        "group_norm" => group_norm(x, 1, None, None, 1e-5),
        "max_pool2d" if number("kernel") == 2 => max_pool2d(x, &Pool2d::new(2)),
        "max_pool2d" => max_pool2d(x, &Pool2d { stride: [1; 2], padding: [1; 2], ..Pool2d::new(3) }),
        "avg_pool2d" => avg_pool2d(x, &Pool2d::new(2), CountPadding::Included),
        "adaptive_avg_pool2d" => adaptive_avg_pool2d(x, [3, 3]),
        "adaptive_max_pool2d" => adaptive_max_pool2d(x, [3, 3]),
        "upsample_nearest2d" => upsample_nearest2d(x, [3, 7]),
        "pad2d" => pad2d(x, [1, 2, 0, 1], Pad::Replicate),
        "unfold" => unfold(x, &Patches::new(2)),
        "bce_with_logits" => bce_with_logits(x, &Tensor::full(0.25f32, x.shape(), &Device::Cpu).unwrap(), None),
        other => panic!("no operation {other}"),
    };
    y.unwrap()
}

/// `golden/special.py` wrote the numbers.
#[test]
fn what_is_no_number_or_infinite_becomes_what_pytorch_makes_of_it() {
    let golden: Value = serde_json::from_str(include_str!("../golden/special.json")).unwrap();
    let mut wrong = vec![];
    for case in golden["cases"].as_array().unwrap() {
        let x = Var::from_tensor(&numbers(&case["x"])).unwrap();
        let y = run(case, x.as_tensor());
        let grads = y.sum_all().unwrap().backward().unwrap();
        for (what, got) in [("y", &y), ("grad", grads.get(x.as_tensor()).unwrap())] {
            let want = numbers(&case[what]);
            assert_eq!(got.dims(), want.dims());
            for (at, (got, want)) in flat(got).into_iter().zip(flat(&want)).enumerate() {
                // PyTorch's GELU cancels where it is small; ours does not.
                let cancelled = if case["op"] == "gelu" { 3e-7 } else { 1e-37 };
                let close = (got - want).abs() <= 1e-6 * want.abs() + cancelled;
                if !(close || got == want || got.is_nan() && want.is_nan()) {
                    wrong.push(format!("{} {}: {what} at {at}: {got} for {want}", case["op"], case["params"]));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
