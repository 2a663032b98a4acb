//! The commands, one module each.

pub mod check;
pub mod describe;
pub mod doctor;
pub mod eval;
pub mod list;
pub mod predict;
pub mod resume;
pub mod train;
