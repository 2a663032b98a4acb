//! Optimizers from outside of PyTorch follow the libraries that users know them from.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use pleach_core::kinds::optimizer::Memory;
use pleach_core::read::{Read, Reader};
use pleach_core::tree::{Key, Node, Place, Table, Value};
use pleach_core::{DType, Device, Hyper, Init, Optimizer, ParamSlots, Params, Plug, StepGroup, Tensor, saved};
use pleach_optim as _;
use serde_json::{Value as Json, json};

const FILES: [(&str, &str); 6] = [
    ("lion-pytorch", include_str!("../../../tests/goldens/optimizers_beyond_lion_pytorch.json")),
    ("timm", include_str!("../../../tests/goldens/optimizers_beyond_timm.json")),
    ("pytorch_optimizer", include_str!("../../../tests/goldens/optimizers_beyond_pytorch_optimizer.json")),
    ("adabelief-pytorch", include_str!("../../../tests/goldens/optimizers_beyond_adabelief_pytorch.json")),
    ("prodigyopt", include_str!("../../../tests/goldens/optimizers_beyond_prodigyopt.json")),
    ("schedulefree", include_str!("../../../tests/goldens/optimizers_beyond_schedulefree.json")),
];
const KEY: &str = "group:0";

fn numbers(list: &Json) -> Vec<f64> {
    list.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

fn values(t: &Tensor) -> Vec<f64> {
    t.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

fn tensor(values: Vec<f64>, like: &Tensor) -> Tensor {
    Tensor::from_vec(values, like.shape(), &Device::Cpu).unwrap().to_dtype(like.dtype()).unwrap()
}

/// A case of a golden file as it is replayed.
struct Replay<'a> {
    case: &'a Json,
    optimizer: Plug<dyn Optimizer>,
    params: Params,
    memory: Memory,
}

impl<'a> Replay<'a> {
    fn new(case: &'a Json) -> Self {
        let defaults = Plug::<dyn Optimizer>::named(case["name"].as_str().unwrap()).unwrap();
        let mut settings = defaults.saved().unwrap();
        for (key, value) in case["kwargs"].as_object().unwrap() {
            assert!(settings.get(key).is_some(), "{} has no `{key}`", defaults.name());
            settings[key] = value.clone();
        }
        let dtype = if case["dtype"] == "float64" { DType::F64 } else { DType::F32 };
        let mut params = Params::new(0, dtype, &Device::Cpu);
        for (i, shape) in case["shapes"].as_array().unwrap().iter().enumerate() {
            let shape: Vec<_> = shape.as_array().unwrap().iter().map(|n| n.as_u64().unwrap() as usize).collect();
            let weight = params.root().param(&format!("p{i}"), shape, Init::Const(0.0)).unwrap();
            weight.set(&tensor(numbers(&case["init"][i]), &weight.var().as_detached_tensor())).unwrap();
        }
        Self { case, optimizer: saved::load(&settings).unwrap(), params, memory: Memory::default() }
    }

    fn hyper(&self, i: usize) -> Hyper {
        let factor = self.case["lr_factors"][i].as_f64().unwrap_or(1.0);
        Hyper { lr: self.optimizer.lr() * factor, momentum: self.optimizer.momentum() }
    }

    /// One step; parameters whose gradient is null have none.
    fn step(&mut self, i: usize) {
        let mut group =
            StepGroup { key: KEY, params: Vec::new(), hyper: self.hyper(i), others: &[], scale: 1.0, follow: None };
        for (j, (name, weight)) in self.params.iter().enumerate() {
            if let grad @ Json::Array(_) = &self.case["grads"][i][j] {
                group.params.push((name, weight, tensor(numbers(grad), weight.var())));
            }
        }
        self.optimizer.step(&group, &mut self.memory, None).unwrap();
    }

    /// The weights as they are evaluated.
    fn evaluated(&self) -> Vec<Tensor> {
        let of = |(name, weight): (&str, &pleach_core::params::Weight)| {
            let (value, slots) = (weight.var().as_detached_tensor(), self.memory.0.get(name));
            let other = self.optimizer.eval_weight(&value, slots.unwrap_or(&ParamSlots::default()), &self.hyper(0));
            other.unwrap().unwrap_or(value)
        };
        self.params.iter().map(of).collect()
    }

    /// How far a case is from its reference: the greatest error over what is tolerated.
    fn distance(mut self) -> f64 {
        let single = self.case["dtype"] != "float64";
        let mut worst = 0.0f64;
        let mut compare = |ours: &Tensor, theirs: &Json| {
            let (ours, theirs) = (values(ours), numbers(theirs));
            assert_eq!(ours.len(), theirs.len());
            for (a, b) in ours.iter().zip(theirs) {
                let tolerated = if single { 1e-6 + 1e-5 * b.abs() } else { 1e-12 * b.abs().max(1.0) };
                let far = (a - b).abs() / tolerated;
                worst = if far.is_nan() { f64::INFINITY } else { worst.max(far) };
            }
        };
        for i in 0..self.case["params"].as_array().unwrap().len() {
            self.step(i);
            for (j, (_, weight)) in self.params.iter().enumerate() {
                compare(weight.var(), &self.case["params"][i][j]);
            }
            if let Some(evaluated) = self.case.get("evaluated") {
                for (j, ours) in self.evaluated().iter().enumerate() {
                    compare(ours, &evaluated[i][j]);
                }
            }
        }
        worst
    }
}

fn follows(text: &str, reference: &str) {
    let file: Json = serde_json::from_str(text).unwrap();
    for case in file["cases"].as_array().unwrap() {
        let far = Replay::new(case).distance();
        let what = format!("{} {} {}", case["name"], case["kwargs"], case["dtype"]);
        assert!(far <= 1.0, "{what}: {far} times what is tolerated from {reference}");
    }
}

#[test]
fn each_follows_its_reference() {
    for (reference, text) in FILES {
        follows(text, reference);
    }
}

#[test]
fn changing_rates_and_gradients_that_begin_late_are_followed_too() {
    follows(include_str!("golden/beyond_rates.json"), "the same libraries");
}

#[test]
fn a_parameter_alone_is_a_group_of_one() {
    for name in ["LAMB", "Adan", "Prodigy", "ScheduleFreeAdamW"] {
        let case = json!({
            "name": name, "kwargs": {}, "shapes": [[3]], "init": [[1.0, -2.0, 0.5]], "dtype": "float64",
            "grads": [[[3.0, 0.0, -1.0]], [[2.0, 1.0, -1.0]], [[2.0, 0.5, 3.0]]],
        });
        let mut group = Replay::new(&case);
        let (mut alone, mut slots) = (group.params.get("p0").unwrap().var().copy().unwrap(), ParamSlots::default());
        for i in 0..3 {
            group.step(i);
            let grad = tensor(numbers(&case["grads"][i][0]), &alone);
            alone = group.optimizer.update(&alone, &grad, &mut slots, &group.hyper(i)).unwrap();
            assert_eq!(values(&alone), values(group.params.get("p0").unwrap().var()), "{name} at step {i}");
        }
    }
}

#[test]
fn a_momentum_cycle_acts_on_momentum_or_the_first_beta() {
    let x = Tensor::new(&[[0.3f64, -1.0], [2.0, 0.5]], &Device::Cpu).unwrap();
    let run = |name: &str, key: &str, value: Json, momentum: Option<f64>| {
        let case = json!({ "name": name, "kwargs": { key: value }, "shapes": [], "init": [] });
        let plug = Replay::new(&case).optimizer;
        let hyper = Hyper { lr: 0.1, momentum: momentum.or(plug.momentum()) };
        let (mut p, mut slots) = (x.copy().unwrap(), ParamSlots::default());
        for factor in [10.0, -0.5, 0.3, -0.6] {
            p = plug.update(&p, &(&x * factor).unwrap(), &mut slots, &hyper).unwrap();
        }
        values(&p)
    };
    for (name, key, as_it_is, cycled_to) in [
        ("Lion", "betas", json!([0.9, 0.99]), json!([0.3, 0.99])),
        ("LAMB", "betas", json!([0.9, 0.99]), json!([0.3, 0.99])),
        ("LARS", "momentum", json!(0.9), json!(0.3)),
        ("AdaBelief", "betas", json!([0.9, 0.99]), json!([0.3, 0.99])),
        ("Adan", "betas", json!([0.9, 0.92, 0.99]), json!([0.3, 0.92, 0.99])),
        ("Prodigy", "betas", json!([0.9, 0.99]), json!([0.3, 0.99])),
    ] {
        let cycled = run(name, key, as_it_is.clone(), Some(0.3));
        assert_eq!(cycled, run(name, key, cycled_to, None), "{name}");
        assert_ne!(cycled, run(name, key, as_it_is, None), "{name}");
    }
    // Where the weights in training lie between `z` and the average must not change on the way.
    assert_eq!(Plug::<dyn Optimizer>::named("ScheduleFreeAdamW").unwrap().momentum(), None);
}

#[test]
fn without_progress_prodigy_leaves_weights_and_counts_as_they_are() {
    let case = json!({
        "name": "Prodigy", "kwargs": {"weight_decay": 0.1}, "shapes": [[2], []], "init": [[1.0, -2.0], [0.0]],
        "grads": [[[0.0, 0.0], [0.0]], [[1.0, 0.5], [2.0]]],
    });
    let mut replay = Replay::new(&case);
    replay.step(0);
    assert_eq!(values(replay.params.get("p0").unwrap().var()), [1.0, -2.0]);
    assert!(replay.memory.0[KEY].numbers.is_empty());
    replay.step(1);
    assert_eq!(replay.memory.0[KEY].numbers["k"], 1.0);
    assert_ne!(values(replay.params.get("p1").unwrap().var()), [0.0]);
}

#[test]
fn only_schedule_free_weights_are_evaluated_elsewhere() {
    for (_, text) in FILES {
        let file: Json = serde_json::from_str(text).unwrap();
        let case = &file["cases"][0];
        let mut replay = Replay::new(case);
        replay.step(0);
        replay.step(1);
        let trained: Vec<_> = replay.params.iter().map(|(_, w)| values(w.var())).collect();
        let evaluated: Vec<_> = replay.evaluated().iter().map(values).collect();
        assert_eq!(trained != evaluated, case["name"] == "ScheduleFreeAdamW", "{}", case["name"]);
    }
}

#[test]
fn names_of_other_libraries_are_understood() {
    for (theirs, ours) in [("Lamb", "LAMB"), ("Lars", "LARS"), ("AdamWScheduleFree", "ScheduleFreeAdamW")] {
        assert_eq!(Plug::<dyn Optimizer>::named(theirs).unwrap().name(), ours);
    }
}

const AT: Place = Place { source: 0, start: 0, end: 0 };

fn node(json: &Json) -> Node {
    let value = match json {
        Json::Bool(b) => Value::Bool(*b),
        Json::String(s) => Value::Str(s.clone()),
        Json::Array(all) => Value::Array(all.iter().map(node).collect()),
        Json::Object(all) => {
            let entry = |(k, v): (&String, &Json)| (Key { name: k.clone(), place: AT }, node(v));
            Value::Table(Table { entries: all.iter().map(entry).collect() })
        }
        number => Value::Float(number.as_f64().unwrap()),
    };
    Node { value, place: AT }
}

fn complaints(json: &Json) -> String {
    let mut r = Reader::default();
    Plug::<dyn Optimizer>::read(&node(json), &mut r);
    let texts = r.diagnostics.iter().map(|d| format!("{} {}", d.message, d.label.clone().unwrap_or_default()));
    texts.collect::<Vec<_>>().join("\n")
}

#[test]
fn what_the_references_refuse_is_refused() {
    for name in ["Lion", "LAMB", "LARS", "AdaBelief", "Adan", "Prodigy", "ScheduleFreeAdamW"] {
        assert_eq!(complaints(&json!({ "name": name })), "", "{name}");
        assert_ne!(complaints(&json!({ "name": name, "lr": -0.1 })), "", "{name}");
    }
    for (name, key, value) in [
        ("Lion", "lr", json!(0.0)),
        ("Lion", "betas", json!([0.9, 1.1])),
        ("LAMB", "eps", json!(-1e-3)),
        ("LAMB", "weight_decay", json!(-0.1)),
        ("LARS", "momentum", json!(-0.1)),
        ("LARS", "nesterov", json!(true)),
        ("AdaBelief", "betas", json!([0.9, 1.0])),
        ("AdaBelief", "eps", json!(-1e-3)),
        ("Adan", "betas", json!([0.9, 0.9, 1.0])),
        ("Adan", "betas", json!([0.9, 0.9])),
        ("Adan", "max_grad_norm", json!(-0.5)),
        ("Prodigy", "lr", json!(0.0)),
        ("Prodigy", "d0", json!(0.0)),
        ("Prodigy", "eps", json!(0.0)),
        ("Prodigy", "betas", json!([1.0, 0.9])),
        ("ScheduleFreeAdamW", "betas", json!([0.0, 0.9])),
    ] {
        assert_ne!(complaints(&json!({ "name": name, key: value })), "", "{name} {key} = {value}");
    }
    assert_ne!(complaints(&json!({ "name": "LAMB", "lr": 0.0, "corrected_weight_decay": true })), "");
    assert_eq!(complaints(&json!({ "name": "LAMB", "max_grad_norm": "none" })), "");
}
