//! `--set` lays one value over the file, and points into what was typed.

use crate::common::{LEAST, right, right_set, shown_set};
use pleach_core::saved;
use proptest::prelude::*;

const FILE: &str = r#"
task = "Sorting"
model = "OneLayer"
loss = ["ClassLoss", { name = "ClassLoss", label_smoothing = 0.1 }]
scheduler = "none"

[optimizer]
name = "AdamW"
lr = 0.5

[dataset.train]
name = "Shelf"
root = "data"
augment = ["Mirror", { name = "Tint", p = 0.5 }]

[dataset.split]
val = 0.1
"#;

#[test]
fn values_are_toml_and_bare_words_are_strings() {
    let run = right_set(
        FILE,
        &[
            "optimizer.lr=0.25",
            "run.name=a b",
            "run.notes='quoted'",
            "loss.1.factor=2",
            "dataset.train.augment.1.p=0.3",
            "dataset.train.augment.0.p=1",
            "model.channels=[1, 2, 3]",
            "trainer . max_epochs = 7",
            "early_stopping.patience=9",
            "\"scheduler\".name=Stairs",
        ],
    )
    .run;
    assert!((run.optimizer.lr() - 0.25).abs() < f64::EPSILON);
    assert_eq!((run.run.name.as_str(), run.run.notes.as_str()), ("a b", "quoted"));
    assert_eq!(run.loss.iter().map(|l| l.slot.factor).collect::<Vec<_>>(), [1.0, 2.0]);
    assert_eq!(run.dataset.train.slot.augment.iter().map(|a| a.slot.p).collect::<Vec<_>>(), [Some(1.0), Some(0.3)]);
    assert_eq!(run.trainer.max_epochs, 7);
    assert_eq!(run.early_stopping.map(|o| o.saved().expect("saved")["patience"].clone()), Some(9.into()));
    assert_eq!(run.scheduler.map(|s| s.plug.name()), Some("Stairs".into()));
}

#[test]
fn another_plugin_starts_from_its_own_defaults_whatever_the_order() {
    for sets in [["optimizer.name=SGD", "optimizer.momentum=0.9"], ["optimizer.momentum=0.9", "optimizer.name=SGD"]] {
        let run = right_set(FILE, &sets).run;
        let saved = run.optimizer.plug.saved().expect("saved");
        assert_eq!((&saved["lr"], &saved["momentum"]), (&0.01.into(), &0.9.into()));
    }
    // The same plugin keeps what the file says.
    assert!((right_set(FILE, &["optimizer.name=AdamW"]).run.optimizer.lr() - 0.5).abs() < f64::EPSILON);
    // The names of runs are no plugins'.
    let run = right_set(
        "run = { name = 'x', seed = 3 }\ntask='Sorting'\nmodel='OneLayer'\ndataset.train='Nowhere'",
        &["run.name=y"],
    )
    .run;
    assert_eq!((run.run.name.as_str(), run.run.seed), ("y", 3));
}

#[test]
fn a_plugin_is_turned_on_and_off() {
    let on = format!("{LEAST}early_stopping.patience = 3\ndataset.split.val = 0.1\n");
    assert!(right(&on).run.early_stopping.is_some());
    for off in ["early_stopping=false", "early_stopping=none"] {
        assert!(right_set(&on, &[off]).run.early_stopping.is_none());
    }
    assert_eq!(right_set(FILE, &["loss=ClassLoss"]).run.loss.len(), 1);
    assert_eq!(right_set(FILE, &["loss.0.factor=3", "loss=ClassLoss"]).run.loss[0].slot.factor, 3.0);
}

#[test]
fn a_mistake_points_into_the_command_line() {
    let expected = r#"PL0105  expected a number, found the string "abc"
 --> command line:1:20
1 | --set optimizer.lr=abc
  |                    ^^^ expected a number
  = see: pleach describe AdamW"#;
    assert_eq!(shown_set(FILE, &["optimizer.lr=abc"]), expected);
    for (set, column, part) in [
        ("optimizer.lr", 7, "`--set` needs a key and a value"),
        ("=3", 7, "a key with an empty part"),
        ("a..b=3", 9, "a key with an empty part"),
        ("optimizer.rl=3", 17, "did you mean `lr`?"),
        ("loss.2.factor=3", 12, "there are items 0 to 1"),
        ("loss.factor=3", 12, "items count from 0: `loss.0.factor`"),
        ("keeper.0.monitor=x", 14, "`keeper` is not in the file"),
        ("keeper.0=x", 14, "`keeper` is not in the file"),
        ("optimizer.lr.x=3", 20, "`optimizer.lr` is the number 0.5 and has no keys"),
        ("model.channels=[1, ]]", 27, "this is no TOML"),
        ("optmizer.lr=3", 7, "did you mean `optimizer`?"),
    ] {
        let shown = shown_set(FILE, &[set]);
        assert!(shown.contains(part) && shown.contains(&format!("command line:1:{column}\n")), "{set}:\n{shown}");
    }
}

#[test]
fn each_set_is_a_source_of_its_own() {
    let shown = shown_set(FILE, &["optimizer.lr=abc", "trainer.max_epochs=1", "run.seed=-1"]);
    assert!(shown.contains("--set optimizer.lr=abc\n") && shown.contains("--set run.seed=-1\n"), "{shown}");
}

proptest! {
    #[test]
    fn the_order_on_the_command_line_does_not_matter(order in Just(vec![
        "optimizer=SGD", "optimizer.lr=0.125", "optimizer.momentum=0.5", "optimizer.name=SGD",
        "dataset.train.name=Shelf", "dataset.train.root=/other", "trainer.max_epochs=4",
    ]).prop_shuffle()) {
        let run = right_set(FILE, &order).run;
        let saved = saved::save(&run.optimizer).expect("saved");
        prop_assert_eq!((&saved["lr"], &saved["momentum"]), (&0.125.into(), &0.5.into()));
        prop_assert_eq!(&saved::save(&run.dataset).expect("saved")["train"]["root"], "/other");
    }

    #[test]
    fn no_text_behind_set_is_too_strange(set in ".{0,40}", key in "[a-z.0-9\"' ]{0,12}") {
        let _ = crate::common::read_set(FILE, &[&set, &format!("{key}={set}")]);
    }
}
