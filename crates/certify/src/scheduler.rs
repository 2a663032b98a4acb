//! The replay of a scheduler, its slot's warm-up included: the rates of a few groups, epoch by epoch.

use crate::deviation::{Deviation, Tolerance};
use crate::keys::{self, Keys, misfit};
use crate::read::plugin;
use pleach_core::kinds::schedule::{Moment, Schedule};
use pleach_core::kinds::scheduler::SchedulerConfig;
use pleach_core::{Error, GroupRates, Named, Plan, Result};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// A case, read.
pub(crate) struct Curve {
    pub config: SchedulerConfig,
    base: Vec<GroupRates>,
    /// Rates by epoch and group.
    lrs: Vec<Vec<f64>>,
    /// Momenta by epoch and group, where they are known.
    momentums: Option<Vec<Vec<f64>>>,
    /// What is measured after each epoch.
    metrics: Option<Vec<f64>>,
}

impl Curve {
    pub fn read(name: &str, kwargs: Json, mut keys: Keys) -> Result<Self> {
        let bases = match (keys.maybe("base_lr"), keys.maybe("base_lrs")) {
            (Some(one), None) => vec![keys::number("base_lr", &one)?],
            (None, Some(several)) => keys::numbers("base_lrs", &several)?,
            _ => return Err(Error::new("PL0362", "a scheduler's case has either `base_lr` or `base_lrs`")),
        };
        let starts = keys.maybe("momentum").map(|m| keys::one_or_more("momentum", &m)).transpose()?;
        let base = groups(&bases, starts.as_deref())?;
        let lrs = curve("lrs", keys.want("lrs")?, base.len())?;
        let momentums = keys.maybe("momentums").map(|m| curve("momentums", m, base.len())).transpose()?;
        let metrics = keys.maybe("metrics").map(|m| measured(&m)).transpose()?;
        keys.end()?;
        if momentums.is_some() && starts.is_none() {
            return Err(Error::new("PL0362", "a curve of `momentums` begins with a `momentum`"));
        }
        for (what, count) in
            [("momentums", momentums.as_ref().map(Vec::len)), ("metrics", metrics.as_ref().map(Vec::len))]
        {
            if count.is_some_and(|n| n != lrs.len()) {
                return Err(misfit(format!("{} epochs of `{what}` and {} of `lrs`", count.unwrap_or(0), lrs.len())));
            }
        }
        Ok(Self { config: plugin(name, kwargs)?, base, lrs, momentums, metrics })
    }

    pub fn run(&self) -> Result<Deviation> {
        let mut deviation = Deviation::none(Tolerance::Schedule);
        let plan = Plan {
            steps_per_epoch: 1,
            total_steps: Some(self.lrs.len() as u64),
            every: self.config.slot.every,
            base: self.base.clone(),
            better: BTreeMap::new(),
            part: None,
        };
        let mut now = self.base.clone();
        let mut schedule = Schedule::start(&self.config, &plan, &mut now)?;
        for (epoch, lrs) in self.lrs.iter().enumerate() {
            if epoch > 0 {
                self.tick(epoch as u64, &mut schedule, &mut now)?;
            }
            for ((now, lr), base) in now.iter().zip(lrs).zip(&self.base) {
                deviation.see(now.lr, *lr, base.lr);
            }
            let momentums = self.momentums.as_ref().and_then(|m| m.get(epoch)).into_iter().flatten();
            for ((now, momentum), base) in now.iter().zip(momentums).zip(&self.base) {
                deviation.see(now.momentum.unwrap_or(f64::NAN), *momentum, base.momentum.unwrap_or_default());
            }
        }
        Ok(deviation)
    }

    /// The step of an epoch of one step, what it measured, and its end.
    fn tick(&self, step: u64, schedule: &mut Schedule, now: &mut [GroupRates]) -> Result<()> {
        let epoch = step - 1;
        let number = u32::try_from(epoch).unwrap_or(u32::MAX);
        schedule.tick(Moment::Step, step, number, now)?;
        if let Some(value) = self.metrics.as_ref().and_then(|m| m.get(epoch as usize)) {
            let monitors = self.config.plug.monitors();
            schedule.learn(&monitors.into_iter().map(|name| (name, *value)).collect::<Named<f64>>());
        }
        schedule.tick(Moment::EpochEnd, step, number, now)
    }
}

fn groups(bases: &[f64], momenta: Option<&[f64]>) -> Result<Vec<GroupRates>> {
    let momentum = |at: usize| match momenta {
        // As SGD has it, unless it is given one.
        None => Ok(Some(0.0)),
        Some([one]) => Ok(Some(*one)),
        Some(several) if several.len() == bases.len() => Ok(several.get(at).copied()),
        Some(several) => Err(misfit(format!("{} momenta for {} groups", several.len(), bases.len()))),
    };
    let group = |(at, lr): (usize, &f64)| Ok(GroupRates { lr: *lr, momentum: momentum(at)?, initial_lr: *lr });
    bases.iter().enumerate().map(group).collect()
}

fn curve(what: &str, json: Json, groups: usize) -> Result<Vec<Vec<f64>>> {
    let epoch = |json: &Json| match keys::one_or_more(what, json)? {
        numbers if numbers.len() == groups => Ok(numbers),
        numbers => Err(misfit(format!("`{what}` has {} numbers in an epoch, for {groups} groups", numbers.len()))),
    };
    keys::list(what, json)?.iter().map(epoch).collect()
}

/// Null is NaN, which JSON does not know.
fn measured(json: &Json) -> Result<Vec<f64>> {
    let list = json.as_array().ok_or_else(|| keys::wrong("metrics", "a list of numbers"))?;
    list.iter().map(|x| if x.is_null() { Ok(f64::NAN) } else { keys::number("metrics", x) }).collect()
}
