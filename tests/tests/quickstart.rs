//! The first command of the README does what it says.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use pleach_tests::{metric, root, run};

const BIN: &str = env!("CARGO_BIN_EXE_pleach-under-test");

#[test]
fn the_quickstart_learns_to_read_digits_from_any_folder() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("quickstart.toml");
    std::fs::copy(root().join("examples/quickstart.toml"), &file).unwrap();
    let out = dir.path().join("run");
    let done = run(BIN, ["train", file.to_str().unwrap(), "--out", out.to_str().unwrap()]).expect_code(0);
    assert!(metric(&out, "val_accuracy") >= 0.97, "{}", done.out);
    assert!(done.out.contains("val_accuracy"));
    for name in ["run.toml", "resolved.toml", "origins.json", "plugins.lock", "log.jsonl", "curves.svg", "curves.png"] {
        assert!(out.join(name).is_file(), "{name} is missing");
    }
    let resolved = out.join("resolved.toml");
    let again = dir.path().join("again");
    let args = ["train", resolved.to_str().unwrap(), "--set", "trainer.max_epochs=1", "--out", again.to_str().unwrap()];
    let _ = run(BIN, args).expect_code(0);

    let eval = run(BIN, ["eval", out.to_str().unwrap(), "--json"]).expect_code(0);
    let json: serde_json::Value = serde_json::from_str(&eval.out).unwrap();
    assert!(json["metrics"]["val_accuracy"].as_f64().unwrap() >= 0.97);
}

#[test]
fn the_commands_that_tell_about_plugins_know_every_default_crate() {
    let list = run(BIN, ["list"]).expect_code(0).out;
    for name in [
        "AdamW",
        "ReduceLROnPlateau",
        "FocalTversky",
        "ResNet18",
        "ClassFolders",
        "Segmentation",
        "MeanIoU",
        "EMA",
        "BestK",
        "CandleCpu",
        "Normalize",
    ] {
        assert!(list.contains(name), "{name} is not in the list");
    }
    let described = run(BIN, ["describe", "FocalTversky"]).expect_code(0).out;
    assert!(described.contains("gamma") && described.contains("arXiv"), "{described}");
    let unknown = run(BIN, ["describe", "FocalTversy"]).expect_code(2);
    assert!(unknown.err.contains("did you mean `FocalTversky`?"), "{}", unknown.err);
    let _ = run(BIN, ["doctor"]).expect_code(0);
}

#[cfg(unix)]
#[test]
fn a_reader_who_stops_reading_is_no_error() {
    let mut child = std::process::Command::new(BIN)
        .arg("list")
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success() && done.stderr.is_empty(), "{}", String::from_utf8_lossy(&done.stderr));
}
