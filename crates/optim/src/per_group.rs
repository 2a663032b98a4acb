//! A number for all parameter groups, or one for each.

use pleach_core::export::schemars::JsonSchema;
use pleach_core::export::serde::{Deserialize, Serialize};
use pleach_core::read::{Bounded, Bounds, Read, Reader, Rules};
use pleach_core::tree::{Node, Value};
use pleach_core::{Error, GroupRates, Result};

/// One number for all groups, or a list with one for each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "pleach_core::export::serde", untagged)]
#[schemars(crate = "pleach_core::export::schemars", inline)]
pub enum PerGroup {
    /// For all groups.
    All(f64),
    /// For each group.
    Each(Vec<f64>),
}

impl PerGroup {
    /// The number of a group; a list goes on with its last number, and an empty one with 0.
    pub fn of(&self, group: usize) -> f64 {
        match self {
            Self::All(x) => *x,
            Self::Each(list) => list.get(group).or(list.last()).copied().unwrap_or(0.0),
        }
    }

    /// Refuses an empty list.
    pub(crate) fn check(&self, rules: &mut Rules, field: &'static str) {
        if *self == Self::Each(Vec::new()) {
            rules.refuse(field, "an empty list has no number for any group");
        }
    }

    /// Whether a list has one number for each of these groups.
    ///
    /// # Errors
    /// It has more or fewer.
    pub(crate) fn fits(&self, field: &str, now: &[GroupRates]) -> Result<()> {
        match self {
            Self::Each(list) if list.len() != now.len() => Err(Error::new(
                "PL0161",
                format!("`{field}` has {} numbers for {} parameter groups", list.len(), now.len()),
            )
            .hint("write one number for all groups, or one for each; `[optimizer]` itself is the first group")),
            _ => Ok(()),
        }
    }
}

impl Read for PerGroup {
    fn read(node: &Node, r: &mut Reader) -> Option<Self> {
        match &node.value {
            Value::Array(_) => Vec::read(node, r).map(Self::Each),
            Value::Int(_) | Value::Float(_) => f64::read(node, r).map(Self::All),
            _ => r.wrong_type(node, "a number, or a list with one for each parameter group"),
        }
    }
}

impl Bounded for PerGroup {
    fn within(&self, bounds: &Bounds) -> bool {
        match self {
            Self::All(x) => x.within(bounds),
            Self::Each(list) => list.within(bounds),
        }
    }
}
