//! Run files and command lines become resolved runs, or carets.
#![allow(clippy::expect_used, clippy::panic)]

mod common;
mod diagnostics;
mod files;
mod groups;
mod layers;
mod resolved;
mod rules;
mod sections;
mod sets;
mod snapshots;
