//! Observers and keepers, one file each: what watches a run and which checkpoints stay.
//!
//! An observer that writes a file of a run has the length or the rows of that file as its state:
//! when a run goes on from a checkpoint, the file is put back to what it was there, so that the
//! files of a killed run and of one that was never interrupted are equal but for times.
//!
//! The familiar `[checkpointing]` is a spelling of keepers: a [`BestK`] for each name in `monitor`, with
//! `save_top_k` and `every_n_epochs`, and a [`Last`] for `save_last`.

mod append;
pub mod best_k;
mod chart;
pub mod csv;
pub mod curves;
pub mod early_stopping;
pub mod ema;
pub mod every_n_epochs;
pub mod json_lines;
pub mod last;
pub mod mode;
mod picture;
pub mod progress;
pub mod rates;
mod replace;
mod short;
pub mod tensor_board;
mod trace;

pub use best_k::BestK;
pub use csv::Csv;
pub use curves::Curves;
pub use early_stopping::EarlyStopping;
pub use ema::EMA;
pub use every_n_epochs::EveryNEpochs;
pub use json_lines::JsonLines;
pub use last::Last;
pub use mode::Mode;
pub use progress::Progress;
pub use tensor_board::TensorBoard;
