//! What the loop promises beyond one plain run: phases, frozen parameters, first weights, averages,
//! limits, and ends before the end.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use pleach_core::export::candle_core::{DType, Device, Tensor, safetensors};
use pleach_tests::{file, log, metric, run};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::Path;

const BIN: &str = env!("CARGO_BIN_EXE_pleach-under-test");

const RUN: &str = r#"
[task]
name = "Classification"
[model]
name = "ConvNet"
channels = [8, 8]
[optimizer]
name = "AdamW"
lr = 0.01
[dataset.train]
name = "Digits"
[dataset.val]
name = "Digits"
[dataloader]
batch_size = 16
[checkpointing]
save_top_k = -1
[trainer]
max_epochs = 2
limit_train_batches = 10
limit_val_batches = 3
"#;

fn train(dir: &Path, text: &str) -> std::path::PathBuf {
    let out = dir.join("out");
    let _ = run(BIN, ["train", file(dir, text).to_str().unwrap(), "--out", out.to_str().unwrap()]).expect_code(0);
    out
}

fn weights(out: &Path, step: u64) -> BTreeMap<String, Vec<f32>> {
    saved(out, step, "weights")
}

fn saved(out: &Path, step: u64, what: &str) -> BTreeMap<String, Vec<f32>> {
    let path = out.join(format!("ckpt/{step:09}/{what}.safetensors"));
    let all = safetensors::load(path, &Device::Cpu).unwrap();
    all.into_iter().map(|(n, t)| (n, t.flatten_all().unwrap().to_vec1().unwrap())).collect()
}

fn changed(a: &BTreeMap<String, Vec<f32>>, b: &BTreeMap<String, Vec<f32>>) -> BTreeSet<String> {
    a.iter().filter(|(name, value)| b[*name] != **value).map(|(name, _)| name.clone()).collect()
}

#[test]
fn a_second_phase_begins_with_the_weights_of_the_first_and_trains_what_is_not_frozen() {
    let dir = tempfile::tempdir().unwrap();
    let phases = r#"
[[phase]]
name = "all of it"
max_epochs = 2
[[phase]]
name = "the head"
max_epochs = 1
freeze = ["blocks.*"]
optimizer = { name = "SGD", lr = 0.1 }
"#;
    let out = train(dir.path(), &format!("{RUN}{phases}"));
    let parameters = |name: &String| !name.contains("running") && !name.contains("num_batches");
    let first: BTreeSet<_> = changed(&weights(&out, 10), &weights(&out, 20)).into_iter().filter(parameters).collect();
    assert!(first.contains("fc.weight") && first.contains("blocks.0.conv.weight"));
    let second: BTreeSet<_> = changed(&weights(&out, 20), &weights(&out, 30)).into_iter().filter(parameters).collect();
    assert_eq!(second, BTreeSet::from(["fc.bias".to_owned(), "fc.weight".to_owned()]));
    let rates: Vec<f64> = log(&out).iter().filter_map(|l| l["lr"][0].as_f64()).collect();
    assert_eq!((rates[19], rates[20]), (0.01, 0.1));
}

#[test]
fn weights_of_another_task_are_taken_as_far_as_they_fit_and_the_rest_is_listed() {
    let dir = tempfile::tempdir().unwrap();
    let out = train(dir.path(), RUN);
    let path = out.join("ckpt/000000020/weights.safetensors");
    let wider = RUN.replace("channels = [8, 8]", &format!("channels = [8, 16]\nweights = \"{}\"", path.display()));
    let other = dir.path().join("other");
    let args = |text: &str| {
        let run_file = file(dir.path(), text);
        run(BIN, ["train", run_file.to_str().unwrap(), "--out", other.to_str().unwrap()])
    };
    let strict = args(&wider).expect_code(1);
    assert!(strict.err.contains("PL0210") && strict.err.contains("blocks.1.conv.weight"), "{}", strict.err);
    fs::remove_dir_all(&other).unwrap();
    let partial = args(&wider.replace("channels = [8, 16]", "channels = [8, 16]\npretrained = true")).expect_code(0);
    assert!(partial.err.contains("fc.weight ([10, 16] here, [10, 8] there)"), "{}", partial.err);
}

#[test]
fn weights_that_are_no_weights_or_another_nets_are_refused_by_what_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("first.pth");
    let with = format!("channels = [8, 8]\npretrained = true\nweights = {path:?}");
    let run_file = file(dir.path(), &RUN.replace("channels = [8, 8]", &with));
    let refused = || {
        let out = tempfile::tempdir().unwrap();
        run(BIN, ["train", run_file.to_str().unwrap(), "--out", out.path().to_str().unwrap()]).expect_code(1).err
    };
    assert!(refused().contains("PL0531"));
    fs::write(&path, b"PK\x03\x04 what torch.save writes").unwrap();
    let pickle = refused();
    assert!(pickle.contains("PL0532") && pickle.contains("safetensors.torch.save_file"), "{pickle}");
    fs::write(&path, [9, 0, 0, 0, 0, 0, 0, 0, b'{', b'"']).unwrap();
    assert!(refused().contains("PL0533"));
    let elsewhere = HashMap::from([("encoder.weight", Tensor::zeros(3, DType::F32, &Device::Cpu).unwrap())]);
    safetensors::save(&elsewhere, &path).unwrap();
    let other = refused();
    assert!(other.contains("PL0530") && other.contains("the file has encoder.weight"), "{other}");
}

#[test]
fn a_pattern_that_freezes_nothing_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let text = RUN.replace("channels = [8, 8]", "channels = [8, 8]\nfreeze = [\"encoder.*\"]");
    let out = dir.path().join("out");
    let done =
        run(BIN, ["train", file(dir.path(), &text).to_str().unwrap(), "--out", out.to_str().unwrap()]).expect_code(1);
    assert!(done.err.contains("encoder.*") && done.err.contains("blocks.0.conv.weight"), "{}", done.err);
}

#[test]
fn averages_of_the_weights_are_saved_and_serve() {
    let dir = tempfile::tempdir().unwrap();
    let out = train(dir.path(), &format!("{RUN}[[observer]]\nname = \"EMA\"\ndecay = 0.8\n"));
    assert!(out.join("ckpt/000000020/ema.safetensors").is_file());
    let eval = run(BIN, ["eval", out.to_str().unwrap(), "--checkpoint", "last", "--json"]).expect_code(0);
    let json: serde_json::Value = serde_json::from_str(&eval.out).unwrap();
    assert_eq!(json["weights"], "averaged");
    assert_eq!(json["metrics"]["val_loss"].as_f64().unwrap(), metric(&out, "val_loss"));
}

#[test]
fn averages_follow_the_weights_whether_the_optimizer_moves_them_in_its_own_pass_or_not() {
    for (optimizer, clip) in [("AdamW", ""), ("AdamW", "gradient_clip_val = 0.1"), ("LAMB", "")] {
        let dir = tempfile::tempdir().unwrap();
        let text = RUN.replace("AdamW", optimizer).replace("max_epochs = 2", &format!("max_epochs = 4\n{clip}"));
        let text = text.replace("limit_train_batches = 10", "limit_train_batches = 1");
        let out = train(dir.path(), &format!("{text}[[observer]]\nname = \"EMA\"\ndecay = 0.8\n"));
        let mut average = weights(&out, 1);
        assert_eq!(saved(&out, 1, "ema"), average);
        for step in 2..=4 {
            let now = weights(&out, step);
            for (name, average) in &mut average {
                let buffer = name.contains("running") || name.contains("num_batches_tracked");
                let moved = |a: f32, w: f32| if buffer { w } else { a + (1.0 - 0.8) as f32 * (w - a) };
                average.iter_mut().zip(&now[name]).for_each(|(a, &w)| *a = moved(*a, w));
            }
            assert_eq!(saved(&out, step, "ema"), average, "{optimizer} {clip}, step {step}");
        }
    }
}

#[test]
fn accumulated_batches_make_one_step_and_the_log_counts_steps() {
    let dir = tempfile::tempdir().unwrap();
    let out = train(
        dir.path(),
        &RUN.replace("limit_train_batches = 10", "limit_train_batches = 10\naccumulate_grad_batches = 4"),
    );
    let steps: Vec<u64> =
        log(&out).iter().filter(|l| l["event"] == "step").map(|l| l["step"].as_u64().unwrap()).collect();
    assert_eq!(steps, [1, 2, 3, 4, 5, 6], "10 batches are 3 steps an epoch, the last of 2 batches");
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let dir = tempfile::tempdir().unwrap();
    let run_file = file(dir.path(), RUN);
    let mut all = Vec::new();
    for (threads, workers) in [("1", "0"), ("2", "3"), ("5", "1")] {
        let out = dir.path().join(threads);
        let set = format!("dataloader.num_workers={workers}");
        let args = ["train", run_file.to_str().unwrap(), "--set", &set, "--out", out.to_str().unwrap()];
        let done = std::process::Command::new(BIN).args(args).env("PLEACH_THREADS", threads).output().unwrap();
        assert!(done.status.success());
        all.push((pleach_tests::tensors(&out), log(&out)));
    }
    assert!(all.windows(2).all(|w| w[0] == w[1]));
}

#[test]
fn early_stopping_ends_a_run_and_resuming_it_does_not_undo_that() {
    let dir = tempfile::tempdir().unwrap();
    let text = RUN.replace("max_epochs = 2", "max_epochs = 30").replace("lr = 0.01", "lr = 0.0");
    let out = train(dir.path(), &format!("{text}[early_stopping]\nmonitor = \"val_accuracy\"\npatience = 2\n"));
    let epochs = |out: &Path| log(out).iter().filter(|l| l["event"] == "epoch").count();
    let ended = epochs(&out);
    assert!((3..=6).contains(&ended), "{ended} epochs");
    let again = run(BIN, ["resume", out.to_str().unwrap()]).expect_code(0);
    assert!(again.err.contains("finished"), "{}", again.err);
    assert_eq!(epochs(&out), ended);
}

#[test]
fn a_plateau_of_the_accuracy_knows_that_more_is_better_and_counts_each_measurement_once() {
    let dir = tempfile::tempdir().unwrap();
    let text = RUN
        .replace("max_epochs = 2", "max_epochs = 6\ncheck_val_every_n_epoch = 3")
        .replace("limit_train_batches = 10", "limit_train_batches = 40");
    let scheduler = "[scheduler]\nname = \"ReduceLROnPlateau\"\nmonitor = \"val_accuracy\"\npatience = 0\n";
    let out = train(dir.path(), &format!("{text}{scheduler}"));
    let accuracies: Vec<f64> = log(&out)
        .iter()
        .filter(|l| l["event"] == "validation")
        .map(|l| l["metrics"]["val_accuracy"].as_f64().unwrap())
        .collect();
    assert!(accuracies.len() == 2 && accuracies[1] > accuracies[0], "{accuracies:?}");
    let rates: Vec<f64> = log(&out).iter().filter_map(|l| l["lr"][0].as_f64()).collect();
    assert!(rates.iter().all(|r| *r == 0.01), "an accuracy that rises lowered the rate: {rates:?}");
}

#[test]
fn a_fast_run_for_development_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let run_file = file(dir.path(), RUN);
    let out = dir.path().join("out");
    let args =
        ["train", run_file.to_str().unwrap(), "--set", "trainer.fast_dev_run=true", "--out", out.to_str().unwrap()];
    let _ = run(BIN, args).expect_code(0);
    assert!(!out.exists());
}

#[test]
fn sixty_four_bits_train_too() {
    let dir = tempfile::tempdir().unwrap();
    let out = train(dir.path(), &RUN.replace("max_epochs = 2", "max_epochs = 1\nprecision = \"64-true\""));
    assert!(metric(&out, "val_accuracy") > 0.1);
}

#[test]
fn a_profile_says_where_the_time_went() {
    let dir = tempfile::tempdir().unwrap();
    let run_file = file(dir.path(), &RUN.replace("max_epochs = 2", "max_epochs = 1\nprofiler = \"simple\""));
    let out = dir.path().join("out");
    let done = run(BIN, ["train", run_file.to_str().unwrap(), "--out", out.to_str().unwrap()]).expect_code(0);
    for part in ["data", "step", "validation", "checkpoint"] {
        assert!(done.err.lines().any(|l| l.starts_with(part) && l.contains('%')), "{part} is not in\n{}", done.err);
    }
}
