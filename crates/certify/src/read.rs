//! A plugin from `name` and `kwargs`, through the reader of run files, so that defaults, bounds and nested plugins are
//! the same here and there.

use pleach_core::diagnostic::Diagnostic;
use pleach_core::read::{Read, Reader};
use pleach_core::tree::{Key, Node, Place, Table, Value};
use pleach_core::{Error, Result};
use serde_json::Value as Json;

const NOWHERE: Place = Place { source: 0, start: 0, end: 0 };
const NAME: &str = "name";
const KWARGS: &str = "kwargs";

/// A plugin, or a slot with one.
///
/// # Errors
/// What a run file would be told, with the code of the first mistake.
pub(crate) fn plugin<T: Read>(name: &str, kwargs: Json) -> Result<T> {
    let Json::Object(mut all) = kwargs else { return Err(super::keys::wrong(KWARGS, "an object")) };
    if all.insert(NAME.into(), name.into()).is_some() {
        return Err(Error::new("PL0362", "`name` stands beside `kwargs`, not among them"));
    }
    let mut reader = Reader::default();
    let read = T::read(&node(&Json::Object(all)), &mut reader);
    match (read, reader.diagnostics.first()) {
        (Some(plugin), None) => Ok(plugin),
        (_, Some(first)) => Err(told(first, reader.diagnostics.len())),
        (None, None) => Err(Error::new("PL0362", format!("`{name}` cannot be read"))),
    }
}

fn told(first: &Diagnostic, count: usize) -> Error {
    let mut message = first.message.clone();
    if let Some(label) = &first.label {
        message = format!("{message}: {label}");
    }
    if count > 1 {
        message = format!("{message} (the first of {count} mistakes)");
    }
    let error = Error::new(first.code, message);
    if first.notes.is_empty() { error } else { error.hint(first.notes.join("; ")) }
}

/// JSON as the tree that a file becomes. Python's None is our "none"; a plugin inside another may have its parameters
/// beside its name or in `kwargs` of its own.
fn node(json: &Json) -> Node {
    let value = match json {
        Json::Null => Value::Str("none".into()),
        Json::Bool(b) => Value::Bool(*b),
        Json::Number(n) => n.as_i64().map_or_else(|| Value::Float(n.as_f64().unwrap_or(f64::NAN)), Value::Int),
        Json::String(s) => Value::Str(s.clone()),
        Json::Array(items) => Value::Array(items.iter().map(node).collect()),
        Json::Object(map) => {
            let mut table = Table::default();
            for (key, value) in map {
                match value {
                    Json::Object(inner) if key == KWARGS && map.contains_key(NAME) => {
                        inner.iter().for_each(|(key, value)| put(&mut table, key, value));
                    }
                    _ => put(&mut table, key, value),
                }
            }
            Value::Table(table)
        }
    };
    Node { value, place: NOWHERE }
}

fn put(table: &mut Table, key: &str, value: &Json) {
    table.set(Key { name: key.to_owned(), place: NOWHERE }, node(value));
}
