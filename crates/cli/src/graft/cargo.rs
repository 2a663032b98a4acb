//! Runs cargo over the generated crate, and says in our words why it failed.

use crate::output;
use pleach_core::{Error, Result};
use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

/// How fast the program is, and how fast it is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Built soon.
    Dev,
    /// Runs fast.
    Release,
}

/// Whether cargo may ask a registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registry {
    /// It may.
    Online,
    /// It takes what is on this machine.
    Offline,
}

/// What is built.
pub struct Build<'a> {
    /// The folder of the crate.
    pub folder: &'a Path,
    /// The name of its package and binary.
    pub name: &'a str,
    /// Where cargo puts what it makes.
    pub target: &'a Path,
    /// The profile.
    pub profile: Profile,
    /// Whether the network may be used.
    pub registry: Registry,
}

/// Lines of cargo's that an error repeats.
const LAST_WORDS: usize = 30;

/// Builds the crate and returns its binary.
///
/// # Errors
/// PL0240: there is no cargo. PL0241: it failed; the error has the end of what it said.
pub fn build(b: &Build<'_>) -> Result<PathBuf> {
    let mut args: Vec<OsString> = vec!["build".into(), "--manifest-path".into(), b.folder.join("Cargo.toml").into()];
    args.extend(["--target-dir".into(), b.target.as_os_str().to_owned()]);
    args.extend((b.profile == Profile::Release).then(|| "--release".into()));
    args.extend((b.registry == Registry::Offline).then(|| "--offline".into()));
    run(&args)?;
    let folder = if b.profile == Profile::Release { "release" } else { "debug" };
    Ok(b.target.join(folder).join(format!("{}{}", b.name, std::env::consts::EXE_SUFFIX)))
}

fn run(args: &[OsString]) -> Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(&cargo);
    command.args(args).stdin(Stdio::null());
    // A person sees cargo's own progress; a program gets the end of it with the error.
    let done = if output::is_terminal() {
        command.status().map(|status| (status, String::new()))
    } else {
        command.output().map(|o| (o.status, String::from_utf8_lossy(&o.stderr).into_owned()))
    };
    match done {
        Ok((status, _)) if status.success() => Ok(()),
        Ok((status, said)) => Err(failed(status, &said)),
        Err(e) => Err(missing(&cargo, &e)),
    }
}

fn missing(cargo: &OsString, e: &std::io::Error) -> Error {
    let what = if e.kind() == ErrorKind::NotFound { "it is not there".to_owned() } else { e.to_string() };
    Error::new("PL0240", format!("cannot run `{}`: {what}", cargo.display()))
        .hint("a binary with other plugins has to be compiled: install Rust (https://rustup.rs), or say where cargo is by CARGO")
}

fn failed(status: ExitStatus, said: &str) -> Error {
    let lines: Vec<&str> = said.trim_end().lines().collect();
    let last = lines.get(lines.len().saturating_sub(LAST_WORDS)..).unwrap_or_default().join("\n   | ");
    let words = if last.is_empty() { "; its words are above".to_owned() } else { format!(":\n   | {last}") };
    let e = Error::new("PL0241", format!("cargo could not build it ({status}){words}"));
    match remedy(said) {
        Some(remedy) => e.hint(remedy),
        None => e,
    }
}

/// What to do where cargo says why, but not in terms of pleach.
fn remedy(said: &str) -> Option<&'static str> {
    let has = |words: &str| said.contains(words);
    if has("links to the native library `pleach-core`") || has("links to `pleach-core`") {
        Some("these crates want different versions of pleach-core, and a program has one: choose versions that agree")
    } else if has("no matching package named `pleach-") {
        Some("pleach is not on this registry: give a checkout of it by `--core PATH`")
    } else if has("--offline") || has("offline mode") {
        Some("something is not on this machine yet: once without `--offline` fetches it")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_cargo_is_told_with_what_to_do() {
        let e = missing(&"no-cargo".into(), &std::io::Error::from(ErrorKind::NotFound));
        assert!(e.code() == "PL0240" && e.to_string().contains("rustup"), "{e}");
    }

    #[test]
    fn an_error_has_the_end_of_what_cargo_said() {
        let said: String = (0..100).map(|i| format!("line {i}\n")).collect();
        let e = failed(ExitStatus::default(), &said).to_string();
        assert!(e.contains("line 99") && e.contains("line 70") && !e.contains("line 69\n"), "{e}");
    }

    #[test]
    fn two_cores_are_explained() {
        let said = "error: package `pleach-core` links to the native library `pleach-core`, but it conflicts with a \
                    previous package which links to `pleach-core` as well";
        assert!(failed(ExitStatus::default(), said).to_string().contains("different versions of pleach-core"));
    }
}
