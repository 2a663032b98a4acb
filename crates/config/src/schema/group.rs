//! `[[optimizer.group]]`: values over those of the section, or another optimizer with its own.

use super::slot::{Variant, names};
use pleach_core::registry::Entry;
use serde_json::{Map, Value as Json, json};

/// The definition of the groups of a slot that name another plugin than the section.
pub(super) fn others_of(slot: &str) -> String {
    format!("{slot}.group")
}

fn of_item(list: &Json) -> Map<String, Json> {
    list.pointer("/items/properties").and_then(Json::as_object).cloned().unwrap_or_default()
}

/// A list of groups below a section of one plugin.
pub(super) fn of(list: &Json, entry: &Entry, parameters: &Map<String, Json>, slot: &str) -> Json {
    let mut properties = of_item(list);
    properties.insert("name".into(), json!({ "enum": names(entry) }));
    // What is not given is as in the section, so that no default of the plugin holds here.
    for (key, value) in parameters {
        let mut value = value.clone();
        value.as_object_mut().map(|o| o.remove("default"));
        properties.insert(key.clone(), value);
    }
    let mut list = list.clone();
    list["items"] = json!({
        "type": "object",
        "required": ["match"],
        "if": { "required": ["name"], "properties": { "name": { "not": { "enum": names(entry) } } } },
        "then": { "$ref": format!("#/$defs/{}", others_of(slot)) },
        "else": { "properties": properties, "additionalProperties": false },
    });
    list
}

/// Groups by the plugin that they name.
pub(super) fn others(keys: &Json, variants: &[Variant]) -> Json {
    let matched = keys.pointer("/properties/group").map(of_item).unwrap_or_default();
    let one = |v: &Variant| {
        let name = json!({ "enum": names(v.entry) });
        let mut properties = matched.clone();
        properties.insert("name".into(), name.clone());
        properties.extend(v.parameters.clone());
        json!({
            "if": { "properties": { "name": name } },
            "then": { "properties": properties, "required": v.required, "additionalProperties": false }
        })
    };
    let all: Vec<Json> = variants.iter().flat_map(|v| names(v.entry)).collect();
    json!({
        "description": "Another plugin than that of the section, from its own defaults.",
        "properties": { "name": { "enum": all } },
        "allOf": variants.iter().map(one).collect::<Vec<_>>()
    })
}

/// A list of groups with the keys of all plugins.
pub(super) fn shown(list: &Json, keys: &Map<String, Json>) -> Json {
    let mut properties = of_item(list);
    properties.extend(keys.iter().filter(|(key, _)| *key != "group").map(|(k, v)| (k.clone(), v.clone())));
    json!({
        "description": list.get("description"),
        "type": "array",
        "items": { "type": "object", "properties": properties }
    })
}
