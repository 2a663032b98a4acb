//! A slow start that can stand before any scheduler, because it is the slot's and not the scheduler's.

use super::scheduler::{Every, GroupRates, Part, Plan};
use crate::quantity::Span;
use crate::read::{Read, Reader};
use crate::tree::{Node, Value};
use crate::{Result, config, state};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// What the scheduler does while the rate warms up.
#[config]
#[derive(Default)]
pub enum WarmupRule {
    /// It stands still and begins when the warm-up is over, planned for the whole run: PyTorch's
    /// `SequentialLR([LinearLR, ...])`, and timm's `warmup_prefix=True`.
    #[default]
    TorchSequential,
    /// It stands still and is planned for what is left of the run, so that "100%" ends with the run.
    Shortened,
    /// It runs on, unseen: timm's `warmup_prefix=False`.
    Timm,
}

/// The rate rises along a line, from `start_factor` times the scheduler's first rate (or from `start_lr`) to that rate.
#[config]
pub struct WarmupKeys {
    /// How long it lasts: ticks, "500 steps", "5 epochs" or "3%"; 0 for none.
    #[config(example = Span::Epochs(5.0))]
    pub length: Span,
    /// What the scheduler does meanwhile: "torch_sequential", "shortened" or "timm".
    #[config(default = WarmupRule::TorchSequential)]
    pub rule: WarmupRule,
    /// Where it begins, as a share of the scheduler's first rate; by default 0.1, and 0 for the rule "timm".
    #[config(range = 0.0..=1.0)]
    pub start_factor: Option<f64>,
    /// Where it begins, as a rate for all groups, in place of `start_factor`.
    #[config(range = 0.0..)]
    pub start_lr: Option<f64>,
    /// How often the rate rises; by default after each step if `length` is in steps, else as often as the slot ticks.
    pub every: Option<Every>,
}

/// `warmup` of a scheduler's slot: a table of [`WarmupKeys`], or the length alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Warmup(pub WarmupKeys);

impl From<Span> for Warmup {
    fn from(length: Span) -> Self {
        let rule = WarmupRule::default();
        Self(WarmupKeys { length, rule, start_factor: None, start_lr: None, every: None })
    }
}

impl Read for Warmup {
    fn read(node: &Node, r: &mut Reader) -> Option<Self> {
        match node.value {
            Value::Table(_) => WarmupKeys::read(node, r).map(Self),
            _ => Span::read(node, r).map(Self::from),
        }
    }
}

impl JsonSchema for Warmup {
    fn schema_name() -> Cow<'static, str> {
        "Warmup".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [generator.subschema_for::<Span>(), generator.subschema_for::<WarmupKeys>()] })
    }
}

impl Warmup {
    /// How often the rate rises.
    pub(super) fn every(&self, slot: Every) -> Every {
        let of_length = if matches!(self.0.length, Span::Steps(_)) { Every::Step } else { slot };
        self.0.every.unwrap_or(of_length)
    }

    /// Its length in its own ticks.
    pub(super) fn length(&self, plan: &Plan) -> Result<u64> {
        Plan { every: self.every(plan.every), ..plan.clone() }.count("warmup", self.0.length)
    }

    /// The plan of the scheduler, of a run of which the first `length` ticks are the warm-up's.
    pub(super) fn rest(&self, length: u64, plan: &Plan) -> Plan {
        let per_tick = match self.every(plan.every) {
            Every::Epoch => plan.steps_per_epoch.max(1),
            Every::Step => 1,
        };
        let left = |steps: u64| steps.saturating_sub(length.saturating_mul(per_tick)).max(1);
        let shortened = Plan { total_steps: plan.total_steps.map(left), ..plan.clone() };
        match self.0.rule {
            WarmupRule::TorchSequential => plan.for_part(Part { ticks: shortened.total_ticks(), after_another: false }),
            WarmupRule::Shortened => shortened,
            WarmupRule::Timm => plan.clone(),
        }
    }

    fn lowest(&self, first: f64) -> f64 {
        let factor = match self.0.rule {
            WarmupRule::TorchSequential | WarmupRule::Shortened => 0.1,
            WarmupRule::Timm => 0.0,
        };
        self.0.start_lr.unwrap_or(first * self.0.start_factor.unwrap_or(factor))
    }
}

/// A warm-up while it lasts.
#[state]
pub(super) struct Warming {
    ticks: u64,
    length: u64,
    /// The two ends of the line in each group.
    line: Vec<(f64, f64)>,
    /// The rates that the scheduler has set, and that hold when this is over.
    pub(super) hidden: Vec<GroupRates>,
}

impl Warming {
    /// Takes the rates that the scheduler has begun with, and puts the lowest ones in their place.
    pub(super) fn start(warmup: &Warmup, length: u64, rates: &mut [GroupRates]) -> Self {
        let line = rates.iter().map(|g| (warmup.lowest(g.lr), g.lr)).collect();
        let warming = Self { ticks: 0, length, line, hidden: rates.to_vec() };
        warming.show(rates);
        warming
    }

    /// One tick of the line; whether it has come to its end.
    pub(super) fn rise(&mut self, rates: &mut [GroupRates]) -> bool {
        self.ticks += 1;
        let over = self.ticks >= self.length;
        if over {
            rates.iter_mut().zip(&self.hidden).for_each(|(rate, hidden)| *rate = *hidden);
        } else {
            self.show(rates);
        }
        over
    }

    fn show(&self, rates: &mut [GroupRates]) {
        for (rate, (from, to)) in rates.iter_mut().zip(&self.line) {
            rate.lr = from + (to - from) * self.ticks as f64 / self.length as f64;
        }
    }
}
