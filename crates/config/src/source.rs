//! The texts from which a run is read: one file, the files it extends, and each profile, variable of the environment
//! and `--set` as a source of its own.

use crate::failure::Failure;
use pleach_core::diagnostic::{Diagnostic, nearest};
use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// The longest text that is taken for a configuration, in bytes.
pub const LIMIT: u64 = 16 << 20;

/// What stands before the text of a `--set`, so that a caret points into what was typed.
pub(crate) const SET: &str = "--set ";
/// What stands before the name of a chosen profile.
pub(crate) const PROFILE: &str = "--profile ";
/// How the variables of the environment begin that are meant for a run.
pub(crate) const VARIABLE: &str = "PLEACH__";

/// How a text came into a run; the later ones of this list are laid over the earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// A file that another one names under `extends`.
    Extended,
    /// The run file.
    File,
    /// A `--profile`, which chooses a `[profile.NAME]` of the files.
    Profile,
    /// A variable `PLEACH__A__B` of the environment.
    Environment,
    /// A `--set`.
    Set,
}

/// A text with the name under which it is reported, and the folder at which its relative paths start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// What stands before the line number in a report: the file's path as it was given.
    pub name: String,
    /// The text.
    pub text: String,
    /// The folder at which relative paths start; absolute.
    pub base: PathBuf,
    /// How it came into the run.
    pub layer: Layer,
    /// Which bytes belong to the chosen profiles.
    pub(crate) profiles: Vec<(Range<u32>, String)>,
}

impl Source {
    pub(crate) fn new(layer: Layer, name: impl Into<String>, text: impl Into<String>, base: PathBuf) -> Self {
        let text = text.into();
        // Editors of one system begin a file with a mark that is no part of TOML.
        let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
        Self { name: name.into(), text, base, layer, profiles: Vec::new() }
    }

    /// The chosen profile to which a byte belongs.
    pub(crate) fn profile_at(&self, byte: u32) -> Option<&str> {
        self.profiles.iter().find(|(range, _)| range.contains(&byte)).map(|(_, name)| name.as_str())
    }
}

/// Everything from which one run is read: the file, and what is laid over it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sources {
    pub(crate) file: Source,
    pub(crate) over: Vec<Source>,
}

impl Sources {
    /// Reads a file.
    ///
    /// # Errors
    /// It is missing, a folder, longer than [`LIMIT`], unreadable or not UTF-8.
    pub fn file(path: &Path) -> Result<Self, Failure> {
        let text = read_text(path).map_err(|d| Failure::new(vec![d], Vec::new()))?;
        let whole = absolute(path);
        let base = whole.parent().unwrap_or(&whole);
        Ok(Self::text(path.display().to_string(), text, base))
    }

    /// Takes a text that is no file (an embedded example, a test).
    pub fn text(name: impl Into<String>, text: impl Into<String>, base: &Path) -> Self {
        Self { file: Source::new(Layer::File, name, text, absolute(base)), over: Vec::new() }
    }

    /// Chooses a `[profile.NAME]` of the files. Later ones are laid over earlier ones.
    #[must_use]
    pub fn profile(self, name: &str) -> Self {
        self.with(Layer::Profile, COMMAND_LINE, format!("{PROFILE}{name}"))
    }

    /// Takes the variables `PLEACH__A__B=VALUE` out of an environment; relative paths in them start at the current
    /// folder.
    #[must_use]
    pub fn environment(self, variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let mut ours: Vec<_> = variables
            .into_iter()
            .map(|(key, value)| (key.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
            .filter(|(key, _)| key.starts_with(VARIABLE))
            .collect();
        ours.sort();
        ours.into_iter().fold(self, |sources, (key, value)| {
            sources.with(Layer::Environment, "environment", format!("{key}={value}"))
        })
    }

    /// Adds what stood behind a `--set`; its relative paths start at the current folder.
    #[must_use]
    pub fn set(self, assignment: &str) -> Self {
        self.with(Layer::Set, COMMAND_LINE, format!("{SET}{assignment}"))
    }

    fn with(mut self, layer: Layer, name: &str, text: String) -> Self {
        self.over.push(Source::new(layer, name, text, absolute(Path::new("."))));
        self
    }
}

const COMMAND_LINE: &str = "command line";

/// A path from the root, without `.` in it; the path itself where the current folder is unknown.
pub(crate) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).components().collect()
}

pub(crate) fn read_text(path: &Path) -> Result<String, Diagnostic> {
    let shown = path.display();
    let cannot = |why: &str| Diagnostic::new("PL0114", None, format!("cannot read `{shown}`: {why}"));
    let meta = std::fs::metadata(path).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => {
            let d = cannot("there is no such file");
            match neighbour(path) {
                Some(near) => d.note(format!("there is `{near}` in that folder")),
                None => d,
            }
        }
        _ => cannot(&e.to_string()),
    })?;
    if meta.is_dir() {
        return Err(cannot("it is a folder").note("a run is described by a TOML file"));
    }
    let too_long = |bytes: u64| {
        Diagnostic::new(
            "PL0115",
            None,
            format!("`{shown}` is no configuration: it has {} MiB", bytes.div_ceil(1 << 20)),
        )
        .note(format!("a configuration has {} MiB at most", LIMIT >> 20))
    };
    if meta.len() > LIMIT {
        return Err(too_long(meta.len()));
    }
    let file = File::open(path).map_err(|e| cannot(&e.to_string()))?;
    // A device or a pipe has no length that could be asked for.
    let mut bytes = Vec::new();
    file.take(LIMIT + 1).read_to_end(&mut bytes).map_err(|e| cannot(&e.to_string()))?;
    if bytes.len() as u64 > LIMIT {
        return Err(too_long(bytes.len() as u64));
    }
    String::from_utf8(bytes).map_err(|e| {
        let good = e.utf8_error().valid_up_to();
        let line = 1 + e.as_bytes().iter().take(good).filter(|b| **b == b'\n').count();
        Diagnostic::new("PL0116", None, format!("`{shown}` is not UTF-8 text: byte {good}, in line {line}"))
            .note("TOML is written in UTF-8: save the file in that encoding")
    })
}

/// The file of the same folder whose name is nearest to one that is missing.
fn neighbour(path: &Path) -> Option<String> {
    let missing = path.file_name()?.to_str()?;
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut names: Vec<String> =
        std::fs::read_dir(folder).ok()?.take(1000).filter_map(|e| e.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    nearest(missing, names.iter().map(String::as_str)).map(str::to_owned)
}
