//! The kinds of plugins, one module each. Another crate makes its own with [`kind!`](crate::kind).

pub mod augmentation;
pub mod backend;
pub mod command;
pub mod importer;
pub mod keeper;
pub mod loss;
pub mod metric;
pub mod model;
pub mod observer;
pub mod optimizer;
pub mod schedule;
pub mod scheduler;
pub mod source;
pub mod task;
pub mod warmup;
