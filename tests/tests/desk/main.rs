//! The commands around a run: what explains, draws, compares and imports it, and the schema for editors.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../run_files/by_schema.rs"]
mod by_schema;
mod diff;
mod explain;
mod import;
mod plot;
mod schema;

use pleach_cli as _;
use pleach_tests::Done;
use std::path::Path;
use std::process::Command;

/// Runs the program in a folder, so that paths in what it says are short.
fn within(dir: &Path, args: &[&str]) -> Done {
    Command::new(env!("CARGO_BIN_EXE_pleach-under-test")).args(args).current_dir(dir).output().unwrap().into()
}

/// A run of seconds.
const TINY: &str = r#"[run]
name = "tiny"

[task]
name = "Classification"

[model]
name = "ConvNet"
channels = [4]

[optimizer]
name = "SGD"
lr = 0.1
momentum = 0.9

[dataset.train]
name = "Digits"

[dataset.val]
name = "Digits"

[trainer]
max_epochs = 3
limit_train_batches = 4
limit_val_batches = 1
enable_progress_bar = false
"#;
