//! A number for all parameter groups, or one for each.

use pleach_core::export::schemars::JsonSchema;
use pleach_core::export::serde::{Deserialize, Serialize};
use pleach_core::read::{Bounded, Bounds, Read, Reader};
use pleach_core::tree::{Node, Value};

/// One number for all groups, or a list with one for each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "pleach_core::export::serde", untagged)]
#[schemars(crate = "pleach_core::export::schemars")]
pub enum PerGroup {
    /// For all groups.
    All(f64),
    /// For each group; the last one goes on for groups beyond the list.
    Each(Vec<f64>),
}

impl PerGroup {
    /// The number of a group; 0 of an empty list.
    pub fn of(&self, group: usize) -> f64 {
        match self {
            Self::All(x) => *x,
            Self::Each(list) => list.get(group).or(list.last()).copied().unwrap_or(0.0),
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
