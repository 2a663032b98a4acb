//! Every mistake is shown at its place, all at once, in the order of the file.

use crate::common::{LEAST, places, read, shown};
use pleach_config::Paint;

#[test]
fn a_file_with_five_mistakes_shows_all_five_in_order() {
    let text = r#"task = "Sorting"
modle = "OneLayer"

[[loss]]
name = "ClassLoss"
label_smoothing = 1.5

[optimizer]
name = "AdamW"
lr = nan

[scheduler]
name = "SequentialLR"
schedulers = [{ name = "LinearLR", total_iters = 5 }, { name = "ReduceLROnPlateau", patince = 5 }]

[dataset.train]
name = "Shelf"

[model]
name = "OneLayr"
"#;
    let failure = read(text).expect_err("five mistakes");
    assert_eq!(
        places(&failure),
        [
            "PL0101 run.toml:2:1",
            "PL0107 run.toml:6:19",
            "PL0105 run.toml:10:6",
            "PL0104 run.toml:14:85",
            "PL0106 run.toml:16:1",
            "PL0103 run.toml:20:8",
        ]
    );
    let expected = r#"PL0101  unknown section `modle`
 --> run.toml:2:1
2 | modle = "OneLayer"
  | ^^^^^ did you mean `model`?
  = there is: run, task, model, loss, optimizer, scheduler, dataset, dataloader, trainer, early_stopping, checkpointing, logging, observer, keeper, metrics, phase, backend

PL0107  `label_smoothing` of loss ClassLoss is out of bounds
 --> run.toml:6:19
6 | label_smoothing = 1.5
  |                   ^^^ must be at least 0 and at most 1
  = see: pleach describe ClassLoss

PL0105  expected a number, found the number NaN
  --> run.toml:10:6
10 | lr = nan
   |      ^^^ expected a number
   = see: pleach describe AdamW

PL0104  unknown parameter `patince` for scheduler ReduceLROnPlateau
  --> run.toml:14:85
14 | schedulers = [{ name = "LinearLR", total_iters = 5 }, { name = "ReduceLROnPlateau", patince = 5 }]
   |                                                                                     ^^^^^^^ did you mean `patience`?
   = takes: monitor, patience, threshold
   = see: pleach describe ReduceLROnPlateau

PL0106  source Shelf needs `root`
  --> run.toml:16:1
16 | [dataset.train]
   | ^^^^^^^^^^^^^^^ `root` is missing
   = root: The folder.
   = see: pleach describe Shelf

PL0103  no model is called `OneLayr`
  --> run.toml:20:8
20 | name = "OneLayr"
   |        ^^^^^^^^^ did you mean `OneLayer`?
   = there is: OneLayer
   = see: pleach list model"#;
    assert_eq!(failure.render(Paint::Plain), expected);
}

#[test]
fn what_is_missing_from_the_whole_file_is_said_once() {
    let expected = r#"PL0106  the file has no [task]
--> run.toml
 = it takes `name = ...`, one of "Dreaming", "Matching", "Painting", "Sorting"

PL0106  the file has no [model]
--> run.toml
 = it takes `name = ...`, one of "OneLayer"

PL0106  the file has no [dataset]
--> run.toml
 = it takes a table [dataset.train] whose `name` is that of a source"#;
    assert_eq!(shown(""), expected);
}

#[test]
fn all_syntax_errors_are_shown_and_what_else_is_wrong_elsewhere() {
    let text = format!("{LEAST}[trainer]\nmax_epochs = = 3\nmax_epoch = 4\n[run]\nseed = 1\nseed = 2\nname = ]\n");
    let failure = read(&text).expect_err("no TOML");
    assert_eq!(
        places(&failure),
        ["PL0111 run.toml:5:14", "PL0104 run.toml:6:1", "PL0111 run.toml:9:1", "PL0111 run.toml:10:8"]
    );
    assert!(failure.render(Paint::Plain).contains("this is no TOML: duplicate key"));
}

#[test]
fn dates_and_numbers_that_cannot_be_held_are_refused_at_their_places() {
    let text =
        format!("{LEAST}[run]\nname = 2024-01-02\nseed = 99999999999999999999\n[optimizer]\nname='SGD'\nlr = 1e999\n");
    let failure = read(&text).expect_err("no values");
    assert_eq!(places(&failure), ["PL0112 run.toml:5:8", "PL0112 run.toml:6:8", "PL0112 run.toml:9:6"]);
    assert!(failure.render(Paint::Plain).contains("^^^^^^^^^^ put it in quotes if it is meant as text"));
}

#[test]
fn columns_are_characters_and_carets_stand_under_them() {
    let text = format!("{LEAST}run = {{ notes = \"größer 🐈\", seeed = 3 }}\n\t[trainer]\n\tmax_epoch = 3\n");
    let expected = "PL0104  unknown parameter `seeed` for [run]\n --> run.toml:4:29\n4 | run = { notes = \"größer 🐈\", seeed = 3 }\n  |                              ^^^^^ did you mean `seed`?\n  = takes: name, seed, notes\n\nPL0104  unknown parameter `max_epoch` for [trainer]\n --> run.toml:6:2\n6 |     max_epoch = 3\n  |     ^^^^^^^^^ did you mean `max_epochs`?\n";
    let shown = shown(&text);
    assert!(shown.starts_with(expected), "{shown}");
}

#[test]
fn colours_change_nothing_but_the_colour() {
    let failure = read(&format!("{LEAST}[trainer]\nmax_epoch = 3\n")).expect_err("a typo");
    let coloured = failure.render(Paint::Color);
    assert!(coloured.contains("\u{1b}["), "{coloured}");
    let mut plain = String::new();
    for (i, part) in coloured.split("\u{1b}[").enumerate() {
        plain.push_str(if i == 0 { part } else { part.split_once('m').map_or("", |(_, rest)| rest) });
    }
    assert_eq!(plain, failure.render(Paint::Plain));
}

#[test]
fn a_program_reads_the_same_as_json() {
    let failure = read(&format!("{LEAST}[trainer]\nmax_epoch = 3\n[modl]\n")).expect_err("two mistakes");
    let json = failure.json();
    assert_eq!(
        json[0],
        serde_json::json!({
            "file": "run.toml",
            "layer": "file",
            "range": { "start": { "line": 5, "column": 1 }, "end": { "line": 5, "column": 10 } },
            "code": "PL0104",
            "severity": "error",
            "message": "unknown parameter `max_epoch` for [trainer]",
            "expected": json[0]["expected"],
            "nearest": "max_epochs",
            "hint": "did you mean `max_epochs`?",
            "notes": json[0]["notes"],
            "see": null,
            "related": [],
        })
    );
    assert!(json[0]["expected"].as_str().is_some_and(|takes| takes.starts_with("max_epochs, min_epochs, ")));
    let line = json[1]["range"]["start"]["line"].as_u64();
    assert_eq!((json[1]["code"].as_str(), line), (Some("PL0101"), Some(6)));
    let failure = read(&format!("{LEAST}loss = 'MaskLoss'\n")).expect_err("a loss that does not fit");
    assert_eq!(
        failure.json()[0]["related"],
        serde_json::json!([{
            "file": "run.toml",
            "range": { "start": { "line": 1, "column": 8 }, "end": { "line": 1, "column": 17 } },
            "message": "the task gives logits and class indices",
        }])
    );
}

#[test]
fn a_key_of_a_section_at_the_top_is_sent_to_its_section() {
    for (key, label) in [
        ("seed", "it is a key of [run]"),
        ("max_epochs", "it is a key of [trainer]"),
        ("batch_size", "it is a key of [dataloader]"),
        ("callbacks", "write [[observer]]"),
    ] {
        let shown = shown(&format!("{key} = 3\n{LEAST}"));
        assert!(shown.contains(label), "{shown}");
    }
}

#[test]
fn rubbish_is_refused_without_a_flood() {
    let rubbish: String = (0..20_000).map(|i| format!("= {i} ]\n")).collect();
    let failure = read(&rubbish).expect_err("rubbish");
    assert!(failure.diagnostics.len() <= 51, "{}", failure.diagnostics.len());
    let typos: String = (0..2000).map(|i| format!("typo_{i} = {i}\n")).collect();
    let failure = read(&format!("{typos}{LEAST}")).expect_err("typos");
    assert_eq!(failure.diagnostics.len(), 101);
    assert!(failure.render(Paint::Plain).ends_with("and 1900 mistakes more\n--> run.toml"));
    for text in ["[".repeat(100_000), "a.".repeat(100_000) + "a = 1", "x = ".to_owned() + &"{a=".repeat(50_000)] {
        assert!(!read(&text).expect_err("too deep").diagnostics.is_empty());
    }
}

#[test]
fn values_between_fields_choices_and_nameless_plugins_are_shown_at_their_places() {
    let text = format!(
        "{LEAST}loss = {{ factor = 2 }}\nmetrics.val = [{{ name = \"Hits\", average = \"micor\" }}]\ndataset.split = {{ val = 0.5, num_folds = 3 }}\n"
    );
    let expected = r#"PL0110  this loss has no `name`
 --> run.toml:4:8
4 | loss = { factor = 2 }
  |        ^^^^^^^^^^^^^^ `name` is missing
  = one of: ClassLoss, LikelyLoss, MaskLoss, OddsLoss, PairLoss, TripletLoss, ValueLoss
  = see: pleach list loss

PL0109  unknown value `micor`
 --> run.toml:5:43
5 | metrics.val = [{ name = "Hits", average = "micor" }]
  |                                           ^^^^^^^ did you mean `micro`?
  = one of: micro, macro
  = see: pleach describe Hits

PL0108  [dataset.split]: the share for validation follows from `num_folds`
 --> run.toml:6:25
6 | dataset.split = { val = 0.5, num_folds = 3 }
  |                         ^^^ `val`"#;
    assert_eq!(shown(&text), expected);
}

#[cfg(unix)]
#[test]
fn a_run_that_cannot_be_written_down_is_refused() {
    use std::os::unix::ffi::OsStrExt;
    let folder = std::path::Path::new(std::ffi::OsStr::from_bytes(b"/gr\xf6n"));
    let text = "task = 'Sorting'\nmodel = 'OneLayer'\ndataset.train = { name = 'Shelf', root = 'data' }";
    let failure = pleach_config::from_text("run.toml", text, folder).expect_err("no UTF-8");
    assert!(failure.render(Paint::Plain).starts_with("PL0130  this run cannot be written"));
    assert!(pleach_core::Error::from(failure).to_string().contains("the configuration is wrong"));
}
