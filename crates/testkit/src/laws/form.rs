//! A saved form as the tree of nodes that a file becomes.

use pleach_core::Saved;
use pleach_core::tree::{Key, Node, Place, Table, Value};

/// Where nothing stands: these trees come from no file.
pub(super) const NOWHERE: Place = Place { source: 0, start: 0, end: 0 };

/// JSON as a node. What is absent is written as `"none"`, infinities as TOML has them.
pub(super) fn node(saved: &Saved) -> Node {
    let value = match saved {
        Saved::Null => Value::Str("none".into()),
        Saved::Bool(b) => Value::Bool(*b),
        Saved::Number(n) => n.as_i64().map_or_else(|| Value::Float(n.as_f64().unwrap_or(f64::NAN)), Value::Int),
        Saved::String(s) => Value::Str(s.clone()),
        Saved::Array(items) => Value::Array(items.iter().map(node).collect()),
        Saved::Object(map) => match (map.len(), map.get("$float").and_then(Saved::as_str)) {
            (1, Some("inf")) => Value::Float(f64::INFINITY),
            (1, Some("-inf")) => Value::Float(f64::NEG_INFINITY),
            _ => {
                let entries = map.iter().map(|(k, v)| (key(k), node(v))).collect();
                Value::Table(Table { entries })
            }
        },
    };
    Node { value, place: NOWHERE }
}

/// A key.
pub(super) fn key(name: &str) -> Key {
    Key { name: name.to_owned(), place: NOWHERE }
}

/// The parameters of a plugin's saved form as a table, without its name.
pub(super) fn parameters(saved: &Saved) -> Table {
    let mut table = match node(saved).value {
        Value::Table(table) => table,
        _ => Table::default(),
    };
    table.remove("name");
    table
}
