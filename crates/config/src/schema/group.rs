//! `[[optimizer.group]]`: values over those of the section, or another optimizer with its own.

use super::slot::{Names, Variant, names};
use super::tidy;
use pleach_core::registry::Entry;
use serde_json::{Map, Value as Json, json};

/// What editors say of the list, and of the names in it.
const LIST: &str = "Groups of parameters that have values of their own, or another optimizer.";
const NAME: &str = "The optimizer of this group; another than the section's begins from its own defaults.";

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
    properties.insert("name".into(), json!({ "description": NAME, "enum": names(entry) }));
    // What is not given is as in the section, so that no default of the plugin holds here.
    for (key, value) in parameters {
        let mut value = value.clone();
        value.as_object_mut().map(|o| o.remove("default"));
        properties.insert(key.clone(), value);
    }
    let mut list = tidy::described(list.clone(), LIST);
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
        properties.insert("name".into(), tidy::described(name.clone(), NAME));
        properties.extend(v.parameters.clone());
        json!({
            "if": { "properties": { "name": name } },
            "then": { "properties": properties, "required": v.required, "additionalProperties": false }
        })
    };
    let all: Vec<Json> = variants.iter().flat_map(|v| names(v.entry)).collect();
    json!({
        "description": "Another plugin than that of the section, from its own defaults.",
        "properties": { "name": { "description": NAME, "enum": all } },
        "allOf": variants.iter().map(one).collect::<Vec<_>>()
    })
}

/// A list of groups with the keys of all plugins.
pub(super) fn shown(keys: &Map<String, Json>, variants: &[Variant]) -> Json {
    let exact = |v: &Variant| v.properties.get("group")?.pointer("/items/else/properties/match").cloned();
    let mut properties: Map<String, Json> =
        variants.iter().find_map(exact).map(|one| ("match".into(), one)).into_iter().collect();
    properties.insert("name".into(), Names::of(variants.iter()).schema(NAME.to_owned()));
    properties.extend(keys.iter().filter(|(key, _)| *key != "group").map(|(k, v)| (k.clone(), v.clone())));
    json!({
        "description": LIST,
        "type": "array",
        "items": { "type": "object", "properties": properties }
    })
}
