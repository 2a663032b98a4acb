//! The curves of the reference libraries, from files.

use super::{group, plan, read};
use pleach_core::kinds::schedule::{Moment, Schedule};
use pleach_core::{GroupRates, Named, Plan};
use serde_json::Value as Json;

fn numbers(json: &Json) -> Vec<f64> {
    match json {
        Json::Array(list) => list.iter().map(|x| x.as_f64().unwrap()).collect(),
        one => vec![one.as_f64().unwrap()],
    }
}

/// Rates and momenta of each group in each epoch; saved and restored into another object on the way.
fn replay(case: &Json) -> Vec<Vec<GroupRates>> {
    let mut settings = case["kwargs"].clone();
    settings["name"] = case["name"].clone();
    let config = read(&settings).unwrap();
    let bases = numbers(case.get("base_lrs").unwrap_or(&case["base_lr"]));
    // PyTorch's SGD always has a momentum to cycle.
    let base: Vec<_> = bases.into_iter().map(|lr| group(lr, Some(case["momentum"].as_f64().unwrap_or(0.0)))).collect();
    let n = case["lrs"].as_array().unwrap().len();
    let plan = Plan { steps_per_epoch: 1, total_steps: Some(n as u64), ..plan(1, base) };
    let mut now = plan.base.clone();
    let mut schedule = Schedule::start(&config, &plan, &mut now).unwrap();
    let mut curve = Vec::new();
    for e in 0..n {
        curve.push(now.clone());
        if let Some(metrics) = case.get("metrics") {
            schedule.learn(&Named::one("val_loss", metrics[e].as_f64().unwrap_or(f64::NAN)));
        }
        let saved = schedule.save().unwrap();
        schedule = Schedule::start(&config, &plan, &mut plan.base.clone()).unwrap();
        schedule.restore(&serde_json::from_str(&saved.to_string()).unwrap()).unwrap();
        schedule.tick(Moment::EpochEnd, e as u64 + 1, e as u32, &mut now).unwrap();
    }
    curve
}

/// Holds all cases of a file against ours; the largest error, relative to the bound.
fn hold(text: &str, least: usize) {
    let file: Json = serde_json::from_str(text).unwrap();
    let cases = file["cases"].as_array().unwrap();
    assert!(cases.len() >= least);
    let mut largest: f64 = 0.0;
    for case in cases {
        let bases = numbers(case.get("base_lrs").unwrap_or(&case["base_lr"]));
        for (e, ours) in replay(case).iter().enumerate() {
            let what = format!("{} {} in epoch {e}", case["name"], case["kwargs"]);
            let lrs = numbers(&case["lrs"][e]);
            assert_eq!(lrs.len(), ours.len(), "{what}");
            for ((group, b), base) in ours.iter().zip(lrs).zip(&bases) {
                let a = group.lr;
                let bound = 1e-12 * b.abs().max(*base);
                assert!((a - b).abs() <= bound, "{what}: {a} is not the reference's {b}");
                largest = largest.max((a - b).abs() / bound);
            }
            let momenta = case.get("momentums").map_or(Vec::new(), |m| numbers(&m[e]));
            for (group, b) in ours.iter().zip(momenta) {
                let a = group.momentum.unwrap();
                assert!((a - b).abs() <= 1e-12, "{what}: a momentum of {a} is not the reference's {b}");
            }
        }
    }
    assert!(largest < 0.1, "the largest error is {largest} of what is borne");
}

#[test]
fn rates_and_momenta_are_those_of_pytorch() {
    hold(include_str!("../../../../tests/goldens/schedulers.json"), 60);
}

#[test]
fn rates_with_a_warm_up_are_those_of_timm() {
    hold(include_str!("../../../../tests/goldens/schedulers_timm.json"), 5);
}
