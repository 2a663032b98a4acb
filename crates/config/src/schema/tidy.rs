//! Turns schemas that derive from types into schemas of what stands in files: no null but "none", no unknown keys, and
//! plugins in one table with the keys of their slots.

use super::kinds::Kinds;
use super::slot::Shape;
use pleach_core::schema::BOTH_SIGNS;
use serde_json::{Map, Value as Json, json};

/// Keyword by which Taplo finds more documentation.
pub(super) const TAPLO: &str = "x-taplo";

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
pub(super) const NOTES: [&str; 4] = ["description", "default", "title", "deprecated"];

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

/// Puts something else in the place of a property, of which is said what was said.
pub(super) fn replace(property: &mut Json, by: Json) {
    let doc = property.get("description").and_then(Json::as_str).map(str::to_owned);
    *property = match doc {
        Some(doc) => described(by, &doc),
        None => by,
    };
}

/// Puts the list of a property, or of the choice that it is, in the form of [`listed`].
pub(super) fn for_list(property: &mut Json, kinds: &mut Kinds) {
    let is_list = |schema: &&Json| schema.get("type").and_then(Json::as_str) == Some("array");
    let mut choices = property.get("anyOf").and_then(Json::as_array).into_iter().flatten();
    let Some(list) = choices.find(is_list).or(Some(&*property).filter(is_list)) else { return };
    let mut whole = listed(checks(list).into(), kinds);
    copy_notes_of(property, &mut whole);
    *property = whole;
}

/// A list, for which one item alone may stand, or "none" for an empty one.
pub(super) fn listed(list: Json, kinds: &mut Kinds) -> Json {
    let item = list.get("items").cloned().unwrap_or_default();
    let alone = off_too(item.clone(), kinds);
    json!({
        // For editors that weigh no conditions; `true` lets the exact half speak.
        "anyOf": [list, item, true],
        "if": { "type": "array" },
        "then": list,
        "else": alone,
    })
}

/// A schema, or off; of plugins, the definition that has both.
fn off_too(schema: Json, kinds: &mut Kinds) -> Json {
    let reference = schema.get("$ref").and_then(Json::as_str).map(str::to_owned);
    match reference.and_then(|r| kinds.reshape(&r, |shape| Shape { off: true, ..shape })) {
        Some(place) => json!({ "$ref": place }),
        None => or_off(schema),
    }
}

/// A schema without what it only says.
pub(super) fn checks(schema: &Json) -> Map<String, Json> {
    let of = schema.as_object().into_iter().flatten();
    of.filter(|(key, _)| !NOTES.contains(&key.as_str())).map(|(k, v)| (k.clone(), v.clone())).collect()
}

/// The schema of a section for a file that lies over others: what is missing is theirs.
pub(super) fn part(schema: Json, kinds: &mut Kinds) -> Json {
    let Json::Object(object) = schema else { return schema };
    // A list covers the one below it as a whole.
    if object.contains_key("if") {
        return Json::Object(object);
    }
    if let Some(reference) = object.get("$ref").and_then(Json::as_str) {
        let place = kinds.reshape(reference, |shape| Shape { part: true, ..shape });
        let mut whole = object.clone();
        if let Some(place) = place {
            whole.insert("$ref".into(), place.into());
        }
        return Json::Object(whole);
    }
    let is_table = object.contains_key("properties");
    let one = |(key, value): (String, Json)| {
        let value = match (key.as_str(), value) {
            ("properties", Json::Object(all)) => {
                Json::Object(all.into_iter().map(|(name, one)| (name, part(one, kinds))).collect())
            }
            ("anyOf", Json::Array(all)) => all.into_iter().map(|one| part(one, kinds)).collect(),
            (_, value) => value,
        };
        (key, value)
    };
    Json::Object(object.into_iter().filter(|(key, _)| !(is_table && key == "required")).map(one).collect())
}

/// What [`part`] lets pass and a file that stands alone must have.
pub(super) fn needs(schema: &Json, kinds: &mut Kinds) -> Option<Json> {
    if let Some(reference) = schema.get("$ref").and_then(Json::as_str) {
        return kinds.needs(reference).map(|place| json!({ "$ref": place }));
    }
    if schema.get("if").is_some() {
        return None;
    }
    if let Some(choices) = schema.get("anyOf").and_then(Json::as_array) {
        return choices.iter().find_map(|one| needs(one, kinds));
    }
    let mut properties = Map::new();
    for (key, one) in schema.get("properties").and_then(Json::as_object).into_iter().flatten() {
        if let Some(needs) = needs(one, kinds) {
            properties.insert(key.clone(), needs);
        }
    }
    let required = schema.get("required").cloned();
    if properties.is_empty() && required.is_none() {
        return None;
    }
    let table = json!({ "properties": properties, "required": required.unwrap_or_else(|| json!([])) });
    Some(json!({ "if": { "type": "object" }, "then": table }))
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
    limit(&mut object);
    object.remove(BOTH_SIGNS);
    object.remove("$schema");
    object.remove("$defs");
    if let Some((kind, slot)) = slotted(&object) {
        let slot = tidied(slot, defs, kinds);
        let mut whole = json!({ "$ref": kinds.refer(&kind, Some(slot), Shape::default()) });
        copy_notes(&object, &mut whole);
        return whole;
    }
    if let Some(name) = object.get("$ref").and_then(Json::as_str).and_then(|r| r.strip_prefix("#/$defs/")) {
        let place = match defs.get(name) {
            Some(def) => {
                let (name, def) = (name.to_owned(), tidied(def.clone(), defs, kinds));
                kinds.keep(&name, def)
            }
            None => kinds.refer(name, None, Shape::default()),
        };
        object.insert("$ref".into(), place.into());
        return Json::Object(object);
    }
    if let Some(rest) = without_null(&object) {
        let mut whole = off_too(tidied(rest, defs, kinds), kinds);
        copy_notes(&object, &mut whole);
        return whole;
    }
    let mut out = Map::new();
    for (key, value) in object {
        let value = match key.as_str() {
            "properties" => match value {
                Json::Object(all) => all.into_iter().map(|(name, one)| (name, tidied(one, defs, kinds))).collect(),
                other => other,
            },
            "items" | "anyOf" | "oneOf" | "allOf" | "prefixItems" | "additionalProperties" | "if" | "then" | "else" => {
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

fn copy_notes_of(from: &Json, to: &mut Json) {
    if let Some(from) = from.as_object() {
        copy_notes(from, to);
    }
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
fn without_null(object: &Map<String, Json>) -> Option<Json> {
    let null = json!({ "type": "null" });
    match (object.get("type"), object.get("anyOf")) {
        (Some(Json::Array(types)), _) if types.iter().any(|t| t == "null") => {
            let rest: Vec<Json> = types.iter().filter(|t| *t != "null").cloned().collect();
            let mut own = object.clone();
            own.insert("type".into(), if let [one] = rest.as_slice() { one.clone() } else { Json::Array(rest) });
            NOTES.iter().for_each(|note| drop(own.remove(*note)));
            Some(Json::Object(own))
        }
        (_, Some(Json::Array(choices))) if choices.contains(&null) => {
            let rest: Vec<Json> = choices.iter().filter(|one| **one != null).cloned().collect();
            Some(if let [one] = rest.as_slice() { one.clone() } else { any_of(rest) })
        }
        _ => None,
    }
}

/// Writes the limits of a format as what checks them.
fn limit(object: &mut Map<String, Json>) {
    let Some(format) = object.remove("format") else { return };
    let (least, most) = match format.as_str() {
        Some("int32") => (Some(i64::from(i32::MIN)), i64::from(i32::MAX)),
        Some("uint32") => (None, i64::from(u32::MAX)),
        _ => return,
    };
    if let Some(least) = least.filter(|_| !object.contains_key("exclusiveMinimum")) {
        object.entry("minimum").or_insert(least.into());
    }
    if !object.contains_key("exclusiveMaximum") {
        object.entry("maximum").or_insert(most.into());
    }
}
