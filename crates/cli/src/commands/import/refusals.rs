//! Takes out of an import what the reader of run files refuses, with the reader's reasons.

use pleach_config::judge::judge;
use pleach_core::Saved;
use pleach_core::diagnostic::Diagnostic;
use pleach_core::kinds::importer::{Fate, Import};
use pleach_core::tree::{Key, Node, Place, Table, Value};
use serde_json::Map;

/// What a run lacks is no fault of what was imported.
const LACKS: [&str; 2] = ["PL0106", "PL0110"];

/// Reads the import as a run file, and takes out what is refused, until nothing is.
pub fn settle(import: &mut Import) {
    // Each turn takes at least one value out.
    for _ in 0..import.fates.len() {
        let mut numbered = Numbered::default();
        let root = numbered.table(&import.run, "");
        let mut refused = Vec::new();
        for d in judge(root).into_iter().filter(|d| !LACKS.contains(&d.code)) {
            let path = d.place.and_then(|p| numbered.paths.get(p.start as usize).cloned());
            refused.extend(path.map(|path| (path, why(&d))));
        }
        let before = import.run.clone();
        for (path, why) in refused {
            refuse(import, &path, &why);
        }
        if import.run == before {
            break;
        }
    }
    import.run = tidied(&import.run);
}

fn why(d: &Diagnostic) -> String {
    match &d.label {
        Some(label) if !d.message.contains(label.as_str()) => format!("{}: {label}", d.message),
        _ => d.message.clone(),
    }
}

/// Whether a path is another or stands below it.
fn within(path: &str, above: &str) -> bool {
    path.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Takes out what was kept at a path: the value to which it belongs, or all below it.
fn refuse(import: &mut Import, path: &str, why: &str) {
    let kept = |fate: &Fate| match fate {
        Fate::Kept(to) => Some(to.clone()),
        _ => None,
    };
    let all: Vec<(String, String)> =
        import.fates.iter().filter_map(|(from, f)| Some((from.clone(), kept(f)?))).collect();
    let around = all.iter().filter(|(_, to)| within(path, to)).max_by_key(|(_, to)| to.len()).map(|(_, to)| to.clone());
    // Without a name a plugin is nothing, so that all of it goes.
    let gone = match around {
        Some(to) if to.ends_with(".name") => to.trim_end_matches(".name").to_owned(),
        Some(to) => to,
        None => path.to_owned(),
    };
    for (from, _) in all.iter().filter(|(_, to)| within(to, &gone)) {
        import.missing(from.clone(), why);
    }
    remove(&mut import.run, &gone);
}

/// Takes a value out; an item of a list leaves a hole, so that the places of the others stay.
fn remove(run: &mut Map<String, Saved>, path: &str) {
    let Some((parent, key)) = path.rsplit_once('.') else {
        run.remove(path);
        return;
    };
    let mut parts = parent.split('.');
    let mut here = parts.next().and_then(|first| run.get_mut(first));
    for part in parts {
        here = match (here, part.parse::<usize>()) {
            (Some(Saved::Array(items)), Ok(index)) => items.get_mut(index),
            (Some(Saved::Object(table)), _) => table.get_mut(part),
            _ => None,
        };
    }
    match (here, key.parse::<usize>()) {
        (Some(Saved::Array(items)), Ok(index)) => {
            if let Some(item) = items.get_mut(index) {
                *item = Saved::Null;
            }
        }
        (Some(Saved::Object(table)), _) => drop(table.remove(key)),
        _ => {}
    }
}

/// The sections without holes and without what they have left empty.
fn tidied(run: &Map<String, Saved>) -> Map<String, Saved> {
    fn tidy(value: &Saved) -> Option<Saved> {
        match value {
            Saved::Null => None,
            Saved::Array(items) if !items.is_empty() => {
                let kept: Vec<_> = items.iter().filter_map(tidy).collect();
                (!kept.is_empty()).then_some(Saved::Array(kept))
            }
            Saved::Object(table) => {
                let kept: Map<_, _> = table.iter().filter_map(|(k, v)| Some((k.clone(), tidy(v)?))).collect();
                (!kept.is_empty()).then_some(Saved::Object(kept))
            }
            other => Some(other.clone()),
        }
    }
    run.iter().filter_map(|(key, value)| Some((key.clone(), tidy(value)?))).collect()
}

/// A tree in which the place of a key or value is the number of its path.
#[derive(Default)]
struct Numbered {
    paths: Vec<String>,
}

impl Numbered {
    fn place(&mut self, path: &str) -> Place {
        let start = u32::try_from(self.paths.len()).unwrap_or(u32::MAX);
        self.paths.push(path.to_owned());
        Place { source: 0, start, end: start.saturating_add(1) }
    }

    fn table(&mut self, table: &Map<String, Saved>, path: &str) -> Table {
        let mut entries = Vec::new();
        for (key, value) in table.iter().filter(|(_, v)| !v.is_null()) {
            let here = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            let node = self.node(value, &here);
            entries.push((Key { name: key.clone(), place: node.place }, node));
        }
        Table { entries }
    }

    fn node(&mut self, value: &Saved, path: &str) -> Node {
        let place = self.place(path);
        let value = match value {
            Saved::Null => Value::Str("none".into()),
            Saved::Bool(b) => Value::Bool(*b),
            Saved::Number(n) => n.as_i64().map_or_else(|| Value::Float(n.as_f64().unwrap_or(f64::NAN)), Value::Int),
            Saved::String(s) => Value::Str(s.clone()),
            Saved::Array(items) => {
                let items = items.iter().enumerate().filter(|(_, item)| !item.is_null());
                Value::Array(items.map(|(i, item)| self.node(item, &format!("{path}.{i}"))).collect())
            }
            Saved::Object(table) => Value::Table(self.table(table, path)),
        };
        Node { value, place }
    }
}
