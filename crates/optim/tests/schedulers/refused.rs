//! What is refused, when, and with which words.

use super::{Run, group, plan, read};
use pleach_core::Plan;
use pleach_core::kinds::schedule::Moment;
use pleach_core::kinds::scheduler::Every;
use serde_json::json;

#[test]
fn settings_that_make_no_sense_are_refused_with_the_reason() {
    let step = json!({ "name": "StepLR", "step_size": 1 });
    let cyclic = |key: &str, value| {
        let mut bad = json!({ "name": "CyclicLR", "base_lr": 0.1, "max_lr": 1 });
        bad[key] = value;
        bad
    };
    let one_cycle = |key: &str, value| {
        let mut bad = json!({ "name": "OneCycleLR", "max_lr": 1 });
        bad[key] = value;
        bad
    };
    for (bad, reason) in [
        (json!({ "name": "StepLR", "step_size": 0 }), "more than 0"),
        (json!({ "name": "StepLR", "step_size": "1 parsec" }), "500 steps"),
        (json!({ "name": "StepLR", "step_size": 1, "warmup": true }), "500 steps"),
        (json!({ "name": "StepLR", "step_size": 1, "warmup": { "rule": "timm" } }), "needs `length`"),
        (json!({ "name": "StepLR", "step_size": 1, "warmup": { "length": 1, "rule": "tim" } }), "did you mean `timm`?"),
        (json!({ "name": "StepLR", "step_size": 1, "warmup": { "length": 1, "start_factor": 2 } }), "at most 1"),
        (json!({ "name": "MultiStepLR", "milestones": 5 }), "a list"),
        (json!({ "name": "MultiStepLR", "milestones": [5], "gamma": -1 }), "at least 0"),
        (json!({ "name": "ExponentialLR" }), "needs `gamma`"),
        (json!({ "name": "ExponentialLR", "gamma": -0.5 }), "at least 0"),
        (json!({ "name": "ConstantLR", "factor": 1.5 }), "at most 1"),
        (json!({ "name": "ConstantLR", "factor": 0 }), "no way back"),
        (json!({ "name": "ConstantLR", "total_iters": 0 }), "more than 0"),
        (json!({ "name": "LinearLR", "start_factor": 0.0 }), "small number"),
        (json!({ "name": "LinearLR", "end_factor": 1.5 }), "at most 1"),
        (json!({ "name": "PolynomialLR", "total_iters": 0 }), "more than 0"),
        (json!({ "name": "CosineAnnealingLR", "T_max": 0 }), "more than 0"),
        (json!({ "name": "CosineAnnealingLR", "t_max": 5 }), "did you mean `T_max`?"),
        (json!({ "name": "CosineAnnealingWarmRestarts", "T_0": 0 }), "more than 0"),
        (json!({ "name": "CosineAnnealingWarmRestarts", "T_0": 1, "T_mult": 0 }), "at least 1"),
        (cyclic("step_size_up", json!(0)), "more than 0"),
        (cyclic("mode", json!("triangulr")), "did you mean `triangular`?"),
        (cyclic("max_lr", json!([])), "an empty list"),
        (json!({ "name": "CyclicLR", "max_lr": 1 }), "needs `base_lr`"),
        (one_cycle("total_steps", json!(0)), "more than 0"),
        (one_cycle("epochs", json!(0)), "more than 0"),
        (one_cycle("steps_per_epoch", json!(0)), "more than 0"),
        (one_cycle("pct_start", json!(1.5)), "at most 1"),
        (one_cycle("div_factor", json!(0)), "above 0"),
        (one_cycle("anneal_strategy", json!("cosine")), "unknown value"),
        (json!({ "name": "SWALR" }), "needs `swa_lr`"),
        (json!({ "name": "ReduceLROnPlateau", "factor": 1.0 }), "below 1"),
        (json!({ "name": "ReduceLROnPlateau", "mode": "maximum" }), "unknown value"),
        (json!({ "name": "ReduceLROnPlateau", "min_lr": "low" }), "one for each parameter group"),
        (json!({ "name": "ChainedScheduler", "schedulers": [] }), "at least one"),
        (json!({ "name": "SequentialLR", "milestones": [], "schedulers": [] }), "at least one"),
        (json!({ "name": "SequentialLR", "milestones": [3], "schedulers": [step] }), "need 0 milestones"),
        (json!({ "name": "SequentialLR", "milestones": [3, 2], "schedulers": [step, step, step] }), "must rise"),
        (json!({ "name": "LambdaLR", "lr_lambda": "lambda e: 0.9 ** e" }), "a file holds no functions"),
        (json!({ "name": "MultiplicativeLR" }), "ExponentialLR"),
    ] {
        let error = read(&bad).err().unwrap_or_default();
        assert!(error.contains(reason), "{bad}: `{reason}` is not in `{error}`");
    }
}

#[test]
fn a_list_must_have_a_number_for_each_group() {
    let two = plan(20, vec![group(1.0, Some(0.9)), group(0.1, Some(0.9))]);
    for bad in [
        json!({ "name": "CyclicLR", "base_lr": [0.1], "max_lr": 1 }),
        json!({ "name": "CyclicLR", "base_lr": 0.1, "max_lr": 1, "max_momentum": [0.1, 0.2, 0.3] }),
        json!({ "name": "OneCycleLR", "max_lr": [1, 2, 3] }),
        json!({ "name": "OneCycleLR", "max_lr": 1, "base_momentum": [0.8] }),
        json!({ "name": "SWALR", "swa_lr": [0.1] }),
        json!({ "name": "ReduceLROnPlateau", "min_lr": [0.1] }),
    ] {
        let error = Run::start(&read(&bad).unwrap(), &two).err();
        assert!(error.is_some_and(|e| e.code() == "PL0161" && e.to_string().contains("2 parameter groups")), "{bad}");
    }
}

#[test]
fn a_cycle_of_the_momentum_needs_a_momentum() {
    let without = plan(20, vec![group(1.0, None)]);
    for name in
        [json!({ "name": "CyclicLR", "base_lr": 0.1, "max_lr": 1 }), json!({ "name": "OneCycleLR", "max_lr": 1 })]
    {
        let error = Run::start(&read(&name).unwrap(), &without).err();
        assert_eq!(error.map(|e| e.code()), Some("PL0162"), "{name}");
        let mut rate_only = name.clone();
        rate_only["cycle_momentum"] = false.into();
        let run = Run::start(&read(&rate_only).unwrap(), &without).unwrap();
        assert_eq!(run.rates[0].momentum, None);
    }
}

#[test]
fn one_cycle_ends_with_its_last_tick() {
    let short = read(&json!({ "name": "OneCycleLR", "max_lr": 1, "total_steps": 5 })).unwrap();
    let longer = plan(6, vec![group(1.0, Some(0.9))]);
    let error = Run::start(&short, &longer).err().unwrap();
    assert_eq!(error.code(), "PL0163");
    assert!(error.to_string().contains("made for 5 ticks, and will have 6"), "{error}");

    let endless = Plan { total_steps: None, ..longer };
    let mut run = Run::start(&short, &endless).unwrap();
    let mut tick = |i: u64| run.schedule.tick(Moment::EpochEnd, 10 * i, i as u32, &mut run.rates);
    assert!((1..=5).all(|i| tick(i).is_ok()));
    assert_eq!(tick(6).err().map(|e| e.code()), Some("PL0163"));
}

#[test]
fn a_state_of_other_schedulers_is_refused() {
    let plan = Plan { every: Every::Epoch, ..plan(20, vec![group(1.0, None)]) };
    for name in ["SequentialLR", "ChainedScheduler"] {
        let of = |n: usize| {
            let mut whole = json!({ "name": name, "schedulers": vec![json!({ "name": "StepLR", "step_size": 1 }); n] });
            if name == "SequentialLR" {
                whole["milestones"] = (1..n).collect::<Vec<_>>().into();
            }
            read(&whole).unwrap()
        };
        let two = of(2);
        let saved = two.save(&*two.start(&plan, &mut plan.base.clone()).unwrap()).unwrap();
        assert!(two.restore(&saved).is_ok());
        assert_eq!(of(3).restore(&saved).err().map(|e| e.code()), Some("PL0204"));
    }
}
