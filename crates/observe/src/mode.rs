//! Which way a watched metric should go.

use pleach_core::kinds::observer::RunInfo;
use pleach_core::{Better, config};

/// Which way a watched metric should go.
#[config]
pub enum Mode {
    /// Down.
    Min,
    /// Up.
    Max,
}

impl Mode {
    /// The given mode, or the direction of the metric itself: a loss goes down, an accuracy up.
    pub fn of(given: Option<Self>, metric: &str, run: &RunInfo) -> Self {
        given.unwrap_or(match run.better(metric) {
            Better::Higher => Self::Max,
            Better::Lower => Self::Min,
        })
    }

    /// Whether `a` is strictly better than `b`; NaN is never better than anything.
    pub fn is_better(self, a: f64, b: f64) -> bool {
        match self {
            Self::Min => a < b,
            Self::Max => a > b,
        }
    }
}
