//! One case after another: its kind told by its keys, its plugin found by name, its numbers held against the file's.

use crate::deviation::Deviation;
use crate::file::Case;
use crate::keys::Keys;
use crate::loss::Slope;
use crate::metric::Measure;
use crate::optimizer::Trajectory;
use crate::scheduler::Curve;
use pleach_core::registry::Kind;
use pleach_core::{DynMetric, DynScheduler, Error, Loss, Optimizer, Plug, Result};
use serde_json::{Value as Json, json};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What came of one case.
#[derive(Debug)]
pub struct Outcome {
    /// Its kind, where its keys tell one.
    pub kind: Option<&'static str>,
    /// The name that it asks for.
    pub name: String,
    /// The parameters that it asks for.
    pub kwargs: Json,
    /// The plugin that answers to the name: `crate/Name`.
    pub plugin: Option<String>,
    /// How far the plugin is from the reference, or why that cannot be said.
    pub result: Result<Deviation>,
    /// How far a loss is in its fused form, if it has one that could be replayed.
    pub fused: Option<Deviation>,
}

impl Outcome {
    /// Whether everything is within the tolerance.
    pub fn passes(&self) -> bool {
        !self.deviations().is_empty() && self.deviations().iter().all(|d| d.passes())
    }

    /// What was measured; nothing where that was not possible.
    pub fn deviations(&self) -> Vec<&Deviation> {
        self.result.iter().chain(self.fused.as_ref().filter(|_| self.result.is_ok())).collect()
    }
}

/// What only cases of one kind have.
const SIGNS: [(&str, &str); 4] = [
    ("lrs", <dyn DynScheduler>::NAME),
    ("params", <dyn Optimizer>::NAME),
    ("samples", <dyn DynMetric>::NAME),
    ("logits", <dyn Loss>::NAME),
];

/// The kinds of plugins that golden files are for.
pub fn kinds() -> impl Iterator<Item = &'static str> {
    SIGNS.iter().map(|(_, kind)| *kind)
}

/// A case, read.
enum Read {
    Optimizer(Trajectory),
    Scheduler(Curve),
    Loss(Slope),
    Metric(Measure),
}

/// Replays one case.
pub fn replay(case: &Case) -> Outcome {
    let text = |key: &str| case.0.get(key).and_then(Json::as_str).unwrap_or("?").to_owned();
    let kwargs = case.0.get("kwargs").cloned().unwrap_or_else(|| json!({}));
    let (kind, name) = (kind(case), text("name"));
    let mut outcome = Outcome { kind, name, kwargs, plugin: None, result: Err(panicked()), fused: None };
    // A plugin may be anybody's; its panic is the failure of its case, and of no other.
    let result = catch_unwind(AssertUnwindSafe(|| {
        let read = read(case, outcome.kind)?;
        outcome.plugin = read.plugin()?;
        if let Read::Loss(case) = &read {
            outcome.fused = case.run_fused()?;
        }
        read.run()
    }));
    outcome.result = result.unwrap_or_else(|_| Err(panicked()));
    outcome
}

fn panicked() -> Error {
    Error::new("PL0214", "the plugin panicked").hint("this is a mistake in the plugin, not in the case")
}

fn kind(case: &Case) -> Option<&'static str> {
    SIGNS.iter().find(|(key, _)| case.0.get(key).is_some()).map(|(_, kind)| *kind)
}

fn read(case: &Case, kind: Option<&str>) -> Result<Read> {
    let mut keys = Keys::new("the case", case.0.clone())?;
    let name = keys.text("name")?;
    let kwargs = keys.maybe("kwargs").unwrap_or_else(|| json!({}));
    if kind == Some(<dyn DynScheduler>::NAME) {
        Curve::read(&name, kwargs, keys).map(Read::Scheduler)
    } else if kind == Some(<dyn Optimizer>::NAME) {
        Trajectory::read(&name, kwargs, keys).map(Read::Optimizer)
    } else if kind == Some(<dyn DynMetric>::NAME) {
        Measure::read(&name, kwargs, keys).map(Read::Metric)
    } else if kind == Some(<dyn Loss>::NAME) {
        Slope::read(&name, kwargs, keys).map(Read::Loss)
    } else {
        let signs: Vec<_> = SIGNS.iter().map(|(key, kind)| format!("`{key}` ({kind})")).collect();
        Err(Error::new("PL0362", "this is a case of no kind")
            .hint(format!("kinds are told by their keys: {}", signs.join(", "))))
    }
}

impl Read {
    fn plugin(&self) -> Result<Option<String>> {
        match self {
            Self::Optimizer(case) => qualified(&case.plug),
            Self::Scheduler(case) => qualified(&case.config.plug),
            Self::Loss(case) => qualified(&case.plug),
            Self::Metric(case) => qualified(&case.config.plug),
        }
    }

    fn run(&self) -> Result<Deviation> {
        let deviation = match self {
            Self::Optimizer(case) => case.run(),
            Self::Scheduler(case) => case.run(),
            Self::Loss(case) => case.run(),
            Self::Metric(case) => case.run(),
        }?;
        match deviation.numbers {
            0 => Err(Error::new("PL0363", "the case has no number to compare")),
            _ => Ok(deviation),
        }
    }
}

/// `crate/Name`.
fn qualified<K: Kind + ?Sized>(plug: &Plug<K>) -> Result<Option<String>> {
    Ok(plug.saved()?.get("name").and_then(Json::as_str).map(str::to_owned))
}
