//! Every number that is claimed is replayed here: golden files pass, the certificates that the crates ship are those of
//! today's files, and the page of all plugins is today's.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

use pleach_certify::{Golden, Outcome, certificates, kinds, replay};
use pleach_cli as _;
use pleach_core::certificate::{Certificate, Certificates};
use pleach_core::registry::entries;
use pleach_tests::{Done, root, run};
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const BIN: &str = env!("CARGO_BIN_EXE_pleach-under-test");

/// The crates that ship certificates.
const CRATES: [&str; 3] = ["optim", "losses", "metrics"];

const RENEW: &str = "renew them, as CONTRIBUTING.md says: \
    cargo run -- certify tests/goldens --crate pleach-CRATE --record crates/CRATE/certificates.json";

fn files(dir: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(dir).unwrap().map(|e| e.unwrap().path());
    let mut files: Vec<_> = paths.filter(|p| p.extension().is_some_and(|e| e == "json")).collect();
    files.sort();
    assert!(!files.is_empty(), "no golden file in {}", dir.display());
    files
}

fn replayed(path: &Path) -> (Golden, Vec<Outcome>) {
    let golden = Golden::read(path).unwrap_or_else(|e| panic!("{e}"));
    let outcomes = golden.cases.iter().map(replay).collect();
    (golden, outcomes)
}

fn all_pass(dir: &Path) {
    let mut failed = Vec::new();
    for file in files(dir) {
        for (at, outcome) in replayed(&file).1.iter().enumerate().filter(|(_, outcome)| !outcome.passes()) {
            let (name, kwargs) = (&outcome.name, &outcome.kwargs);
            failed.push(format!("{} #{}: {name} {kwargs}: {:?}", file.display(), at + 1, outcome.result));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn every_case_of_our_golden_files_passes() {
    all_pass(&root().join("tests/goldens"));
}

#[test]
fn every_case_of_the_golden_files_beside_the_project_passes() {
    let data = std::env::var_os("PLEACH_DATA").map_or_else(|| root().join("../shared/data"), PathBuf::from);
    let dir = data.join("../golden");
    if dir.is_dir() {
        return all_pass(&dir);
    }
    eprintln!("skipped: {} is absent; it lies beside the folder that PLEACH_DATA names", dir.display());
}

fn shipped(name: &str) -> Vec<Certificate> {
    let path = root().join("crates").join(name).join("certificates.json");
    serde_json::from_str::<Certificates>(&fs::read_to_string(path).unwrap()).unwrap().certificates
}

#[test]
fn certificates_are_those_of_todays_golden_files() {
    let claim = |c: &Certificate| {
        format!("{} {} {}: {} within {}, {}", c.kind, c.plugin, c.file, c.cases, c.tolerance, c.reference.words())
    };
    let mut live = BTreeSet::new();
    for file in files(&root().join("tests/goldens")) {
        let (golden, outcomes) = replayed(&file);
        let name = file.file_name().unwrap().to_str().unwrap();
        live.extend(certificates(name, &golden, &outcomes).iter().map(claim));
    }
    let mut recorded = BTreeSet::new();
    for name in CRATES {
        for c in shipped(name) {
            assert!(c.plugin.starts_with(&format!("pleach-{name}/")), "{name} speaks for {}", c.plugin);
            assert!(c.largest_share <= 1.0, "{} is not within what is tolerated", c.plugin);
            recorded.insert(claim(&c));
        }
    }
    let lines = |a: &BTreeSet<String>, b: &BTreeSet<String>| a.difference(b).cloned().collect::<Vec<_>>().join("\n  ");
    let (missing, stale) = (lines(&live, &recorded), lines(&recorded, &live));
    assert!(live == recorded, "certificates are stale; {RENEW}\nmissing:\n  {missing}\nno longer true:\n  {stale}");
}

#[test]
fn every_optimizer_scheduler_loss_and_metric_of_ours_has_a_certificate() {
    let ours = entries().iter().filter(|e| e.krate.starts_with("pleach-") && kinds().any(|kind| kind == e.kind));
    let without: Vec<String> = ours
        .filter(|e| pleach_core::certificate::of(e).unwrap().is_empty())
        .map(|e| format!("{} {}", e.kind, e.qualified()))
        .collect();
    assert!(without.is_empty(), "no golden file has a case of\n  {}\n({RENEW})", without.join("\n  "));
}

#[test]
fn the_page_of_all_plugins_is_not_stale() {
    let page = run(BIN, ["reference"]).expect_code(0).out;
    let kept = fs::read_to_string(root().join("docs/reference.md")).unwrap_or_default();
    if page == kept {
        return;
    }
    let first = page.lines().zip(kept.lines()).find(|(a, b)| a != b);
    panic!(
        "docs/reference.md is stale; renew it: cargo run -- reference -o docs/reference.md\nfirst change: {first:#?}"
    );
}

#[test]
fn the_page_is_the_same_each_time_and_its_file_is_what_is_printed() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let _ = run(BIN, ["reference", "-o", file.path().to_str().unwrap()]).expect_code(0);
    assert_eq!(run(BIN, ["reference"]).out, fs::read_to_string(file.path()).unwrap());
}

#[test]
fn describe_shows_the_certificate_or_says_that_there_is_none() {
    let said = run(BIN, ["describe", "AdamW"]).expect_code(0).out;
    let line = said.lines().find(|line| line.contains("certificate:")).unwrap();
    assert!(line.contains("largest error") && line.contains("torch 2."), "{line}");
    let all: Json = serde_json::from_str(&run(BIN, ["describe", "AdamW", "--json"]).expect_code(0).out).unwrap();
    let certificate = &all[0]["certificates"][0];
    assert!(certificate["largest_error"].is_f64() && certificate["reference"]["version"].is_string(), "{certificate}");
    let model = run(BIN, ["describe", "ResNet18"]).expect_code(0).out;
    assert!(!model.contains("certificate"), "golden files are not for models: {model}");
}

/// Certifies a file with such a text.
fn certify(text: &str, more: &[&str]) -> Done {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("golden.json");
    fs::write(&file, text).unwrap();
    run(BIN, ["certify", file.to_str().unwrap()].iter().chain(more))
}

fn of(case: Json) -> String {
    json!({ "torch": "2.15.0", "cases": [case] }).to_string()
}

fn step_lr(kwargs: Json, lrs: Json) -> Json {
    json!({ "name": "StepLR", "kwargs": kwargs, "base_lr": 0.1, "lrs": lrs })
}

#[test]
fn a_number_that_is_wrong_by_little_fails_and_the_rest_passes() {
    let right = step_lr(json!({ "step_size": 1, "gamma": 0.5 }), json!([0.1, 0.05, 0.025]));
    let wrong = step_lr(json!({ "step_size": 1, "gamma": 0.5 }), json!([0.1, 0.05, 0.0250000000002]));
    let text = json!({ "reference": { "name": "me", "version": "1" }, "cases": [right, wrong] }).to_string();
    let done = certify(&text, &[]).expect_code(1);
    assert!(done.out.contains("(me 1)") && done.out.contains("2 cases of 1 file: 1 pass, 1 fails"), "{}", done.out);
    assert!(done.out.contains("2.0e-13   200% of 1e-12 max(|b|, base_lr)"), "{}", done.out);
    let json: Json = serde_json::from_str(&certify(&text, &["--json"]).expect_code(1).out).unwrap();
    assert_eq!(json["total"], json!({ "files": 1, "unread": 0, "cases": 2, "passed": 1, "failed": 1 }));
    let cases = &json["files"][0]["cases"];
    assert_eq!((&cases[0]["passed"], &cases[1]["passed"]), (&json!(true), &json!(false)));
    assert!(cases[1]["largest_error"].as_f64().unwrap() > 1e-13 && cases[1]["plugin"] == "pleach-optim/StepLR");
}

#[test]
fn certificates_are_written_only_if_everything_passes() {
    let dir = tempfile::tempdir().unwrap();
    let record = dir.path().join("certificates.json");
    let more = ["--record", record.to_str().unwrap()];
    let wrong = certify(&of(step_lr(json!({ "step_size": 1 }), json!([0.2]))), &more).expect_code(1);
    assert!(wrong.err.contains("was not written") && !record.exists(), "{}", wrong.err);
    let right = of(step_lr(json!({ "step_size": 1 }), json!([0.1, 0.01])));
    let _ = certify(&right, &more).expect_code(0);
    let written: Certificates = serde_json::from_str(&fs::read_to_string(&record).unwrap()).unwrap();
    assert_eq!((written.certificates.len(), written.certificates[0].cases), (1, 1));
    let nobody = certify(&right, &["--crate", "acme", "--record", record.to_str().unwrap()]).expect_code(2);
    assert!(nobody.err.contains("PL0134"), "{}", nobody.err);
}

#[test]
fn a_file_that_cannot_be_read_says_why_and_its_neighbours_are_replayed() {
    let whole = of(step_lr(json!({ "step_size": 1 }), json!([0.1])));
    for (text, code) in [
        (&whole[..whole.len() / 2], "PL0361"),
        (&whole.replace("0.1", "NaN"), "PL0361"),
        (&whole.replace("0.1", "1e999"), "PL0361"),
        ("", "PL0361"),
        ("[1, 2]", "PL0362"),
        (r#"{"cases": [{}]}"#, "PL0362"),
        (r#"{"torch": "2", "cases": []}"#, "PL0365"),
    ] {
        let done = certify(text, &[]).expect_code(3);
        assert!(done.out.contains(code) && done.out.contains("1 file cannot be read"), "{text}: {}", done.out);
    }
    let dir = tempfile::tempdir().unwrap();
    let good = dir.path().join("good.json");
    fs::write(&good, &whole).unwrap();
    let absent = dir.path().join("absent.json");
    let done = run(BIN, ["certify", absent.to_str().unwrap(), good.to_str().unwrap()]).expect_code(3);
    assert!(done.out.contains("PL0360") && done.out.contains("1 pass"), "{}", done.out);
    let empty = tempfile::tempdir().unwrap();
    assert!(run(BIN, ["certify", empty.path().to_str().unwrap()]).expect_code(3).err.contains("PL0360"));
}

#[test]
fn a_case_that_makes_no_sense_fails_with_a_code_and_never_with_a_panic() {
    let sgd = |key: &str, value: Json| {
        let mut case = json!({ "name": "SGD", "shapes": [[2], [1]], "init": [[1, 2], [3]], "grads": [[[1, 1], [1]]],
            "params": [[[1, 2], [3]]] });
        case[key] = value;
        case
    };
    let dice = |key: &str, value: Json| {
        let mut case = json!({ "name": "Dice", "shape": [1, 2], "logits": [1, 2], "target": [1, 0], "value": 0.5, "grad": [0, 0] });
        case[key] = value;
        case
    };
    let accuracy = |samples: Json| json!({ "name": "Accuracy", "data": { "classes": 2 }, "samples": samples, "values": { "accuracy": 1 } });
    let huge = 1u64 << 40;
    for (case, code) in [
        (step_lr(json!({ "step_size": 1, "gama": 1 }), json!([0.1])), "PL0104"),
        (step_lr(json!({ "step_size": "x" }), json!([0.1])), "PL0105"),
        (step_lr(json!({ "name": "y" }), json!([0.1])), "PL0362"),
        (step_lr(json!([1]), json!([0.1])), "PL0362"),
        (step_lr(json!({ "step_size": 1 }), json!([[0.1, 0.1]])), "PL0363"),
        (step_lr(json!({ "step_size": 1 }), json!([])), "PL0363"),
        (step_lr(json!({ "step_size": 1 }), json!(["a"])), "PL0362"),
        (json!({ "name": "Nobody", "base_lr": 0.1, "lrs": [0.1] }), "PL0103"),
        (json!({ "name": "SGD", "base_lr": 0.1, "lrs": [0.1] }), "PL0103"),
        (json!({ "name": "SparseAdam", "shapes": [], "init": [], "grads": [], "params": [] }), "PL0103"),
        (json!({ "name": "StepLR" }), "PL0362"),
        (json!({ "lrs": [0.1], "base_lr": 0.1 }), "PL0362"),
        (json!(7), "PL0362"),
        (sgd("paramz", json!(1)), "PL0362"),
        (sgd("dtype", json!("float16")), "PL0362"),
        (sgd("init", json!([[1, 2]])), "PL0363"),
        (sgd("init", json!([[1, 2], [3, 4]])), "PL0363"),
        (sgd("grads", json!([])), "PL0363"),
        (sgd("shapes", json!([[huge, huge], [1]])), "PL0363"),
        (sgd("objective", json!({ "name": "quadratic" })), "PL0362"),
        (dice("grad", json!([0])), "PL0363"),
        (dice("target", json!([1])), "PL0363"),
        (dice("target", json!(null)), "PL0362"),
        (dice("value", json!("0.5")), "PL0362"),
        (dice("shape", json!([-1, 2])), "PL0362"),
        (accuracy(json!([{}])), "PL0362"),
        (
            accuracy(json!([{ "predicted": { "labels": { "class": 0 } }, "truth": { "labels": { "clas": 0 } } }])),
            "PL0362",
        ),
        (
            accuracy(json!([{ "predicted": { "labels": { "class": 7 } }, "truth": { "labels": { "class": 0 } } }])),
            "PL0230",
        ),
        (
            accuracy(json!([{ "predicted": { "maps": [{ "width": 2, "height": 2, "classes": [1] }] }, "truth": {} }])),
            "PL0363",
        ),
    ] {
        let what = case.to_string();
        let done = certify(&of(case), &[]).expect_code(1);
        assert!(done.out.contains(code) && !done.err.contains("panicked"), "{what}:\n{}\n{}", done.out, done.err);
    }
}

#[test]
fn spellings_of_pytorch_are_understood() {
    let inner = json!([{ "name": "LinearLR", "kwargs": { "start_factor": 0.5, "total_iters": 2 } }, { "name": "StepLR", "step_size": 9 }]);
    let kwargs = json!({ "milestones": [2], "schedulers": inner });
    let sequential =
        json!({ "name": "SequentialLR", "kwargs": kwargs, "base_lr": 0.1, "lrs": [0.05, 0.07500000000000001, 0.1] });
    let alias = json!({ "name": "BCEWithLogitsLoss", "kwargs": { "pos_weight": null }, "shape": [1], "logits": [0], "target": [1],
        "value": std::f64::consts::LN_2, "grad": [-0.5] });
    for case in [sequential, alias] {
        let _ = certify(&of(case), &[]).expect_code(0);
    }
}
