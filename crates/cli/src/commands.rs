//! The commands, one module each.

pub mod certify;
pub mod check;
pub mod describe;
pub mod doctor;
pub mod eval;
pub mod list;
pub mod predict;
pub mod reference;
pub mod resume;
pub mod score;
pub mod train;
