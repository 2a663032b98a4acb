//! Early stopping, the best k and the moving average decide as Lightning and PyTorch do.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use pleach_core::kinds::observer::RunInfo;
use pleach_core::*;
use pleach_observe::{BestK, EMA, EarlyStopping, Mode};
use std::collections::BTreeMap;

fn golden() -> Saved {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/callbacks.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn get<T: export::serde::de::DeserializeOwned>(case: &Saved, key: &str) -> T {
    saved::load(&case[key]).unwrap()
}

fn mode(case: &Saved) -> Option<Mode> {
    Some(if case["mode"] == "min" { Mode::Min } else { Mode::Max })
}

#[test]
fn early_stopping_stops_where_lightnings_does() {
    let params = Params::new(0, DType::F32, &Device::Cpu);
    for case in golden()["early_stopping"].as_array().unwrap() {
        let given = &case["params"];
        let rule = EarlyStopping {
            monitor: "m".into(),
            min_delta: get(given, "min_delta"),
            patience: get(given, "patience"),
            mode: mode(given),
            check_finite: get(given, "check_finite"),
            stopping_threshold: get(given, "stopping_threshold"),
            divergence_threshold: get(given, "divergence_threshold"),
        };
        let mut watcher = rule.start(&RunInfo::default()).unwrap();
        let (values, expected): (Vec<f64>, Vec<bool>) = (get(case, "values"), get(case, "stops"));
        let stops: Vec<bool> = values
            .iter()
            .map(|value| {
                let mut control = Control { params: &params, stop: None, notes: Vec::new() };
                let metrics = Named::one("m", *value);
                watcher.on(&Event::Validated { step: 0, epoch: 0, metrics: &metrics }, &mut control).unwrap();
                control.stop.is_some()
            })
            .collect();
        assert_eq!(stops, expected, "{rule:?} on {values:?}");
    }
}

#[test]
fn the_best_k_are_those_of_lightning() {
    for case in golden()["top_k"].as_array().unwrap() {
        let keeper =
            BestK { monitor: "m".into(), save_top_k: get(case, "save_top_k"), mode: mode(case), ..BestK::default() };
        let mut state = Keeper::start(&keeper);
        let (values, expected): (Vec<f64>, Vec<Vec<u64>>) = (get(case, "values"), get(case, "held"));
        for (epoch, (value, expected)) in values.iter().zip(expected).enumerate() {
            let metrics = BTreeMap::from([("m".to_owned(), *value)]);
            let step = epoch as u64 + 1;
            let candidate = Candidate { step, epoch: epoch as u32, epoch_end: true, run_end: false, metrics };
            let held = Keeper::hold(&keeper, &mut state, &candidate, &RunInfo::default());
            assert_eq!(Vec::from_iter(held), expected, "{keeper:?} at step {step}");
        }
    }
}

#[test]
fn the_moving_average_is_that_of_pytorch() {
    let golden = &golden()["average"];
    let mut params = Params::new(0, DType::F64, &Device::Cpu);
    let mut root = params.root();
    let weight = root.param("weight", 4, Init::Const(0.0)).unwrap();
    let running = root.buffer("running", 2, Init::Const(0.0)).unwrap();
    let ema = EMA { decay: get(golden, "decay"), ..EMA::default() };
    let mut watcher = ema.start(&RunInfo::default()).unwrap();
    assert!(watcher.weights().is_none());
    for (step, case) in golden["steps"].as_array().unwrap().iter().enumerate() {
        let values = |key: &str| get::<Vec<f64>>(case, key);
        weight.set(&Tensor::new(values("weight"), &Device::Cpu).unwrap()).unwrap();
        running.set(&Tensor::new(values("running"), &Device::Cpu).unwrap()).unwrap();
        let (step, metrics) = (step as u64 + 1, Named::one("train_loss", 1.0));
        let event =
            Event::Step { step, epoch: 0, metrics: &metrics, lr: &[0.1], samples: 1, seconds: 1.0, waited: 0.0 };
        watcher.on(&event, &mut Control { params: &params, stop: None, notes: Vec::new() }).unwrap();
        let all = watcher.weights().unwrap();
        for (name, expected) in [("weight", "average"), ("running", "running_average")] {
            for (a, b) in all[name].to_vec1::<f64>().unwrap().into_iter().zip(values(expected)) {
                assert!((a - b).abs() < 1e-15, "{name} at step {step}: {a} and {b}");
            }
        }
    }
}
