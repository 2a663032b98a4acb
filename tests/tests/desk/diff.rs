//! `pleach diff`.

use crate::{TINY, within};
use pleach_tests::file;
use std::fs;

#[test]
fn two_equal_runs_have_no_difference_and_another_rate_shows_where_the_logs_part() {
    let dir = tempfile::tempdir().unwrap();
    file(dir.path(), TINY);
    for (out, set) in [("a", "optimizer.lr=0.1"), ("same", "run.notes=''"), ("b", "optimizer.lr=0.05")] {
        let _ = within(dir.path(), &["train", "run.toml", "--set", set, "--out", out]).expect_code(0);
    }
    let same = within(dir.path(), &["diff", "a", "same"]).expect_code(0).out;
    for line in ["config: equal", "plugins: equal", "data: equal", "log: equal in all 12 steps"] {
        assert!(same.contains(line), "`{line}` is not in\n{same}");
    }
    let other = within(dir.path(), &["diff", "a", "b"]).expect_code(1).out;
    for line in ["optimizer.lr  0.1  |  0.05", "data: equal", "equal before step 1 (epoch 0)", "lr  [0.1]  |  [0.05]"] {
        assert!(other.contains(line), "`{line}` is not in\n{other}");
    }
    let json = within(dir.path(), &["diff", "a", "b", "--json"]).expect_code(1).out;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((json["same"].as_bool(), json["log"]["step"].as_u64()), (Some(false), Some(1)));

    // Weights that differ after a step show in the step behind it.
    let late = within(dir.path(), &["train", "run.toml", "--set", "optimizer.weight_decay=0.1", "--out", "late"]);
    let _ = late.expect_code(0);
    let late = within(dir.path(), &["diff", "a", "late"]).expect_code(1).out;
    assert!(late.contains("equal before step 2 (epoch 0)") && late.contains("train_loss"), "{late}");
}

#[test]
fn other_data_and_other_plugins_are_differences() {
    let dir = tempfile::tempdir().unwrap();
    file(dir.path(), TINY);
    for out in ["a", "b"] {
        let _ = within(dir.path(), &["train", "run.toml", "--out", out]).expect_code(0);
    }
    let data = dir.path().join("b/data.json");
    let text = fs::read_to_string(&data).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(json["train"]["samples"].as_u64().unwrap() > 1000 && json["val"]["content"].is_string());
    let hash = json["train"]["content"].as_str().unwrap();
    fs::write(&data, text.replacen(hash, "0123456789abcdef", 1)).unwrap();
    let lock = dir.path().join("b/plugins.lock");
    let versions = fs::read_to_string(&lock).unwrap();
    fs::write(&lock, versions.replace("pleach-optim ", "pleach-optim 9.")).unwrap();
    let done = within(dir.path(), &["diff", "a", "b"]).expect_code(1).out;
    assert!(done.contains("content 0123456789ab") && done.contains("pleach-optim"), "{done}");
    assert!(done.contains("config: equal"), "{done}");
}

#[test]
fn two_files_are_compared_by_what_they_resolve_to() {
    let dir = tempfile::tempdir().unwrap();
    file(dir.path(), TINY);
    fs::write(dir.path().join("other.toml"), TINY.replace("lr = 0.1", "lr = 0.1\nweight_decay = 0.0")).unwrap();
    let done = within(dir.path(), &["diff", "run.toml", "other.toml"]).expect_code(0).out;
    assert!(done.contains("config: equal") && done.contains("log: not there for both"), "{done}");
    let done = within(dir.path(), &["diff", "run.toml", "."]).expect_code(1);
    assert!(done.err.contains("PL0503"), "{}", done.err);
}
