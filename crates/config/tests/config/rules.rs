//! The rules between plugins.

use crate::common::{LEAST, right, shown};

/// A file for task Sorting with something to validate on.
fn sorting(text: &str) -> String {
    format!("{LEAST}dataset.split.val = 0.2\n{text}\n")
}

#[test]
fn a_loss_must_fit_the_task() {
    let expected = r#"PL0120  loss MaskLoss does not fit task Sorting
 --> run.toml:7:8
7 | name = "MaskLoss"
  |        ^^^^^^^^^^ wants logits and masks
 ::: run.toml:1:8
1 | task = "Sorting"
  |        --------- the task gives logits and class indices
  = these fit: ClassLoss
  = see: pleach describe MaskLoss"#;
    assert_eq!(shown(&sorting("[[loss]]\nfactor = 2\nname = \"MaskLoss\"")), expected);
    let shown = shown(&sorting("[[phase]]\nname = 'a'\nloss = 'ValueLoss'"));
    assert!(shown.contains("PL0120  loss ValueLoss") && shown.contains("run.toml:7:8"), "{shown}");
}

#[test]
fn a_loss_says_which_form_and_target_it_wants_instead() {
    for (loss, label) in [
        ("ValueLoss", "wants values and values"),
        ("OddsLoss", "wants probabilities and masks"),
        ("LikelyLoss", "wants logarithms of probabilities and class indices"),
        ("PairLoss", "wants embeddings and 1 or -1 for each pair"),
        ("TripletLoss", "wants embeddings and no target"),
    ] {
        let shown = shown(&sorting(&format!("loss = '{loss}'")));
        assert!(shown.contains(&format!("PL0120  loss {loss} does not fit task Sorting")), "{shown}");
        assert!(shown.contains(&format!("^ {label}\n ::: run.toml:1:8\n")), "{shown}");
        assert!(shown.contains("--------- the task gives logits and class indices\n"), "{shown}");
    }
    let matching = |loss: &str| format!("task = 'Matching'\nmodel = 'OneLayer'\ndataset.train = 'Nowhere'\n{loss}");
    let shown = shown(&matching("loss = 'MaskLoss'"));
    assert!(shown.contains("- the task gives embeddings and 1 or -1 for each pair"), "{shown}");
    assert!(shown.contains("= these fit: PairLoss, TripletLoss"), "{shown}");
}

#[test]
fn a_loss_without_a_target_fits_whatever_targets_there_are() {
    let run =
        |loss: &str| right(&format!("task = 'Matching'\nmodel = 'OneLayer'\ndataset.train = 'Nowhere'\n{loss}")).run;
    assert_eq!(run("loss = 'TripletLoss'").loss[0].plug.name(), "TripletLoss");
    assert_eq!(run("").loss[0].plug.name(), "PairLoss");
}

#[test]
fn a_metric_must_fit_the_task() {
    let shown = shown(&sorting("metrics.val = ['Hits', 'Overlap']"));
    assert!(shown.contains("PL0120  metric Overlap does not fit task Sorting\n --> run.toml:5:24"), "{shown}");
    assert!(shown.contains("^^^^^^^^^ reads maps") && shown.contains("these fit: Hits"), "{shown}");
}

#[test]
fn a_task_that_proposes_no_loss_needs_one() {
    let painting = |loss: &str| format!("task = 'Painting'\nmodel = 'OneLayer'\ndataset.train = 'Nowhere'\n{loss}");
    let shown = shown(&painting(""));
    assert!(shown.contains("PL0126") && shown.contains("these fit: ClassLoss, MaskLoss"), "{shown}");
    right(&painting("loss = 'MaskLoss'"));
    right(&painting("[[phase]]\nname = 'a'\nloss = 'MaskLoss'"));
    let run = right("task = 'Dreaming'\nmodel = 'OneLayer'\ndataset.train = 'Nowhere'").run;
    assert!(run.loss.is_empty());
}

#[test]
fn what_is_watched_must_be_measured() {
    let expected = r#"PL0121  nothing measures `val_hist`
 --> run.toml:6:42
6 | checkpointing = { monitor = ["val_loss", "val_hist"] }
  |                                          ^^^^^^^^^^ did you mean `val_hits`?
  = there is: train_loss, train_loss_class_loss, val_hits, val_loss, val_loss_class_loss"#;
    assert_eq!(shown(&sorting("\ncheckpointing = { monitor = [\"val_loss\", \"val_hist\"] }")), expected);
    for wrong in [
        "early_stopping.monitor = 'val_los'",
        "scheduler = { name = 'ReduceLROnPlateau', monitor = 'val_overlap' }",
        "scheduler = { name = 'SequentialLR', schedulers = ['Stairs', { name = 'ReduceLROnPlateau', monitor = 'loss' }] }",
        "observer = { name = 'EarlyStopping', monitor = 'test_hits' }",
        "keeper = [{ name = 'Best', monitor = 'train_hits' }]",
        "phase = [{ name = 'a', scheduler = { name = 'ReduceLROnPlateau', monitor = 'val_x' } }]",
    ] {
        let shown = shown(&sorting(wrong));
        assert!(shown.contains("PL0121") && shown.contains("--> run.toml:5:"), "{wrong}:\n{shown}");
        assert_eq!(shown.matches("PL01").count(), 1, "{wrong}:\n{shown}");
    }
    for (written, said) in [
        ("val_hi", "did you mean `val_hits`?"),
        ("val_loss_cla", "did you mean `val_loss_class_loss`?"),
        ("hits", "did you mean `val_hits`?"),
        ("loss", "did you mean `val_loss`?"),
        ("train_hits", "= Hits measures it, where it stands in `train` under [metrics]"),
        ("train_hits_per_video", "= Hits measures it, where it stands in `train` under [metrics]"),
        ("val_", "would never change"),
        ("val_mean_overlap", "would never change"),
    ] {
        let shown = shown(&sorting(&format!("early_stopping.monitor = '{written}'")));
        assert!(shown.contains("PL0121") && shown.contains(said), "{written}:\n{shown}");
        assert!(said.starts_with('=') || !shown.contains("measures it"), "{written}:\n{shown}");
    }
    for fine in [
        "early_stopping.monitor = 'val_hits'",
        "early_stopping.monitor = 'val_hits_cat'",
        "keeper = { name = 'Best', monitor = 'train_hits' }\nmetrics.train = 'Hits'",
        "checkpointing.monitor = ['train_loss', 'val_loss_class_loss']",
    ] {
        right(&sorting(fine));
    }
    right("task = 'Dreaming'\nmodel = 'OneLayer'\ndataset.train = 'Nowhere'\nearly_stopping.monitor = 'train_energy'");
}

#[test]
fn a_metric_of_each_video_has_a_name_of_its_own() {
    let file = |watched: &str| {
        sorting(&format!("metrics.val = [{{ name = 'Hits', per = 'video' }}]\nearly_stopping.monitor = '{watched}'"))
    };
    let run = right(&file("val_hits_per_video")).run;
    let val = run.metrics.val.unwrap();
    assert_eq!(val[0].slot.per, Some(pleach_core::kinds::metric::Per::Video));
    let out = shown(&file("val_his"));
    assert!(out.contains("there is: train_loss, train_loss_class_loss, val_hits_per_video, val_loss"), "{out}");
    let out = shown(&sorting("metrics.val = [{ name = 'Hits', per = 'clip' }]"));
    assert!(out.contains("video") && out.contains("sample"), "{out}");
}

#[test]
fn without_validation_nothing_of_it_can_be_watched() {
    let shown = shown(&format!("{LEAST}early_stopping = 'EarlyStopping'"));
    assert!(
        shown.contains("PL0121  nothing measures `val_loss`") && shown.contains("nothing to validate on"),
        "{shown}"
    );
    assert!(shown.contains("run.toml:4:18"), "a default is reported at the plugin: {shown}");
    // A phase of its own data is held to them.
    let phase =
        "scheduler = 'ReduceLROnPlateau'\n[[phase]]\nname = 'a'\n[[phase]]\nname = 'b'\ndataset.train = 'Nowhere'";
    let shown = crate::common::shown(&sorting(phase));
    assert!(shown.contains("PL0121") && shown.contains("run.toml:5:13"), "{shown}");
}

#[test]
fn a_backend_must_be_able_to_do_the_job() {
    let out = shown(&sorting("backend = { train = 'Cpu', kernels = 'CandleCpu', eval = 'Narrow' }"));
    assert_eq!(out.matches("PL0122").count(), 3, "{out}");
    assert!(out.contains("^^^^^ can: `kernels`\n  = backends that can: CandleCpu, Narrow"), "{out}");
    let out = shown(&sorting("trainer.precision = 'bf16-mixed'"));
    assert!(out.contains("PL0123  backend CandleCpu does not train in bf16-mixed\n --> run.toml:5:21"), "{out}");
    assert!(out.contains("it trains in \"32-true\", \"64-true\"\n  = backends that do: Narrow"), "{out}");
    right(&sorting("trainer.precision = 'bf16-mixed'\nbackend.train = 'Narrow'"));
    let out = shown(&sorting("trainer.precision = '16-mixed'"));
    assert!(out.contains("no backend of this program trains in 16-mixed"), "{out}");
}

#[test]
fn the_accelerator_is_a_short_spelling_and_must_agree() {
    right(&sorting("trainer.accelerator = 'cpu'\nbackend.train = 'CandleCpu'"));
    let shown = shown(&sorting("trainer.accelerator = 'cpu'\nbackend.train = 'Narrow'"));
    assert!(shown.contains("PL0124  `accelerator` says CandleCpu, and [backend] says Narrow"), "{shown}");
}

#[test]
fn a_validation_split_has_one_source() {
    let out = shown(&sorting("dataset.val = 'Nowhere'"));
    assert!(out.contains("PL0127  two sources for `val`") && out.contains("run.toml:4:21"), "{out}");
    right(&format!("{LEAST}dataset.val = 'Nowhere'\ndataset.split.test = 0.1"));
    for (split, part) in [
        ("{ val = 0.5, test = 0.5 }", "nothing is left to train on"),
        ("{ num_folds = 3, validation_fold = 3 }", "there are folds 0 to 2"),
        ("{ vall = 0.5 }", "unknown parameter `vall` for [dataset.split]"),
    ] {
        let shown = shown(&format!("{LEAST}dataset.split = {split}"));
        assert!(shown.contains(part), "{shown}");
    }
}

#[test]
fn pretrained_needs_weights_and_phases_need_names() {
    let out = shown("task = 'Sorting'\nmodel = { name = 'OneLayer', pretrained = true }\ndataset.train = 'Nowhere'");
    assert!(out.contains("PL0125") && out.contains("this program ships no weights"), "{out}");
    let shown = shown(&sorting("phase = [{ name = 'a' }, { name = 'a' }]"));
    assert!(shown.contains("PL0128  two phases are called `a`\n --> run.toml:5:35"), "{shown}");
}

#[test]
fn rules_and_sections_are_reported_together() {
    let failure = crate::common::read(&sorting("loss = 'MaskLoss'\ntrainer.max_epoch = 3\nbackend.train = 'Cpu'"));
    let codes: Vec<_> = failure.expect_err("three").diagnostics.iter().map(|d| d.code).collect();
    assert_eq!(codes, ["PL0120", "PL0104", "PL0122"]);
}
