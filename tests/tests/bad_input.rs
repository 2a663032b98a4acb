//! Bad input gets a code, a place and a hint, and the right exit code.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use pleach_tests::{Done, data, file, run};
use std::fs;
use std::path::Path;

const BIN: &str = env!("CARGO_BIN_EXE_pleach-under-test");

const GOOD: &str = r#"
[task]
name = "Classification"

[model]
name = "ConvNet"
channels = [8]

[dataset.train]
name = "Digits"

[dataset.val]
name = "Digits"

[trainer]
max_epochs = 1
limit_train_batches = 2
limit_val_batches = 1
"#;

fn train(dir: &Path, text: &str) -> Done {
    let out = dir.join("out");
    run(BIN, ["train", file(dir, text).to_str().unwrap(), "--out", out.to_str().unwrap()])
}

fn says(done: &Done, parts: &[&str]) {
    for part in parts {
        assert!(done.err.contains(part), "`{part}` is not in\n{}", done.err);
    }
}

#[test]
fn a_file_with_five_mistakes_has_all_five_reported_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let text = r#"[task]
name = "Clasification"

[model]
name = "ConvNet"
chanels = [8]

[optimizer]
name = "AdamW"
lr = nan

[trainer]
max_epochs = "ten"

[dataset.train]
name = "Digits"

[schedulr]
name = "StepLR"
"#;
    let done = train(dir.path(), text).expect_code(2);
    says(
        &done,
        &[
            "run.toml:2:8",
            "did you mean `Classification`?",
            "run.toml:6:1",
            "did you mean `channels`?",
            "run.toml:10:6",
            "run.toml:13:14",
            "run.toml:18:2",
            "did you mean `scheduler`?",
        ],
    );
    assert!(!dir.path().join("out").exists(), "a wrong file must not leave a folder");
}

#[test]
fn a_mistake_in_a_set_is_shown_in_the_set() {
    let dir = tempfile::tempdir().unwrap();
    let run_file = file(dir.path(), GOOD);
    let done = run(BIN, ["check", run_file.to_str().unwrap(), "--set", "trainer.max_epochs=many"]).expect_code(2);
    says(&done, &["--set", "expected a whole number"]);
    let done = run(BIN, ["check", run_file.to_str().unwrap(), "--set", "model.chanels=[1]", "--json"]).expect_code(2);
    let json: serde_json::Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!(json["diagnostics"][0]["code"], "PL0104");
}

#[test]
fn a_huge_file_and_a_missing_file_are_refused_before_they_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let huge = dir.path().join("huge.toml");
    fs::File::create(&huge).unwrap().set_len(100 << 20).unwrap();
    says(&run(BIN, ["train", huge.to_str().unwrap()]).expect_code(2), &["PL01", "huge.toml"]);
    says(&run(BIN, ["train", "/nowhere/run.toml"]).expect_code(2), &["PL01", "/nowhere/run.toml"]);
}

#[test]
fn missing_and_empty_folders_are_errors_of_the_data_with_the_path() {
    let dir = tempfile::tempdir().unwrap();
    let text =
        |root: &str| GOOD.replacen("name = \"Digits\"", &format!("name = \"ClassFolders\"\nroot = \"{root}\""), 1);
    says(&train(dir.path(), &text("nothing-here")).expect_code(3), &["PL0304", "nothing-here"]);
    fs::create_dir(dir.path().join("empty")).unwrap();
    fs::remove_dir_all(dir.path().join("out")).unwrap();
    says(&train(dir.path(), &text("empty")).expect_code(3), &["PL0306", "empty", "no folders of classes"]);
}

#[test]
fn a_loss_that_runs_away_stops_with_the_step_the_samples_and_a_replay() {
    let dir = tempfile::tempdir().unwrap();
    let text = format!("{GOOD}\n[optimizer]\nname = \"SGD\"\nlr = 1e38\n")
        .replace("limit_train_batches = 2", "limit_train_batches = 20");
    let done = train(dir.path(), &text).expect_code(1);
    says(&done, &["PL0402", "at step", "digits", "replay"]);
    let replay = fs::read_dir(dir.path().join("out/replay")).unwrap().next().unwrap().unwrap().path();
    assert!(replay.join("batch.safetensors").is_file() && replay.join("place.json").is_file());
}

#[test]
fn a_second_run_never_writes_into_a_folder_that_has_one() {
    let dir = tempfile::tempdir().unwrap();
    let _ = train(dir.path(), GOOD).expect_code(0);
    says(&train(dir.path(), GOOD).expect_code(1), &["PL0502", "holds a run already", "resume"]);
}

#[test]
fn two_processes_never_hold_one_folder() {
    let dir = tempfile::tempdir().unwrap();
    let text = GOOD
        .replace("max_epochs = 1", "max_epochs = -1")
        .replace("limit_train_batches = 2", "limit_train_batches = 50");
    let (run_file, out) = (file(dir.path(), &text), dir.path().join("out"));
    let args = ["train", run_file.to_str().unwrap(), "--out", out.to_str().unwrap()];
    let mut child = std::process::Command::new(BIN).args(args).stderr(std::process::Stdio::null()).spawn().unwrap();
    while !out.join("log.jsonl").exists() {
        assert!(child.try_wait().unwrap().is_none(), "the first process ended before it had a log");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let second = run(BIN, ["resume", out.to_str().unwrap()]);
    child.kill().unwrap();
    child.wait().unwrap();
    says(&second.expect_code(1), &["PL0504", "another process"]);
    // What held the folder has died with its process.
    let args = ["resume", out.to_str().unwrap(), "--set", "trainer.max_epochs=1"];
    let _ = run(BIN, args).expect_code(0);
}

#[test]
fn a_checkpoint_of_another_model_is_refused_with_the_names_that_do_not_fit() {
    let dir = tempfile::tempdir().unwrap();
    let _ = train(dir.path(), GOOD).expect_code(0);
    let out = dir.path().join("out");
    let args = ["resume", out.to_str().unwrap(), "--set", "model.channels=[16, 16]", "--set", "trainer.max_epochs=2"];
    says(&run(BIN, args).expect_code(1), &["PL0210", "of another shape"]);
    // What was refused has changed nothing: the run goes on as it was.
    let _ = run(BIN, ["resume", out.to_str().unwrap(), "--set", "trainer.max_epochs=2"]).expect_code(0);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_said_and_the_run_goes_on_when_there_is_space() {
    // Writes to /dev/full fail as a full disk does; a log that leads there stands for one.
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    fs::create_dir(&out).unwrap();
    std::os::unix::fs::symlink("/dev/full", out.join("log.jsonl")).unwrap();
    let done = train(dir.path(), GOOD);
    assert_eq!(done.code, Some(1), "{}", done.err);
    says(&done, &["PL05", "log.jsonl"]);
    fs::remove_file(out.join("log.jsonl")).unwrap();
    let _ = run(BIN, ["resume", out.to_str().unwrap()]).expect_code(0);
}

#[test]
fn an_output_folder_that_cannot_be_made_is_an_error_with_its_path() {
    let dir = tempfile::tempdir().unwrap();
    let in_the_way = dir.path().join("file");
    fs::write(&in_the_way, "").unwrap();
    let out = in_the_way.join("run");
    let done =
        run(BIN, ["train", file(dir.path(), GOOD).to_str().unwrap(), "--out", out.to_str().unwrap()]).expect_code(1);
    says(&done, &["PL0501", out.to_str().unwrap()]);
}

/// A small folder of classes made of real photographs, whose last file is cut off.
fn with_a_truncated_photograph(dir: &Path) -> Option<std::path::PathBuf> {
    let root = dir.join("photographs");
    let mut victim = None;
    let mut all = jpegs(&data("clothing")?);
    all.sort();
    for (i, source) in all.iter().take(12).enumerate() {
        let class = root.join(if i % 2 == 0 { "even" } else { "odd" });
        fs::create_dir_all(&class).unwrap();
        let copy = class.join(format!("{i}.jpg"));
        fs::copy(source, &copy).unwrap();
        victim = Some(copy);
    }
    let victim = victim.unwrap();
    let bytes = fs::read(&victim).unwrap();
    fs::write(&victim, &bytes[..200]).unwrap();
    Some(victim)
}

fn jpegs(dir: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(dir).unwrap().map(|e| e.unwrap().path());
    entries
        .flat_map(|p| if p.is_dir() { jpegs(&p) } else { vec![p] })
        .filter(|p| p.extension().is_some_and(|e| e == "jpg" || e == "jpeg"))
        .collect()
}

#[test]
fn a_truncated_photograph_stops_a_run_with_its_path_or_is_left_out_and_counted() {
    let dir = tempfile::tempdir().unwrap();
    let Some(victim) = with_a_truncated_photograph(dir.path()) else { return };
    let text = r#"
[task]
name = "Classification"
[model]
name = "ConvNet"
channels = [8]
[dataset.train]
name = "ClassFolders"
root = "photographs"
augment = [{ name = "Resize", width = 16, height = 16 }]
[dataloader]
batch_size = 4
on_error = "stop"
[trainer]
max_epochs = 1
"#;
    let done = train(dir.path(), text).expect_code(3);
    says(&done, &["PL0303", victim.file_name().unwrap().to_str().unwrap()]);
    fs::remove_dir_all(dir.path().join("out")).unwrap();
    let done = train(dir.path(), &text.replace("\"stop\"", "\"skip\"")).expect_code(0);
    says(&done, &["left out", victim.file_name().unwrap().to_str().unwrap()]);
}
