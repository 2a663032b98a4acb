//! Finds the parts of a run in a document, and turns each into ours.

use pleach_core::foreign::{self, Foreign};
use pleach_core::{Import, Saved};

/// What a key of another system holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Optimizer,
    Scheduler,
    Loss,
    Augmentation,
    Trainer,
    Model,
    /// A plain value, with its place in a run.
    Plain(&'static str),
}

/// Keys and what they hold.
const ROLES: [(&[&str], Role); 15] = [
    (&["optimizer", "optim", "opt", "optimizer_config", "optimizer_cfg"], Role::Optimizer),
    (
        &["scheduler", "lr_scheduler", "sched", "schedule", "param_scheduler", "lr_scheduler_config", "scheduler_cfg"],
        Role::Scheduler,
    ),
    (&["loss", "losses", "criterion", "criterions", "loss_fn", "loss_function", "loss_func"], Role::Loss),
    (
        &["augmentation", "augmentations", "augment", "transforms", "transform", "train_transforms", "train_transform"],
        Role::Augmentation,
    ),
    (&["trainer", "training"], Role::Trainer),
    (&["model", "net", "network", "backbone"], Role::Model),
    (&["seed_everything", "seed", "random_seed", "manual_seed"], Role::Plain("run.seed")),
    (&["experiment_name", "run_name", "exp_name"], Role::Plain("run.name")),
    (&["max_epochs", "epochs", "num_epochs", "n_epochs"], Role::Plain("trainer.max_epochs")),
    (&["max_steps"], Role::Plain("trainer.max_steps")),
    (&["batch_size", "train_batch_size"], Role::Plain("dataloader.batch_size")),
    (&["num_workers", "workers"], Role::Plain("dataloader.num_workers")),
    (&["drop_last"], Role::Plain("dataloader.train.drop_last")),
    (&["gradient_clip_val", "grad_clip", "clip_grad_norm", "max_grad_norm"], Role::Plain("trainer.gradient_clip_val")),
    (&["accumulate_grad_batches", "gradient_accumulation_steps"], Role::Plain("trainer.accumulate_grad_batches")),
];

/// Tables within which the parts of a run may stand.
const AROUND: [&str; 12] = [
    "init_args",
    "model",
    "net",
    "module",
    "config",
    "cfg",
    "data",
    "datamodule",
    "dataloader",
    "optim_wrapper",
    "train",
    "hparams",
];

/// What a key holds.
pub(crate) fn role(key: &str) -> Option<Role> {
    let plain = key.to_ascii_lowercase();
    ROLES.iter().find(|(keys, _)| keys.contains(&plain.as_str())).map(|(_, role)| *role)
}

/// A part of a document, by its path.
pub(crate) type Part<'d> = (String, &'d Saved);

/// The parts of a run in a document.
#[derive(Default)]
pub(crate) struct Sections<'d> {
    pub(crate) optimizers: Vec<Part<'d>>,
    pub(crate) schedulers: Vec<Part<'d>>,
    pub(crate) losses: Vec<Part<'d>>,
    pub(crate) augmentations: Vec<Part<'d>>,
    pub(crate) trainers: Vec<Part<'d>>,
    pub(crate) models: Vec<Part<'d>>,
    pub(crate) plain: Vec<(String, &'static str, &'d Saved)>,
}

/// A document is not looked through deeper than this.
const DEEPEST: usize = 6;

pub(crate) fn below(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// The value at a path of a document.
pub(crate) fn value_at<'d>(document: &'d Saved, path: &str) -> Option<&'d Saved> {
    path.split('.').try_fold(document, |here, part| match here {
        Saved::Array(items) => items.get(part.parse::<usize>().ok()?),
        other => other.get(part),
    })
}

impl<'d> Sections<'d> {
    /// Looks for parts in a table and in the tables around parts.
    pub(crate) fn find(&mut self, value: &'d Saved, path: &str, depth: usize) {
        let Some(table) = value.as_object().filter(|_| depth < DEEPEST) else { return };
        for (key, value) in table {
            let here = below(path, key);
            match role(key) {
                Some(Role::Optimizer) => self.optimizers.push((here.clone(), value)),
                Some(Role::Scheduler) => self.schedulers.push((here.clone(), value)),
                Some(Role::Loss) => self.losses.push((here.clone(), value)),
                Some(Role::Augmentation) => self.augmentations.push((here.clone(), value)),
                Some(Role::Trainer) => self.trainers.push((here.clone(), value)),
                // A net that is a table with a class; a table without one only holds other parts.
                Some(Role::Model) if foreign::read(value).is_some() => self.models.push((here.clone(), value)),
                Some(Role::Plain(to)) if !value.is_object() => self.plain.push((here.clone(), to, value)),
                _ => {}
            }
            if AROUND.contains(&key.as_str()) || matches!(role(key), Some(Role::Model)) {
                self.find(value, &here, depth + 1);
            }
        }
    }
}

/// Names that are no class: what people and timm call schedulers and losses.
const NICKNAMES: [(&str, &str, &str); 14] = [
    ("scheduler", "cosine", "CosineAnnealingLR"),
    ("scheduler", "step", "StepLR"),
    ("scheduler", "multistep", "MultiStepLR"),
    ("scheduler", "plateau", "ReduceLROnPlateau"),
    ("scheduler", "onecycle", "OneCycleLR"),
    ("scheduler", "poly", "PolynomialLR"),
    ("scheduler", "exp", "ExponentialLR"),
    ("loss", "ce", "CrossEntropy"),
    ("loss", "bce", "BCEWithLogits"),
    ("loss", "bce_with_logits", "BCEWithLogits"),
    ("loss", "mse", "MSE"),
    ("loss", "mae", "L1"),
    ("loss", "l1", "L1"),
    ("loss", "focal", "Focal"),
];

fn found(kind: &str, name: &str) -> Result<&'static pleach_core::Entry, String> {
    let plain = name.to_ascii_lowercase();
    let meant = NICKNAMES.iter().find(|(k, nick, _)| *k == kind && *nick == plain).map(|(_, _, ours)| *ours);
    match meant.and_then(|ours| foreign::find(kind, ours).ok()) {
        Some(entry) => Ok(entry),
        None => foreign::find(kind, name),
    }
}

/// Turns one plugin into ours, at a place of the run. Its arguments go over under their own names: the reader knows
/// best which of them there are.
pub(crate) fn plugin(kind: &str, value: &Saved, path: &str, to: &str, import: &mut Import) -> bool {
    if value.is_null() {
        import.anyway(path, "off");
        return false;
    }
    let Some(read) = foreign::read(value) else {
        if !value.is_object() {
            import.missing(path, format!("this is no {kind}: it has no name"));
        }
        return false;
    };
    let entry = match found(kind, &read.name) {
        Ok(entry) => entry,
        Err(why) => {
            import.missing(path, why);
            return false;
        }
    };
    let tag = if read.tag.is_empty() { path.to_owned() } else { below(path, &read.tag) };
    // The key of `{Adam: {...}}` is the name; to note it alone would note all below it.
    let is_key = read.tag == read.name && !read.arguments.is_empty();
    import.keep(if is_key { format!("{tag} (its name)") } else { tag }, format!("{to}.name"), entry.name.into());
    of_form(&read, path, import);
    for (place, key, value) in &read.arguments {
        argument(kind, (key, value), &below(path, place), &format!("{to}.{key}"), import);
    }
    true
}

fn of_form(read: &Foreign, path: &str, import: &mut Import) {
    for key in &read.idle {
        import.anyway(below(path, key), "a key of the form, not of the plugin");
    }
}

/// Arguments that say what is so here anyway, with what that is.
const ANYWAY: [(&str, &str, &[&str], &str); 9] = [
    ("optimizer", "params", &["*"], "the parameters of the net, or what [[optimizer.group]] says"),
    ("scheduler", "optimizer", &["*"], "the optimizer of the run"),
    ("scheduler", "last_epoch", &["-1"], "a run that is resumed knows where it was"),
    ("scheduler", "verbose", &["false", "null", "\"deprecated\""], "rates are in every log"),
    ("loss", "reduction", &["\"mean\""], "losses are means"),
    ("loss", "size_average", &["null", "true"], "losses are means"),
    ("loss", "reduce", &["null", "true"], "losses are means"),
    ("augmentation", "always_apply", &["false", "null"], "`p` says how often"),
    ("augmentation", "inplace", &["*"], "nothing is changed in place that another could see"),
];

fn argument(kind: &str, (key, value): (&str, &Saved), path: &str, to: &str, import: &mut Import) {
    let text = value.to_string();
    let is_so = |values: &[&str]| values.iter().any(|v| *v == "*" || *v == text);
    let so = ANYWAY.iter().find(|(k, name, values, _)| *k == kind && *name == key && is_so(values));
    if let Some((.., why)) = so {
        import.anyway(path, *why);
        return;
    }
    if let Some(why) = interpolation(value) {
        import.missing(path, why);
        return;
    }
    match value {
        Saved::Null => import.keep(path, to, "none".into()),
        Saved::Object(_) if foreign::read(value).is_some() => {
            plugin(kind, value, path, to, import);
        }
        Saved::Array(items)
            if !items.is_empty() && items.iter().all(|i| i.is_object() && foreign::read(i).is_some()) =>
        {
            for (i, item) in items.iter().enumerate() {
                plugin(kind, item, &below(path, &i.to_string()), &format!("{to}.{i}"), import);
            }
        }
        // Numbers such as 1e-3 are text to some readers of YAML, and their authors put up with quotes.
        Saved::String(text) => import.keep(path, to, number(text).unwrap_or_else(|| value.clone())),
        _ => import.keep(path, to, value.clone()),
    }
}

fn number(text: &str) -> Option<Saved> {
    let is_number = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.'));
    let x: f64 = text.parse().ok().filter(|_| is_number)?;
    serde_json::Number::from_f64(x).map(Saved::Number)
}

/// Why a value cannot be read that another program was to fill in.
pub(crate) fn interpolation(value: &Saved) -> Option<String> {
    let open = |text: &str| text.contains("${");
    let text = value.as_str().filter(|text| open(text))?;
    Some(format!(
        "`{text}` stands for another value: write the file with its values filled in (Hydra: --cfg job --resolve)"
    ))
}

/// A list of plugins, one plugin, or a table of them by names of the author's.
pub(crate) fn list(kind: &str, to: &str, parts: &[Part<'_>], import: &mut Import) {
    let mut next = 0;
    for (path, value) in parts {
        let mut all: Vec<Part<'_>> = Vec::new();
        unfold(kind, path, value, &mut all, import);
        for (path, value) in all {
            let place = format!("{to}.{next}");
            let taken = match value.get("loss").filter(|_| kind == "loss") {
                Some(inner) if foreign::read(value).is_none() => weighted(inner, value, &path, &place, import),
                _ => plugin(kind, value, &path, &place, import),
            };
            next += usize::from(taken);
        }
    }
}

/// `{loss: {...}, weight: 0.5}`.
fn weighted(inner: &Saved, around: &Saved, path: &str, to: &str, import: &mut Import) -> bool {
    let taken = plugin("loss", inner, &below(path, "loss"), to, import);
    for key in ["weight", "factor", "coefficient", "coeff", "lambda"] {
        if let Some(value) = around.get(key).filter(|v| v.is_number() && taken) {
            import.keep(below(path, key), format!("{to}.factor"), value.clone());
        }
    }
    taken
}

/// The plugins behind lists and composes.
fn unfold<'d>(kind: &str, path: &str, value: &'d Saved, all: &mut Vec<Part<'d>>, import: &mut Import) {
    match value {
        Saved::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                unfold(kind, &below(path, &i.to_string()), item, all, import);
            }
        }
        Saved::Object(table) => {
            // Albumentations saves a pipeline under this key.
            if let Some(inner) = table.get("transform").filter(|_| kind == "augmentation") {
                return unfold(kind, &below(path, "transform"), inner, all, import);
            }
            let compose = foreign::read(value).filter(|f| {
                kind == "augmentation"
                    && f.name
                        .rsplit('.')
                        .next()
                        .is_some_and(|n| matches!(n, "Compose" | "AugmentationSequential" | "Sequential"))
            });
            let Some(compose) = compose else {
                let by_name = foreign::read(value).is_none() && !table.is_empty() && !table.contains_key("loss");
                if by_name && table.values().all(|v| v.is_object() || v.is_string()) {
                    for (key, value) in table {
                        unfold(kind, &below(path, key), value, all, import);
                    }
                    return;
                }
                return all.push((path.to_owned(), value));
            };
            import.anyway(below(path, &compose.tag), "the list itself: augmentations follow one another");
            of_form(&compose, path, import);
            for (place, key, _) in &compose.arguments {
                let here = below(path, place);
                let inner = place.split('.').try_fold(value, |v, part| v.get(part));
                match (key.as_str(), inner) {
                    ("transforms" | "args", Some(inner)) => unfold(kind, &here, inner, all, import),
                    ("p", Some(p)) if *p == serde_json::json!(1.0) || *p == serde_json::json!(1) => {
                        import.anyway(here, "always")
                    }
                    (_, Some(Saved::Null)) => import.anyway(here, "off"),
                    _ => import.missing(here, "a list of augmentations has no options of its own"),
                }
            }
        }
        Saved::Null => import.anyway(path, "off"),
        _ => all.push((path.to_owned(), value)),
    }
}

/// A scheduler: a plugin, a list of them, or Lightning's table of it with when it ticks.
pub(crate) fn scheduler(value: &Saved, path: &str, import: &mut Import) {
    const TO: &str = "scheduler";
    if let Saved::Array(items) = value {
        match items.as_slice() {
            [one] => return scheduler(one, &below(path, "0"), import),
            [] => return import.anyway(path, "off"),
            _ => {
                return import
                    .missing(path, "a run has one scheduler: write SequentialLR, or a `warmup`, in its place");
            }
        }
    }
    let Some(inner) = value.get("scheduler") else {
        if plugin("scheduler", value, path, TO, import) {
            by_epoch(value, path, import);
        }
        return;
    };
    if !plugin("scheduler", inner, &below(path, "scheduler"), TO, import) {
        return;
    }
    for (key, value) in value.as_object().into_iter().flatten().filter(|(key, _)| *key != "scheduler") {
        let here = below(path, key);
        match (key.as_str(), value) {
            ("interval", Saved::String(every)) => import.keep(here, "scheduler.every", every.as_str().into()),
            ("monitor", Saved::String(_)) => import.keep(here, "scheduler.monitor", value.clone()),
            ("frequency", value) if *value == serde_json::json!(1) => import.anyway(here, "each time"),
            ("frequency", _) => import.missing(here, "a scheduler ticks each epoch or each step"),
            ("strict" | "name" | "reduce_on_plateau", _) => import.anyway(here, "a watched metric must exist"),
            (_, Saved::Null) => import.anyway(here, "off"),
            _ => import.missing(here, "a scheduler's slot has no such key"),
        }
    }
}

/// mmengine's `by_epoch` among a scheduler's arguments.
fn by_epoch(value: &Saved, path: &str, import: &mut Import) {
    let Some(by) = value.get("by_epoch").and_then(Saved::as_bool) else { return };
    if let Some(table) = import.run.get_mut("scheduler").and_then(Saved::as_object_mut) {
        table.remove("by_epoch");
    }
    import.keep(below(path, "by_epoch"), "scheduler.every", if by { "epoch" } else { "step" }.into());
}
