//! Turns schemas that derive from types into schemas of what stands in files: no null but "none", no unknown keys, and
//! plugins in one table with the keys of their slots.

use super::kinds::Kinds;
use serde_json::{Map, Value as Json, json};

/// What turns an option off.
pub(super) fn off() -> Json {
    json!({ "description": "Off.", "enum": ["none", false] })
}

/// A value, or off.
pub(super) fn or_off(schema: Json) -> Json {
    any_of(vec![schema, off()])
}

/// One of several, without a choice in a choice.
pub(super) fn any_of(all: Vec<Json>) -> Json {
    let mut whole = Map::new();
    let mut choices = Vec::new();
    for schema in all {
        match schema {
            Json::Object(mut o)
                if o.contains_key("anyOf") && o.keys().all(|k| NOTES.contains(&k.as_str()) || k == "anyOf") =>
            {
                if let Some(Json::Array(inner)) = o.remove("anyOf") {
                    choices.extend(inner.into_iter().filter(|one| !choices.contains(one)).collect::<Vec<_>>());
                }
                for (key, value) in o {
                    whole.entry(key).or_insert(value);
                }
            }
            Json::Object(mut o) => {
                // What is said of the whole stays with the whole.
                for note in ["default", "deprecated"] {
                    if let Some(value) = o.remove(note) {
                        whole.entry(note).or_insert(value);
                    }
                }
                if !choices.contains(&Json::Object(o.clone())) {
                    choices.push(Json::Object(o));
                }
            }
            other => choices.push(other),
        }
    }
    whole.insert("anyOf".into(), Json::Array(choices));
    Json::Object(whole)
}

/// Keywords that describe and do not check.
const NOTES: [&str; 4] = ["description", "default", "title", "deprecated"];

/// Sets what is said of a place, in front of what is said of the type that stands there.
pub(super) fn described(schema: Json, doc: &str) -> Json {
    let mut whole = json!({ "description": doc });
    if let (Some(whole), Json::Object(schema)) = (whole.as_object_mut(), schema) {
        schema
            .into_iter()
            .filter(|(key, _)| key != "description")
            .for_each(|(key, value)| drop(whole.insert(key, value)));
    }
    whole
}

/// Changes the list in a property, wherever among its choices it stands.
pub(super) fn for_list(property: &mut Json, change: fn(Json) -> Json) {
    let is_list = |schema: &Json| schema.get("type").and_then(Json::as_str) == Some("array");
    let notes = |schema: &Json| -> Map<String, Json> {
        let of = schema.as_object().into_iter().flatten();
        of.filter(|(key, _)| NOTES.contains(&key.as_str())).map(|(k, v)| (k.clone(), v.clone())).collect()
    };
    let said = notes(property);
    let changed = match property.get("anyOf").and_then(Json::as_array) {
        Some(choices) => {
            any_of(choices.iter().map(|one| if is_list(one) { change(one.clone()) } else { one.clone() }).collect())
        }
        None if is_list(property) => change(property.clone()),
        None => return,
    };
    *property = changed;
    if let Some(object) = property.as_object_mut() {
        said.into_iter().for_each(|(key, value)| drop(object.insert(key, value)));
    }
}

/// A schema with its local definitions, as files are written.
pub(super) fn tidied(schema: Json, defs: &Map<String, Json>, kinds: &mut Kinds) -> Json {
    match schema {
        Json::Object(object) => of_object(object, defs, kinds),
        Json::Array(items) => items.into_iter().map(|item| tidied(item, defs, kinds)).collect(),
        other => other,
    }
}

fn of_object(mut object: Map<String, Json>, defs: &Map<String, Json>, kinds: &mut Kinds) -> Json {
    object.remove("format");
    object.remove("$schema");
    object.remove("$defs");
    if let Some((kind, slot)) = slotted(&object) {
        let slot = tidied(slot, defs, kinds);
        let mut whole = json!({ "$ref": kinds.refer(&kind, Some(slot)) });
        copy_notes(&object, &mut whole);
        return whole;
    }
    if let Some(name) = object.get("$ref").and_then(Json::as_str).and_then(|r| r.strip_prefix("#/$defs/")) {
        let place = match defs.get(name) {
            Some(def) => {
                let (name, def) = (name.to_owned(), tidied(def.clone(), defs, kinds));
                kinds.keep(&name, def)
            }
            None => kinds.refer(name, None),
        };
        object.insert("$ref".into(), place.into());
        return Json::Object(object);
    }
    if let Some(schema) = without_null(&mut object) {
        return tidied(schema, defs, kinds);
    }
    let mut out = Map::new();
    for (key, value) in object {
        let value = match key.as_str() {
            "properties" => match value {
                Json::Object(all) => all.into_iter().map(|(name, one)| (name, tidied(one, defs, kinds))).collect(),
                other => other,
            },
            "items" | "anyOf" | "oneOf" | "allOf" | "prefixItems" | "additionalProperties" => {
                tidied(value, defs, kinds)
            }
            _ => value,
        };
        out.insert(key, value);
    }
    if out.contains_key("properties") {
        out.entry("additionalProperties").or_insert(Json::Bool(false));
    }
    Json::Object(out)
}

fn copy_notes(from: &Map<String, Json>, to: &mut Json) {
    let Some(to) = to.as_object_mut() else { return };
    for note in NOTES {
        if let Some(value) = from.get(note) {
            to.insert(note.to_owned(), value.clone());
        }
    }
}

/// Of a plugin with the keys of its slot: the kind, and the schema of the keys.
fn slotted(object: &Map<String, Json>) -> Option<(String, Json)> {
    let [plugin, slot] = object.get("allOf")?.as_array()?.as_slice() else { return None };
    let kind = plugin.get("$ref")?.as_str()?.strip_prefix("#/$defs/")?;
    slot.get("properties").map(|_| (kind.to_owned(), slot.clone()))
}

/// An option without its null, which files do not have.
fn without_null(object: &mut Map<String, Json>) -> Option<Json> {
    let null = json!({ "type": "null" });
    let rest = match (object.get("type"), object.get("anyOf")) {
        (Some(Json::Array(types)), _) if types.iter().any(|t| t == "null") => {
            let rest: Vec<Json> = types.iter().filter(|t| *t != "null").cloned().collect();
            let mut own = object.clone();
            own.insert("type".into(), if let [one] = rest.as_slice() { one.clone() } else { Json::Array(rest) });
            NOTES.iter().for_each(|note| drop(own.remove(*note)));
            vec![Json::Object(own)]
        }
        (_, Some(Json::Array(choices))) if choices.contains(&null) => {
            choices.iter().filter(|one| **one != null).cloned().collect()
        }
        _ => return None,
    };
    let mut whole = or_off(any_of(rest));
    copy_notes(object, &mut whole);
    Some(whole)
}
