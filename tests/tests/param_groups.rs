//! Groups of parameters: each is trained with its own values, and the optimizer decides what is shipped.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use pleach_cli as _;
use pleach_core::kinds::optimizer::Memory;
use pleach_core::param_groups::{OptimizerConfig, OptimizerGroup};
use pleach_core::params::{Init, Params};
use pleach_core::{DType, Device, GroupRates, Optimizer, Plug, Tensor, saved};
use pleach_tests::{file, log, run, tensors};
use pleach_train::groups::{Descent, Groups};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

const BIN: &str = env!("CARGO_BIN_EXE_pleach-under-test");

fn optimizer(name: &str, keys: Json) -> Plug<dyn Optimizer> {
    let mut all = Plug::<dyn Optimizer>::named(name).unwrap().saved().unwrap();
    all.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
    saved::load(&all).unwrap()
}

fn params() -> Params {
    let mut params = Params::new(1, DType::F64, &Device::Cpu);
    let mut root = params.root();
    let mut encoder = root.at("encoder");
    encoder.param("weight", (2, 3), Init::Normal(0.0, 1.0)).unwrap();
    encoder.param("bias", 3, Init::Const(1.0)).unwrap();
    let mut head = root.at("head");
    head.param("weight", (3, 2), Init::Normal(0.0, 1.0)).unwrap();
    head.param("norm", 2, Init::Const(1.0)).unwrap();
    params
}

fn config(plug: Plug<dyn Optimizer>, group: Vec<(&str, Plug<dyn Optimizer>)>) -> OptimizerConfig {
    let group = group.into_iter().map(|(p, plug)| OptimizerGroup { patterns: vec![p.into()], plug }).collect();
    OptimizerConfig { group, ..OptimizerConfig::of_all(plug) }
}

/// What some steps with gradients of the parameters' names make of the parameters.
fn trained(config: &OptimizerConfig, scale: f64) -> BTreeMap<String, Vec<f64>> {
    let params = params();
    let groups = Groups::new(config, &params).unwrap();
    let mut memory = Memory::default();
    for step in 0..4 {
        let slope = |w: &Tensor| (w.sin().unwrap() * (scale * (1.0 + f64::from(step)))).unwrap();
        let gradients = params.trainable().map(|(n, w)| (n.to_owned(), slope(&w.var().as_detached_tensor()))).collect();
        let by = Descent { gradients: &gradients, scale: 1.0, follow: None };
        groups.step(&params, &by, &mut memory, &groups.rates(), &mut || panic!("not asked for")).unwrap();
    }
    let values = |t: Tensor| t.flatten_all().unwrap().to_vec1().unwrap();
    params.snapshot().unwrap().into_iter().map(|(n, t)| (n, values(t))).collect()
}

#[test]
fn a_group_is_trained_as_if_its_optimizer_were_alone() {
    let (adam, sgd) =
        (optimizer("AdamW", json!({ "lr": 0.01 })), optimizer("SGD", json!({ "lr": 0.1, "momentum": 0.9 })));
    let both = trained(&config(adam.clone(), vec![("head.*", sgd.clone())]), 1.0);
    let (by_adam, by_sgd) = (trained(&OptimizerConfig::of_all(adam), 1.0), trained(&OptimizerConfig::of_all(sgd), 1.0));
    for (name, values) in both {
        let alone = if name.starts_with("head") { &by_sgd } else { &by_adam };
        assert_eq!(values, alone[&name], "{name}");
    }
}

#[test]
fn a_parameter_belongs_to_the_first_group_that_matches_it() {
    let [slow, fast, still] = [0.01, 0.1, 0.0].map(|lr| optimizer("SGD", json!({ "lr": lr })));
    let first = trained(&config(still.clone(), vec![("head.weight", slow), ("head.*", fast)]), 1.0);
    let by_slow = trained(&OptimizerConfig::of_all(optimizer("SGD", json!({ "lr": 0.01 }))), 1.0);
    let by_fast = trained(&OptimizerConfig::of_all(optimizer("SGD", json!({ "lr": 0.1 }))), 1.0);
    let by_none = trained(&OptimizerConfig::of_all(still), 1.0);
    assert_eq!(first["head.weight"], by_slow["head.weight"]);
    assert_eq!(first["head.norm"], by_fast["head.norm"]);
    assert_eq!(first["encoder.weight"], by_none["encoder.weight"]);
}

#[test]
fn biases_and_norms_are_spared_from_decay_and_nothing_else_is() {
    let adam = optimizer("AdamW", json!({ "weight_decay": 0.5, "lr": 0.1 }));
    let spared = OptimizerConfig { filter_bias_and_bn: true, ..OptimizerConfig::of_all(adam.clone()) };
    let (with, without) = (trained(&OptimizerConfig::of_all(adam.clone()), 0.0), trained(&spared, 0.0));
    for (name, values) in &without {
        let vector = name.ends_with("bias") || name.ends_with("norm");
        assert_eq!(values == &with[name], !vector, "{name}");
        if vector {
            assert!(values.iter().all(|v| *v == 1.0), "{name} has moved without a gradient");
        }
    }
}

#[test]
fn rates_are_those_of_the_section_and_then_of_the_groups_in_the_files_order() {
    let [a, b, c] = [0.1, 0.2, 0.3].map(|lr| optimizer("SGD", json!({ "lr": lr, "momentum": lr })));
    let groups = Groups::new(&config(a, vec![("head.*", b), ("encoder.*", c)]), &params()).unwrap();
    let rates: Vec<_> = groups.rates().iter().map(|r| (r.lr, r.momentum, r.initial_lr)).collect();
    assert_eq!(rates, [(0.1, Some(0.1), 0.1), (0.2, Some(0.2), 0.2), (0.3, Some(0.3), 0.3)]);
    let params = params();
    let mut halved = groups.rates();
    halved.iter_mut().for_each(|r: &mut GroupRates| r.lr = 0.0);
    let before = params.snapshot().unwrap();
    let gradients = params.trainable().map(|(n, w)| (n.to_owned(), w.var().ones_like().unwrap())).collect();
    let by = Descent { gradients: &gradients, scale: 1.0, follow: None };
    groups.step(&params, &by, &mut Memory::default(), &halved, &mut || panic!("not asked for")).unwrap();
    for (name, now) in params.snapshot().unwrap() {
        let equal = (now - &before[&name]).unwrap().abs().unwrap().sum_all().unwrap().to_scalar::<f64>().unwrap();
        assert_eq!(equal, 0.0, "{name} moves at a rate of 0");
    }
}

#[test]
fn a_group_that_matches_nothing_is_an_error_that_names_the_pattern_and_some_parameters() {
    let sgd = optimizer("SGD", json!({}));
    let error = Groups::new(&config(sgd.clone(), vec![("backbone.*", sgd)]), &params()).unwrap_err();
    assert_eq!(error.code(), "PL0403");
    assert!(error.to_string().contains("backbone.*") && error.to_string().contains("encoder.bias"), "{error}");
}

const RUN: &str = r#"
[task]
name = "Classification"
[model]
name = "ConvNet"
channels = [8, 8]
[optimizer]
name = "AdamW"
lr = 0.01
filter_bias_and_bn = true
[[optimizer.group]]
match = "blocks.*"
lr = 0.002
betas = [0.8, 0.99]
[scheduler]
name = "StepLR"
step_size = 1
gamma = 0.5
[dataset.train]
name = "Digits"
[dataset.val]
name = "Digits"
[dataloader]
batch_size = 16
[trainer]
max_epochs = 2
limit_train_batches = 6
limit_val_batches = 3
"#;

#[test]
fn a_run_with_groups_logs_the_rate_of_each_and_resumes_to_the_bit() {
    let dir = tempfile::tempdir().unwrap();
    let (whole, halves) = (dir.path().join("whole"), dir.path().join("halves"));
    let text = file(dir.path(), RUN);
    let train = |out: &std::path::Path, epochs: &str| {
        let set = format!("trainer.max_epochs={epochs}");
        let _ =
            run(BIN, ["train", text.to_str().unwrap(), "--set", &set, "--out", out.to_str().unwrap()]).expect_code(0);
    };
    train(&whole, "2");
    train(&halves, "1");
    let _ = run(BIN, ["resume", halves.to_str().unwrap(), "--set", "trainer.max_epochs=2"]).expect_code(0);
    let rates: Vec<Json> = log(&whole).iter().filter(|l| l["event"] == "step").map(|l| l["lr"].clone()).collect();
    assert_eq!((&rates[0], &rates[6]), (&json!([0.01, 0.002]), &json!([0.005, 0.001])));
    assert_eq!(tensors(&whole), tensors(&halves));
}

#[test]
fn a_resume_with_other_groups_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let text = file(dir.path(), RUN);
    let _ = run(BIN, ["train", text.to_str().unwrap(), "--out", out.to_str().unwrap()]).expect_code(0);
    let sets = ["--set", "optimizer.group=[]", "--set", "trainer.max_epochs=3"];
    let done = run(BIN, ["resume", out.to_str().unwrap()].into_iter().chain(sets)).expect_code(1);
    assert!(done.err.contains("PL0507") && done.err.contains("groups"), "{}", done.err);
}

#[test]
fn an_optimizer_of_matrices_says_before_the_run_what_it_cannot_train_and_trains_the_rest_beside_another() {
    let (muon, adam) = (optimizer("Muon", json!({})), optimizer("AdamW", json!({ "lr": 0.01 })));
    let error = Groups::new(&OptimizerConfig::of_all(muon.clone()), &params()).unwrap_err();
    assert!(error.code() == "PL0406" && error.to_string().contains("encoder.bias"), "{error}");
    let both = trained(&config(adam.clone(), vec![("*.weight", muon)]), 1.0);
    let alone = trained(&OptimizerConfig::of_all(adam), 1.0);
    assert_eq!(both["head.norm"], alone["head.norm"]);
    assert_ne!(both["head.weight"], alone["head.weight"]);
}

#[test]
fn an_optimizer_of_all_parameters_together_takes_no_groups() {
    let (lbfgs, sgd) = (optimizer("LBFGS", json!({})), optimizer("SGD", json!({})));
    let error = Groups::new(&config(lbfgs, vec![("head.*", sgd)]), &params()).unwrap_err();
    assert_eq!(error.code(), "PL0405");
}
