//! The slot's warm-up before any scheduler.

use super::{Run, by_epoch, by_step, close, group, plan, read};
use pleach_core::Plan;
use pleach_core::kinds::schedule::Schedule;
use serde_json::{Value as Json, json};

fn with(scheduler: &Json, warmup: Json) -> Json {
    let mut whole = scheduler.clone();
    whole["warmup"] = warmup;
    whole
}

#[test]
fn the_rule_of_the_vision_application_is_the_default() {
    let cosine = read(&json!({ "name": "CosineAnnealingLR", "T_max": "100%", "warmup": "5 epochs" })).unwrap();
    let rates = by_epoch(&cosine, &plan(50, vec![group(1e-3, None)]));
    let bottom = 1e-3 * (1.0 + (44.0 * std::f64::consts::PI / 50.0).cos()) / 2.0;
    close(
        &[rates[0], rates[1], rates[4], rates[5], rates[30], rates[49]],
        &[1.0e-4, 2.8e-4, 8.2e-4, 1.0e-3, 5.0e-4, bottom],
    );
    assert!((bottom - 3.51e-5).abs() < 1e-7);
}

#[test]
fn the_other_lines_of_its_table_hold_too() {
    let plan = plan(60, vec![group(1e-3, None)]);
    let of = |json: Json| by_epoch(&read(&json).unwrap(), &plan);
    let step = of(json!({ "name": "StepLR", "step_size": 10 }));
    close(&[step[9], step[10], step[20]], &[1e-3, 1e-4, 1e-5]);
    let after = of(json!({ "name": "StepLR", "step_size": 10, "warmup": 5 }));
    close(&after[5..], &step[..55]);
    let milestones = of(json!({ "name": "MultiStepLR", "milestones": [10, 20], "warmup": 5 }));
    close(&[milestones[14], milestones[15], milestones[25]], &[1e-3, 1e-4, 1e-5]);
    let poly = of(json!({ "name": "PolynomialLR", "total_iters": "100%", "power": 0.9 }));
    close(&[poly[30]], &[1e-3 * 0.5f64.powf(0.9)]);
}

#[test]
fn a_shortened_schedule_ends_with_the_run() {
    let plan = plan(20, vec![group(1.0, None)]);
    let cosine = json!({ "name": "CosineAnnealingLR", "T_max": "100%" });
    let short = read(&with(&cosine, json!({ "length": 4, "rule": "shortened" }))).unwrap();
    let told = read(&json!({ "name": "CosineAnnealingLR", "T_max": 16, "warmup": 4 })).unwrap();
    assert_eq!(by_epoch(&short, &plan), by_epoch(&told, &plan));
    let by_steps = read(&with(&cosine, json!({ "length": "40 steps", "rule": "shortened" }))).unwrap();
    assert_eq!(by_epoch(&by_steps, &plan)[4..], by_epoch(&told, &plan)[4..]);
}

#[test]
fn every_scheduler_can_be_warmed_up() {
    let plan = plan(20, vec![group(1.0, Some(0.9))]);
    let parts = json!([{ "name": "ExponentialLR", "gamma": 0.9 }, { "name": "LinearLR", "total_iters": 3 }]);
    for scheduler in [
        json!({ "name": "StepLR", "step_size": 3 }),
        json!({ "name": "MultiStepLR", "milestones": [3, 5] }),
        json!({ "name": "ConstantLR" }),
        json!({ "name": "LinearLR" }),
        json!({ "name": "ExponentialLR", "gamma": 0.9 }),
        json!({ "name": "PolynomialLR", "total_iters": 9 }),
        json!({ "name": "CosineAnnealingLR", "T_max": 9 }),
        json!({ "name": "CosineAnnealingWarmRestarts", "T_0": 4 }),
        json!({ "name": "CyclicLR", "base_lr": 0.1, "max_lr": 2, "step_size_up": 3 }),
        json!({ "name": "OneCycleLR", "max_lr": 2, "total_steps": 20 }),
        json!({ "name": "ReduceLROnPlateau", "patience": 1 }),
        json!({ "name": "SWALR", "swa_lr": 0.3, "anneal_epochs": 4 }),
        json!({ "name": "SequentialLR", "milestones": [6], "schedulers": parts }),
        json!({ "name": "ChainedScheduler", "schedulers": parts }),
    ] {
        let alone = by_epoch(&read(&scheduler).unwrap(), &plan);
        let first = alone[0];
        let line: Vec<_> = (0..5).map(|t| first * (0.1 + 0.9 * f64::from(t) / 5.0)).collect();
        let warm = by_epoch(&read(&with(&scheduler, json!(5))).unwrap(), &plan);
        close(&warm[..5], &line);
        assert_eq!(warm[5..], alone[..15], "{scheduler}");
        let unseen = by_epoch(&read(&with(&scheduler, json!({ "length": 5, "rule": "timm" }))).unwrap(), &plan);
        close(&unseen[..5], &(0..5).map(|t| first * f64::from(t) / 5.0).collect::<Vec<_>>());
        assert_eq!(unseen[5..], alone[5..], "{scheduler}");
    }
}

#[test]
fn a_warm_up_by_steps_may_stand_before_a_plateau_by_epochs() {
    let config = read(&json!({
        "name": "ReduceLROnPlateau", "patience": 1, "factor": 0.5,
        "warmup": { "length": "15 steps", "start_lr": 0.25 }
    }))
    .unwrap();
    let rates = by_step(&config, &plan(6, vec![group(1.0, None)]));
    close(&rates[..16], &(0..16).map(|t| 0.25 + 0.75 * f64::from(t) / 15.0).collect::<Vec<_>>());
    // Epochs end after 20, 30 and 40 steps with the same loss: the first is the best, the second is borne.
    assert!(rates[15..40].iter().all(|&lr| lr == 1.0) && rates[40..60].iter().all(|&lr| lr == 0.5), "{rates:?}");
}

#[test]
fn an_epoch_that_was_all_warm_up_is_no_tick() {
    let of = |warmup: Json| with(&json!({ "name": "StepLR", "step_size": 1, "gamma": 0.5 }), warmup);
    let plan = plan(5, vec![group(1.0, None)]);
    let by_steps = by_epoch(&read(&of(json!("20 steps"))).unwrap(), &plan);
    let by_epochs = by_epoch(&read(&of(json!(2))).unwrap(), &plan);
    assert_eq!(by_steps[2..], [1.0, 0.5, 0.25]);
    assert_eq!(by_epochs[2..], [1.0, 0.5, 0.25]);
}

#[test]
fn a_warm_up_may_rise_by_epochs_before_a_schedule_by_steps() {
    let config = read(&json!({
        "name": "StepLR", "every": "step", "step_size": 10, "gamma": 0.5,
        "warmup": { "length": "2 epochs", "every": "epoch", "start_factor": 0.5 }
    }))
    .unwrap();
    let rates = by_step(&config, &plan(4, vec![group(1.0, None)]));
    let tens: Vec<_> = rates.chunks(10).map(|ten| (ten[0], ten[9])).collect();
    assert_eq!(tens, [(0.5, 0.5), (0.75, 0.75), (1.0, 1.0), (0.5, 0.5)]);
}

#[test]
fn one_cycle_has_what_the_warm_up_leaves() {
    let plan = plan(20, vec![group(1.0, Some(0.9))]);
    let left = read(&json!({ "name": "OneCycleLR", "max_lr": 1, "warmup": 5 })).unwrap();
    let told = read(&json!({ "name": "OneCycleLR", "max_lr": 1, "total_steps": 15, "warmup": 5 })).unwrap();
    assert_eq!(by_epoch(&left, &plan), by_epoch(&told, &plan));
}

#[test]
fn no_length_is_no_warm_up_and_one_longer_than_the_run_never_ends() {
    let step = json!({ "name": "StepLR", "step_size": 2 });
    let plan = plan(4, vec![group(1.0, None)]);
    let of = |json: &Json| by_epoch(&read(json).unwrap(), &plan);
    assert_eq!(of(&with(&step, json!(0))), of(&step));
    assert_eq!(of(&with(&step, json!("none"))), of(&step));
    close(&of(&with(&step, json!(10))), &[0.1, 0.19, 0.28, 0.37]);
    close(&of(&with(&step, json!({ "length": 10, "rule": "shortened" }))), &[0.1, 0.19, 0.28, 0.37]);
}

#[test]
fn a_run_stopped_at_any_step_of_the_warm_up_goes_on_to_the_bit() {
    for rule in ["torch_sequential", "shortened", "timm"] {
        let config = read(&json!({
            "name": "OneCycleLR", "max_lr": 1, "every": "step", "warmup": { "length": "7 steps", "rule": rule }
        }))
        .unwrap();
        let plan = Plan { every: config.slot.every, ..plan(2, vec![group(1.0, Some(0.9)), group(0.3, Some(0.5))]) };
        let bits = |run: &Run| -> Vec<_> {
            run.rates.iter().map(|g| (g.lr.to_bits(), g.momentum.map(f64::to_bits))).collect()
        };
        let mut whole = Run::start(&config, &plan).unwrap();
        let curve: Vec<_> = (0..20).map(|_| (whole.step(1.0), bits(&whole)).1).collect();
        for stop in 0..20 {
            let mut run = Run::start(&config, &plan).unwrap();
            let _: Vec<_> = (0..stop).map(|_| run.step(1.0)).collect();
            let saved = run.schedule.save().unwrap().to_string();
            run.schedule = Schedule::start(&config, &plan, &mut plan.base.clone()).unwrap();
            run.schedule.restore(&serde_json::from_str(&saved).unwrap()).unwrap();
            let rest: Vec<_> = (stop..20).map(|_| (run.step(1.0), bits(&run)).1).collect();
            assert_eq!(rest, curve[stop..], "{rule} stopped after {stop} steps");
        }
    }
}

#[test]
fn a_slot_with_a_warm_up_is_saved_and_read_back() {
    for warmup in [json!("500 steps"), json!({ "length": 3, "rule": "timm", "start_lr": 1e-6, "every": "step" })] {
        let config = read(&with(&json!({ "name": "StepLR", "step_size": 2 }), warmup)).unwrap();
        let saved = pleach_core::saved::save(&config).unwrap();
        assert_eq!(pleach_core::saved::load::<pleach_core::kinds::scheduler::SchedulerConfig>(&saved).unwrap(), config);
    }
}
