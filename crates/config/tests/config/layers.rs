//! Files, profiles, the environment and `--set` are laid over each other, and each mistake names its layer.

use crate::common::{LEAST, right, shown};
use pleach_config::{Failure, Paint, Resolved, Sources};
use pleach_core::saved;
use proptest::prelude::*;
use std::ffi::OsString;
use std::fs;
use std::path::Path;

const BASE: &str = r#"
task = "Sorting"
model = { name = "OneLayer", channels = [4], dropout = 0.25 }
dataset.train = { name = "Shelf", root = "data", augment = ["Mirror"] }
dataset.split.val = 0.1

[[loss]]
name = "ClassLoss"
label_smoothing = 0.1

[optimizer]
name = "AdamW"
lr = 0.5
betas = [0.5, 0.5]

[trainer]
max_epochs = 7
max_steps = 70

[profile.quick.trainer]
max_epochs = 1

[profile.quick.run]
name = "quick"

[profile.coarse.optimizer]
name = "SGD"
"#;

/// Writes `base.toml` in a folder of its own and `run.toml` beside that folder.
fn folder(run: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    fs::create_dir(dir.path().join("bases")).expect("a folder");
    fs::write(dir.path().join("bases/base.toml"), BASE).expect("written");
    fs::write(dir.path().join("run.toml"), run).expect("written");
    dir
}

struct Over<'a> {
    profiles: &'a [&'a str],
    environment: &'a [(&'a str, &'a str)],
    sets: &'a [&'a str],
}

const NOTHING: Over<'static> = Over { profiles: &[], environment: &[], sets: &[] };

fn lay(dir: &Path, over: &Over<'_>) -> Result<Resolved, Failure> {
    let variables = over.environment.iter().map(|(key, value)| (OsString::from(key), OsString::from(value)));
    let sources = Sources::file(&dir.join("run.toml"))?.environment(variables);
    let sources = over.profiles.iter().fold(sources, |all, name| all.profile(name));
    pleach_config::resolve(over.sets.iter().fold(sources, |all, set| all.set(set)))
}

fn good(run: &str, over: &Over<'_>) -> Resolved {
    let dir = folder(run);
    lay(dir.path(), over).unwrap_or_else(|failure| panic!("{}", failure.render(Paint::Plain)))
}

/// The mistakes, with the folder cut off the paths.
fn wrong(run: &str, over: &Over<'_>) -> String {
    let dir = folder(run);
    let shown = lay(dir.path(), over).expect_err("a mistake").render(Paint::Plain);
    shown.replace(&format!("{}/", dir.path().display()), "")
}

#[test]
fn a_file_is_laid_over_the_one_it_extends_key_by_key() {
    let run = good("extends = 'bases/base.toml'\noptimizer.lr = 0.25\ntrainer.max_epochs = 3\n", &NOTHING).run;
    let optimizer = run.optimizer.plug.saved().expect("saved");
    assert_eq!((&optimizer["lr"], &optimizer["betas"]), (&0.25.into(), &vec![0.5, 0.5].into()));
    assert_eq!((run.trainer.max_epochs, run.trainer.max_steps), (3, 70));
    assert_eq!(run.loss.len(), 1);
}

#[test]
fn a_table_with_another_name_and_a_list_replace_what_they_cover() {
    let run = good(
        "extends = ['bases/base.toml']\nmodel.dropout = 0.5\nloss = ['ClassLoss', 'ClassLoss']\n[optimizer]\nname = 'SGD'\n",
        &NOTHING,
    )
    .run;
    assert_eq!((run.optimizer.plug.name(), run.optimizer.lr()), ("SGD".into(), 0.01));
    let model = run.model.plug.saved().expect("saved");
    assert_eq!((&model["channels"][0], &model["dropout"]), (&4.into(), &0.5.into()), "the same name keeps its keys");
    let smoothing = |i: usize| run.loss[i].plug.saved().expect("saved")["label_smoothing"].clone();
    assert_eq!((run.loss.len(), smoothing(0)), (2, 0.0.into()));
    // A bare name is that plugin with its defaults, and keys may be added to it from above.
    assert_eq!(good("extends = 'bases/base.toml'\noptimizer = 'AdamW'\n", &NOTHING).run.optimizer.lr(), 0.001);
    let dir = folder("extends = 'middle.toml'\noptimizer.lr = 2\n");
    fs::write(dir.path().join("middle.toml"), "extends = 'bases/base.toml'\noptimizer = 'SGD'\n").expect("written");
    let run = lay(dir.path(), &NOTHING).expect("right").run;
    assert_eq!((run.optimizer.plug.name(), run.optimizer.lr()), ("SGD".into(), 2.0));
}

#[test]
fn later_files_lie_over_earlier_ones_and_paths_start_at_their_own_file() {
    let dir = folder("extends = ['bases/base.toml', 'second.toml']\n");
    fs::write(dir.path().join("second.toml"), "trainer.max_epochs = 9\nmodel.weights = 'w.safetensors'\n")
        .expect("written");
    let run = lay(dir.path(), &NOTHING).expect("right").run;
    assert_eq!(run.trainer.max_epochs, 9);
    assert_eq!(run.model.slot.weights, Some(dir.path().join("w.safetensors")));
    let root = &saved::save(&run.dataset).expect("saved")["train"]["root"];
    assert_eq!(root.as_str(), dir.path().join("bases/data").to_str());
}

#[test]
fn profiles_lie_over_files_the_environment_over_profiles_and_set_over_all() {
    let text = "extends = 'bases/base.toml'\ntrainer.max_epochs = 3\n[profile.quick.trainer]\nmax_steps = 5\n";
    let of = |over: &Over<'_>| {
        let run = good(text, over).run;
        (run.run.name, run.trainer.max_epochs, run.trainer.max_steps, run.optimizer.plug.name())
    };
    let quick = Over { profiles: &["quick"], ..NOTHING };
    assert_eq!(of(&NOTHING), ("run".into(), 3, 70, "AdamW".into()));
    assert_eq!(of(&quick), ("quick".into(), 1, 5, "AdamW".into()));
    assert_eq!(of(&Over { profiles: &["quick", "coarse"], ..NOTHING }), ("quick".into(), 1, 5, "SGD".into()));
    let environment = &[("PLEACH__TRAINER__MAX_EPOCHS", "11"), ("PLEACH__RUN__NAME", "mine"), ("HOME", "x")];
    assert_eq!(of(&Over { environment, ..quick }), ("mine".into(), 11, 5, "AdamW".into()));
    assert_eq!(of(&Over { environment, sets: &["trainer.max_epochs=12"], ..quick }).1, 12);
}

#[test]
fn variables_name_keys_in_capitals_items_by_number_and_other_plugins() {
    let environment = &[
        ("PLEACH__LOSS__0__LABEL_SMOOTHING", "0.25"),
        ("PLEACH__SCHEDULER__NAME", "Stairs"),
        ("PLEACH__OPTIMIZER__NAME", "SGD"),
        ("PLEACH__OPTIMIZER__LR", "3"),
        ("PLEACH__model__channels", "[1, 2]"),
    ];
    let run = good("extends = 'bases/base.toml'\n", &Over { environment, ..NOTHING }).run;
    assert_eq!(run.loss[0].plug.saved().expect("saved")["label_smoothing"], 0.25);
    assert_eq!(run.scheduler.map(|s| s.plug.name()), Some("Stairs".into()));
    assert_eq!((run.optimizer.plug.name(), run.optimizer.lr()), ("SGD".into(), 3.0));
    assert_eq!(run.model.plug.saved().expect("saved")["channels"], serde_json::json!([1, 2]));
}

#[test]
fn each_mistake_names_its_layer_and_place() {
    let text = "extends = 'bases/bad.toml'\nloss = 'MaskLoss'\n[profile.quick.trainer]\nmax_epoch = 1\n";
    let dir = folder(text);
    fs::write(dir.path().join("bases/bad.toml"), "extends = 'base.toml'\n[optimizer]\nlr = 'fast'\n").expect("written");
    let over =
        Over { profiles: &["quick"], environment: &[("PLEACH__TRAINER__PRECISION", "33")], sets: &["run.seed=-1"] };
    let failure = lay(dir.path(), &over).expect_err("five mistakes");
    let json = failure.json();
    let layers: Vec<_> = json.as_array().into_iter().flatten().map(|d| d["layer"].as_str()).collect();
    assert_eq!(layers, [Some("file"), Some("profile"), Some("extends"), Some("environment"), Some("set")]);
    let shown = failure.render(Paint::Plain).replace(&format!("{}/", dir.path().display()), "");
    for part in [
        " --> run.toml:2:8\n",
        " ::: bases/base.toml:2:8\n2 | task = \"Sorting\"\n",
        " --> run.toml:4:1\n",
        "= in the profile `quick`",
        " --> bases/bad.toml:3:6\n",
        "= in a file that `run.toml` extends",
        " --> environment:1:28\n1 | PLEACH__TRAINER__PRECISION=33\n",
        " --> command line:1:16\n1 | --set run.seed=-1\n",
    ] {
        assert!(shown.contains(part), "`{part}` is not in\n{shown}");
    }
}

#[test]
fn files_that_cannot_be_extended_are_shown_where_they_are_named() {
    for (run, parts) in [
        ("extends = 'bases/bas.toml'\n", ["PL0114", "run.toml:1:11", "there is `base.toml` in that folder"]),
        ("extends = ['bases/base.toml', 3]\n", ["PL0105", "run.toml:1:31", "expected the path of a file"]),
        ("extends = 'run.toml'\n", ["PL0118", "run.toml:1:11", "`run.toml` extends itself"]),
        ("extends = 'bases/../run.toml'\n", ["PL0118", "run.toml:1:11", "extends itself"]),
    ] {
        let shown = wrong(run, &NOTHING);
        for part in parts {
            assert!(shown.contains(part), "`{part}` is not in\n{shown}");
        }
    }
    let dir = folder("extends = 'a.toml'\n");
    fs::write(dir.path().join("a.toml"), "extends = ['a.toml', 'run.toml']\n").expect("written");
    let shown = lay(dir.path(), &NOTHING).expect_err("a circle").render(Paint::Plain);
    assert_eq!(shown.matches("PL0118").count(), 2, "{shown}");
}

#[test]
fn a_profile_that_is_not_there_has_its_nearest_name_and_one_that_is_not_chosen_has_sections() {
    let shown_ = wrong("extends = 'bases/base.toml'\n", &Over { profiles: &["quik"], ..NOTHING });
    assert!(shown_.contains("PL0119  there is no profile `quik`"), "{shown_}");
    assert!(shown_.contains("1 | --profile quik\n  |           ^^^^ did you mean `quick`?"), "{shown_}");
    let shown = shown(&format!("{LEAST}[profile.x.trainr]\nmax_epochs = 1\n"));
    assert!(shown.contains("PL0101  unknown section `trainr`\n --> run.toml:4:12"), "{shown}");
}

#[test]
fn every_value_knows_its_layer() {
    let over = Over {
        profiles: &["quick"],
        environment: &[("PLEACH__OPTIMIZER__LR", "3")],
        sets: &["dataloader.batch_size=5"],
    };
    let dir = folder("extends = 'bases/base.toml'\nrun.seed = 3\n");
    let run = lay(dir.path(), &over).expect("right");
    let origin = |path: &str| run.origins()[path].replace(&format!("{}/", dir.path().display()), "");
    assert_eq!(origin("trainer.max_epochs"), "bases/base.toml:21 (profile quick)");
    assert_eq!(origin("trainer.max_steps"), "bases/base.toml:18");
    assert_eq!(origin("run.seed"), "run.toml:2");
    assert_eq!(origin("optimizer.lr"), "PLEACH__OPTIMIZER__LR=3");
    assert_eq!(origin("dataloader.train.batch_size"), "--set dataloader.batch_size=5");
    let again = pleach_config::from_text("resolved.toml", run.toml(), dir.path()).expect("reads again");
    assert_eq!(again.run, run.run);
}

#[test]
fn units_stand_where_a_key_counts_one_thing() {
    let run = right(&format!(
        "{LEAST}dataset.split = {{ val = '10%', test = '5%' }}\ndataloader.memory = '1 GiB'\n[trainer]\n\
         max_epochs = '3 epochs'\nmax_steps = '500 steps'\nlimit_train_batches = '25%'\nlimit_val_batches = '4 batches'\n\
         [checkpointing]\nevery_n_steps = '100 steps'\n[[phase]]\nname = 'a'\nmax_epochs = '1 epoch'\n"
    ))
    .run;
    assert_eq!((run.trainer.max_epochs, run.trainer.max_steps), (3, 500));
    assert_eq!((run.trainer.limit_train_batches.of(8), run.trainer.limit_val_batches.of(8)), (2, 4));
    let split = run.dataset.split.expect("a split");
    assert!((split.val - 0.1).abs() < 1e-12 && (split.test - 0.05).abs() < 1e-12);
    assert_eq!((run.checkpointing.every_n_steps, run.phase[0].max_epochs), (Some(100), Some(1)));
}

#[test]
fn a_wrong_unit_is_shown_at_its_place_with_the_nearest_or_the_key_that_takes_it() {
    for (text, parts) in [
        ("trainer.max_epochs = '3 epocs'", ["run.toml:4:25", "`epocs` is no unit", "did you mean `epochs`?"]),
        (
            "trainer.max_epochs = '300 steps'",
            ["run.toml:4:27", "^^^^^ expected a number of epochs", "`max_steps` takes steps"],
        ),
        (
            "dataset.split.val = '3 epochs'",
            ["run.toml:4:24", "expected a share from 0 to 1", "`max_epochs` takes epochs"],
        ),
        ("dataloader.memory = '4 GiBs'", ["run.toml:4:24", "`GiBs` is no unit", "did you mean `GiB`?"]),
        (
            "optimizer = { name = 'SGD', lr = '10%' }",
            ["run.toml:4:34", "has a unit, and this key takes none", "write 0.1"],
        ),
        ("model.dropout = '3 epochs'", ["run.toml:4:", "PL0117", "write 3"]),
        (
            "scheduler = { name = 'Stairs', warmup = '5 parsecs' }",
            ["run.toml:4:44", "`parsecs`", "units: steps, epochs"],
        ),
    ] {
        let file = LEAST.replace("model = \"OneLayer\"", "model.name = \"OneLayer\"");
        let shown = shown(&format!("{file}{text}\n"));
        for part in parts {
            assert!(shown.contains(part) && shown.contains("PL0117"), "`{part}` is not in\n{shown}");
        }
        assert_eq!(shown.matches("PL01").count(), 1, "{shown}");
    }
    let shown = shown(&format!("{LEAST}optimizer = {{ name = 'SGD', lr = '0.1' }}\n"));
    assert!(shown.contains("PL0105") && shown.contains("write it without quotes"), "{shown}");
}

proptest! {
    #[test]
    fn no_variable_is_too_strange(key in "[A-Za-z_0-9\"=.]{0,16}", value in ".{0,12}") {
        let environment = [(format!("PLEACH__{key}"), value)];
        let environment = environment.iter().map(|(k, v)| (OsString::from(k), OsString::from(v)));
        let sources = Sources::text("run.toml", LEAST, Path::new("/project")).environment(environment);
        let _ = pleach_config::resolve(sources);
    }
}
