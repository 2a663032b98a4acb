//! Finds again where something stands in the tree, for rules that look at what was read.

use pleach_core::tree::{Node, Place, Table, Value};

/// The node at a path such as `dataset.train` or `loss.0`.
pub(crate) fn at<'t>(root: &'t Table, path: &str) -> Option<&'t Node> {
    let mut parts = path.split('.');
    let mut node = root.get(parts.next()?)?;
    for part in parts {
        node = match &node.value {
            Value::Table(table) => table.get(part)?,
            Value::Array(items) => items.get(part.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    Some(node)
}

/// The key that stands at a place.
pub(crate) fn key_at(table: &Table, place: Place) -> Option<&str> {
    fn within(node: &Node, place: Place) -> Option<&str> {
        match &node.value {
            Value::Table(table) => key_at(table, place),
            Value::Array(items) => items.iter().find_map(|item| within(item, place)),
            _ => None,
        }
    }
    let own = table.entries.iter().find(|(key, _)| key.place == place);
    own.map(|(key, _)| key.name.as_str()).or_else(|| table.entries.iter().find_map(|(_, node)| within(node, place)))
}

/// Where the name of the plugin at a path stands.
pub(crate) fn name_of(root: &Table, path: &str) -> Option<Place> {
    let node = at(root, path)?;
    match &node.value {
        Value::Table(table) => table.get("name").map(|name| name.place).or(Some(node.place)),
        _ => Some(node.place),
    }
}

/// Where a string stands under the node at a path; the plugin's name if it is nowhere, being a default.
pub(crate) fn string_in(root: &Table, path: &str, wanted: &str) -> Option<Place> {
    fn find(node: &Node, wanted: &str) -> Option<Place> {
        match &node.value {
            Value::Str(s) if s == wanted => Some(node.place),
            Value::Array(items) => items.iter().find_map(|item| find(item, wanted)),
            Value::Table(table) => table.entries.iter().find_map(|(_, node)| find(node, wanted)),
            _ => None,
        }
    }
    find(at(root, path)?, wanted).or_else(|| name_of(root, path))
}

/// Every string of a tree.
pub(crate) fn strings<'t>(table: &'t Table, all: &mut Vec<&'t str>) {
    fn walk<'t>(node: &'t Node, all: &mut Vec<&'t str>) {
        match &node.value {
            Value::Str(s) => all.push(s),
            Value::Array(items) => items.iter().for_each(|item| walk(item, all)),
            Value::Table(table) => strings(table, all),
            _ => {}
        }
    }
    table.entries.iter().for_each(|(_, node)| walk(node, all));
}
