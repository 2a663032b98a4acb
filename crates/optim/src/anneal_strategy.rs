//! The ways from one rate to another.

use pleach_core::config;
use std::f64::consts::PI;

/// The curve from one rate to another.
#[config]
#[derive(Default)]
pub enum AnnealStrategy {
    /// Half a cosine.
    #[default]
    Cos,
    /// A straight line.
    Linear,
}

impl AnnealStrategy {
    /// The value after a share of the way.
    pub(crate) fn between(self, start: f64, end: f64, share: f64) -> f64 {
        match self {
            Self::Cos => end + (start - end) / 2.0 * ((PI * share).cos() + 1.0),
            Self::Linear => (end - start) * share + start,
        }
    }

    /// The weight of the end after a share of the way.
    pub(crate) fn weight(self, share: f64) -> f64 {
        match self {
            Self::Cos => (1.0 - (PI * share).cos()) / 2.0,
            Self::Linear => share,
        }
    }
}
