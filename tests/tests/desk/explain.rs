//! `pleach explain`.

use crate::{TINY, within};
use pleach_tests::{file, log, root, tensors};
use std::fs;

#[test]
fn every_value_has_its_origin_beside_it() {
    let dir = tempfile::tempdir().unwrap();
    file(dir.path(), TINY);
    let done = within(dir.path(), &["explain", "run.toml", "--set", "optimizer.lr=0.05"]).expect_code(0);
    insta::assert_snapshot!(done.out);
}

#[test]
fn what_is_printed_is_a_run_file_of_the_same_run() {
    let dir = tempfile::tempdir().unwrap();
    fs::copy(root().join("examples/quickstart.toml"), dir.path().join("run.toml")).unwrap();
    let hash = |file: &str| -> serde_json::Value {
        serde_json::from_str::<serde_json::Value>(&within(dir.path(), &["explain", file, "--json"]).expect_code(0).out)
            .unwrap()["hash"]
            .clone()
    };
    let printed = within(dir.path(), &["explain", "run.toml"]).expect_code(0).out;
    fs::write(dir.path().join("again.toml"), printed).unwrap();
    assert_eq!(hash("run.toml"), hash("again.toml"));
}

#[test]
fn a_resolved_run_runs_again_to_the_bit() {
    let dir = tempfile::tempdir().unwrap();
    let text = format!(
        "{TINY}\n[scheduler]\nname = \"OneCycleLR\"\nmax_lr = 0.2\nevery = \"step\"\n\n[[loss]]\nname = \"CrossEntropy\"\nlabel_smoothing = 0.1\n"
    );
    file(dir.path(), &text);
    let _ = within(dir.path(), &["train", "run.toml", "--set", "run.seed=5", "--out", "first"]).expect_code(0);
    let _ = within(dir.path(), &["train", "first/resolved.toml", "--out", "second"]).expect_code(0);
    let [first, second] = ["first", "second"].map(|run| dir.path().join(run));
    assert_eq!(
        fs::read_to_string(first.join("resolved.toml")).unwrap(),
        fs::read_to_string(second.join("resolved.toml")).unwrap()
    );
    assert!(!tensors(&first).is_empty());
    assert_eq!(tensors(&first), tensors(&second));
    assert_eq!(log(&first), log(&second));
}

#[test]
fn a_key_is_explained_with_its_bounds_its_default_and_its_origin() {
    let dir = tempfile::tempdir().unwrap();
    file(dir.path(), TINY);
    let mut all = String::new();
    for key in [
        "optimizer.lr",
        "optimizer.nesterov",
        "loss.0.factor",
        "trainer.gradient_clip_algorithm",
        "early_stopping",
        "model",
    ] {
        let done = within(dir.path(), &["explain", "run.toml", key]).expect_code(0);
        all.push_str(&format!("$ pleach explain run.toml {key}\n{}\n", done.out));
    }
    insta::assert_snapshot!(all);
    let json = within(dir.path(), &["explain", "run.toml", "loss.factor", "--json"]).expect_code(0).out;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((json["key"].as_str(), json["value"].as_str()), (Some("loss.0.factor"), Some("1.0")));
}

#[test]
fn a_key_that_is_nowhere_has_a_neighbour() {
    let dir = tempfile::tempdir().unwrap();
    file(dir.path(), TINY);
    let done = within(dir.path(), &["explain", "run.toml", "optimizer.momentun"]).expect_code(2);
    assert!(done.err.contains("PL0135") && done.err.contains("did you mean `optimizer.momentum`?"), "{}", done.err);
    for (key, hint) in [
        ("momentum", "did you mean `optimizer.momentum`?"),
        ("optimzer.lr", "did you mean `optimizer.lr`?"),
        ("loss.factr", "did you mean `loss.0.factor`?"),
        ("optimizer.eps", "`optimizer` is SGD; `eps` belongs to "),
        ("optimizer.wings", "`optimizer` is SGD: see `pleach describe SGD`"),
        ("dataset.train.augment.3", "`dataset.train.augment` is empty"),
        ("loss.7", "`loss` has 1 part: `loss.0`"),
        ("wings", "`pleach explain RUN.toml` prints every key"),
    ] {
        let done = within(dir.path(), &["explain", "run.toml", key]).expect_code(2);
        assert!(done.err.contains(hint), "{key}: {}", done.err);
    }
}

#[test]
fn a_code_has_its_page() {
    let dir = tempfile::tempdir().unwrap();
    for code in ["PL0104", "pl0104"] {
        let done = within(dir.path(), &["explain", code]).expect_code(0);
        assert_eq!(done.out.trim_end(), fs::read_to_string(root().join("docs/errors/PL0104.md")).unwrap().trim_end());
    }
    let done = within(dir.path(), &["explain", "PL9999"]).expect_code(2);
    assert!(done.err.contains("there is no page about PL9999"), "{}", done.err);
}
