//! Schedulers within schedulers, and the plateau's ticks.

use super::{Run, by_epoch, close, group, plan, read};
use pleach_core::kinds::schedule::{Moment, Schedule};
use pleach_core::{Named, Plan};
use serde_json::json;

#[test]
fn a_sequence_may_hold_a_sequence_and_watches_what_its_parts_watch() {
    let inner = json!({ "name": "SequentialLR", "milestones": [2], "schedulers": [
        { "name": "LinearLR", "total_iters": 2 }, "ReduceLROnPlateau"
    ]});
    let outer = json!({ "name": "SequentialLR", "milestones": [3], "schedulers": [
        { "name": "StepLR", "step_size": 1 }, inner
    ]});
    let scheduler = read(&outer).unwrap();
    assert_eq!(scheduler.monitors(), ["val_loss"]);
    close(&by_epoch(&scheduler, &plan(7, vec![group(0.9, None)])), &[0.9, 0.09, 0.009, 0.3, 0.6, 0.9, 0.9]);
}

#[test]
fn a_chain_in_a_sequence_begins_as_it_would_begin_training() {
    let chain = json!({ "name": "ChainedScheduler", "schedulers": [
        { "name": "ConstantLR", "factor": 0.5, "total_iters": 2 }, { "name": "ExponentialLR", "gamma": 0.1 }
    ]});
    let last = json!({ "name": "SequentialLR", "milestones": [2], "schedulers": [
        { "name": "ExponentialLR", "gamma": 0.5 }, chain
    ]});
    let plan = plan(6, vec![group(1.0, None)]);
    close(&by_epoch(&read(&last).unwrap(), &plan), &[1.0, 0.5, 0.5, 0.05, 0.01, 0.001]);
    let first = json!({ "name": "SequentialLR", "milestones": [3], "schedulers": [
        chain, { "name": "ExponentialLR", "gamma": 0.5 }
    ]});
    close(&by_epoch(&read(&first).unwrap(), &plan), &[0.5, 0.05, 0.01, 1.0, 0.5, 0.25]);
}

#[test]
fn a_cycle_of_the_momentum_begins_with_its_turn_each_time() {
    let cycle = json!({ "name": "OneCycleLR", "max_lr": 1, "total_steps": 4 });
    let twice = read(&json!({ "name": "SequentialLR", "milestones": [3], "schedulers": [cycle, cycle] })).unwrap();
    let plan = plan(6, vec![group(1.0, Some(0.95))]);
    let mut run = Run::start(&twice, &plan).unwrap();
    let mut momenta = Vec::new();
    for _ in 0..60 {
        momenta.push(run.rates[0].momentum.unwrap());
        run.step(1.0);
    }
    let momenta: Vec<_> = momenta.into_iter().step_by(10).collect();
    assert_eq!(momenta[..3], momenta[3..]);
    assert!(momenta[1] < 0.9 && momenta[3] == 0.95, "{momenta:?}");
}

#[test]
fn a_plateau_in_a_chain_hears_what_is_measured() {
    let chain = json!({ "name": "ChainedScheduler", "schedulers": [
        { "name": "ExponentialLR", "gamma": 0.5 }, { "name": "ReduceLROnPlateau", "patience": 1, "factor": 0.1 }
    ]});
    let rates = by_epoch(&read(&chain).unwrap(), &plan(5, vec![group(1.0, None)]));
    close(&rates, &[1.0, 0.5, 0.25, 0.0125, 0.00625]);
}

#[test]
fn a_tick_without_the_metric_counts_for_nothing() {
    let config = read(&json!({ "name": "ReduceLROnPlateau", "patience": 1, "factor": 0.5 })).unwrap();
    let plan = Plan { steps_per_epoch: 1, ..plan(1, vec![group(1.0, None)]) };
    let rates = |measured: fn(u64) -> bool| -> Vec<f64> {
        let mut now = plan.base.clone();
        let mut schedule = Schedule::start(&config, &plan, &mut now).unwrap();
        let mut tick = |i| {
            let before = now[0].lr;
            if measured(i) {
                schedule.learn(&Named::one("val_loss", 1.0));
            }
            schedule.tick(Moment::EpochEnd, i + 1, i as u32, &mut now).unwrap();
            before
        };
        (0..8).map(&mut tick).collect()
    };
    assert_eq!(rates(|_| false), [1.0; 8]);
    assert_eq!(rates(|i| i % 2 == 0), [1.0, 1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.5]);
}
