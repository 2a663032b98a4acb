//! The texts from which a run is read: one file, and each `--set` as a source of its own.

use crate::failure::Failure;
use pleach_core::diagnostic::{Diagnostic, nearest};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The longest text that is taken for a configuration, in bytes.
pub const LIMIT: u64 = 16 << 20;

/// What stands before the text of a `--set`, so that a caret points into what was typed.
pub(crate) const SET: &str = "--set ";

/// A text with the name under which it is reported, and the folder at which its relative paths start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// What stands before the line number in a report: the file's path as it was given.
    pub name: String,
    /// The text.
    pub text: String,
    /// The folder at which relative paths start; absolute.
    pub base: PathBuf,
}

/// Everything from which one run is read: the file first, then each `--set`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sources(Vec<Source>);

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
        let text = text.into();
        // Editors of one system begin a file with a mark that is no part of TOML.
        let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
        Self(vec![Source { name: name.into(), text, base: absolute(base) }])
    }

    /// Adds what stood behind a `--set`; its relative paths start at the current folder.
    #[must_use]
    pub fn set(mut self, assignment: &str) -> Self {
        let base = absolute(Path::new("."));
        self.0.push(Source { name: "command line".into(), text: format!("{SET}{assignment}"), base });
        self
    }

    /// The sources, in the order that [`Place::source`](pleach_core::tree::Place::source) counts.
    pub fn all(&self) -> &[Source] {
        &self.0
    }

    pub(crate) fn into_all(self) -> Vec<Source> {
        self.0
    }
}

/// A path from the root, without `.` in it; the path itself where the current folder is unknown.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).components().collect()
}

fn read_text(path: &Path) -> Result<String, Diagnostic> {
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
