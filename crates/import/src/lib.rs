//! Importers: configurations of other systems as runs, one file each.
//!
//! A crate for a domain brings the importers of its domain; here is what is common to many: [`PyTorch`].

pub mod pytorch;
mod read;
mod sections;
mod trainer;

pub use pytorch::PyTorch;
pub use read::document;
