//! Lightning's Trainer: its keys are ours, its callbacks and loggers are plugins with sections of their own.

use crate::sections::{below, interpolation};
use pleach_core::foreign::{self, Foreign};
use pleach_core::{Import, Saved};

/// Puts the keys of a trainer over. Which of them there are, the reader knows, with the reasons against the others.
pub(crate) fn section(value: &Saved, path: &str, import: &mut Import) {
    for (key, value) in value.as_object().into_iter().flatten() {
        let here = below(path, key);
        match key.as_str() {
            "callbacks" | "callback" => callbacks(value, &here, import),
            "logger" | "loggers" => loggers(value, &here, import),
            "_target_" | "class_path" => import.anyway(here, "every run has a trainer"),
            "init_args" => section(value, &here, import),
            "epochs" | "num_epochs" => self::value(value, &here, "trainer.max_epochs", import),
            _ => self::value(value, &here, &format!("trainer.{key}"), import),
        }
    }
}

/// A plain value at a place of the run; what is null is what it is by default.
pub(crate) fn value(value: &Saved, path: &str, to: &str, import: &mut Import) {
    match value {
        Saved::Null => import.anyway(path, "as by default"),
        _ if interpolation(value).is_some() => import.missing(path, interpolation(value).unwrap_or_default()),
        // Lightning draws a seed for `true`; a run has one that is known.
        Saved::Bool(true) if to == "run.seed" => import.anyway(path, "every random number has a seed: 0"),
        Saved::Bool(false) if to == "run.seed" => import.missing(path, "every random number of a run has a seed"),
        _ => import.keep(path, to, value.clone()),
    }
}

/// The items of a list, or the one that stands alone, each with its path.
fn items<'d>(value: &'d Saved, path: &str) -> Vec<(String, &'d Saved)> {
    match value {
        Saved::Array(items) => items.iter().enumerate().map(|(i, item)| (below(path, &i.to_string()), item)).collect(),
        // Hydra writes them as a table by names of the author's.
        Saved::Object(table) if foreign::read(value).is_none() => {
            table.iter().map(|(key, item)| (below(path, key), item)).collect()
        }
        one => vec![(path.to_owned(), one)],
    }
}

fn callbacks(value: &Saved, path: &str, import: &mut Import) {
    let mut observers = 0;
    for (path, item) in items(value, path) {
        let Some(read) = foreign::read(item) else {
            match item {
                Saved::Null | Saved::Bool(false) => import.anyway(path, "off"),
                _ => import.missing(path, "this is no callback: it has no name"),
            }
            continue;
        };
        let name = read.name.rsplit('.').next().unwrap_or_default();
        match name {
            "EarlyStopping" => taken(&read, &path, "early_stopping", import),
            "ModelCheckpoint" => taken(&read, &path, "checkpointing", import),
            "LearningRateMonitor" => import.anyway(path, "rates are in every log"),
            "RichProgressBar" | "TQDMProgressBar" => import.anyway(path, "progress is shown on every terminal"),
            "ModelSummary" | "RichModelSummary" => import.missing(path, "no table of layers is printed"),
            _ => match foreign::find("observer", name) {
                Ok(entry) => {
                    let to = format!("observer.{observers}");
                    observers += 1;
                    import.keep(below(&path, &read.tag), format!("{to}.name"), entry.name.into());
                    taken(&read, &path, &to, import);
                }
                Err(why) => import.missing(path, why),
            },
        }
    }
}

/// The arguments of a class that has a section of its own here.
fn taken(read: &Foreign, path: &str, to: &str, import: &mut Import) {
    if !to.starts_with("observer") && !to.starts_with("logging") {
        let tag = if read.tag.is_empty() { path.to_owned() } else { below(path, &read.tag) };
        import.anyway(tag, format!("[{to}]"));
        if read.arguments.is_empty() && to == "early_stopping" {
            import.run.insert(to.to_owned(), serde_json::json!({ "name": "EarlyStopping" }));
        }
    }
    for key in &read.idle {
        import.anyway(below(path, key), "a key of the form, not of the plugin");
    }
    for (place, key, value) in &read.arguments {
        let here = below(path, place);
        match (to, key.as_str()) {
            ("early_stopping", "verbose" | "strict" | "log_rank_zero_only") => {
                import.anyway(here, "ends are said, and a watched metric must exist")
            }
            ("checkpointing", "mode") => import.anyway(here, "which way is up is known from the metric"),
            _ => self::value(value, &here, &format!("{to}.{key}"), import),
        }
    }
}

/// Loggers that have a counterpart.
const LOGGERS: [(&str, &str); 3] =
    [("CSVLogger", "Csv"), ("TensorBoardLogger", "TensorBoard"), ("JSONLogger", "JsonLines")];

fn loggers(value: &Saved, path: &str, import: &mut Import) {
    if let Saved::Bool(_) | Saved::Null = value {
        return import.anyway(path, "a run always has its record");
    }
    let mut next = 0;
    for (path, item) in items(value, path) {
        let Some(read) = foreign::read(item) else {
            import.missing(path, "this is no logger: it has no name");
            continue;
        };
        let name = read.name.rsplit('.').next().unwrap_or_default();
        let Some((_, ours)) = LOGGERS.iter().find(|(theirs, _)| *theirs == name) else {
            import.missing(path, format!("no logger is called `{name}`; other viewers read log.jsonl"));
            continue;
        };
        let tag = if read.tag.is_empty() { path.clone() } else { below(&path, &read.tag) };
        import.keep(tag, format!("logging.{next}.name"), (*ours).into());
        for key in &read.idle {
            import.anyway(below(&path, key), "a key of the form, not of the plugin");
        }
        for (place, key, value) in &read.arguments {
            let here = below(&path, place);
            match key.as_str() {
                "save_dir" | "name" | "version" | "root_dir" | "sub_dir" => {
                    import.missing(here, "where a run goes is no part of it: `pleach train --out DIR`");
                }
                _ => self::value(value, &here, &format!("logging.{next}.{key}"), import),
            }
        }
        next += 1;
    }
}
