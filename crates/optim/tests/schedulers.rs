//! Schedulers give the rates that PyTorch's give, and read what users write.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use pleach_core::kinds::scheduler::Every;
use pleach_core::read::{Read, Reader};
use pleach_core::tree::{Key, Node, Place, Table, Value};
use pleach_core::{DynScheduler, GroupRates, Plan, Plug, Tick};
use pleach_optim as _;
use serde_json::Value as Json;
use std::collections::BTreeMap;

const AT: Place = Place { source: 0, start: 0, end: 0 };

/// JSON as the tree that a file becomes.
fn node(json: &Json) -> Node {
    let value = match json {
        Json::Bool(b) => Value::Bool(*b),
        Json::Number(n) => n.as_i64().map_or_else(|| Value::Float(n.as_f64().unwrap()), Value::Int),
        Json::String(s) => Value::Str(s.clone()),
        Json::Array(items) => Value::Array(items.iter().map(node).collect()),
        Json::Object(map) => {
            let entries = map.iter().map(|(k, v)| (Key { name: k.clone(), place: AT }, node(v))).collect();
            Value::Table(Table { entries })
        }
        Json::Null => panic!("TOML has no null"),
    };
    Node { value, place: AT }
}

fn read(json: Json) -> Result<Plug<dyn DynScheduler>, String> {
    let mut r = Reader::default();
    Plug::read(&node(&json), &mut r).filter(|_| r.diagnostics.is_empty()).ok_or_else(|| {
        r.diagnostics.iter().map(|d| format!("{} {}", d.message, d.label.clone().unwrap_or_default())).collect()
    })
}

fn plan(every: Every, lr: f64) -> Plan {
    let base = vec![GroupRates { lr, momentum: None, initial_lr: lr }];
    Plan { steps_per_epoch: 10, total_steps: Some(200), every, base, better: BTreeMap::new() }
}

/// The rate before each of `n` ticks.
fn rates(scheduler: &Plug<dyn DynScheduler>, plan: &Plan, n: usize, metric: impl Fn(usize) -> Option<f64>) -> Vec<f64> {
    let mut now = plan.base.clone();
    let mut state = scheduler.start(plan, &mut now).unwrap();
    (0..n)
        .map(|i| {
            let before = now[0].lr;
            let metrics = metric(i).map(|m| ("val_loss".to_owned(), m)).into_iter().collect();
            scheduler.rate(&mut *state, &Tick { count: i as u64 + 1, metrics, ..Tick::default() }, &mut now).unwrap();
            before
        })
        .collect()
}

#[test]
fn rates_are_those_of_pytorch() {
    let file: Json = serde_json::from_str(include_str!("golden/schedulers.json")).unwrap();
    let cases = file["cases"].as_array().unwrap();
    assert!(cases.len() >= 15);
    for case in cases {
        let mut settings = case["kwargs"].clone();
        settings["name"] = case["name"].clone();
        let scheduler = read(settings).unwrap();
        let theirs: Vec<f64> = case["lrs"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect();
        let metric = |i: usize| case.get("metrics").map(|m| m[i].as_f64().unwrap_or(f64::NAN));
        let ours = rates(&scheduler, &plan(Every::Epoch, case["base_lr"].as_f64().unwrap()), theirs.len(), metric);
        for (e, (a, b)) in ours.iter().zip(&theirs).enumerate() {
            let what = format!("{} {} in epoch {e}", case["name"], case["kwargs"]);
            assert!((a - b).abs() <= 1e-12 * b.abs().max(1e-3), "{what}: {a} is not PyTorch's {b}");
        }
    }
}

#[test]
fn spans_with_units_are_the_ticks_that_they_cover() {
    let half = |step_size: Json| {
        let scheduler = read(serde_json::json!({ "name": "StepLR", "step_size": step_size, "gamma": 0.5 })).unwrap();
        move |every| rates(&scheduler, &plan(every, 1.0), 45, |_| None)
    };
    let in_steps = half("20 steps".into());
    assert_eq!(in_steps(Every::Step)[19..22], [1.0, 0.5, 0.5]);
    assert_eq!(in_steps(Every::Epoch)[1..4], [1.0, 0.5, 0.5]);
    assert_eq!(half("2 epochs".into())(Every::Step), in_steps(Every::Step));
    assert_eq!(half("10%".into())(Every::Epoch), in_steps(Every::Epoch));
    assert_eq!(half(2.into())(Every::Epoch), in_steps(Every::Epoch));
}

#[test]
fn a_share_of_a_run_without_an_end_never_comes() {
    let scheduler = read(serde_json::json!({ "name": "StepLR", "step_size": "10%" })).unwrap();
    let endless = Plan { total_steps: None, ..plan(Every::Step, 1.0) };
    assert!(rates(&scheduler, &endless, 50, |_| None).iter().all(|&lr| lr == 1.0));
}

#[test]
fn a_tick_without_the_metric_counts_for_nothing() {
    let scheduler = read(serde_json::json!({ "name": "ReduceLROnPlateau", "patience": 1, "factor": 0.5 })).unwrap();
    assert!(rates(&scheduler, &plan(Every::Step, 1.0), 20, |_| None).iter().all(|&lr| lr == 1.0));
    let every_other = rates(&scheduler, &plan(Every::Step, 1.0), 8, |i| (i % 2 == 0).then_some(1.0));
    assert_eq!(every_other, [1.0, 1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.5]);
}

#[test]
fn groups_have_their_own_least_rates() {
    let scheduler =
        read(serde_json::json!({ "name": "ReduceLROnPlateau", "patience": 0, "min_lr": [0.5, 0.02] })).unwrap();
    let group = |lr| GroupRates { lr, momentum: None, initial_lr: lr };
    let plan = Plan { base: vec![group(1.0), group(0.1)], ..plan(Every::Epoch, 1.0) };
    let mut now = plan.base.clone();
    let mut state = scheduler.start(&plan, &mut now).unwrap();
    for count in 1..=4 {
        let metrics = [("val_loss".to_owned(), 1.0)].into_iter().collect();
        scheduler.rate(&mut *state, &Tick { count, metrics, ..Tick::default() }, &mut now).unwrap();
    }
    assert_eq!([now[0].lr, now[1].lr], [0.5, 0.02]);
}

#[test]
fn a_sequence_may_hold_a_sequence_and_watches_what_its_parts_watch() {
    let inner = serde_json::json!({ "name": "SequentialLR", "milestones": [2], "schedulers": [
        { "name": "LinearLR", "total_iters": 2 }, "ReduceLROnPlateau"
    ]});
    let outer = serde_json::json!({ "name": "SequentialLR", "milestones": [3], "schedulers": [
        { "name": "StepLR", "step_size": 1 }, inner
    ]});
    let scheduler = read(outer).unwrap();
    assert_eq!(scheduler.monitors(), ["val_loss"]);
    let rates = rates(&scheduler, &plan(Every::Epoch, 0.9), 7, |_| Some(1.0));
    let theirs = [0.9, 0.09, 0.009, 0.3, 0.6, 0.9, 0.9];
    assert!(rates.iter().zip(theirs).all(|(a, b)| (a - b).abs() < 1e-12), "{rates:?}");
}

#[test]
fn a_state_of_other_schedulers_is_refused() {
    let of = |n: usize| {
        let steps = vec![serde_json::json!({ "name": "StepLR", "step_size": 1 }); n];
        let milestones: Vec<usize> = (1..n).collect();
        read(serde_json::json!({ "name": "SequentialLR", "milestones": milestones, "schedulers": steps })).unwrap()
    };
    let plan = plan(Every::Epoch, 1.0);
    let two = of(2);
    let saved = two.save(&*two.start(&plan, &mut plan.base.clone()).unwrap()).unwrap();
    assert!(two.restore(&saved).is_ok());
    assert_eq!(of(3).restore(&saved).err().map(|e| e.code()), Some("PL0204"));
}

#[test]
fn settings_that_make_no_sense_are_refused_with_the_reason() {
    let step = serde_json::json!({ "name": "StepLR", "step_size": 1 });
    for (bad, reason) in [
        (serde_json::json!({ "name": "StepLR", "step_size": 0 }), "more than 0"),
        (serde_json::json!({ "name": "StepLR", "step_size": "1 parsec" }), "500 steps"),
        (serde_json::json!({ "name": "CosineAnnealingLR", "T_max": 0 }), "more than 0"),
        (serde_json::json!({ "name": "CosineAnnealingLR", "t_max": 5 }), "did you mean `T_max`?"),
        (serde_json::json!({ "name": "LinearLR", "start_factor": 0.0 }), "small number"),
        (serde_json::json!({ "name": "ReduceLROnPlateau", "factor": 1.0 }), "below 1"),
        (serde_json::json!({ "name": "ReduceLROnPlateau", "mode": "maximum" }), "unknown value"),
        (serde_json::json!({ "name": "ReduceLROnPlateau", "min_lr": "low" }), "one for each parameter group"),
        (serde_json::json!({ "name": "SequentialLR", "milestones": [], "schedulers": [] }), "at least one"),
        (serde_json::json!({ "name": "SequentialLR", "milestones": [3], "schedulers": [step] }), "need 0 milestones"),
        (
            serde_json::json!({ "name": "SequentialLR", "milestones": [3, 2], "schedulers": [step, step, step] }),
            "must rise",
        ),
    ] {
        let error = read(bad.clone()).err().unwrap_or_default();
        assert!(error.contains(reason), "{bad}: `{reason}` is not in `{error}`");
    }
}
