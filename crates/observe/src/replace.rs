//! Puts a new file in place of an old one, so that a reader always finds a whole one.

use crate::append::fault;
use pleach_core::Result;
use std::path::Path;

/// Writes a file beside its place and moves it there.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = Path::new(&beside);
    std::fs::write(beside, bytes).and_then(|()| std::fs::rename(beside, path)).map_err(|e| fault(path, &e))
}
