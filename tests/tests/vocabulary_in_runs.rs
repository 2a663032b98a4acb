//! The vocabulary in whole runs: what the trainer must do for an optimizer, a scheduler, a loss or a metric to mean what
//! it means in PyTorch.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use pleach_tests::{file, log, metric, run, tensors};
use serde_json::Value as Json;
use std::path::{Path, PathBuf};

const BIN: &str = env!("CARGO_BIN_EXE_pleach-under-test");

const RUN: &str = r#"
[task]
name = "Classification"
[model]
name = "ConvNet"
channels = [8, 8]
[dataset.train]
name = "Digits"
[dataset.val]
name = "Digits"
[dataloader]
batch_size = 16
[trainer]
max_epochs = 2
limit_train_batches = 10
limit_val_batches = 3
"#;

fn train(dir: &Path, text: &str, out: &str) -> PathBuf {
    let out = dir.join(out);
    let _ = run(BIN, ["train", file(dir, text).to_str().unwrap(), "--out", out.to_str().unwrap()]).expect_code(0);
    out
}

fn steps(out: &Path, value: impl Fn(&Json) -> f64) -> Vec<f64> {
    log(out).iter().filter(|l| l["event"] == "step").map(value).collect()
}

#[test]
fn what_a_schedule_free_optimizer_ships_is_what_was_validated_and_a_resume_goes_on_to_the_bit() {
    let dir = tempfile::tempdir().unwrap();
    let text = format!("{RUN}[optimizer]\nname = \"ScheduleFreeAdamW\"\nlr = 0.01\n");
    let whole = train(dir.path(), &text, "whole");
    let eval = run(BIN, ["eval", whole.to_str().unwrap(), "--checkpoint", "last", "--json"]).expect_code(0);
    let json: Json = serde_json::from_str(&eval.out).unwrap();
    assert_eq!(json["weights"], "averaged");
    assert_eq!(json["metrics"]["val_loss"].as_f64().unwrap(), metric(&whole, "val_loss"));
    let halves = train(dir.path(), &text.replace("max_epochs = 2", "max_epochs = 1"), "halves");
    let _ = run(BIN, ["resume", halves.to_str().unwrap(), "--set", "trainer.max_epochs=2"]).expect_code(0);
    assert_eq!(tensors(&whole), tensors(&halves));
}

#[test]
fn lbfgs_evaluates_the_batch_anew_and_descends() {
    let dir = tempfile::tempdir().unwrap();
    let text =
        RUN.replace("batch_size = 16", "batch_size = 256\nshuffle = false").replace("max_epochs = 2", "max_epochs = 8");
    let text = text.replace("limit_train_batches = 10", "limit_train_batches = 1");
    let lbfgs = "[optimizer]\nname = \"LBFGS\"\nlr = 1.0\nmax_iter = 5\nline_search_fn = \"strong_wolfe\"\n";
    let out = train(dir.path(), &format!("{text}{lbfgs}"), "out");
    let losses = steps(&out, |l| l["metrics"]["train_loss"].as_f64().unwrap());
    assert_eq!(losses.len(), 8);
    assert!(losses.windows(2).all(|w| w[1] < w[0]), "a line search on one batch never climbs: {losses:?}");
    assert!(losses[7] < 0.3 * losses[0], "{losses:?}");
}

#[test]
fn a_warm_up_per_step_goes_before_a_plateau_per_epoch_and_a_resume_within_it_goes_on_to_the_bit() {
    let dir = tempfile::tempdir().unwrap();
    let scheduler = "[scheduler]\nname = \"ReduceLROnPlateau\"\npatience = 0\nthreshold = 100.0\nthreshold_mode = \"abs\"\nwarmup = { length = \"15 steps\", start_factor = 0.25 }\n";
    let text = format!("{RUN}[optimizer]\nname = \"SGD\"\nlr = 0.01\nmomentum = 0.9\n{scheduler}")
        .replace("max_epochs = 2", "max_epochs = 4");
    let whole = train(dir.path(), &text, "whole");
    let rates = steps(&whole, |l| l["lr"][0].as_f64().unwrap());
    for (step, rate) in rates.iter().enumerate().take(15) {
        let expected = 0.01 * (0.25 + 0.75 * step as f64 / 15.0);
        assert!((rate - expected).abs() < 1e-15, "step {step}: {rate}");
    }
    assert_eq!(rates[15], 0.01);
    assert!(rates[39] < 0.01, "the plateau takes over after the warm-up: {rates:?}");
    let halves = train(dir.path(), &text.replace("max_epochs = 4", "max_epochs = 1"), "halves");
    let _ = run(BIN, ["resume", halves.to_str().unwrap(), "--set", "trainer.max_epochs=4"]).expect_code(0);
    assert_eq!(tensors(&whole), tensors(&halves));
}

#[test]
fn one_cycle_takes_the_length_of_the_run_and_cycles_the_momentum_the_other_way() {
    let dir = tempfile::tempdir().unwrap();
    let cycle = "[scheduler]\nname = \"OneCycleLR\"\nmax_lr = 0.1\nevery = \"step\"\n";
    let out = train(dir.path(), &format!("{RUN}[optimizer]\nname = \"SGD\"\nmomentum = 0.9\n{cycle}"), "out");
    let rates = steps(&out, |l| l["lr"][0].as_f64().unwrap());
    let peak = rates.iter().copied().fold(0.0, f64::max);
    assert!((rates[0] - 0.004).abs() < 1e-15 && (peak - 0.1).abs() < 1e-3, "{rates:?}");
    assert!((rates[19] - 0.1 / 25.0 / 1e4).abs() < 1e-12, "{rates:?}");
}

#[test]
fn a_cycle_that_is_shorter_than_the_run_is_refused_before_the_first_step() {
    let dir = tempfile::tempdir().unwrap();
    let cycle = "[scheduler]\nname = \"OneCycleLR\"\nmax_lr = 0.1\nevery = \"step\"\ntotal_steps = 7\n";
    let out = dir.path().join("out");
    let text = file(dir.path(), &format!("{RUN}{cycle}"));
    let done = run(BIN, ["train", text.to_str().unwrap(), "--out", out.to_str().unwrap()]);
    assert!(done.code != Some(0) && done.err.contains("PL0163") && done.err.contains("20"), "{}", done.err);
    assert!(!out.join("log.jsonl").exists() || log(&out).iter().all(|l| l["event"] != "step"));
}

#[test]
fn numbers_that_pytorch_refuses_are_refused_with_carets() {
    let dir = tempfile::tempdir().unwrap();
    let text = format!(
        "{RUN}[optimizer]\nname = \"Adam\"\nlr = -0.1\nbetas = [0.9, 1.0]\n[scheduler]\nname = \"CosineAnnealingLR\"\nT_max = 0\n"
    );
    let done = run(BIN, ["check", file(dir.path(), &text).to_str().unwrap()]).expect_code(2);
    for part in ["`lr` of optimizer Adam is out of bounds", "`betas` of optimizer Adam", "`T_max`"] {
        assert!(done.err.contains(part), "`{part}` is not in\n{}", done.err);
    }
    let sparse = format!("{RUN}[optimizer]\nname = \"SparseAdam\"\n");
    let done = run(BIN, ["check", file(dir.path(), &sparse).to_str().unwrap()]).expect_code(2);
    assert!(done.err.contains("sparse") && done.err.contains("Adam"), "{}", done.err);
}

#[test]
fn a_metric_may_be_the_mean_over_samples() {
    let dir = tempfile::tempdir().unwrap();
    let metrics = "[metrics]\nval = [\"Accuracy\", { name = \"Accuracy\", per = \"sample\" }]\n";
    let out = train(dir.path(), &format!("{RUN}{metrics}"), "out");
    assert!((metric(&out, "val_accuracy") - metric(&out, "val_accuracy_per_sample")).abs() < 1e-12);
}
