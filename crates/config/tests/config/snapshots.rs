//! How each diagnostic looks, whole: one snapshot for each mistake. `INSTA_UPDATE=always` writes them anew.

use crate::common::{LEAST, read_set};
use pleach_config::Paint;
use std::collections::BTreeSet;

/// Name of the snapshot, what follows the least file, and what stands behind a `--set` if anything.
const CASES: &[(&str, &str, &str)] = &[
    ("unknown section", "[modle]\nname = 'x'", ""),
    ("section of another system", "optim = 'SGD'", ""),
    ("key of a section at the top", "batch_size = 3", ""),
    ("section that resembles nothing", "[zzzzzzzz]\na = 1", ""),
    ("section set from the command line", "", "trainr.max_epochs=3"),
    ("unknown optimizer", "optimizer = 'AdmW'", ""),
    ("unknown loss in a list", "loss = ['ClassLoss', 'ClasLoss']", ""),
    ("name of another kind", "loss = 'SGD'", ""),
    ("name that resembles nothing", "scheduler = 'Xyzzyx'", ""),
    ("unknown metric in a table", "metrics.val = [{ name = 'Hit' }]", ""),
    ("unknown key", "[optimizer]\nname = 'SGD'\nmomentm = 0.9", ""),
    ("key of another optimizer", "[optimizer]\nname = 'SGD'\nbetas = [0.9, 0.99]", ""),
    ("key of another loss", "loss = { name = 'MaskLoss', label_smoothing = 0.1 }\ntask.name = 'Painting'", ""),
    ("key of the slot misspelt", "loss = { name = 'ClassLoss', facto = 2 }", ""),
    ("key of another section", "[trainer]\nbatch_size = 3", ""),
    ("key of the run in the checkpoints", "[checkpointing]\nseed = 3", ""),
    ("key that is an old name", "dataset.validation = 'Nowhere'", ""),
    ("key of a plugin without keys", "dataset.train.augment = [{ name = 'Mirror', angle = 3 }]", ""),
    (
        "key in a nested plugin",
        "scheduler = { name = 'SequentialLR', schedulers = [{ name = 'Stairs', total_iter = 3 }] }",
        "",
    ),
    ("string for a number", "[optimizer]\nname = 'SGD'\nlr = 'fast'", ""),
    ("number in quotes", "[optimizer]\nname = 'SGD'\nlr = '0.1'", ""),
    ("number for a string", "[run]\nname = 3", ""),
    ("fraction for a whole number", "[trainer]\nmax_epochs = 1.5", ""),
    ("table for a list", "model = { name = 'OneLayer', channels = { a = 1 } }", ""),
    ("list of the wrong length", "[optimizer]\nname = 'AdamW'\nbetas = [0.9]", ""),
    ("number for a switch", "[optimizer]\nname = 'AdamW'\namsgrad = 1", ""),
    ("number for a plugin", "optimizer = 3", ""),
    ("word for a section", "trainer = 'fast'", ""),
    ("nan", "[optimizer]\nname = 'SGD'\nlr = nan", ""),
    ("item of a list", "dataset.train.augment = [{ name = 'Tint', mean = [0.5, 'x', 0.5] }]", ""),
    ("missing parameter", "dataset.val = 'Shelf'", ""),
    ("missing name of a phase", "[[phase]]\nmax_epochs = 3", ""),
    ("missing pattern of a group", "[optimizer]\nname = 'SGD'\n[[optimizer.group]]\nlr = 1", ""),
    ("out of bounds below", "[optimizer]\nname = 'SGD'\nlr = -1", ""),
    ("out of bounds above", "loss = { name = 'ClassLoss', label_smoothing = 2 }", ""),
    ("out of bounds at an end that is left out", "model = { name = 'OneLayer', dropout = 1.0 }", ""),
    ("out of bounds in a pair", "[optimizer]\nname = 'AdamW'\nbetas = [0.9, 1.0]", ""),
    ("out of bounds from the command line", "", "trainer.check_val_every_n_epoch=0"),
    ("out of bounds above zero", "[trainer]\ngradient_clip_val = 0", ""),
    ("shares that leave nothing", "dataset.split = { val = 0.5, test = 0.5 }", ""),
    ("fold that is not there", "dataset.split = { num_folds = 3, validation_fold = 3 }", ""),
    ("name unfit for a folder", "run.name = 'a/b'", ""),
    ("nothing to spare", "[optimizer]\nname = 'SGD'\nfilter_bias_and_bn = true", ""),
    ("unknown choice", "[trainer]\ngradient_clip_algorithm = 'nrom'", ""),
    ("unknown precision", "[trainer]\nprecision = '31-true'", ""),
    ("plugin without a name", "[optimizer]\nlr = 0.1", ""),
    ("name that is no string", "[optimizer]\nname = 3", ""),
    ("broken value", "run.seed = = 3", ""),
    ("open string", "run.name = 'x", ""),
    ("key twice", "run.seed = 1\nrun.seed = 2", ""),
    ("date", "run.name = 2024-01-02", ""),
    ("number beyond 64 bits", "run.seed = 99999999999999999999", ""),
    ("set without a value", "", "optimizer.lr"),
    ("set with an empty part", "", "a..b=3"),
    ("set of an item that is not there", "loss = ['ClassLoss']", "loss.2.factor=3"),
    ("set of a list by a key", "loss = ['ClassLoss']", "loss.factor=3"),
    ("set within a number", "run.seed = 3", "run.seed.x=3"),
    ("file that is not there", "extends = 'absent.toml'", ""),
    ("extends that is no path", "extends = [3]", ""),
    ("file that extends itself", "extends = 'run.toml'", ""),
    ("unknown unit", "scheduler = { name = 'Stairs', warmup = '5 epocs' }", ""),
    ("unit of another key", "[trainer]\nmax_epochs = '300 steps'", ""),
    ("unit of memory", "dataloader.memory = '4 parsecs'", ""),
    ("unit where none is taken", "[optimizer]\nname = 'SGD'\nlr = '10%'", ""),
    ("loss of another target", "loss = 'MaskLoss'", ""),
    ("loss of probabilities", "loss = 'OddsLoss'", ""),
    ("metric of another part", "metrics.val = ['Overlap']", ""),
    ("watched by a scheduler", "scheduler = { name = 'ReduceLROnPlateau', monitor = 'train_los' }", ""),
    ("watched without validation", "early_stopping = 'EarlyStopping'", ""),
    ("watched of the test split", "early_stopping.monitor = 'test_hits'\ndataset.split.val = 0.1", ""),
    ("watched by a keeper", "keeper = { name = 'Best', monitor = 'train_hits' }", ""),
    ("backend in the wrong seat", "backend.train = 'Cpu'", ""),
    ("precision of no backend", "trainer.precision = '16-mixed'", ""),
    ("precision of another backend", "backend.train = 'CandleCpu'\ntrainer.precision = 'bf16-mixed'", ""),
    ("accelerator", "trainer.accelerator = 'gpu'", ""),
    ("accelerator against the backend", "trainer.accelerator = 'cpu'\nbackend.train = 'Narrow'", ""),
    ("two devices", "trainer.devices = 2", ""),
    ("strategy", "trainer.strategy = 'ddp'", ""),
    ("key of another trainer", "trainer.auto_lr_find = true", ""),
    ("key of other checkpoints", "checkpointing.mode = 'min'", ""),
    ("key of another loader", "dataloader.prefetch_factor = 2", ""),
    ("pretrained without weights", "model = { name = 'OneLayer', pretrained = true }", ""),
    ("no loss", "task.name = 'Painting'", ""),
    ("two sources of a split", "dataset.val = 'Nowhere'\ndataset.split.val = 0.1", ""),
    ("two phases of a name", "[[phase]]\nname = 'a'\n[[phase]]\nname = 'a'", ""),
    ("profile with an unknown section", "[profile.x.trainr]\nmax_epochs = 1", ""),
    ("profile that is no table", "profile = 3", ""),
];

/// The least file, less the sections that the text gives itself; its source stays.
fn file(text: &str) -> String {
    let given = |key: &str| text.starts_with(key) || text.contains(&format!("\n{key}"));
    let mut whole = String::new();
    for (section, line) in ["task", "model"].iter().zip(LEAST.lines()).filter(|(section, _)| !given(section)) {
        assert!(line.starts_with(section));
        whole.push_str(&format!("{line}\n"));
    }
    whole.push_str(match text.contains("dataset.train.") {
        true => "dataset.train.name = \"Nowhere\"\n",
        false => "dataset.train = \"Nowhere\"\n",
    });
    format!("{whole}{text}\n")
}

#[test]
fn every_diagnostic_looks_as_it_did() {
    let mut seen = BTreeSet::new();
    for (name, text, set) in CASES {
        let sets: &[&str] = if set.is_empty() { &[] } else { &[set] };
        let failure = read_set(&file(text), sets).expect_err(name);
        assert_eq!(failure.diagnostics.len(), 1, "{name}: {}", failure.render(Paint::Plain));
        let drawn = failure.render(Paint::Plain);
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(name.replace(' ', "-"), drawn);
        });
        assert!(seen.insert(drawn), "{name} looks like another one");
    }
    assert!(seen.len() >= 60, "{}", seen.len());
}
