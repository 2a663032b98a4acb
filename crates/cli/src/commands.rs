//! The commands, one module each.

pub mod augment;
pub mod certify;
pub mod check;
pub mod describe;
pub mod dev;
pub mod diff;
pub mod doctor;
pub mod eval;
pub mod explain;
pub mod graft;
pub mod import;
pub mod list;
pub mod new;
pub mod plot;
pub mod plugged;
pub mod predict;
pub mod reference;
pub mod resume;
pub mod schema;
pub mod score;
pub mod train;
