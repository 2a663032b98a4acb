//! Understands the spellings that users bring from other systems: what means the same is rewritten, what
//! this program does not do is refused with the reason and with what to write instead.

use crate::units;
use pleach_core::diagnostic::Diagnostic;
use pleach_core::tree::{Key, Node, Place, Table, Value};
use serde_json::{Value as Json, json};

/// The sections that are lists of plugins: one plugin alone may stand there without brackets.
pub(crate) const LISTS: [&str; 5] = ["loss", "logging", "observer", "keeper", "phase"];

/// Writes single items where lists are meant, everywhere that a list is the only meaning: `loss = "Dice"`,
/// `monitor = "val_loss"`, `freeze = "encoder.*"`.
pub(crate) fn lists(root: &mut Table) {
    for name in LISTS {
        list(root, name, Off::Empty);
    }
    of_dataset(root);
    if let Some(metrics) = table_of(root, "metrics") {
        for split in ["train", "val", "test"] {
            list(metrics, split, Off::Empty);
        }
    }
    if let Some(checkpointing) = table_of(root, "checkpointing") {
        list(checkpointing, "monitor", Off::Empty);
    }
    if let Some(model) = table_of(root, "model") {
        list(model, "freeze", Off::Empty);
    }
    if let Some(trainer) = table_of(root, "trainer") {
        list(trainer, "tta", Off::Empty);
    }
    for phase in items_of(root, "phase") {
        list(phase, "loss", Off::Kept);
        list(phase, "freeze", Off::Kept);
        of_dataset(phase);
    }
}

fn of_dataset(table: &mut Table) {
    let Some(dataset) = table_of(table, "dataset") else { return };
    for split in ["train", "val", "test"] {
        if let Some(split) = table_of(dataset, split) {
            list(split, "augment", Off::Empty);
        }
    }
}

/// What "none" and `false` mean for a list.
#[derive(Clone, Copy, PartialEq)]
enum Off {
    /// No items.
    Empty,
    /// That the list is not given.
    Kept,
}

fn list(table: &mut Table, name: &str, off: Off) {
    let Some((_, node)) = table.entries.iter_mut().find(|(key, _)| key.name == name) else { return };
    let is_off = matches!(&node.value, Value::Bool(false)) || matches!(&node.value, Value::Str(s) if s == "none");
    let items = match &node.value {
        _ if is_off && off == Off::Kept => return,
        _ if is_off => Vec::new(),
        Value::Str(_) | Value::Table(_) => vec![node.clone()],
        _ => return,
    };
    node.value = Value::Array(items);
}

fn table_of<'t>(table: &'t mut Table, name: &str) -> Option<&'t mut Table> {
    let (_, node) = table.entries.iter_mut().find(|(key, _)| key.name == name)?;
    match &mut node.value {
        Value::Table(table) => Some(table),
        _ => None,
    }
}

fn items_of<'t>(table: &'t mut Table, name: &str) -> impl Iterator<Item = &'t mut Table> {
    let node = table.entries.iter_mut().find(|(key, _)| key.name == name).map(|(_, node)| node);
    let items = match node.map(|n| &mut n.value) {
        Some(Value::Array(items)) => items.as_mut_slice(),
        _ => &mut [],
    };
    items.iter_mut().filter_map(|item| match &mut item.value {
        Value::Table(table) => Some(table),
        _ => None,
    })
}

/// Rewrites what means the same, takes out keys that say what is so anyway, and refuses the rest.
pub(crate) fn rewrite(root: &mut Table, wrong: &mut Vec<Diagnostic>) {
    lists(root);
    if let Some((_, node)) = root.entries.iter_mut().find(|(key, _)| key.name == "early_stopping") {
        let place = node.place;
        if let Value::Table(table) = &mut node.value
            && table.get("name").is_none()
        {
            let name = Node { value: Value::Str("EarlyStopping".into()), place };
            table.entries.insert(0, (Key { name: "name".into(), place }, name));
        }
    }
    for (section, keys) in FOREIGN {
        if let Some(table) = table_of(root, section) {
            refuse(table, section, keys, wrong);
        }
    }
    if let Some(trainer) = table_of(root, "trainer") {
        of_trainer(trainer, wrong);
    }
    for section in ["trainer", "checkpointing"] {
        if let Some(table) = table_of(root, section) {
            units::plain(section, table, wrong);
        }
    }
    shares(root, wrong);
    for phase in items_of(root, "phase") {
        units::plain("phase", phase, wrong);
        shares(phase, wrong);
    }
}

/// `[dataset.split]` of a run or a phase.
fn shares(table: &mut Table, wrong: &mut Vec<Diagnostic>) {
    if let Some(split) = table_of(table, "dataset").and_then(|dataset| table_of(dataset, "split")) {
        units::plain("split", split, wrong);
    }
}

/// A key of another system: what may be said of it because it is so anyway, why the rest is refused, and
/// what to write instead.
struct Foreign {
    key: &'static str,
    so_anyway: Anyway,
    why: &'static str,
    instead: &'static str,
}

const fn foreign(key: &'static str, so_anyway: Anyway, why: &'static str, instead: &'static str) -> Foreign {
    Foreign { key, so_anyway, why, instead }
}

/// Which values of a key say what is so anyway.
#[derive(Clone, Copy)]
enum Anyway {
    Never,
    Any,
    Off,
    On,
    One,
    WholeEpoch,
}
use Anyway::{Any, Never, Off as IfOff, On, One, WholeEpoch};

impl Anyway {
    fn holds(self, v: &Value) -> bool {
        let off = match v {
            Value::Bool(on) => !on,
            Value::Int(n) => *n == 0,
            Value::Float(x) => *x == 0.0,
            Value::Str(s) => s == "none",
            Value::Array(_) | Value::Table(_) => false,
        };
        match self {
            Never => false,
            Any => true,
            IfOff => off,
            On => *v == Value::Bool(true),
            One => *v == Value::Int(1),
            WholeEpoch => *v == Value::Float(1.0),
        }
    }

    fn values(self) -> Option<Json> {
        Some(match self {
            Never => return None,
            Any => json!({}),
            IfOff => json!({ "enum": [false, 0, "none"] }),
            On => json!({ "enum": [true] }),
            One | WholeEpoch => json!({ "enum": [1] }),
        })
    }
}

/// Adds to the schema of a section the keys of other systems that say what is so anyway.
pub(crate) fn in_schema(section: &str, schema: &mut Json) {
    let Some((_, keys)) = FOREIGN.iter().find(|(of, _)| *of == section) else { return };
    let Some(properties) = schema.get_mut("properties").and_then(Json::as_object_mut) else { return };
    for foreign in *keys {
        let Some(mut property) = foreign.so_anyway.values() else { continue };
        let doc = match foreign.why {
            "" => "Understood, and of no effect.".to_owned(),
            why => format!("Of no effect, because {why}: {}.", foreign.instead),
        };
        property["description"] = doc.into();
        property["deprecated"] = true.into();
        properties.insert(foreign.key.to_owned(), property);
    }
}

/// Sections with keys of other systems.
const FOREIGN: [(&str, &[Foreign]); 3] =
    [("trainer", TRAINER), ("checkpointing", CHECKPOINTING), ("dataloader", DATALOADER)];

const OTHER_DEVICES: &str = "which device trains is said by the backend, and a run has one";
const DEVICES_INSTEAD: &str = "write `accelerator = \"cpu\"`, or `train = \"...\"` under [backend]";
const LEAVE_OUT: &str = "leave it out";

const TRAINER: &[Foreign] = &[
    foreign("gpus", IfOff, OTHER_DEVICES, DEVICES_INSTEAD),
    foreign("tpu_cores", IfOff, OTHER_DEVICES, DEVICES_INSTEAD),
    foreign("ipus", IfOff, OTHER_DEVICES, DEVICES_INSTEAD),
    foreign("hpus", IfOff, OTHER_DEVICES, DEVICES_INSTEAD),
    foreign("num_processes", One, OTHER_DEVICES, DEVICES_INSTEAD),
    foreign("num_nodes", One, "a run uses one machine", LEAVE_OUT),
    foreign("auto_select_gpus", IfOff, OTHER_DEVICES, DEVICES_INSTEAD),
    foreign("auto_lr_find", IfOff, "no learning rate is searched for", "write `lr` under [optimizer]"),
    foreign("auto_scale_batch_size", IfOff, "no batch size is searched for", "write `batch_size` under [dataloader]"),
    foreign(
        "val_check_interval",
        WholeEpoch,
        "it counts batches or shares of an epoch by its type",
        "write `val_every_n_steps`, in optimizer steps",
    ),
    foreign("callbacks", IfOff, "what watches a run is a plugin with a section of its own", "write [[observer]]"),
    foreign("callback", IfOff, "what watches a run is a plugin with a section of its own", "write [[observer]]"),
    foreign("logger", On, "a log is a plugin with a section of its own", "write [[logging]]"),
    foreign("plugins", IfOff, "every part of a run is a plugin and has its section", LEAVE_OUT),
    foreign("default_root_dir", Never, "where a run goes is no part of it", "use `pleach train --out DIR`"),
    foreign("weights_save_path", Never, "where a run goes is no part of it", "write `dirpath` under [checkpointing]"),
    foreign("resume_from_checkpoint", IfOff, "a run knows how to go on", "use `pleach resume RUN`"),
    foreign("ckpt_path", IfOff, "a run knows how to go on", "use `pleach resume RUN`"),
    foreign("checkpoint_callback", On, "it has another name now", "write `enable_checkpointing`"),
    foreign("min_steps", IfOff, "the least length of a run is given in epochs", "write `min_epochs`"),
    foreign("max_time", IfOff, "a run that ends by the clock cannot be repeated", "write `max_epochs` or `max_steps`"),
    foreign("deterministic", Any, "", ""),
    foreign("benchmark", IfOff, "there are no kernels to choose from by trial", LEAVE_OUT),
    foreign("sync_batchnorm", IfOff, "a run has one device, so statistics are whole", LEAVE_OUT),
    foreign("use_distributed_sampler", Any, "", ""),
    foreign("replace_sampler_ddp", Any, "", ""),
    foreign("inference_mode", Any, "", ""),
    foreign(
        "num_sanity_val_steps",
        IfOff,
        "no validation runs before training",
        "try a run with `fast_dev_run = true`",
    ),
    foreign(
        "overfit_batches",
        IfOff,
        "training and validation on the same batches is not offered",
        "write `limit_train_batches`",
    ),
    foreign("detect_anomaly", IfOff, "a NaN or infinite loss always stops the run, with its batch saved", LEAVE_OUT),
    foreign("terminate_on_nan", On, "a NaN or infinite loss always stops the run", LEAVE_OUT),
    foreign("enable_model_summary", IfOff, "no table of layers is printed", "use `pleach check RUN.toml`"),
    foreign("weights_summary", IfOff, "no table of layers is printed", "use `pleach check RUN.toml`"),
    foreign("progress_bar_refresh_rate", Never, "progress refreshes itself", "write `enable_progress_bar`"),
    foreign("track_grad_norm", IfOff, "norms of gradients are for an observer to log", "write [[observer]]"),
    foreign("reload_dataloaders_every_n_epochs", IfOff, "the data of a run are opened once", LEAVE_OUT),
    foreign("stochastic_weight_avg", IfOff, "averages of weights are an observer", "write [[observer]]"),
    foreign("barebones", IfOff, "each part that it would turn off can be turned off by its section", LEAVE_OUT),
    foreign("amp_backend", IfOff, "mixed precision is said by one key", "write `precision`"),
    foreign("amp_level", IfOff, "mixed precision is said by one key", "write `precision`"),
];

const CHECKPOINTING: &[Foreign] = &[
    foreign("mode", Never, "which way is up is known from the metric", LEAVE_OUT),
    foreign("filename", IfOff, "a checkpoint is a folder named after its step", LEAVE_OUT),
    foreign("verbose", IfOff, "checkpoints are events of the log", LEAVE_OUT),
    foreign("auto_insert_metric_name", Any, "", ""),
    foreign("enable_version_counter", Any, "", ""),
    foreign("save_weights_only", IfOff, "a checkpoint holds all that a run needs to go on", LEAVE_OUT),
    foreign("every_n_train_steps", IfOff, "it has another name here", "write `every_n_steps`"),
    foreign(
        "train_time_interval",
        IfOff,
        "a run that depends on the clock cannot be repeated",
        "write `every_n_steps`",
    ),
    foreign("save_on_train_epoch_end", Any, "", ""),
];

const DATALOADER: &[Foreign] = &[
    foreign("pin_memory", IfOff, "batches need no copy to a device here", LEAVE_OUT),
    foreign("persistent_workers", Any, "", ""),
    foreign("prefetch_factor", Never, "how much is read ahead is bounded by memory", "write `memory = \"1 GiB\"`"),
    foreign("collate_fn", IfOff, "the task makes batches of rows", LEAVE_OUT),
    foreign("sampler", IfOff, "the order of an epoch follows from `shuffle` and the seed", LEAVE_OUT),
];

fn refuse(table: &mut Table, section: &str, keys: &[Foreign], wrong: &mut Vec<Diagnostic>) {
    table.entries.retain(|(key, node)| {
        let Some(foreign) = keys.iter().find(|f| f.key == key.name) else { return true };
        if !foreign.so_anyway.holds(&node.value) {
            wrong.push(
                Diagnostic::new("PL0124", Some(key.place), format!("[{section}] does not take `{}`", key.name))
                    .label(foreign.instead)
                    .expected(foreign.instead)
                    .note(format!("why: {}", foreign.why)),
            );
        }
        false
    });
}

fn of_trainer(trainer: &mut Table, wrong: &mut Vec<Diagnostic>) {
    let mut refuse = |place: Place, what: String, label: &str, why: &str| {
        wrong.push(Diagnostic::new("PL0124", Some(place), what).label(label).note(format!("why: {why}")));
    };
    for (key, node) in &mut trainer.entries {
        let place = node.place;
        let word = match &node.value {
            Value::Str(s) => s.clone(),
            Value::Int(n) => n.to_string(),
            _ => continue,
        };
        let other = match (key.name.as_str(), word.as_str()) {
            ("strategy", "auto" | "single_device" | "none") => "none",
            ("strategy", _) => {
                let what = format!("no strategy `{word}` shares the work of a run");
                refuse(place, what, "write \"auto\", or leave it out", "this program trains on one device");
                "none"
            }
            ("precision", "32") => "32-true",
            ("precision", "64") => "64-true",
            ("precision", "16") => "16-mixed",
            ("precision", "bf16") => "bf16-mixed",
            ("precision", "16-true" | "bf16-true" | "transformer-engine" | "transformer-engine-float16") => {
                let what = format!("no backend trains in `{word}`");
                refuse(place, what, "write \"16-mixed\" or \"bf16-mixed\"", "weights are held in at least 32 bits");
                "32-true"
            }
            ("profiler", "advanced" | "pytorch" | "xla") => {
                let what = format!("there is no profiler `{word}`");
                refuse(place, what, "write \"simple\"", "it measures the runtime of another language");
                "none"
            }
            ("profiler", "passthrough") => "none",
            _ => continue,
        };
        node.value = Value::Str(other.into());
    }
}
