//! `pleach augment` shows what augmentations make of samples, and repeats given draws whatever the run's own would be.
#![allow(missing_docs, clippy::unwrap_used)]

use pleach_tests::{file, run};
use serde_json::Value as Json;
use std::fs;
use std::path::Path;

const BIN: &str = env!("CARGO_BIN_EXE_pleach-under-test");

fn text(seed: u64) -> String {
    format!(
        "task = \"Classification\"\nmodel = \"ConvNet\"\n[run]\nseed = {seed}\n[dataset.train]\nname = \"Digits\"\n\
         augment = [{{ name = \"Rotate\", p = 1.0 }}, {{ name = \"OneOf\", transforms = [\"GaussianBlur\", \"GaussNoise\"] }}, \
         \"MixUp\"]\n[dataset.val]\nname = \"Digits\"\n"
    )
}

/// The picture of some samples, and their draws.
fn sheet(run_file: &Path, out: &Path, more: &[&str]) -> (Vec<u8>, Json) {
    let args = [&["augment", run_file.to_str().unwrap(), "-o", out.to_str().unwrap()], more].concat();
    let done = run(BIN, args).expect_code(0);
    assert!(done.err.contains("draws.json"), "{}", done.err);
    let draws = fs::read_to_string(out.join("draws.json")).unwrap();
    (fs::read(out.join("sheet.png")).unwrap(), serde_json::from_str(&draws).unwrap())
}

#[test]
fn a_sheet_of_given_draws_is_the_same_picture_and_another_seed_draws_another() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let (picture, draws) = sheet(&file(dir.path(), &text(1)), &at("first"), &["--samples", "5"]);
    assert_eq!(draws["samples"].as_array().unwrap().len(), 5);
    let other = file(dir.path(), &text(2));
    let (drawn_anew, _) = sheet(&other, &at("anew"), &["--samples", "5"]);
    assert_ne!(picture, drawn_anew);
    let given = at("first").join("draws.json");
    let (repeated, again) = sheet(&other, &at("again"), &["--replay", given.to_str().unwrap()]);
    assert_eq!(picture, repeated);
    assert_eq!(draws["samples"], again["samples"]);
}
