//! Optimizers leave what PyTorch's leave, step by step.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use pleach_core::{DType, Device, Hyper, Optimizer, ParamSlots, Plug, Tensor, saved};
use pleach_optim as _;
use serde_json::Value;

fn golden(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// The optimizer of a case: defaults of ours under the settings of PyTorch's call.
fn optimizer(case: &Value) -> Plug<dyn Optimizer> {
    let defaults = Plug::<dyn Optimizer>::named(case["name"].as_str().unwrap()).unwrap();
    let mut settings = defaults.saved().unwrap();
    for (key, value) in case["kwargs"].as_object().unwrap() {
        assert!(settings.get(key).is_some(), "{} has no `{key}`", defaults.name());
        settings[key] = value.clone();
    }
    saved::load(&settings).unwrap()
}

fn numbers(list: &Value) -> Vec<f64> {
    list.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

fn tensors(list: &Value, shapes: &Value, dtype: DType) -> Vec<Tensor> {
    let shapes = shapes.as_array().unwrap().iter().map(|s| numbers(s).iter().map(|&n| n as usize).collect::<Vec<_>>());
    list.as_array()
        .unwrap()
        .iter()
        .zip(shapes)
        .map(|(flat, shape)| Tensor::from_vec(numbers(flat), shape, &Device::Cpu).unwrap().to_dtype(dtype).unwrap())
        .collect()
}

/// Every number within `tolerance` of PyTorch's, relative to the number or to 1, the size of the weights.
fn close(ours: &Tensor, theirs: &Value, tolerance: f64, what: &str) {
    let ours: Vec<f64> = ours.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap();
    let theirs = numbers(theirs);
    assert_eq!(ours.len(), theirs.len());
    for (a, b) in ours.iter().zip(&theirs) {
        assert!((a - b).abs() <= tolerance * b.abs().max(1.0), "{what}: {a} is not PyTorch's {b}");
    }
}

#[test]
fn single_precision_follows_pytorch_within_a_few_units_in_the_last_place() {
    let file = golden(include_str!("golden/optimizers.json"));
    for case in file["cases"].as_array().unwrap() {
        let optimizer = optimizer(case);
        let mut params = tensors(&case["init"], &case["shapes"], DType::F32);
        let mut slots = vec![ParamSlots::default(); params.len()];
        let hyper = Hyper { lr: optimizer.lr(), momentum: optimizer.momentum() };
        for (i, grads) in case["grads"].as_array().unwrap().iter().enumerate() {
            let grads = tensors(grads, &case["shapes"], DType::F32);
            for (j, grad) in grads.iter().enumerate() {
                params[j] = optimizer.update(&params[j], grad, &mut slots[j], &hyper).unwrap();
                let what = format!("{} {} at step {i}", case["name"], case["kwargs"]);
                close(&params[j], &case["params"][i][j], 4.0 * f64::from(f32::EPSILON), &what);
            }
        }
    }
}

#[test]
fn double_precision_with_changing_rates_follows_pytorch_and_so_does_the_state() {
    let file = golden(include_str!("golden/optimizers_f64.json"));
    for case in file["cases"].as_array().unwrap() {
        let optimizer = optimizer(case);
        let mut params = tensors(&file["init"], &file["shapes"], DType::F64);
        let mut slots = vec![ParamSlots::default(); params.len()];
        for (grads, factor) in file["grads"].as_array().unwrap().iter().zip(numbers(&file["lr_factors"])) {
            let hyper = Hyper { lr: optimizer.lr() * factor, momentum: optimizer.momentum() };
            for (j, grad) in tensors(grads, &file["shapes"], DType::F64).iter().enumerate() {
                params[j] = optimizer.update(&params[j], grad, &mut slots[j], &hyper).unwrap();
            }
        }
        for (j, param) in params.iter().enumerate() {
            let what = format!("{} {}", case["name"], case["kwargs"]);
            close(param, &case["params"][j], 1e-14, &what);
            let state = case["state"][j].as_object().unwrap();
            assert_eq!(state.len(), slots[j].tensors.len() + slots[j].numbers.len(), "{what}: {:?}", state.keys());
            for (key, theirs) in state {
                match slots[j].tensors.get(key) {
                    Some(ours) => close(ours, theirs, 1e-14, &format!("{what} {key}")),
                    None => assert_eq!(slots[j].numbers[key], theirs[0].as_f64().unwrap(), "{what} {key}"),
                }
            }
        }
    }
}

#[test]
fn a_scheduled_momentum_is_the_one_in_force() {
    let sgd = Plug::<dyn Optimizer>::named("SGD").unwrap();
    let (p, g) = (Tensor::new(&[1f64], &Device::Cpu).unwrap(), Tensor::new(&[1f64], &Device::Cpu).unwrap());
    let mut slots = ParamSlots::default();
    let hyper = Hyper { lr: 1.0, momentum: Some(0.5) };
    let p = sgd.update(&p, &g, &mut slots, &hyper).unwrap();
    let p = sgd.update(&p, &g, &mut slots, &hyper).unwrap();
    assert_eq!(p.to_vec1::<f64>().unwrap(), [1.0 - 1.0 - 1.5]);
}

#[test]
fn a_gradient_or_a_slot_of_another_shape_is_refused() {
    let adam = Plug::<dyn Optimizer>::named("Adam").unwrap();
    let zeros = |n: usize| Tensor::zeros(n, DType::F32, &Device::Cpu).unwrap();
    let hyper = Hyper { lr: 1.0, momentum: None };
    let mut slots = ParamSlots::default();
    assert!(adam.update(&zeros(3), &zeros(2), &mut slots, &hyper).is_err());
    slots.keep("exp_avg", zeros(2));
    let error = adam.update(&zeros(3), &zeros(3), &mut slots, &hyper).unwrap_err();
    assert!(error.message().contains("exp_avg"), "{error}");
}
