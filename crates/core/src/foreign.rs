//! Plugins as other systems write them: the class and its arguments, in the spellings of Lightning, Hydra, mmengine,
//! Albumentations and of files that people wrote by hand.

use crate::Saved;
use crate::diagnostic::nearest;
use crate::registry::{Absent, Entry, entries};
use serde_json::Map;

/// A class with its arguments.
#[derive(Debug, Clone, PartialEq)]
pub struct Foreign {
    /// The name as it stands there: `torch.optim.AdamW`.
    pub name: String,
    /// Where the name stands, below the table; empty where the plugin is the name alone.
    pub tag: String,
    /// Each argument: where it stands below the table (`init_args.lr`), its key, and its value.
    pub arguments: Vec<(String, String, Saved)>,
    /// Keys of the form itself, which say nothing of the plugin (`_convert_`).
    pub idle: Vec<String>,
}

/// Keys that hold the name of a class, and tables beside them that hold its arguments.
const TAGS: [&str; 7] = ["class_path", "_target_", "__class_fullname__", "name", "type", "class", "class_name"];
const TABLES: [&str; 8] = ["init_args", "dict_kwargs", "params", "parameters", "args", "kwargs", "config", "hparams"];
const IDLE: [&str; 5] = ["_partial_", "_convert_", "_recursive_", "_name_", "__version__"];

/// A plugin in one of the forms: `"Adam"`, `{class_path, init_args}`, `{_target_, ...}`, `{name, params}`, `{name, ...}`,
/// `{type, ...}`, or `{Adam: {...}}`.
pub fn read(value: &Saved) -> Option<Foreign> {
    if let Some(name) = value.as_str() {
        let none = Foreign { name: name.to_owned(), tag: String::new(), arguments: Vec::new(), idle: Vec::new() };
        return is_name(name).then_some(none);
    }
    let table = value.as_object()?;
    let Some((tag, name)) = TAGS.iter().find_map(|tag| Some((*tag, table.get(*tag)?.as_str()?))) else {
        return by_key(table);
    };
    let mut all = Foreign { name: name.to_owned(), tag: tag.to_owned(), arguments: Vec::new(), idle: Vec::new() };
    for (key, value) in table.iter().filter(|(key, _)| *key != tag) {
        match (TABLES.contains(&key.as_str()), value) {
            (true, Saved::Object(inner)) => {
                let below = inner.iter().map(|(inner, value)| (format!("{key}.{inner}"), inner.clone(), value.clone()));
                all.arguments.extend(below);
            }
            (true, Saved::Null) => all.idle.push(key.clone()),
            _ if IDLE.contains(&key.as_str()) => all.idle.push(key.clone()),
            _ => all.arguments.push((key.clone(), key.clone(), value.clone())),
        }
    }
    Some(all)
}

/// `{Adam: {lr: 0.1}}`, and `{Adam: null}`.
fn by_key(table: &Map<String, Saved>) -> Option<Foreign> {
    let mut all = table.iter();
    let ((name, value), None) = (all.next()?, all.next()) else { return None };
    let known = name.starts_with(|c: char| c.is_uppercase()) && is_name(name);
    let arguments = match value {
        _ if !known => return None,
        Saved::Null => Vec::new(),
        Saved::Object(inner) => inner.iter().map(|(k, v)| (format!("{name}.{k}"), k.clone(), v.clone())).collect(),
        _ => return None,
    };
    Some(Foreign { name: name.clone(), tag: name.clone(), arguments, idle: Vec::new() })
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '/' | '+'))
}

/// The plugin of ours that a name of another system means.
///
/// # Errors
/// Why there is none, or which one is near.
pub fn find(kind: &str, name: &str) -> Result<&'static Entry, String> {
    let last = name.rsplit('.').next().unwrap_or(name);
    let of_kind = || entries().iter().copied().filter(|e| e.kind == kind);
    let exact = || of_kind().find(|e| e.answers(last));
    let alike = |loose: fn(&str) -> String| {
        let wanted = loose(last);
        of_kind().find(|e| std::iter::once(&e.name).chain(e.alias).any(|own| loose(own) == wanted))
    };
    if let Some(entry) = exact().or_else(|| alike(letters)).or_else(|| alike(stem)) {
        return Ok(entry);
    }
    if let Some(absent) = Absent::find(kind, last) {
        return Err(format!("{}; {}", absent.why, absent.instead));
    }
    let known = of_kind().flat_map(|e| std::iter::once(e.name).chain(e.alias.iter().copied()));
    Err(match nearest(last, known) {
        Some(near) => format!("no {kind} is called `{last}`; the nearest is `{near}`"),
        None => format!("no {kind} is called `{last}`: `pleach list {kind}` says which there are"),
    })
}

/// A name in small letters without what stands between words.
fn letters(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The same without a word for the kind at the end.
fn stem(name: &str) -> String {
    let plain = letters(name);
    let short = ["scheduler", "optimizer", "loss", "lr"].iter().find_map(|end| plain.strip_suffix(end));
    short.filter(|s| !s.is_empty()).map(str::to_owned).unwrap_or(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_form_of_a_plugin_is_the_same_plugin() {
        let lr = |place: &str| vec![(place.to_owned(), "lr".to_owned(), json!(0.1))];
        for (form, place) in [
            (json!({ "class_path": "torch.optim.Adam", "init_args": { "lr": 0.1 } }), "init_args.lr"),
            (json!({ "_target_": "torch.optim.Adam", "_partial_": true, "lr": 0.1 }), "lr"),
            (json!({ "name": "torch.optim.Adam", "params": { "lr": 0.1 } }), "params.lr"),
            (json!({ "type": "torch.optim.Adam", "lr": 0.1 }), "lr"),
        ] {
            let read = read(&form).unwrap();
            assert_eq!((read.name.as_str(), read.arguments), ("torch.optim.Adam", lr(place)), "{form}");
        }
        assert_eq!(read(&json!({ "Adam": { "lr": 0.1 } })).unwrap().arguments, lr("Adam.lr"));
        assert_eq!(read(&json!("Adam")).unwrap().name, "Adam");
        for none in [json!(3), json!({ "lr": 0.1 }), json!({ "lr": { "a": 1 } }), json!("two words")] {
            assert_eq!(read(&none), None, "{none}");
        }
        assert_eq!(
            ["CrossEntropyLoss", "cross_entropy", "StepLR", "LR"].map(stem),
            ["crossentropy", "crossentropy", "step", "lr"]
        );
    }
}
