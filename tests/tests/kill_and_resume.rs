//! A run may be killed at any moment; resumed, it ends with the bits of a run that nobody disturbed.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use pleach_tests::{file, log, run, tensors};
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const BIN: &str = env!("CARGO_BIN_EXE_pleach-under-test");

/// Everything that has a state, in seconds: dropout, augmentation, momentum of two kinds, an average
/// of the weights, a plateau scheduler, early stopping, keepers, phases within an epoch.
const RUN: &str = r#"
[run]
name = "killed"
seed = 11

[task]
name = "Classification"

[model]
name = "ConvNet"
channels = [8, 8]
dropout = 0.2

[optimizer]
name = "AdamW"
lr = 0.01

[scheduler]
name = "ReduceLROnPlateau"
patience = 0
threshold = 0.2

[dataset.train]
name = "Digits"
augment = [{ name = "Rotate", limit = 15.0 }]

[dataset.val]
name = "Digits"

[dataloader]
batch_size = 16

[trainer]
max_epochs = 4
limit_train_batches = 60
limit_val_batches = 5
accumulate_grad_batches = 2
gradient_clip_val = 1.0

[checkpointing]
every_n_steps = 7
save_top_k = 2
monitor = ["val_loss", "val_accuracy"]

[early_stopping]
monitor = "val_loss"
patience = 50

[metrics]
train = ["Accuracy"]

[[observer]]
name = "EMA"
decay = 0.9
"#;

fn undisturbed(dir: &Path) {
    let out = dir.join("whole");
    let _ = run(BIN, ["train".as_ref(), file(dir, RUN).as_os_str(), "--out".as_ref(), out.as_os_str()]).expect_code(0);
}

fn assert_equal(whole: &Path, other: &Path) {
    assert_eq!(tensors(whole), tensors(other));
    let (a, b) = (log(whole), log(other));
    for (i, (a, b)) in a.iter().zip(&b).enumerate() {
        assert_eq!(a, b, "line {} of the logs", i + 1);
    }
    assert_eq!(a.len(), b.len());
    let checkpoints = |dir: &Path| {
        let mut all: Vec<_> = fs::read_dir(dir.join("ckpt")).unwrap().map(|e| e.unwrap().file_name()).collect();
        all.sort();
        all
    };
    assert_eq!(checkpoints(whole), checkpoints(other));
}

/// Numbers between 0 and 1 that are the same in every run of the test.
fn fractions(seed: u64) -> impl Iterator<Item = f64> {
    let mut x = seed;
    std::iter::repeat_with(move || {
        x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (x >> 33) as f64 / (1u64 << 31) as f64
    })
}

/// Lines of a run's log so far.
fn lines(out: &Path) -> usize {
    fs::read_to_string(out.join("log.jsonl")).map_or(0, |text| text.lines().count())
}

/// Waits until the log of a run has so many lines; says whether the run goes on then.
fn has_come_to(child: &mut Child, out: &Path, wanted: usize) -> bool {
    while lines(out) < wanted {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    child.try_wait().unwrap().is_none()
}

#[test]
fn a_run_killed_at_random_points_ends_with_the_bits_of_an_undisturbed_one() {
    let dir = tempfile::tempdir().unwrap();
    undisturbed(dir.path());
    let whole = dir.path().join("whole");
    let all = lines(&whole) as f64;
    let (mut kills, mut newborn) = (0, 0);
    for seed in 1..=5 {
        let out = dir.path().join(format!("killed-{seed}"));
        let mut chance = fractions(seed);
        let mut chance = || chance.next().unwrap();
        let mut args = vec![
            "train".into(),
            dir.path().join("run.toml").into_os_string(),
            "--out".into(),
            out.clone().into_os_string(),
        ];
        // Each life is cut short at a random point: of the log, so that a slow machine kills as often as a fast one,
        // and then of the milliseconds, so that it is not always the log that is being written. The last one is not.
        for life in 0..4 {
            let mut child = Command::new(BIN).args(&args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            // First lives end while the run begins, most of them before there is a log.
            let (wanted, most) =
                if life == 0 { (0, 50_000.0) } else { (lines(&out) + (0.4 * all * chance()) as usize, 5000.0) };
            let _ = has_come_to(&mut child, &out, wanted);
            std::thread::sleep(Duration::from_micros((most * chance()) as u64));
            kills += u32::from(child.try_wait().unwrap().is_none());
            child.kill().unwrap();
            child.wait().unwrap();
            if out.join("resolved.toml").exists() {
                args = vec!["resume".into(), out.clone().into_os_string()];
            } else {
                // Killed before the run was born: nothing is lost, and the same command begins anew.
                newborn += 1;
                let _ = fs::remove_dir_all(&out);
            }
        }
        let _ = run(BIN, &args).expect_code(0);
        assert_equal(&whole, &out);
    }
    assert!(kills >= 10, "only {kills} of 20 lives were cut short, {newborn} of them before the run was born");
}

#[test]
fn a_finished_run_says_so_and_goes_on_with_more_epochs_as_if_it_had_never_stopped() {
    let dir = tempfile::tempdir().unwrap();
    undisturbed(dir.path());
    let short = dir.path().join("short");
    let run_file = dir.path().join("run.toml");
    let args = ["train", run_file.to_str().unwrap(), "--set", "trainer.max_epochs=2", "--out", short.to_str().unwrap()];
    let _ = run(BIN, args).expect_code(0);
    let before = log(&short);
    let again = run(BIN, ["resume", short.to_str().unwrap()]).expect_code(0);
    assert!(again.err.contains("finished"), "{}", again.err);
    assert_eq!(before, log(&short));
    let _ = run(BIN, ["resume", short.to_str().unwrap(), "--set", "trainer.max_epochs=4"]).expect_code(0);
    assert_eq!(tensors(&dir.path().join("whole")), tensors(&short));
    let steps =
        |dir: &Path| log(dir).into_iter().filter(|l| l["event"] == "step" || l["event"] == "epoch").collect::<Vec<_>>();
    assert_eq!(steps(&dir.path().join("whole")), steps(&short));
}

#[test]
fn a_torn_or_tampered_checkpoint_is_refused_and_the_newest_whole_one_is_used() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("run");
    let run_file = file(dir.path(), &RUN.replace("save_top_k = 2", "save_top_k = -1"));
    let _ = run(BIN, ["train", run_file.to_str().unwrap(), "--out", out.to_str().unwrap()]).expect_code(0);
    let whole = tensors(&out);
    let mut steps: Vec<_> = fs::read_dir(out.join("ckpt")).unwrap().map(|e| e.unwrap().path()).collect();
    steps.sort();
    let [.., torn, tampered] = steps.as_slice() else { panic!("too few checkpoints") };
    let weights = tampered.join("weights.safetensors");
    let mut bytes = fs::read(&weights).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&weights, bytes).unwrap();
    let optim = torn.join("optim.safetensors");
    let bytes = fs::read(&optim).unwrap();
    fs::write(&optim, &bytes[..bytes.len() / 2]).unwrap();
    let resumed = run(BIN, ["resume", out.to_str().unwrap()]).expect_code(0);
    assert!(resumed.err.contains("`weights.safetensors` is not what was written"), "{}", resumed.err);
    assert!(resumed.err.contains("`optim.safetensors` is not what was written"), "{}", resumed.err);
    assert_eq!(whole, tensors(&out));
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_after_the_step_with_a_checkpoint_and_code_130() {
    let dir = tempfile::tempdir().unwrap();
    undisturbed(dir.path());
    let out = dir.path().join("interrupted");
    let args =
        ["train".into(), dir.path().join("run.toml").into_os_string(), "--out".into(), out.clone().into_os_string()];
    let interrupted = || {
        let mut child = Command::new(BIN).args(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        if has_come_to(&mut child, &out, 4) {
            let _ = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
        }
        let done: pleach_tests::Done = child.wait_with_output().unwrap().into();
        // Whoever looks on may be kept from it until the run has come to its end: that is no answer.
        let too_late = done.code == Some(0);
        if too_late {
            fs::remove_dir_all(&out).unwrap();
        }
        (!too_late).then_some(done)
    };
    let done = (0..5).find_map(|_| interrupted()).expect("five runs ended before they were interrupted");
    let done = done.expect_code(130);
    assert!(done.err.contains("pleach resume"), "{}", done.err);
    let _ = run(BIN, ["resume", out.to_str().unwrap()]).expect_code(0);
    assert_equal(&dir.path().join("whole"), &out);
}
