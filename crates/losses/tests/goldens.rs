//! Values and gradients are PyTorch's, in both forms, and on what PyTorch does not survive.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use pleach_core::kinds::backend::FusedInput;
use pleach_core::{DType, Device, Loss, LossInput, Named, Plug, Target, Tensor, Var, saved};
use pleach_losses as _;
use serde_json::{Value, json};

fn cases(text: &str) -> Vec<Value> {
    serde_json::from_str::<Value>(text).unwrap()["cases"].as_array().unwrap().clone()
}

fn loss(name: &str, kwargs: &Value) -> Plug<dyn Loss> {
    let mut settings = Plug::<dyn Loss>::named(name).unwrap().saved().unwrap();
    for (key, value) in kwargs.as_object().unwrap() {
        assert!(settings.get(key).is_some(), "{name} has no `{key}`");
        settings[key] = value.clone();
    }
    saved::load(&settings).unwrap()
}

fn numbers(list: &Value) -> Vec<f64> {
    list.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

/// Value and gradient of a case.
fn differentiate(loss: &Plug<dyn Loss>, case: &Value, dtype: DType) -> pleach_core::Result<(f64, Vec<f64>)> {
    let shape: Vec<usize> = numbers(&case["shape"]).iter().map(|&d| d as usize).collect();
    let x = Var::from_tensor(
        &Tensor::from_vec(numbers(&case["logits"]), shape.as_slice(), &Device::Cpu)?.to_dtype(dtype)?,
    )?;
    let kind = loss.wants().target;
    let target = match kind {
        Target::Class => {
            let shape = [&shape[..1], &shape[2..]].concat();
            Tensor::from_vec(numbers(&case["target"]), shape, &Device::Cpu)?.to_dtype(DType::U32)?
        }
        _ => Tensor::from_vec(numbers(&case["target"]), shape, &Device::Cpu)?.to_dtype(dtype)?,
    };
    let value = loss.forward(&LossInput { prediction: &x, targets: &Named::one(kind.key(), target) })?;
    let grads = value.backward()?;
    let grad = grads.get(&x).expect("a gradient").to_dtype(DType::F64)?.flatten_all()?.to_vec1()?;
    Ok((value.to_dtype(DType::F64)?.to_scalar()?, grad))
}

fn fused(loss: &Plug<dyn Loss>, case: &Value) -> (f64, Vec<f64>) {
    let single = |key: &str| numbers(&case[key]).iter().map(|&x| x as f32).collect::<Vec<_>>();
    let shape: Vec<usize> = numbers(&case["shape"]).iter().map(|&d| d as usize).collect();
    let (prediction, target) = (single("logits"), single("target"));
    let input = FusedInput { prediction: &prediction, shape: &shape, target: &target, classes: &[] };
    let (value, gradient) = (loss.fused().unwrap().cpu)(&input).unwrap();
    (value, gradient.into_iter().map(f64::from).collect())
}

fn same(ours: &(f64, Vec<f64>), case: &Value, tolerance: f64, what: &str) {
    let value = case["value"].as_f64().unwrap();
    assert!((ours.0 - value).abs() <= tolerance * value.abs().max(0.1), "{what}: {} is not PyTorch's {value}", ours.0);
    let theirs = numbers(&case["grad"]);
    let scale = theirs.iter().fold(0.0_f64, |m, g| m.max(g.abs()));
    assert_eq!(ours.1.len(), theirs.len());
    for (a, b) in ours.1.iter().zip(&theirs) {
        assert!((a - b).abs() <= tolerance * scale, "{what}: gradient {a} is not PyTorch's {b}");
    }
}

#[test]
fn losses_of_binary_maps_are_those_of_the_polyp_system() {
    for case in cases(include_str!("golden/losses.json")) {
        let name = case["name"].as_str().unwrap();
        let loss = loss(name, &case["kwargs"]);
        same(&differentiate(&loss, &case, DType::F32).unwrap(), &case, 1e-6, name);
        same(&differentiate(&loss, &case, DType::F64).unwrap(), &case, 1e-6, name);
        same(&fused(&loss, &case), &case, 1e-6, &format!("fused {name}"));
    }
}

#[test]
fn binary_cross_entropy_is_pytorchs_at_saturated_logits_too() {
    for case in cases(include_str!("golden/bce.json")) {
        let loss = loss("BCEWithLogitsLoss", &case["kwargs"]);
        let what = case["kwargs"].to_string();
        same(&differentiate(&loss, &case, DType::F64).unwrap(), &case, 1e-12, &what);
        same(&fused(&loss, &case), &case, 1e-6, &format!("fused {what}"));
    }
}

#[test]
fn cross_entropy_is_pytorchs() {
    for case in cases(include_str!("golden/cross_entropy.json")) {
        let loss = loss("CrossEntropyLoss", &case["kwargs"]);
        let what = case["kwargs"].to_string();
        same(&differentiate(&loss, &case, DType::F64).unwrap(), &case, 1e-12, &what);
        same(&differentiate(&loss, &case, DType::F32).unwrap(), &case, 2e-6, &what);
    }
}

#[test]
fn where_no_target_counts_cross_entropy_and_its_gradient_are_0() {
    let case = json!({ "shape": [2, 3], "logits": [1.0, 2.0, 3.0, 0.0, -100.0, 100.0], "target": [255, 255] });
    for kwargs in [json!({ "ignore_index": 255 }), json!({ "ignore_index": 255, "label_smoothing": 0.1 })] {
        let (value, grad) = differentiate(&loss("CrossEntropy", &kwargs), &case, DType::F32).unwrap();
        assert_eq!((value, grad), (0.0, vec![0.0; 6]));
    }
}

#[test]
fn the_default_ignores_the_class_that_stands_for_minus_100() {
    let void = f64::from(-100_i32 as u32);
    let case = json!({ "shape": [2, 2], "logits": [0.0, 0.0, 5.0, 1.0], "target": [1, void] });
    let (value, grad) = differentiate(&loss("CrossEntropy", &json!({})), &case, DType::F64).unwrap();
    assert!((value - 2_f64.ln()).abs() < 1e-15 && grad[2..] == [0.0, 0.0]);
}

#[test]
fn a_class_out_of_range_is_an_error_that_says_what_to_write() {
    let case = json!({ "shape": [1, 2], "logits": [0.0, 0.0], "target": [255] });
    let error = differentiate(&loss("CrossEntropy", &json!({})), &case, DType::F32).unwrap_err();
    assert_eq!(error.code(), "PL0326");
    assert!(error.to_string().contains("ignore_index = 255"), "{error}");
}

#[test]
fn weights_that_do_not_fit_the_classes_are_refused() {
    let case = json!({ "shape": [1, 2], "logits": [0.0, 0.0], "target": [1] });
    assert!(differentiate(&loss("CrossEntropy", &json!({ "weight": [1.0] })), &case, DType::F32).is_err());
    let case = json!({ "shape": [1, 2], "logits": [0.0, 0.0], "target": [1, 0] });
    assert!(differentiate(&loss("BCE", &json!({ "pos_weight": [1.0, 2.0, 3.0] })), &case, DType::F32).is_err());
}

#[test]
fn nothing_there_and_nothing_found_is_a_loss_of_0() {
    for name in ["Dice", "Tversky", "FocalTversky"] {
        let loss = loss(name, &json!({}));
        let nothing = json!({ "shape": [1, 4], "logits": [-800.0, -900.0, -800.0, -1000.0], "target": [0, 0, 0, 0] });
        assert_eq!(differentiate(&loss, &nothing, DType::F64).unwrap(), (0.0, vec![0.0; 4]), "{name}");
        assert_eq!(fused(&loss, &nothing), (0.0, vec![0.0; 4]), "{name}");
        let all_right = json!({ "shape": [1, 3], "logits": [200.0, -800.0, 300.0], "target": [1, 0, 1] });
        let (value, grad) = differentiate(&loss, &all_right, DType::F64).unwrap();
        assert!(value == 0.0 && grad.iter().all(|g| g.abs() < 1e-60), "{name}: {value} {grad:?}");
        assert_eq!(fused(&loss, &all_right), (0.0, vec![0.0; 3]), "{name}");
    }
}

#[test]
fn fused_sums_do_not_depend_on_threads_and_stay_exact_over_a_million_pixels() {
    let n = 1 << 20;
    let wave = |k: f64| (0..n).map(|i| (f64::from(i) * k).sin() * 4.0).collect::<Vec<_>>();
    let target: Vec<f64> = wave(0.0001).iter().map(|x| f64::from(u8::from(*x > 3.0))).collect();
    let case = json!({ "shape": [4, 1, 512, 512], "logits": wave(0.37), "target": target });
    for name in ["BCE", "Dice", "FocalTversky"] {
        let loss = loss(name, &json!({}));
        let ours = fused(&loss, &case);
        assert_eq!(ours, fused(&loss, &case));
        let exact = differentiate(&loss, &case, DType::F64).unwrap();
        assert!((ours.0 - exact.0).abs() < 1e-7 * exact.0, "{name}: {} is not {}", ours.0, exact.0);
    }
}

#[test]
fn half_precision_predictions_are_widened() {
    let case = json!({ "shape": [2, 2], "logits": [0.5, 1.0, -1.0, 2.0], "target": [1, 0, 1, 0] });
    let value = |loss: &Plug<dyn Loss>, dtype| differentiate(loss, &case, dtype).unwrap().0;
    for name in ["BCE", "Dice"] {
        let loss = loss(name, &json!({}));
        assert!((value(&loss, DType::BF16) - value(&loss, DType::F32)).abs() < 1e-6, "{name}");
    }
}
