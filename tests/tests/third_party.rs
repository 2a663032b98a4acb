//! A crate that knows pleach-core alone adds a plugin of every kind, and runs by name through a generated binary.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use pleach_tests::{log, metric, root, run};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A crate with the command line and the third party's plugins; returns its binary.
fn graft(dir: &Path) -> PathBuf {
    let root = root();
    let workspace = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    // Profiles are not inherited: with the workspace's own, what it has compiled already is used again.
    let profiles = &workspace[workspace.find("[profile.dev]").unwrap()..];
    let manifest = format!(
        r#"[package]
name = "grafted"
version = "0.0.0"
edition = "2024"
publish = false

[dependencies]
pleach-cli = {{ path = "{0}/crates/cli" }}
acme = {{ package = "acme-plugins", path = "{0}/tests/third-party" }}

[workspace]

{profiles}"#,
        root.display()
    );
    fs::write(dir.join("Cargo.toml"), manifest).unwrap();
    fs::create_dir(dir.join("src")).unwrap();
    fs::write(dir.join("src/main.rs"), "use acme as _;\nfn main() -> std::process::ExitCode { pleach_cli::main() }\n")
        .unwrap();
    fs::copy(root.join("Cargo.lock"), dir.join("Cargo.lock")).unwrap();
    let target = root.join("target");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--offline", "--target-dir"])
        .arg(&target)
        .current_dir(dir)
        .output()
        .unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    target.join("debug/grafted")
}

#[test]
fn one_plugin_of_each_kind_from_outside_the_workspace_trains_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let grafted = graft(dir.path());
    let bin = grafted.to_str().unwrap();
    let list = run(bin, ["list", "--json"]).expect_code(0);
    let all: Vec<serde_json::Value> = serde_json::from_str(&list.out).unwrap();
    let kinds: Vec<&str> =
        all.iter().filter(|e| e["crate"] == "acme-plugins").map(|e| e["kind"].as_str().unwrap()).collect();
    let every = [
        "augmentation",
        "backend",
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
