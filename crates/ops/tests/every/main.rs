//! What holds for every operation, walked over a table of all of them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod bad_input;
#[path = "../common/mod.rs"]
mod common;
mod golden;
mod gradients;
mod half;
mod numbers;
mod references;
mod table;
mod threads;
mod views;
