//! Lengths with units, and what a run without an end makes of them.

use super::{Run, by_epoch, by_step, group, plan, read};
use pleach_core::Plan;
use serde_json::{Value as Json, json};

#[test]
fn spans_with_units_are_the_ticks_that_they_cover() {
    let half = |every: &str, step_size: Json| {
        read(&json!({ "name": "StepLR", "every": every, "step_size": step_size, "gamma": 0.5 })).unwrap()
    };
    let plan = plan(20, vec![group(1.0, None)]);
    let in_steps = by_step(&half("step", json!("20 steps")), &plan);
    assert_eq!(in_steps[19..22], [1.0, 0.5, 0.5]);
    for (every, span) in [
        ("step", json!("2 epochs")),
        ("step", json!("10%")),
        ("step", json!(20)),
        ("epoch", json!("20 steps")),
        ("epoch", json!("10%")),
        ("epoch", json!(2)),
    ] {
        assert_eq!(by_step(&half(every, span.clone()), &plan), in_steps, "{every} {span}");
    }
}

#[test]
fn every_length_may_have_a_unit() {
    let plan = plan(20, vec![group(1.0, Some(0.9))]);
    for (plain, spans) in [
        (json!({ "name": "ConstantLR", "total_iters": 4 }), json!({ "total_iters": "40 steps" })),
        (json!({ "name": "LinearLR", "total_iters": 4 }), json!({ "total_iters": "20%" })),
        (json!({ "name": "PolynomialLR", "total_iters": 20 }), json!({ "total_iters": "100%" })),
        (json!({ "name": "CosineAnnealingLR", "T_max": 20 }), json!({ "T_max": "100%" })),
        (json!({ "name": "CosineAnnealingWarmRestarts", "T_0": 5 }), json!({ "T_0": "5 epochs" })),
        (json!({ "name": "MultiStepLR", "milestones": [5, 10] }), json!({ "milestones": ["5 epochs", "50%"] })),
        (
            json!({ "name": "CyclicLR", "base_lr": 0.1, "max_lr": 1, "step_size_up": 2, "step_size_down": 3 }),
            json!({ "step_size_up": "10%", "step_size_down": "30 steps" }),
        ),
        (json!({ "name": "OneCycleLR", "max_lr": 1, "total_steps": 20 }), json!({ "total_steps": "100%" })),
        (json!({ "name": "SWALR", "swa_lr": 0.5, "anneal_epochs": 5 }), json!({ "anneal_epochs": "25%" })),
    ] {
        let mut other = plain.clone();
        other.as_object_mut().unwrap().extend(spans.as_object().unwrap().clone());
        let (a, b) = (by_epoch(&read(&plain).unwrap(), &plan), by_epoch(&read(&other).unwrap(), &plan));
        assert_eq!(a, b, "{plain} and {spans}");
        assert!(a.iter().any(|&lr| lr != a[0]), "{plain} does nothing");
    }
}

#[test]
fn a_share_of_a_run_without_an_end_is_an_error() {
    let endless = Plan { total_steps: None, ..plan(1, vec![group(1.0, Some(0.9))]) };
    for bad in [
        json!({ "name": "StepLR", "step_size": "10%" }),
        json!({ "name": "MultiStepLR", "milestones": ["10%"] }),
        json!({ "name": "ConstantLR", "total_iters": "10%" }),
        json!({ "name": "LinearLR", "total_iters": "10%" }),
        json!({ "name": "PolynomialLR", "total_iters": "10%" }),
        json!({ "name": "CosineAnnealingLR", "T_max": "10%" }),
        json!({ "name": "CosineAnnealingWarmRestarts", "T_0": "10%" }),
        json!({ "name": "CyclicLR", "base_lr": 0.1, "max_lr": 1, "step_size_up": "10%" }),
        json!({ "name": "CyclicLR", "base_lr": 0.1, "max_lr": 1, "step_size_down": "10%" }),
        json!({ "name": "OneCycleLR", "max_lr": 1, "total_steps": "10%" }),
        json!({ "name": "OneCycleLR", "max_lr": 1 }),
        json!({ "name": "OneCycleLR", "max_lr": 1, "steps_per_epoch": 3 }),
        json!({ "name": "SWALR", "swa_lr": 1, "anneal_epochs": "10%" }),
        json!({ "name": "ExponentialLR", "gamma": 0.5, "warmup": "10%" }),
        json!({ "name": "SequentialLR", "milestones": ["10%"], "schedulers": [
            { "name": "ExponentialLR", "gamma": 1 }, { "name": "ExponentialLR", "gamma": 0.5 }
        ] }),
        json!({ "name": "ChainedScheduler", "schedulers": [{ "name": "StepLR", "step_size": "10%" }] }),
    ] {
        let error = Run::start(&read(&bad).unwrap(), &endless).err().map(|e| (e.code(), e.to_string()));
        assert!(error.as_ref().is_some_and(|(code, text)| *code == "PL0160" && text.contains("no end")), "{bad}");
    }
    let fine = json!({ "name": "OneCycleLR", "max_lr": 1, "epochs": 3 });
    assert!(Run::start(&read(&fine).unwrap(), &endless).is_ok());
}

#[test]
fn one_cycle_lasts_as_long_as_the_run_unless_it_is_told() {
    let plan = plan(6, vec![group(1.0, Some(0.9))]);
    let of = |more: Json| {
        let mut whole = json!({ "name": "OneCycleLR", "max_lr": 1 });
        whole.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        by_step(&read(&whole).unwrap(), &plan)
    };
    let by_steps = of(json!({ "every": "step", "total_steps": 60 }));
    for same in [
        json!({}),
        json!({ "epochs": 6 }),
        json!({ "steps_per_epoch": 10 }),
        json!({ "epochs": 3, "steps_per_epoch": 20 }),
    ] {
        let mut same = same;
        same["every"] = "step".into();
        assert_eq!(of(same.clone()), by_steps, "{same}");
    }
    assert_eq!(of(json!({})), of(json!({ "total_steps": 6 })));
}

#[test]
fn within_a_sequence_one_cycle_lasts_as_long_as_its_turn() {
    let plan = plan(20, vec![group(1.0, Some(0.9))]);
    let of = |cycle: Json| {
        let line = json!({ "name": "LinearLR", "total_iters": 5 });
        let exp = json!({ "name": "ExponentialLR", "gamma": 0.5 });
        read(&json!({ "name": "SequentialLR", "milestones": [5, 15], "schedulers": [line, cycle, exp] })).unwrap()
    };
    let told = of(json!({ "name": "OneCycleLR", "max_lr": 1, "total_steps": 10 }));
    assert_eq!(by_epoch(&told, &plan), by_epoch(&of(json!({ "name": "OneCycleLR", "max_lr": 1 })), &plan));
}
