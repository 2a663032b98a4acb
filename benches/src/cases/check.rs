//! From the command to its answer: `pleach check` on a file of two hundred lines.

use super::Run;
use super::start::{lost, program};
use pleach_core::{Error, Result};
use std::path::Path;
use std::process::{Command, Stdio};

pub fn open(name: &str) -> Result<Run> {
    if name != "200_lines" {
        return Err(Error::new("PL0101", format!("there is no case `{name}`")));
    }
    let program = program()?;
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/reader/long.toml");
    Ok(Box::new(move || {
        let mut command = Command::new(&program);
        command.arg("check").arg(&file).stdout(Stdio::null()).stderr(Stdio::null());
        let status = command.status().map_err(lost)?;
        // A file with mistakes would be answered sooner.
        if status.success() { Ok(()) } else { Err(lost(format!("`pleach check` ended with {status}"))) }
    }))
}
