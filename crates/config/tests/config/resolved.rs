//! A resolved run can be had again: from its own text, from its saved form, on any day and in any folder.

use crate::common::{LEAST, read, right, right_set};
use pleach_config::{DEFAULT, Run, from_text};
use pleach_core::saved;
use proptest::prelude::*;
use std::path::Path;

const FULL: &str = r#"
[run]
name = "a \"b\" ü"
seed = 9007199254740993
notes = """two
lines ☃ and a tab	"""

[task]
name = "Painting"
colours = { sky = [128, 128, 128], "tree top" = [0, 1, 2] }

[model]
name = "OneLayer"
channels = [3, 5, 7]
weights = "first.safetensors"
freeze = ["encoder.*", "stem.*"]

[[loss]]
name = "MaskLoss"
smooth = inf
factor = 0.1

[[loss]]
name = "ClassLoss"
weight = [0.1, 0.30000000000000004, 5e-324]
output = "head"

[optimizer]
name = "SGD"
lr = 1.7976931348623157e308

[scheduler]
name = "SequentialLR"
every = "step"
schedulers = ["Stairs", { name = "SequentialLR", schedulers = [{ name = "ReduceLROnPlateau", threshold = "none" }] }]

[dataset]
train = { name = "Shelf", root = "data/../data", augment = ["Mirror", { name = "Tint", p = 0.25, mean = [0.1, 0.2, 0.3] }] }
val = { name = "Shelf", root = "/abs" }
split = { test = 0.1, stratified = false }

[dataloader]
batch_size = 4
memory = "512 MiB"
test.num_workers = 0

[trainer]
accelerator = "cpu"
devices = 1
limit_train_batches = 1.0
limit_val_batches = 1
gradient_clip_val = 0.5
profiler = "simple"

[early_stopping]
divergence_threshold = 30

[[observer]]
name = "Csv"
separator = "\u0000\u001b"

[[keeper]]
name = "Best"
monitor = "val_mean_overlap"

[metrics]
train = ["Overlap"]
val = [{ name = "Overlap" }]

[[phase]]
name = "one"
max_epochs = 1
freeze = []

[[phase]]
name = "two"
loss = ["MaskLoss"]
weights = "second.safetensors"
dataset.train = { name = "Nowhere" }
dataset.split.num_folds = 5
"#;

fn again(toml: &str) -> Run {
    from_text("resolved.toml", toml, Path::new("/elsewhere"))
        .unwrap_or_else(|f| panic!("{toml}\n{}", f.render(Default::default())))
        .run
}

#[test]
fn the_text_of_a_resolved_run_reads_back_to_the_same_run_and_the_same_text() {
    for text in [FULL, LEAST] {
        let first = right(text);
        assert_eq!(again(first.toml()), first.run);
        let second = from_text("resolved.toml", first.toml(), Path::new("/elsewhere")).expect("right");
        assert_eq!(second.toml(), first.toml());
        assert_eq!(second.hash(), first.hash());
    }
}

#[test]
fn the_saved_form_reads_back_to_the_same_run() {
    let first = right(FULL);
    let text = serde_json::to_string(&first.saved().expect("saved")).expect("text");
    let back: Run = saved::load(&serde_json::from_str(&text).expect("JSON")).expect("loaded");
    assert_eq!(back, first.run);
}

#[test]
fn the_text_is_complete_and_plain() {
    let toml = right(LEAST).toml().to_owned();
    assert!(toml.starts_with("# pleach run, resolved; format 1\n"), "{toml}");
    for line in [
        "scheduler = \"none\"",
        "early_stopping = \"none\"",
        "phase = []",
        "[optimizer]\nname = \"AdamW\"\nlr = 0.001\nbetas = [0.9, 0.999]\namsgrad = false",
        "[[logging]]\nname = \"JsonLines\"",
        "[dataloader.train]\nbatch_size = 32\nshuffle = true",
        "[dataset.train]\naugment = []\nname = \"Nowhere\"",
        "[backend.kernels]\nname = \"Cpu\"",
        "[[metrics.val]]\nper = \"none\"\nname = \"Hits\"\naverage = \"micro\"",
        "limit_train_batches = 1.0",
        "devices = 1",
    ] {
        assert!(toml.contains(line), "`{line}` is not in\n{toml}");
    }
    let toml = right(FULL).toml().to_owned();
    for line in
        ["smooth = inf", "root = \"/project/data/../data\"", "weights = \"/project/first.safetensors\"", "factor = 0.1"]
    {
        assert!(toml.contains(line), "`{line}` is not in\n{toml}");
    }
}

#[test]
fn the_hash_tells_runs_apart() {
    let hash = |sets: &[&str]| right_set(LEAST, sets).hash();
    assert_eq!(hash(&[]), hash(&["trainer.max_epochs=100"]));
    assert_ne!(hash(&[]), hash(&["run.seed=1"]));
    assert_eq!(hash(&[]).len(), 8);
}

#[test]
fn every_value_knows_where_it_comes_from() {
    let text = "task = 'Sorting'\nmodel = 'OneLayer'\ndataset.train = 'Nowhere'\n[optimizer]\nname = 'SGD'\n\
        [dataloader]\nbatch_size = 4\n[dataloader.val]\nbatch_size = 8\n[trainer]\naccelerator = 'cpu'";
    let run = right_set(text, &["optimizer.lr=0.5"]);
    let origin = |path: &str| run.origins().get(path).map_or("missing", String::as_str);
    for (path, from) in [
        ("task.name", "run.toml:1"),
        ("optimizer.name", "run.toml:5"),
        ("optimizer.lr", "--set optimizer.lr=0.5"),
        ("optimizer.momentum", DEFAULT),
        ("dataloader.train.batch_size", "run.toml:7"),
        ("dataloader.val.batch_size", "run.toml:9"),
        ("dataloader.val.drop_last", DEFAULT),
        ("backend.train.name", "run.toml:11"),
        ("backend.eval.name", DEFAULT),
        ("scheduler", DEFAULT),
        ("loss.0.name", DEFAULT),
        ("logging.1.separator", DEFAULT),
    ] {
        assert_eq!(origin(path), from, "{path}");
    }
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>().prop_map(f64::abs).prop_filter("a number", |x| !x.is_nan()),
        Just(f64::INFINITY),
        Just(0.0)
    ]
}

proptest! {
    #[test]
    fn any_values_survive(
        lr in number(), seed in 0..=i64::MAX, notes in any::<String>(), name in "[\\PC&&[^./:\\\\]]{1,9}", factor in any::<f64>(),
        epochs in -1..1000i64, channels in prop::collection::vec(0..1000usize, 0..5), smoothing in 0.0..=1.0f64,
        weight in prop::option::of(prop::collection::vec(number(), 0..4)), key in ".{1,8}",
        off in any::<bool>(), root in "[^\\x00]{1,12}",
    ) {
        prop_assume!(!factor.is_nan());
        let string = |s: &str| toml::Value::String(s.to_owned()).to_string();
        let float = |x: f64| toml::Value::Float(x).to_string();
        let weight = weight.map_or("'none'".into(), |w| format!("[{}]", w.into_iter().map(float).collect::<Vec<_>>().join(",")));
        let mut colours = toml::Table::new();
        colours.insert(key, toml::Value::Array(vec![toml::Value::Integer(1); 3]));
        let text = format!(
            "[run]\nname = {}\nnotes = {}\nseed = {seed}\n[task]\nname = 'Painting'\ncolours = {}\n\
             [model]\nname = 'OneLayer'\nchannels = {channels:?}\n[[loss]]\nname = 'ClassLoss'\nfactor = {}\n\
             label_smoothing = {}\nweight = {weight}\n[optimizer]\nname = 'AdamW'\nlr = {}\n\
             [dataset.train]\nname = 'Shelf'\nroot = {}\n[trainer]\nmax_epochs = {epochs}\nstrategy = {}\n",
            string(&name), string(&notes), toml::Value::Table(colours), float(factor), float(smoothing), float(lr),
            string(&root), if off { "'none'" } else { "'auto'" },
        );
        let first = read(&text).map_err(|f| TestCaseError::fail(format!("{text}\n{}", f.render(Default::default()))))?;
        prop_assert_eq!(&again(first.toml()), &first.run);
        let back: Run = saved::load(&first.saved().expect("saved")).expect("loaded");
        prop_assert_eq!(back, first.run);
    }
}
