//! Attention, embedding, the LSTM cell, the RMS norm and convolutions of one and three dimensions: against PyTorch,
//! against central differences, against references written as the formulas read, with bad input, and on any number of
//! threads.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;

mod errors;
mod golden;
mod gradients;
mod naive;
mod packed;
mod references;
mod threads;
