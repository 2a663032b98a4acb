//! The operations that move pixels: sampling by a grid, resizing, windows of given number, patches, padding.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;
mod edges;
mod golden;
mod gradients;
mod naive;
mod references;
