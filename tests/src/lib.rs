//! Whole runs through the binary: how tests start one, look into its folder, and compare two.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

pub mod field;
#[cfg(doctest)]
mod pages;

use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The root of the workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// Says that a part of a test was left out, and why.
pub fn skipped(why: &str) {
    eprintln!("skipped: {why}");
}

/// A data set of the samples beside the project, or none where they are absent, which is said.
pub fn data(set: &str) -> Option<PathBuf> {
    let home = std::env::var_os("PLEACH_DATA").map_or_else(|| root().join("../shared/data"), PathBuf::from);
    let path = home.join(set);
    if !path.is_dir() {
        skipped(&format!("{} is absent; set PLEACH_DATA to the folder of the sample data", path.display()));
        return None;
    }
    Some(path.canonicalize().unwrap())
}

/// What a command printed and how it ended.
#[derive(Debug)]
pub struct Done {
    /// Exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl From<Output> for Done {
    fn from(o: Output) -> Self {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        Self { code: o.status.code(), out: text(&o.stdout), err: text(&o.stderr) }
    }
}

impl Done {
    /// The same, or a failed test that shows what was printed.
    #[must_use]
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "exit code\n--- stdout\n{}\n--- stderr\n{}", self.out, self.err);
        self
    }
}

/// Runs the program with these arguments to its end.
pub fn run<S: AsRef<std::ffi::OsStr>>(bin: &str, args: impl IntoIterator<Item = S>) -> Done {
    Command::new(bin).args(args).output().unwrap().into()
}

/// Writes a run file into a folder.
pub fn file(dir: &Path, text: &str) -> PathBuf {
    let path = dir.join("run.toml");
    fs::write(&path, text).unwrap();
    path
}

/// The lines of a run's log, less what may differ between equal runs.
pub fn log(dir: &Path) -> Vec<Json> {
    let text = fs::read_to_string(dir.join("log.jsonl")).unwrap();
    let line = |line: &str| {
        let mut json: Json = serde_json::from_str(line).unwrap_or_else(|e| panic!("`{line}`: {e}"));
        json.as_object_mut().unwrap().remove("wall");
        json
    };
    text.lines().map(line).collect()
}

/// The last value that a run's log has for a metric.
pub fn metric(dir: &Path, name: &str) -> f64 {
    let epochs = log(dir).into_iter().filter(|line| line["event"] == "epoch");
    epochs
        .filter_map(|line| line["metrics"][name].as_f64())
        .next_back()
        .unwrap_or_else(|| panic!("no {name} in the log"))
}

/// The hashes of the tensors in the newest checkpoint, by file.
pub fn tensors(dir: &Path) -> BTreeMap<String, String> {
    let mut steps: Vec<PathBuf> = fs::read_dir(dir.join("ckpt")).unwrap().map(|e| e.unwrap().path()).collect();
    steps.sort();
    let newest = steps.pop().unwrap();
    let files = fs::read_dir(newest).unwrap().map(|e| e.unwrap().path());
    let tensors = files.filter(|path| path.extension().is_some_and(|e| e == "safetensors"));
    tensors
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), hash(&fs::read(&path).unwrap())))
        .collect()
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}
