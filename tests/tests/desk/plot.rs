//! `pleach plot schedule`.

use crate::{TINY, within};
use pleach_tests::{file, log};
use serde_json::Value as Json;
use std::fs;
use std::path::Path;

/// The rates of each step that the log of a training has.
fn trained(dir: &Path) -> Vec<Vec<f64>> {
    let rates = |line: &Json| line["lr"].as_array().map(|all| all.iter().map(|x| x.as_f64().unwrap()).collect());
    log(dir).iter().filter_map(rates).collect()
}

/// The rates of each step that the program foresees.
fn foreseen(dir: &Path, args: &[&str]) -> Vec<Vec<f64>> {
    let args: Vec<&str> = ["plot", "schedule", "run.toml", "--json"].iter().chain(args).copied().collect();
    let all: Json = serde_json::from_str(&within(dir, &args).expect_code(0).out).unwrap();
    let groups = all["groups"].as_array().unwrap();
    let of = |i: usize| groups.iter().filter_map(|g| g["lr"][i].as_f64()).collect();
    (0..all["steps"].as_u64().unwrap() as usize).map(of).collect()
}

#[test]
fn what_is_drawn_is_what_training_does_with_groups_warm_up_and_phases() {
    let dir = tempfile::tempdir().unwrap();
    let text = format!(
        "{TINY}\n{}",
        r#"
[[optimizer.group]]
match = "*bias"
lr = 0.02

[scheduler]
name = "CosineAnnealingLR"
T_max = "100%"
every = "step"
warmup = "3 steps"

[[phase]]
name = "first"
max_epochs = 2

[[phase]]
name = "second"
max_steps = 7
optimizer = { name = "AdamW", lr = 0.003 }
scheduler = { name = "StepLR", step_size = 1, gamma = 0.5 }
"#
    );
    file(dir.path(), &text);
    let foreseen = foreseen(dir.path(), &[]);
    let _ = within(dir.path(), &["train", "run.toml", "--out", "run"]).expect_code(0);
    let trained = trained(&dir.path().join("run"));
    assert_eq!(foreseen.len(), 15);
    assert_eq!(foreseen, trained);
    assert!(trained[0].len() == 2 && trained[14].len() == 1);
}

#[test]
fn a_scheduler_that_watches_a_metric_is_drawn_from_a_log() {
    let dir = tempfile::tempdir().unwrap();
    let plateau =
        "\n[scheduler]\nname = \"ReduceLROnPlateau\"\nmonitor = \"val_loss\"\npatience = 0\nthreshold = 0.5\n";
    file(dir.path(), &format!("{}{plateau}", TINY.replace("max_epochs = 3", "max_epochs = 6")));
    let refused = within(dir.path(), &["plot", "schedule", "run.toml"]).expect_code(2);
    assert!(
        refused.err.contains("PL0164") && refused.err.contains("ReduceLROnPlateau follows `val_loss`"),
        "{}",
        refused.err
    );
    let _ = within(dir.path(), &["train", "run.toml", "--out", "run"]).expect_code(0);
    let trained = trained(&dir.path().join("run"));
    assert!(trained.last().unwrap()[0] < 0.05, "nothing was reduced: {trained:?}");
    assert_eq!(foreseen(dir.path(), &["--log", "run/log.jsonl"]), trained);
    // A log of fewer epochs than the run is drawn to its end.
    let longer = ["--log", "run/log.jsonl", "--set", "trainer.max_epochs=9"];
    assert_eq!(foreseen(dir.path(), &longer), trained);
}

#[test]
fn pictures_are_written_by_the_endings_of_their_names() {
    let dir = tempfile::tempdir().unwrap();
    let cycle = "\n[scheduler]\nname = \"OneCycleLR\"\nmax_lr = 0.1\nevery = \"step\"\n";
    file(dir.path(), &format!("{TINY}{cycle}"));
    let _ = within(dir.path(), &["plot", "schedule", "run.toml", "-o", "rates.svg", "-o", "rates.PNG"]).expect_code(0);
    let svg = fs::read_to_string(dir.path().join("rates.svg")).unwrap();
    for word in [">learning rate<", ">momentum<", ">all parameters<", ">step<", "12 steps"] {
        assert!(svg.contains(word), "{word} is not in the picture");
    }
    assert!(fs::read(dir.path().join("rates.PNG")).unwrap().starts_with(b"\x89PNG"));
    let wrong = within(dir.path(), &["plot", "schedule", "run.toml", "-o", "rates.gif"]).expect_code(2);
    assert!(wrong.err.contains("PL0136"), "{}", wrong.err);
}

#[test]
fn a_schedule_is_drawn_in_the_terminal_without_the_data() {
    let dir = tempfile::tempdir().unwrap();
    let text = TINY.replace("name = \"Digits\"", "name = \"ClassFolders\"\nroot = \"not-here\"");
    let steps = "\n[scheduler]\nname = \"MultiStepLR\"\nmilestones = [10, 15]\nwarmup = \"2 epochs\"\n";
    file(dir.path(), &format!("{}{steps}", text.replace("max_epochs = 3", "max_epochs = 20")));
    let _ = within(dir.path(), &["plot", "schedule", "run.toml"]).expect_code(3);
    let done = within(dir.path(), &["plot", "schedule", "run.toml", "--steps-per-epoch", "50"]).expect_code(0);
    insta::assert_snapshot!(done.out);
    let endless = ["plot", "schedule", "run.toml", "--steps-per-epoch", "5", "--set", "trainer.max_epochs=-1"];
    let done = within(dir.path(), &endless).expect_code(2);
    assert!(done.err.contains("has no end"), "{}", done.err);
}
