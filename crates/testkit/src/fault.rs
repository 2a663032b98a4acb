//! What was found wrong, as text.

use pleach_core::export::{candle_core, serde_json};
use std::fmt;

/// What was found wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault(pub String);

/// The outcome of a check.
pub type Check<T = ()> = Result<T, Fault>;

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Fault {}

macro_rules! from {
    ($($t:ty),*) => { $(impl From<$t> for Fault {
        fn from(x: $t) -> Self {
            Self(x.to_string())
        }
    })* };
}
from!(String, &str, pleach_core::Error, candle_core::Error, serde_json::Error, std::io::Error);

/// A fault unless a condition holds.
pub(crate) fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Check {
    if holds { Ok(()) } else { Err(Fault(otherwise())) }
}
