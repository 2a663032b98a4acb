//! The rates of a run before it runs: its own schedulers, warm-ups, groups and phases over its own number of steps.

use crate::clock::Clock;
use crate::stage::{Stage, phases, total_steps};
use pleach_config::run::Run;
use pleach_core::kinds::schedule::{Moment, Schedule};
use pleach_core::kinds::scheduler::SchedulerConfig;
use pleach_core::{Better, Error, GroupRates, Named, Plan, Result};
use std::collections::BTreeMap;

/// More steps than this are not walked through.
const MOST: u64 = 20_000_000;

/// The rates in force in every step of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Forecast {
    /// The groups of parameters: `[optimizer]` itself, then those of the file. Phases may have different numbers of them.
    pub groups: Vec<Track>,
    /// Each phase with the step at which it begins, counted from 0, and the steps of its epochs.
    pub phases: Vec<PhaseSpan>,
    /// What a person should know of it.
    pub notes: Vec<String>,
}

/// What one group has in each step.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Track {
    /// Learning rates.
    pub lr: Vec<f64>,
    /// Momenta, where the optimizer has one; otherwise NaN.
    pub momentum: Vec<f64>,
}

/// Where a phase lies.
#[derive(Debug, Clone, PartialEq)]
pub struct PhaseSpan {
    /// Its name; empty for a run without phases.
    pub name: String,
    /// The step at which it begins, counted from 0.
    pub begin: u64,
    /// How many steps it has.
    pub steps: u64,
    /// Optimizer steps in one of its epochs.
    pub steps_per_epoch: u64,
}

/// What a run has measured, for schedulers that watch a metric.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Measured {
    /// After which step of the run what was measured, in the order of the log.
    steps: BTreeMap<u64, Named<f64>>,
    /// Within an epoch, after which step.
    validations: BTreeMap<u64, Named<f64>>,
    /// At the end of which epoch of the run.
    epochs: BTreeMap<u32, Named<f64>>,
}

impl Measured {
    /// Reads the text of a `log.jsonl`.
    ///
    /// # Errors
    /// A line is no event of a log.
    pub fn read(text: &str) -> Result<Self> {
        let mut all = Self::default();
        for (i, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let odd = |why: String| Error::new("PL0510", format!("line {} is no line of a run's log: {why}", i + 1));
            let event: serde_json::Value = serde_json::from_str(line).map_err(|e| odd(e.to_string()))?;
            let number = |key: &str| event.get(key).and_then(serde_json::Value::as_u64);
            let kind = event
                .get("event")
                .and_then(serde_json::Value::as_str)
                .ok_or_else(|| odd("it has no `event`".into()))?;
            let metrics = || -> Result<Named<f64>> {
                let mut named = Named::new();
                for (name, value) in event.get("metrics").and_then(serde_json::Value::as_object).into_iter().flatten() {
                    named.insert(name, pleach_core::saved::load(value).map_err(|e| odd(e.to_string()))?);
                }
                Ok(named)
            };
            let epoch = number("epoch").and_then(|e| u32::try_from(e).ok());
            match (kind, number("step"), epoch) {
                ("step", Some(step), _) => drop(all.steps.insert(step, metrics()?)),
                ("validation", Some(step), _) => drop(all.validations.insert(step, metrics()?)),
                ("epoch", Some(step), Some(epoch)) => {
                    // The validation at an epoch's end is heard with the epoch.
                    all.validations.remove(&step);
                    all.epochs.insert(epoch, metrics()?);
                }
                _ => {}
            }
        }
        if all.epochs.is_empty() && all.steps.is_empty() {
            return Err(Error::new("PL0510", "this log has neither a step nor an epoch"));
        }
        Ok(all)
    }

    /// The epochs of which it tells.
    fn knows(&self, epoch: u32) -> bool {
        self.epochs.contains_key(&epoch)
    }
}

/// Walks through a run without training it.
///
/// The data are opened and the net is built, as for training, unless `steps_per_epoch` is given: then neither is
/// touched, and groups are not held against the parameters of the net.
///
/// # Errors
/// Data are missing, the run has no end, or a scheduler watches a metric and there is no log.
pub fn forecast(run: &Run, steps_per_epoch: Option<u64>, measured: Option<&Measured>) -> Result<Forecast> {
    let mut all = Forecast { groups: Vec::new(), phases: Vec::new(), notes: Vec::new() };
    let mut clock = Clock::default();
    for (index, of) in phases(run).iter().enumerate() {
        clock.phase = index;
        let name = of.phase.get(index).map(|phase| phase.name.clone()).unwrap_or_default();
        let opened = Opened::new(of, &clock, steps_per_epoch)?;
        let span = PhaseSpan { name, begin: clock.step, steps: 0, steps_per_epoch: opened.steps_per_epoch };
        all.phases.push(span);
        walk(of, opened, &mut clock, measured, &mut all)?;
        if let Some(span) = all.phases.last_mut() {
            span.steps = clock.steps_in_phase();
        }
        clock = clock.next_phase();
    }
    if run.early_stopping.is_some() {
        all.notes.push("the run may end earlier: [early_stopping] is not looked at".into());
    }
    Ok(all)
}

/// A phase, ready to be walked through.
struct Opened {
    steps_per_epoch: u64,
    rates: Vec<GroupRates>,
    schedule: Option<Schedule>,
}

impl Opened {
    fn new(run: &Run, clock: &Clock, steps_per_epoch: Option<u64>) -> Result<Self> {
        let Some(steps_per_epoch) = steps_per_epoch else {
            let stage = Stage::open(run, clock)?;
            return Ok(Self { steps_per_epoch: stage.steps_per_epoch(), schedule: stage.schedule, rates: stage.rates });
        };
        let plugs = std::iter::once(&run.optimizer.plug).chain(run.optimizer.group.iter().map(|g| &g.plug));
        let of = |lr: f64, momentum| GroupRates { lr, momentum, initial_lr: lr };
        let mut rates: Vec<_> = plugs.map(|plug| of(plug.lr(), plug.momentum())).collect();
        let start = |config: &SchedulerConfig| {
            let plan = Plan {
                steps_per_epoch,
                total_steps: total_steps(run, steps_per_epoch),
                every: config.slot.every,
                base: rates.clone(),
                better: better(run),
                part: None,
            };
            Schedule::start(config, &plan, &mut rates)
        };
        let schedule = run.scheduler.as_ref().map(start).transpose()?;
        Ok(Self { steps_per_epoch, rates, schedule })
    }
}

/// Which way is up for metrics whose names do not depend on the data.
fn better(run: &Run) -> BTreeMap<String, Better> {
    crate::stage::directions(run, &pleach_core::DataInfo::default())
}

fn walk(
    run: &Run,
    mut opened: Opened,
    clock: &mut Clock,
    measured: Option<&Measured>,
    all: &mut Forecast,
) -> Result<()> {
    let trainer = &run.trainer;
    let epochs = u64::try_from(trainer.max_epochs).ok();
    let steps = u64::try_from(trainer.max_steps).ok();
    let Some(length) = total_steps(run, opened.steps_per_epoch) else {
        return Err(Error::new("PL0164", "this run has no end, so that its schedule cannot be drawn")
            .hint("give it one: --set trainer.max_epochs=100"));
    };
    if length > MOST {
        return Err(Error::new("PL0164", format!("{length} steps are too many to walk through"))
            .hint(format!("{MOST} at most; shorten the run with --set trainer.max_steps=...")));
    }
    let watches = run.scheduler.as_ref().map(|s| s.monitors()).unwrap_or_default();
    if let ([name, ..], None) = (watches.as_slice(), measured) {
        let scheduler = run.scheduler.as_ref().map(|s| s.plug.name()).unwrap_or_default();
        return Err(Error::new("PL0164", format!("{scheduler} follows `{name}`, which is known when the run has run"))
            .hint("draw it from the log of a run that was: --log RUN_DIR/log.jsonl"));
    }
    while epochs.is_none_or(|max| u64::from(clock.epochs_in_phase()) < max) {
        if steps.is_some_and(|max| clock.steps_in_phase() >= max) {
            return Ok(());
        }
        if let ([_, ..], Some(log)) = (watches.as_slice(), measured)
            && !log.knows(clock.epoch)
        {
            all.notes.push(format!("the log ends with epoch {}: what follows is not known", clock.epoch));
            return Ok(());
        }
        for _ in 0..opened.steps_per_epoch {
            if steps.is_some_and(|max| clock.steps_in_phase() >= max) {
                break;
            }
            all.note(&opened.rates, clock.step);
            clock.step += 1;
            opened.learn(measured.and_then(|log| log.steps.get(&clock.step)));
            opened.tick(Moment::Step, clock)?;
            opened.learn(measured.and_then(|log| log.validations.get(&clock.step)));
        }
        opened.learn(measured.and_then(|log| log.epochs.get(&clock.epoch)));
        opened.tick(Moment::EpochEnd, clock)?;
        clock.epoch += 1;
    }
    Ok(())
}

impl Opened {
    fn learn(&mut self, metrics: Option<&Named<f64>>) {
        if let (Some(schedule), Some(metrics)) = (&mut self.schedule, metrics) {
            schedule.learn(metrics);
        }
    }

    fn tick(&mut self, moment: Moment, clock: &Clock) -> Result<()> {
        let Some(schedule) = &mut self.schedule else { return Ok(()) };
        schedule.tick(moment, clock.steps_in_phase(), clock.epochs_in_phase(), &mut self.rates)
    }
}

impl Forecast {
    /// Notes the rates of the groups in a step; a group that a phase does not have has none.
    fn note(&mut self, rates: &[GroupRates], step: u64) {
        let before = usize::try_from(step).unwrap_or(usize::MAX);
        while self.groups.len() < rates.len() {
            self.groups.push(Track { lr: vec![f64::NAN; before], momentum: vec![f64::NAN; before] });
        }
        for (i, group) in self.groups.iter_mut().enumerate() {
            let rate = rates.get(i);
            group.lr.push(rate.map_or(f64::NAN, |r| r.lr));
            group.momentum.push(rate.and_then(|r| r.momentum).unwrap_or(f64::NAN));
        }
    }

    /// Steps of the whole run.
    pub fn steps(&self) -> usize {
        self.groups.first().map_or(0, |g| g.lr.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_read_with_its_infinities_and_a_line_that_is_none_is_named() {
        let text = "{\"event\":\"step\",\"step\":1,\"epoch\":0,\"metrics\":{\"train_loss\":2.5},\"lr\":[0.1]}\n\
                    {\"event\":\"validation\",\"step\":2,\"epoch\":0,\"metrics\":{\"val_loss\":{\"$float\":\"inf\"}}}\n\
                    {\"event\":\"epoch\",\"step\":2,\"epoch\":0,\"metrics\":{\"val_loss\":{\"$float\":\"inf\"}}}\n";
        let log = Measured::read(text).unwrap();
        assert_eq!(log.epochs.get(&0).and_then(|m| m.get("val_loss")), Some(&f64::INFINITY));
        assert!(log.validations.is_empty(), "the one at the epoch's end is the epoch's");
        assert!(Measured::read("{\"event\":\"step\"").unwrap_err().message().contains("line 1"));
        assert!(Measured::read("").is_err());
    }
}
