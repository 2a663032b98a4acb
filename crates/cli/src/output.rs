//! Everything that is printed, and how a failure becomes an exit code.

use crate::args::RunFile;
use pleach_config::{Failure, Resolved, Sources};
use pleach_core::error::{Class, Error};
use pleach_core::{Named, saved};
use serde_json::Value as Json;
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

/// Why a command did not succeed.
pub enum Failed {
    /// It has been said; only the exit code is left.
    Said(ExitCode),
    /// An error that is still to be told.
    Error(Error),
}

impl From<Error> for Failed {
    fn from(e: Error) -> Self {
        Self::Error(e)
    }
}

/// What a command comes to.
pub type Done = Result<ExitCode, Failed>;

/// Exit code of a wrong configuration.
pub const WRONG_CONFIG: u8 = 2;
/// Exit code of an interrupted run.
pub const INTERRUPTED: u8 = 130;

/// Whether standard error is a person's terminal.
pub fn is_terminal() -> bool {
    std::io::stderr().is_terminal()
}

/// Prints a line for the person or program that asked. One who has stopped reading (`| head`) is no error.
pub fn print(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Prints a line beside the result.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Tells an error and gives its exit code.
pub fn fail(e: &Error) -> ExitCode {
    say(&e.to_string());
    code(e.class())
}

/// The exit code of a class of errors.
pub fn code(class: Class) -> ExitCode {
    ExitCode::from(match class {
        Class::Run => 1,
        Class::Config => WRONG_CONFIG,
        Class::Data => 3,
        Class::Interrupted => INTERRUPTED,
    })
}

/// Reads and resolves a run file with the profiles, the environment and the values laid over it.
pub fn read(run: &RunFile) -> Result<Resolved, Failure> {
    let sources = Sources::file(&run.file)?.environment(std::env::vars_os());
    let sources = run.profiles.iter().fold(sources, |all, name| all.profile(name));
    pleach_config::resolve(run.sets.iter().fold(sources, |all, set| all.set(set)))
}

/// As [`read`], but shows everything that is wrong with the file.
pub fn load_run(run: &RunFile) -> Result<Resolved, Failed> {
    shown(read(run))
}

/// Reads and resolves the file of a run that was begun, to which the environment has nothing to add, or shows
/// everything that is wrong with it.
pub fn load(file: &Path, sets: &[String]) -> Result<Resolved, Failed> {
    shown(pleach_config::load(file, sets))
}

fn shown(read: Result<Resolved, Failure>) -> Result<Resolved, Failed> {
    let paint = if is_terminal() { pleach_config::Paint::Color } else { pleach_config::Paint::Plain };
    let resolved = read.map_err(|failure| {
        say(&failure.render(paint));
        Failed::Said(ExitCode::from(WRONG_CONFIG))
    })?;
    if !resolved.remarks().diagnostics.is_empty() {
        say(&resolved.remarks().render(paint));
    }
    Ok(resolved)
}

/// Metrics as one line a metric, names in a column.
pub fn metrics(all: &Named<f64>) {
    let width = all.names().map(str::len).max().unwrap_or_default();
    for (name, value) in all.iter() {
        print(&format!("{name:width$}  {value:.4}"));
    }
}

/// Numbers of metrics as JSON.
pub fn metrics_json(all: &Named<f64>) -> Json {
    all.iter()
        .map(|(name, value)| (name.to_owned(), saved::save(value).unwrap_or(Json::Null)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}
