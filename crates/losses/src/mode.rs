//! Whether a loss is between classes or of binary maps.

use pleach_core::config;

/// Whether a loss is between classes or of binary maps.
#[config]
#[derive(Default)]
pub enum Mode {
    /// A logit for each class, softmax over them, against classes.
    #[default]
    Multiclass,
    /// Each logit by itself, against masks of the same shape; sigmoid.
    Binary,
}
