//! Crates that know pleach-core alone add plugins of every kind, and run by name through a program that `graft` builds.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use pleach_tests::field::{blocks, cargo_test, field, graft, moved, quick, run_in, share};
use pleach_tests::{log, metric, root, run};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

const BIN: &str = env!("CARGO_BIN_EXE_pleach-under-test");

/// A program with all of them, built once.
static GRAFTED: LazyLock<String> = LazyLock::new(|| {
    let field = Path::new(env!("CARGO_TARGET_TMPDIR")).join("field");
    fs::create_dir_all(&field).unwrap();
    quick(&field);
    let page = page(&field.join("from-pytorch"));
    // Where a registry would be.
    let core = format!("\n[patch.crates-io]\npleach-core.path = {:?}\n", root().join("crates/core"));
    let manifest = page.join("Cargo.toml");
    fs::write(&manifest, fs::read_to_string(&manifest).unwrap() + &core).unwrap();
    share(&page);
    let acme = root().join("tests/third-party");
    let examples = root().join("plugins/examples");
    let output = field.join("grafted");
    let with = [acme, examples, page];
    let with: Vec<&str> = with.iter().map(|p| p.to_str().unwrap()).collect();
    let done = graft(BIN, &field, &with, &output).expect_code(0);
    assert!(done.out.contains("acme-plugins 0.3.0") && done.out.contains("example-plugins 0.1.0"), "{}", done.out);
    output.to_str().unwrap().to_owned()
});

/// The crate that docs/from-pytorch.md writes, as it stands there.
fn page(folder: &Path) -> PathBuf {
    let page = fs::read_to_string(root().join("docs/from-pytorch.md")).unwrap();
    fs::create_dir_all(folder.join("src")).unwrap();
    let files: Vec<_> = ["toml", "rust"].iter().flat_map(|language| blocks(&page, language)).collect();
    for (path, text) in files.iter().filter(|(path, _)| path.contains('.')) {
        fs::write(folder.join(path), text).unwrap();
    }
    let written: Vec<&str> = files.iter().map(|(path, _)| path.as_str()).collect();
    for wanted in ["Cargo.toml", "run.toml", "src/lib.rs"] {
        assert!(written.contains(&wanted), "docs/from-pytorch.md has no `{wanted}`: {written:?}");
    }
    folder.to_owned()
}

#[test]
fn one_plugin_of_each_kind_from_outside_the_workspace_trains_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let bin = GRAFTED.as_str();
    let list = run(bin, ["list", "--json"]).expect_code(0);
    let all: Vec<serde_json::Value> = serde_json::from_str(&list.out).unwrap();
    let kinds: Vec<&str> =
        all.iter().filter(|e| e["crate"] == "acme-plugins").map(|e| e["kind"].as_str().unwrap()).collect();
    let every = [
        "augmentation",
        "backend",
        "command",
        "importer",
        "keeper",
        "loss",
        "metric",
        "model",
        "observer",
        "optimizer",
        "scheduler",
        "source",
        "task",
    ];
    assert_eq!(kinds, every);

    let run_file = root().join("tests/third-party/run.toml");
    let out = dir.path().join("run");
    let _ = run(bin, ["train", run_file.to_str().unwrap(), "--out", out.to_str().unwrap()]).expect_code(0);
    assert!(metric(&out, "val_hit_rate") > 0.9);
    assert_eq!(fs::read_to_string(out.join("bell.txt")).unwrap(), "4");
    let rates: Vec<f64> = log(&out).iter().filter_map(|l| l["lr"][0].as_f64()).collect();
    assert_eq!((rates.first(), rates.last()), (Some(&0.005), Some(&0.0025)), "HalveAt did not halve");
    let eval = run(bin, ["eval", out.to_str().unwrap(), "--json"]).expect_code(0);
    assert!(eval.out.contains("val_hit_rate"));
    let lock = fs::read_to_string(out.join("plugins.lock")).unwrap();
    assert!(lock.contains("acme-plugins 0.3.0"));

    let golden = root().join("tests/third-party/golden.json");
    let record = dir.path().join("certificates.json");
    let only = ["--crate", "acme-plugins", "--record", record.to_str().unwrap()];
    let certified = run(bin, ["certify", golden.to_str().unwrap()].into_iter().chain(only)).expect_code(0);
    assert!(certified.out.contains("5 cases of 1 file: 5 pass, 0 fail"), "{}", certified.out);
    let shipped = fs::read_to_string(root().join("tests/third-party/certificates.json")).unwrap();
    assert_eq!(fs::read_to_string(record).unwrap(), shipped);
    let described = run(bin, ["describe", "HalveAt"]).expect_code(0);
    assert!(described.out.contains("certificate: largest error 0"), "{}", described.out);

    let typo = run(bin, ["check", run_file.to_str().unwrap(), "--set", "optimizer.name=SignSDG"]).expect_code(2);
    assert!(typo.err.contains("did you mean `SignSGD`?"), "{}", typo.err);
}

#[test]
fn the_five_example_plugins_agree_with_their_references_and_train_together() {
    let dir = tempfile::tempdir().unwrap();
    let bin = GRAFTED.as_str();
    let golden = root().join("plugins/examples/golden");
    let record = dir.path().join("certificates.json");
    let args =
        ["certify", golden.to_str().unwrap(), "--crate", "example-plugins", "--record", record.to_str().unwrap()];
    let certified = run(bin, args).expect_code(0);
    assert!(certified.out.contains("8 cases of 1 file: 8 pass, 0 fail"), "{}", certified.out);
    let shipped = fs::read_to_string(root().join("plugins/examples/certificates.json")).unwrap();
    assert_eq!(fs::read_to_string(record).unwrap(), shipped, "plugins/examples/certificates.json is stale");

    let out = dir.path().join("run");
    let run_file = root().join("plugins/examples/run.toml");
    let _ = run(bin, ["train", run_file.to_str().unwrap(), "--out", out.to_str().unwrap()]).expect_code(0);
    assert!(metric(&out, "val_brier_score") < 0.9, "it has learnt nothing");
    let log = log(&out);
    let losses: Vec<f64> = log.iter().filter_map(|l| l["metrics"]["train_loss"].as_f64()).collect();
    assert!(losses.len() > 1 && losses.last() < losses.first(), "{losses:?}");
}

#[test]
fn the_example_plugins_obey_the_laws_in_a_folder_of_their_own() {
    let dir = field();
    let examples = moved("plugins/examples", &dir.path().join("examples"));
    share(&examples);
    let _ = cargo_test(&examples).expect_code(0);
}

#[test]
fn the_run_file_of_the_page_from_pytorch_is_good_with_its_two_plugins() {
    let bin = GRAFTED.as_str();
    let folder = Path::new(bin).with_file_name("from-pytorch");
    let _ = run_in(&folder, bin, &["check", "run.toml"]).expect_code(0);
    let doctor = run_in(&folder, bin, &["doctor"]).expect_code(0);
    assert!(doctor.out.contains("no problems found"), "{}", doctor.out);
    let without = run_in(&folder, BIN, &["check", "run.toml"]).expect_code(2);
    assert!(without.err.contains("PL0103"), "{}", without.err);
}
