//! Turns a file and `--set` into a resolved run, or into carets.
//!
//! [`load`] reads a file, lays each `--set` over it, and gives a [`Resolved`] run or a [`Failure`] with every
//! mistake at its line and column.

mod draft;
mod emit;
pub mod explain;
mod explain_key;
mod extends;
mod failure;
mod familiar;
pub mod judge;
mod layers;
mod origins;
mod places;
mod render;
mod resolve;
mod resolved;
mod rules;
pub mod run;
pub mod schema;
mod single;
mod source;
mod syntax;
mod units;

pub use explain_key::{Explained, key as explain_key};
pub use failure::Failure;
pub use origins::DEFAULT;
pub use render::Paint;
pub use resolve::resolve;
pub use resolved::{FORMAT, Resolved};
pub use run::Run;
pub use single::plugin;
pub use source::{LIMIT, Layer, Source, Sources};

use std::path::Path;

/// Reads a run from a file, with what stood behind each `--set` laid over it.
///
/// # Errors
/// The file cannot be read, or all its mistakes.
pub fn load(path: &Path, sets: &[String]) -> Result<Resolved, Failure> {
    resolve(sets.iter().fold(Sources::file(path)?, |sources, set| sources.set(set)))
}

/// Reads a run from a text that is called `name` in messages and whose relative paths start at `base`.
///
/// # Errors
/// All mistakes of the text.
pub fn from_text(name: &str, text: &str, base: &Path) -> Result<Resolved, Failure> {
    resolve(Sources::text(name, text, base))
}
