//! Schedulers give the rates that PyTorch's and timm's give, and read what users write.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod composites;
mod goldens;
mod refused;
mod spans;
mod warmup;

use pleach_core::kinds::schedule::{Moment, Schedule};
use pleach_core::kinds::scheduler::{Every, SchedulerConfig};
use pleach_core::read::{Read, Reader};
use pleach_core::tree::{Key, Node, Place, Table, Value};
use pleach_core::{GroupRates, Named, Plan};
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

/// A slot as a file writes it, or all that is wrong with it.
fn read(json: &Json) -> Result<SchedulerConfig, String> {
    let mut r = Reader::default();
    SchedulerConfig::read(&node(json), &mut r).filter(|_| r.diagnostics.is_empty()).ok_or_else(|| {
        r.diagnostics.iter().map(|d| format!("{} {}", d.message, d.label.clone().unwrap_or_default())).collect()
    })
}

fn group(lr: f64, momentum: Option<f64>) -> GroupRates {
    GroupRates { lr, momentum, initial_lr: lr }
}

/// A run of so many epochs of 10 steps, with these groups.
fn plan(epochs: u64, base: Vec<GroupRates>) -> Plan {
    Plan {
        steps_per_epoch: 10,
        total_steps: Some(10 * epochs),
        every: Every::Epoch,
        base,
        better: BTreeMap::new(),
        part: None,
    }
}

/// A run with a slot's scheduler.
struct Run {
    schedule: Schedule,
    steps_per_epoch: u64,
    step: u64,
    rates: Vec<GroupRates>,
}

impl Run {
    fn start(config: &SchedulerConfig, plan: &Plan) -> pleach_core::Result<Self> {
        let mut rates = plan.base.clone();
        let plan = Plan { every: config.slot.every, ..plan.clone() };
        let schedule = Schedule::start(config, &plan, &mut rates)?;
        Ok(Self { schedule, steps_per_epoch: plan.steps_per_epoch, step: 0, rates })
    }

    /// One optimizer step, and the end of the epoch if it is the last of one; the rate at which it was taken.
    fn step(&mut self, val_loss: f64) -> f64 {
        let lr = self.rates[0].lr;
        self.step += 1;
        let epoch = ((self.step - 1) / self.steps_per_epoch) as u32;
        self.schedule.tick(Moment::Step, self.step, epoch, &mut self.rates).unwrap();
        if self.step.is_multiple_of(self.steps_per_epoch) {
            self.schedule.learn(&Named::one("val_loss", val_loss));
            self.schedule.tick(Moment::EpochEnd, self.step, epoch, &mut self.rates).unwrap();
        }
        lr
    }
}

/// The rate of the first group at each step of a run.
fn by_step(config: &SchedulerConfig, plan: &Plan) -> Vec<f64> {
    let mut run = Run::start(config, plan).unwrap();
    (0..plan.total_steps.unwrap()).map(|_| run.step(1.0)).collect()
}

/// The rate of the first group in each epoch of a run, at its first step.
fn by_epoch(config: &SchedulerConfig, plan: &Plan) -> Vec<f64> {
    by_step(config, plan).into_iter().step_by(plan.steps_per_epoch as usize).collect()
}

#[track_caller]
fn close(ours: &[f64], theirs: &[f64]) {
    assert_eq!(ours.len(), theirs.len());
    for (i, (a, b)) in ours.iter().zip(theirs).enumerate() {
        assert!((a - b).abs() <= 1e-12 * b.abs().max(1e-3), "{i}: {a} is not {b} in {ours:?}");
    }
}
