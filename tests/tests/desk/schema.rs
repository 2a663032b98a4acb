//! `pleach schema`, held against an independent validator.

use crate::by_schema::{SCHEMA, mistakes, of_definition};
use crate::{TINY, within};
use pleach_core::registry::entries;
use pleach_tests::root;
use serde_json::{Value as Json, json};
use std::fs;

#[test]
fn the_schema_is_one_of_its_dialect() {
    assert!(jsonschema::meta::is_valid(&SCHEMA));
    let dir = tempfile::tempdir().unwrap();
    let printed = within(dir.path(), &["schema"]).expect_code(0).out;
    assert_eq!(serde_json::from_str::<Json>(&printed).unwrap(), *SCHEMA);
    let done = within(dir.path(), &["schema", "-o", "pleach.json"]).expect_code(0);
    assert!(done.err.contains("#:schema pleach.json"));
}

#[test]
fn every_shipped_example_is_valid_and_so_is_what_it_resolves_to() {
    let mut count = 0;
    for entry in fs::read_dir(root().join("examples")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "toml") {
            continue;
        }
        count += 1;
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(mistakes(&text), Vec::<String>::new(), "{}", path.display());
        if let Ok(resolved) = pleach_config::load(&path, &[]) {
            assert_eq!(mistakes(resolved.toml()), Vec::<String>::new(), "{} resolved", path.display());
        }
    }
    assert!(count > 0);
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let block = readme.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    assert_eq!(mistakes(block), Vec::<String>::new());
}

#[test]
fn a_file_with_most_of_what_the_documentation_shows_is_valid() {
    let text = format!(
        "{}\n{}",
        TINY.replace("momentum = 0.9", "momentum = 0.9\nfilter_bias_and_bn = true"),
        r#"
[[optimizer.group]]
match = "encoder.*"
lr = 1e-4
[[optimizer.group]]
match = ["head.*", "tail.*"]
name = "AdamW"
betas = [0.8, 0.9]
[scheduler]
name = "SequentialLR"
every = "step"
warmup = { length = "5 epochs", rule = "timm", start_lr = 1e-6 }
schedulers = [{ name = "LinearLR", total_iters = 5 }, "ExponentialLR"]
milestones = ["10%"]
[[loss]]
name = "CrossEntropy"
factor = 0.5
[metrics]
val = ["Accuracy", { name = "F1", average = "micro" }]
test = "Accuracy"
[early_stopping]
patience = 7
mode = "none"
[checkpointing]
monitor = "val_loss"
save_top_k = -1
[dataloader]
batch_size = 8
memory = "1 GiB"
[dataloader.val]
batch_size = 64
[backend]
kernels = "Plain"
"#
    );
    let text = text.replace(
        "{ name = \"LinearLR\", total_iters = 5 }, \"ExponentialLR\"",
        "{ name = \"LinearLR\", total_iters = 5 }, { name = \"ExponentialLR\", gamma = 0.9 }",
    );
    assert_eq!(mistakes(&text), Vec::<String>::new());
    pleach_config::from_text(
        "run.toml",
        &text.replace("[[optimizer.group]]\nmatch = \"encoder.*\"", "[[optimizer.group]]\nmatch = \"e*\""),
        &root(),
    )
    .unwrap();
}

#[test]
fn what_the_reader_refuses_the_schema_refuses() {
    for (from, to) in [
        ("lr = 0.1", "lr = -0.1"),
        ("lr = 0.1", "lr = \"fast\""),
        ("lr = 0.1", "rl = 0.1"),
        ("name = \"SGD\"", "name = \"SDG\""),
        ("[optimizer]\nname = \"SGD\"", "[optimizer]"),
        ("[task]\nname = \"Classification\"", ""),
        ("[trainer]", "[trainor]"),
        ("max_epochs = 3", "max_epochs = \"ten\""),
        ("max_epochs = 3", "max_epochs = -2"),
        ("max_epochs = 3", "gpus = 2"),
        ("channels = [4]", "channels = 4"),
        ("name = \"Digits\"", "name = \"Accuracy\""),
        ("[trainer]", "[metrics]\nval = [\"Acuracy\"]\n[trainer]"),
        ("[trainer]", "[[loss]]\nname = \"CrossEntropy\"\nfactor = \"two\"\n[trainer]"),
        ("[trainer]", "[scheduler]\nname = \"StepLR\"\nevery = \"minute\"\n[trainer]"),
        ("[trainer]", "[[optimizer.group]]\nlr = 1.0\n[trainer]"),
    ] {
        let text = TINY.replacen(from, to, 1);
        assert_ne!(text, TINY, "{from}");
        assert!(pleach_config::from_text("run.toml", &text, &root()).is_err(), "the reader takes `{to}`");
        assert!(!mistakes(&text).is_empty(), "the schema takes `{to}`");
    }
    assert_eq!(mistakes(TINY), Vec::<String>::new());
}

/// What a reference stands for.
fn behind(schema: &Json) -> &Json {
    let reference = schema["$ref"].as_str().and_then(|r| SCHEMA.pointer(r.strip_prefix('#')?));
    reference.map_or(schema, behind)
}

/// Whether something is said of a place, at it or at what stands there.
fn is_explained(schema: &Json) -> bool {
    let said = |schema: &Json| schema["description"].as_str().is_some_and(|text| !text.trim().is_empty());
    said(schema) || said(behind(schema))
}

/// Every key that an editor may offer, and every name, with the place in the schema where it has nothing to say of it.
/// Conditions check, and nobody sees them.
fn unexplained(schema: &Json, at: &str, offered: &mut usize, silent: &mut Vec<String>) {
    match schema {
        Json::Object(keywords) => {
            for (key, property) in keywords.get("properties").and_then(Json::as_object).into_iter().flatten() {
                *offered += 1;
                // The two axes of an augmentation's parameter are part of what is said of the parameter.
                if !is_explained(property) && !["x", "y"].contains(&key.as_str()) {
                    silent.push(format!("{at}/{key}"));
                }
            }
            if let Some(docs) = schema.pointer("/x-taplo/docs/enumValues").and_then(Json::as_array) {
                assert_eq!(Some(docs.len()), schema["enum"].as_array().map(Vec::len), "{at}");
                *offered += docs.len();
                silent.extend(
                    docs.iter().filter(|d| d.as_str().is_none_or(str::is_empty)).map(|_| format!("{at}: a name")),
                );
            }
            let seen = keywords.iter().filter(|(key, _)| !["if", "then", "else"].contains(&key.as_str()));
            seen.for_each(|(key, inner)| unexplained(inner, &format!("{at}/{key}"), offered, silent));
        }
        Json::Array(all) => {
            let each = all.iter().enumerate();
            each.for_each(|(i, inner)| unexplained(inner, &format!("{at}/{i}"), offered, silent));
        }
        _ => {}
    }
}

#[test]
fn whatever_an_editor_offers_it_can_explain() {
    let (mut offered, mut silent) = (0, Vec::new());
    unexplained(&SCHEMA, "", &mut offered, &mut silent);
    assert!(offered > 4000, "{offered} keys and names");
    assert_eq!(silent, Vec::<String>::new());
}

#[test]
fn what_the_page_about_editors_shows_is_what_happens() {
    let page = fs::read_to_string(root().join("docs/editor.md")).unwrap();
    let example = page.split("What then happens").nth(1).unwrap();
    let example = example.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let (before, after) = (TINY.find("[optimizer]").unwrap(), TINY.find("[dataset.train]").unwrap());
    let text = format!("{}{example}\n{}", &TINY[..before], &TINY[after..]);
    let message = "Additional properties are not allowed ('lrr' was unexpected)";
    assert!(page.contains(message));
    assert_eq!(mistakes(&text), [format!("/optimizer: {message}")]);
    // The first line that names the schema is a comment to everybody else.
    let line = page.lines().find(|line| line.starts_with("#:schema ")).unwrap();
    pleach_config::from_text("run.toml", &format!("{line}\n{TINY}"), &root()).unwrap();
    // Below a section without a name, editors offer the keys of all its plugins, and in groups too.
    for shown in ["/$defs/optimizer-slot/anyOf/1", "/$defs/optimizer-slot/anyOf/1/properties/group/items"] {
        let keys = SCHEMA.pointer(shown).and_then(|s| s["properties"].as_object()).unwrap();
        for key in ["name", "lr", "betas", "momentum"] {
            assert!(keys.contains_key(key), "{shown} has no {key}");
        }
    }
}

/// A saved form as a file would have it.
fn written(saved: &Json) -> Json {
    match saved {
        Json::Null => json!("none"),
        Json::Array(a) => a.iter().map(written).collect(),
        Json::Object(o) if o.contains_key("$float") => json!(1e300),
        Json::Object(o) => o.iter().map(|(k, v)| (k.clone(), written(v))).collect(),
        other => other.clone(),
    }
}

#[test]
fn every_plugin_with_its_sample_is_valid_and_one_step_out_of_bounds_is_not() {
    let mut bounded = 0;
    for kind in entries().chunk_by(|a, b| a.kind == b.kind) {
        let name = kind.first().unwrap().kind;
        let Some(validator) = of_definition(&format!("{name}-slot")).or_else(|| of_definition(name)) else {
            assert!(["importer", "command"].contains(&name), "no place in a run takes a {name}");
            continue;
        };
        for e in kind {
            let mut sample = written(&e.defaults());
            sample["name"] = e.name.into();
            let wrong: Vec<_> = validator.iter_errors(&sample).map(|e| e.to_string()).collect();
            assert!(wrong.is_empty(), "{name} {}: {sample}\n{}", e.name, wrong.join("\n"));
            let mut typo = sample.clone();
            typo["a_key_that_nobody_has"] = 1.into();
            assert!(!validator.is_valid(&typo), "{name} {} takes any key", e.name);
            for field in e.fields.iter().filter(|f| f.bounds.is_some() && sample[f.name].is_number()) {
                let b = field.bounds.unwrap();
                let outside = [b.min - 1.0, b.max + 1.0].into_iter().filter(|x| x.is_finite());
                for x in outside {
                    let mut out = sample.clone();
                    out[field.name] = if sample[field.name].is_i64() { json!(x as i64) } else { json!(x) };
                    bounded += 1;
                    assert!(!validator.is_valid(&out), "{name} {}: {} = {x}", e.name, field.name);
                }
            }
        }
    }
    assert!(bounded > 100, "{bounded} bounds were tried");
}

#[test]
fn a_definition_shows_documentation_bounds_and_defaults() {
    let shown = serde_json::to_string_pretty(&SCHEMA["$defs"]["scheduler-slot.StepLR"]).unwrap();
    insta::assert_snapshot!(shown);
}
