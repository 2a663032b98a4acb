//! Parameters that are one number for all classes, or one for each.

use pleach_core::export::{schemars, serde};
use pleach_core::read::{Bounded, Bounds, Read, Reader, Rules};
use pleach_core::tree::{Node, Value};
use pleach_core::{Error, Result};

/// One number for all classes, or a list with one for each.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(crate = "pleach_core::export::serde", untagged)]
#[schemars(crate = "pleach_core::export::schemars", inline)]
pub enum Numbers {
    /// The same for all classes.
    All(f64),
    /// One for each class, in the order of the classes.
    Each(Vec<f64>),
}

/// What gives each class a number.
pub(crate) trait PerClass {
    /// The number of each class; `key` is the parameter that holds them.
    ///
    /// # Errors
    /// PL0216 for a list of another length.
    fn of_each(&self, key: &str, classes: usize) -> Result<Vec<f64>>;

    /// Whether it is a list without a number.
    fn has_none(&self) -> bool;
}

impl PerClass for Vec<f64> {
    fn of_each(&self, key: &str, classes: usize) -> Result<Vec<f64>> {
        each(key, self, classes)
    }

    fn has_none(&self) -> bool {
        self.is_empty()
    }
}

impl PerClass for Numbers {
    fn of_each(&self, key: &str, classes: usize) -> Result<Vec<f64>> {
        match self {
            Self::All(x) => Ok(vec![*x; classes]),
            Self::Each(list) => each(key, list, classes),
        }
    }

    fn has_none(&self) -> bool {
        matches!(self, Self::Each(list) if list.is_empty())
    }
}

/// The weight of each class that the parameter `key` gives; 1 where it is not given.
///
/// # Errors
/// PL0216 for a list of another length.
pub(crate) fn weights(key: &str, given: Option<&impl PerClass>, classes: usize) -> Result<Vec<f64>> {
    given.map_or_else(|| Ok(vec![1.0; classes]), |given| given.of_each(key, classes))
}

/// The rule that a list of weights has some.
pub(crate) fn check_weights(key: &'static str, given: Option<&impl PerClass>, rules: &mut Rules) {
    if given.is_some_and(PerClass::has_none) {
        rules.refuse(key, "an empty list has no weight for any class");
    }
}

/// A list that must have one number for each class.
///
/// # Errors
/// PL0216.
pub(crate) fn each(key: &str, list: &[f64], classes: usize) -> Result<Vec<f64>> {
    if list.len() == classes {
        return Ok(list.to_vec());
    }
    Err(Error::new("PL0216", format!("`{key}` has {} numbers for {classes} classes", list.len()))
        .hint("give one for each class, in the order of the classes"))
}

impl Read for Numbers {
    fn read(node: &Node, r: &mut Reader) -> Option<Self> {
        match &node.value {
            Value::Array(_) => Vec::read(node, r).map(Self::Each),
            Value::Int(_) | Value::Float(_) => f64::read(node, r).map(Self::All),
            _ => r.wrong_type(node, "a number, or a list with one for each class"),
        }
    }
}

impl Bounded for Numbers {
    fn within(&self, bounds: &Bounds) -> bool {
        match self {
            Self::All(x) => x.within(bounds),
            Self::Each(list) => list.within(bounds),
        }
    }
}
