//! Whole optimizers follow PyTorch's goldens, those with closures too, and refuse what PyTorch refuses.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use pleach_core::kinds::optimizer::Memory;
use pleach_core::read::{Read, Reader};
use pleach_core::tree::{Key, Node, Place, Table, Value};
use pleach_core::{DType, Device, Hyper, Init, Named, Optimizer, Params, Plug, Result, StepGroup, Tensor, saved};
use pleach_optim as _;
use serde_json::{Value as Json, json};
use std::path::Path;

fn optimizer(case: &Json) -> Plug<dyn Optimizer> {
    let defaults = Plug::<dyn Optimizer>::named(case["name"].as_str().unwrap()).unwrap();
    let mut settings = defaults.saved().unwrap();
    for (key, value) in case["kwargs"].as_object().unwrap() {
        assert!(settings.get(key).is_some(), "{} has no `{key}`", defaults.name());
        settings[key] = value.clone();
    }
    saved::load(&settings).unwrap()
}

fn numbers(list: &Json) -> Vec<f64> {
    list.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

fn sizes(list: &Json) -> Vec<usize> {
    list.as_array().unwrap().iter().map(|n| n.as_u64().unwrap() as usize).collect()
}

fn values(t: &Tensor) -> Vec<f64> {
    t.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

fn tensor(values: Vec<f64>, like: &Tensor) -> Tensor {
    Tensor::from_vec(values, like.shape(), &Device::Cpu).unwrap().to_dtype(like.dtype()).unwrap()
}

fn dtype(case: &Json) -> DType {
    if case["dtype"] == "float64" { DType::F64 } else { DType::F32 }
}

fn params(case: &Json) -> Params {
    let mut params = Params::new(0, dtype(case), &Device::Cpu);
    for (i, (shape, init)) in
        case["shapes"].as_array().unwrap().iter().zip(case["init"].as_array().unwrap()).enumerate()
    {
        let weight = params.root().param(&format!("p{i}"), sizes(shape), Init::Const(0.0)).unwrap();
        weight.set(&tensor(numbers(init), &weight.var().as_detached_tensor())).unwrap();
    }
    params
}

/// Loss and gradients of a case's objective at the present weights.
fn objective(case: &Json, params: &Params) -> Result<(f64, Named<Tensor>)> {
    let scale = case["objective"]["scale"].as_f64().unwrap();
    let x: Vec<f64> = params.iter().flat_map(|(_, w)| values(w.var())).collect();
    let mut grad = vec![0.0; x.len()];
    let mut loss = 0.0;
    match case["objective"]["name"].as_str().unwrap() {
        "quadratic" => {
            for (i, x) in x.iter().enumerate() {
                let c = i as f64 + 1.0;
                loss += 0.5 * c * (x - 1.0).powi(2);
                grad[i] = c * (x - 1.0);
            }
        }
        "rosenbrock" => {
            for i in 0..x.len() - 1 {
                let (bend, away) = (x[i + 1] - x[i] * x[i], 1.0 - x[i]);
                loss += 5.0 * bend * bend + away * away;
                grad[i + 1] += 10.0 * bend;
                grad[i] += -20.0 * x[i] * bend - 2.0 * away;
            }
        }
        other => panic!("no objective is called {other}"),
    }
    let mut named = Named::new();
    let mut rest = grad.into_iter().map(|g| scale * g);
    for (name, weight) in params.iter() {
        let part: Vec<f64> = rest.by_ref().take(weight.var().elem_count()).collect();
        named.insert(name, tensor(part, weight.var()));
    }
    Ok((scale * loss, named))
}

fn step(optimizer: &Plug<dyn Optimizer>, case: &Json, i: usize, params: &Params, memory: &mut Memory) {
    let grads = match case.get("grads") {
        Some(grads) => {
            let of = |(j, (name, w)): (usize, (&str, &pleach_core::params::Weight))| {
                (name.to_owned(), tensor(numbers(&grads[i][j]), w.var()))
            };
            params.iter().enumerate().map(of).collect()
        }
        None => objective(case, params).unwrap().1,
    };
    let hyper = Hyper { lr: optimizer.lr(), momentum: optimizer.momentum() };
    let list = params.iter().map(|(name, w)| (name, w, grads.want(name).unwrap().clone())).collect();
    let group = StepGroup { key: "group:0", params: list, hyper, others: &[], scale: 1.0, follow: None };
    optimizer.step(&group, memory, Some(&mut || objective(case, params))).unwrap();
}

/// How far a case is from PyTorch: the greatest error over what is tolerated.
fn distance(case: &Json) -> f64 {
    let optimizer = optimizer(case);
    let params = params(case);
    let mut memory = Memory::default();
    let tolerated = |b: f64| if dtype(case) == DType::F64 { 1e-12 * b.abs().max(1.0) } else { 1e-6 + 1e-5 * b.abs() };
    let mut worst = 0.0f64;
    for (i, after) in case["params"].as_array().unwrap().iter().enumerate() {
        step(&optimizer, case, i, &params, &mut memory);
        for (j, (_, weight)) in params.iter().enumerate() {
            let theirs = numbers(&after[j]);
            let ours = values(weight.var());
            assert_eq!(ours.len(), theirs.len());
            for (a, b) in ours.iter().zip(theirs) {
                let far = (a - b).abs() / tolerated(b);
                worst = if far.is_nan() { f64::INFINITY } else { worst.max(far) };
            }
        }
    }
    worst
}

fn follow(file: &Json, least: usize) {
    let cases = file["cases"].as_array().unwrap();
    assert!(cases.len() >= least, "{} cases", cases.len());
    let far: Vec<String> = cases
        .iter()
        .map(|case| (case, distance(case)))
        .filter(|(_, d)| *d > 1.0)
        .map(|(case, d)| {
            format!("{} {} {}: {d:.2} times what is tolerated", case["name"], case["kwargs"], case["dtype"])
        })
        .collect();
    assert!(far.is_empty(), "{}", far.join("\n"));
}

#[test]
fn every_option_of_every_class_follows_pytorch() {
    follow(&serde_json::from_str(include_str!("../../../tests/goldens/optimizers.json")).unwrap(), 60);
}

#[test]
fn the_goldens_beside_the_project_are_followed() {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/golden/optimizers.json");
    if let Ok(text) = std::fs::read_to_string(beside) {
        follow(&serde_json::from_str(&text).unwrap(), 20);
    }
}

#[test]
fn a_momentum_cycle_acts_on_momentum_or_the_first_beta() {
    let x = Tensor::new(&[[0.3f64, -1.0], [2.0, 0.5]], &Device::Cpu).unwrap();
    let run = |name: &str, key: &str, value: Json, momentum: Option<f64>| {
        let plug = optimizer(&json!({ "name": name, "kwargs": { key: value } }));
        let hyper = Hyper { lr: 0.1, momentum: momentum.or(plug.momentum()) };
        let (mut p, mut slots) = (x.copy().unwrap(), pleach_core::ParamSlots::default());
        for i in 1..5 {
            p = plug.update(&p, &((&x * f64::from(i)).unwrap() + 0.5).unwrap(), &mut slots, &hyper).unwrap();
        }
        values(&p)
    };
    for name in ["Adam", "AdamW", "Adamax", "NAdam", "RAdam"] {
        let cycled = run(name, "betas", json!([0.9, 0.99]), Some(0.3));
        assert_eq!(cycled, run(name, "betas", json!([0.3, 0.99]), None), "{name}");
        assert_ne!(cycled, run(name, "betas", json!([0.9, 0.99]), None), "{name}");
    }
    for name in ["SGD", "RMSprop", "Muon"] {
        let cycled = run(name, "momentum", json!(0.9), Some(0.3));
        assert_eq!(cycled, run(name, "momentum", json!(0.3), None), "{name}");
        assert_ne!(cycled, run(name, "momentum", json!(0.9), None), "{name}");
    }
    for name in ["Adadelta", "Adafactor", "Adagrad", "ASGD", "LBFGS", "Rprop"] {
        assert_eq!(Plug::<dyn Optimizer>::named(name).unwrap().momentum(), None, "{name}");
    }
}

const AT: Place = Place { source: 0, start: 0, end: 0 };

fn node(json: &Json) -> Node {
    let value = match json {
        Json::Number(n) => n.as_i64().map_or_else(|| Value::Float(n.as_f64().unwrap()), Value::Int),
        Json::String(s) => Value::Str(s.clone()),
        Json::Bool(b) => Value::Bool(*b),
        Json::Array(items) => Value::Array(items.iter().map(node).collect()),
        Json::Object(map) => {
            let entries = map.iter().map(|(k, v)| (Key { name: k.clone(), place: AT }, node(v))).collect();
            Value::Table(Table { entries })
        }
        Json::Null => panic!("TOML has no null"),
    };
    Node { value, place: AT }
}

fn complaints(json: &Json) -> String {
    let mut r = Reader::default();
    let read = Plug::<dyn Optimizer>::read(&node(json), &mut r);
    assert_eq!(read.is_none(), !r.diagnostics.is_empty(), "{json}");
    let texts = r.diagnostics.iter().map(|d| format!("{} {}", d.message, d.label.clone().unwrap_or_default()));
    texts.collect::<Vec<_>>().join("\n")
}

#[test]
fn what_pytorch_refuses_is_refused() {
    let all = ["Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "ASGD", "LBFGS", "Muon", "NAdam"];
    for name in all.into_iter().chain(["RAdam", "RMSprop", "Rprop", "SGD"]) {
        assert_eq!(complaints(&json!({ "name": name })), "", "{name}");
        assert!(complaints(&json!({ "name": name, "lr": -0.1 })).contains("at least 0"), "{name}");
    }
    for (name, key, value) in [
        ("Adadelta", "rho", json!(1.1)),
        ("Adadelta", "eps", json!(-1e-6)),
        ("Adafactor", "beta2_decay", json!(0.1)),
        ("Adafactor", "eps", json!([-1e-3, 1e-3])),
        ("Adafactor", "eps", json!([1e-3, "none"])),
        ("Adafactor", "d", json!(0.9)),
        ("Adagrad", "lr_decay", json!(-1)),
        ("Adagrad", "initial_accumulator_value", json!(-1)),
        ("Adagrad", "weight_decay", json!(-1)),
        ("Adam", "betas", json!([1.0, 0.9])),
        ("Adamax", "betas", json!([0.9, 1.0])),
        ("ASGD", "lambd", json!(-1)),
        ("ASGD", "alpha", json!(-1)),
        ("LBFGS", "line_search_fn", json!("armijo")),
        ("Muon", "adjust_lr_fn", json!("adamw")),
        ("Muon", "ns_steps", json!(100)),
        ("Muon", "ns_coefficients", json!([1.0, 2.0])),
        ("Muon", "momentum", json!(-0.1)),
        ("NAdam", "momentum_decay", json!(-1)),
        ("NAdam", "betas", json!([-0.1, 0.9])),
        ("RAdam", "betas", json!([0.9, -0.1])),
        ("RMSprop", "alpha", json!(-0.1)),
        ("RMSprop", "momentum", json!(-0.1)),
        ("Rprop", "etas", json!([0.5, 1.0])),
        ("Rprop", "etas", json!([1.0, 1.2])),
        ("Rprop", "etas", json!([0.0, 1.2])),
    ] {
        assert_ne!(complaints(&json!({ "name": name, key: value })), "", "{name} {key} = {value}");
    }
    for name in ["SGD", "Adam", "AdamW", "Adagrad"] {
        let both = complaints(&json!({ "name": name, "fused": true, "foreach": true }));
        assert!(both.contains("does not go with `foreach`"), "{name}: {both}");
    }
    assert_eq!(complaints(&json!({ "name": "Adafactor", "eps": ["none", 1e-3] })), "");
    assert!(complaints(&json!({ "name": "SparseAdam" })).contains("no gradient here is sparse"));
}

#[test]
fn lbfgs_works_on_all_parameters_together() {
    let lbfgs = Plug::<dyn Optimizer>::named("LBFGS").unwrap();
    assert!(lbfgs.one_group());
    let x = Tensor::new(&[1f64], &Device::Cpu).unwrap();
    let hyper = Hyper { lr: 1.0, momentum: None };
    let alone = lbfgs.update(&x, &x, &mut pleach_core::ParamSlots::default(), &hyper).unwrap_err();
    assert_eq!(alone.code(), "PL0407");
    let blind = StepGroup { key: "group:0", params: Vec::new(), hyper, others: &[], scale: 1.0, follow: None };
    assert_eq!(lbfgs.step(&blind, &mut Memory::default(), None).unwrap_err().code(), "PL0407");
}
