//! From the command to the first step that was taken: `pleach train` on the quickstart, until its log has a line for it.

use super::Run;
use pleach_core::{Error, Result};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Longer than this no start takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// The program, which stands beside this one.
///
/// # Errors
/// It was not built.
pub(super) fn program() -> Result<PathBuf> {
    let program = std::env::current_exe().map_err(lost)?.with_file_name("pleach");
    match program.is_file() {
        true => Ok(program),
        false => Err(lost(format!("{} is missing", program.display())).hint("cargo build --release -p pleach-cli")),
    }
}

pub(super) fn lost(e: impl std::fmt::Display) -> Error {
    Error::new("PL0501", format!("the program does not do its work: {e}"))
}

pub fn open(name: &str) -> Result<Run> {
    if name != "quickstart" {
        return Err(Error::new("PL0101", format!("there is no case `{name}`")));
    }
    let program = program()?;
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/quickstart.toml");
    let out = std::env::temp_dir().join(format!("pleach-start-{}", std::process::id()));
    Ok(Box::new(move || {
        // Of the run before; a folder that is not there is as good.
        let _ = std::fs::remove_dir_all(&out);
        let mut child = Command::new(&program)
            .args(["train".as_ref(), file.as_os_str(), "--out".as_ref(), out.as_os_str()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(lost)?;
        let began = Instant::now();
        let log = out.join("log.jsonl");
        let stepped = || std::fs::read_to_string(&log).is_ok_and(|text| text.contains("\"event\":\"step\""));
        while !stepped() && began.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_micros(500));
        }
        let done = stepped();
        let _ = child.kill();
        let _ = child.wait();
        let _ = std::fs::remove_dir_all(&out);
        if done { Ok(()) } else { Err(lost("no step was taken")) }
    }))
}
