//! Says of every value of a resolved run where it comes from.

use crate::failure::Failure;
use crate::places::at;
use crate::source::Layer;
use pleach_core::Saved;
use pleach_core::tree::{Table, Value};
use std::collections::BTreeMap;

/// What stands for the origin of a value that no source gives.
pub const DEFAULT: &str = "default";

/// For each value of the saved run, by its path (`optimizer.lr`), `run.toml:12`, `run.toml:30 (profile fast)`,
/// `PLEACH__OPTIMIZER__LR=1`, `--set optimizer.lr=1`, or `default`.
pub(crate) fn of(saved: &Saved, root: &Table, sources: &Failure) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    leaves(saved, String::new(), &mut |path| {
        let origin = spellings(path).iter().find_map(|path| origin(path, root, sources));
        all.insert(path.to_owned(), origin.unwrap_or_else(|| DEFAULT.to_owned()));
    });
    all
}

fn leaves(saved: &Saved, path: String, visit: &mut impl FnMut(&str)) {
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match saved {
        Saved::Object(o) if !o.contains_key("$float") => {
            o.iter().for_each(|(key, value)| leaves(value, below(key), visit));
        }
        Saved::Array(a) if a.iter().any(|v| v.is_object()) => {
            a.iter().enumerate().for_each(|(i, value)| leaves(value, below(&i.to_string()), visit));
        }
        _ => visit(&path),
    }
}

/// The paths under which a file may have written a value.
fn spellings(path: &str) -> Vec<String> {
    let mut all = vec![path.to_owned()];
    for split in ["train", "val", "test"] {
        if let Some(key) = path.strip_prefix(&format!("dataloader.{split}.")) {
            all.push(format!("dataloader.{key}"));
        }
    }
    if path == "backend.train.name" {
        all.push("trainer.accelerator".into());
    }
    // What a group of parameters does not say is as in the section.
    if let Some((section, key)) =
        path.split_once(".group.").and_then(|(section, rest)| Some((section, rest.split_once('.')?.1)))
        && (section == "optimizer" || section.ends_with(".optimizer"))
    {
        all.push(format!("{section}.{key}"));
    }
    // A bare string is the name of a plugin.
    if let Some(plugin) = path.strip_suffix(".name") {
        all.push(plugin.to_owned());
    }
    all
}

fn origin(path: &str, root: &Table, sources: &Failure) -> Option<String> {
    let node = at(root, path)?;
    if path.ends_with(".name") || !matches!(node.value, Value::Table(_)) {
        let source = sources.sources.get(usize::from(node.place.source))?;
        let (line, _) = sources.line_column(node.place.source, node.place.start)?;
        return Some(match source.layer {
            Layer::Extended | Layer::File => match source.profile_at(node.place.start) {
                Some(profile) => format!("{}:{line} (profile {profile})", source.name),
                None => format!("{}:{line}", source.name),
            },
            Layer::Profile | Layer::Environment | Layer::Set => source.text.clone(),
        });
    }
    None
}
