//! The plugins of each kind as definitions of the schema, alone and with the keys of the slots in which they stand.

use super::tidy;
use pleach_core::registry::{Entry, entries};
use pleach_core::schema::complete;
use serde_json::{Map, Value as Json, json};

/// All definitions so far.
#[derive(Default)]
pub(super) struct Kinds {
    defs: Map<String, Json>,
    /// For each slot that was met: kind, keys, and the name of its definition.
    slots: Vec<(String, Json, String)>,
}

/// Where a definition stands.
fn place(name: &str) -> String {
    format!("#/$defs/{name}")
}

/// A name that needs no escapes in a reference.
fn plain(name: &str) -> String {
    let kept = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '_' };
    name.chars().map(kept).collect()
}

impl Kinds {
    pub(super) fn into_defs(self) -> Map<String, Json> {
        let mut all: Vec<_> = self.defs.into_iter().collect();
        all.sort_by(|(a, _), (b, _)| a.cmp(b));
        all.into_iter().collect()
    }

    /// Keeps the definition of a type; another one of the same name gets a number.
    pub(super) fn keep(&mut self, name: &str, def: Json) -> String {
        let name = plain(name);
        let numbered = (1..).map(|n: usize| if n == 1 { name.clone() } else { format!("{name}-{n}") });
        for name in numbered {
            match self.defs.get(&name) {
                Some(other) if *other != def => {}
                Some(_) => return place(&name),
                None => {
                    self.defs.insert(name.clone(), def);
                    return place(&name);
                }
            }
        }
        place(&name)
    }

    /// Where the plugins of a kind are defined, alone or in a slot with keys of its own.
    pub(super) fn refer(&mut self, kind: &str, slot: Option<Json>) -> String {
        let keys = slot.unwrap_or(Json::Null);
        if let Some((.., name)) = self.slots.iter().find(|(k, s, _)| k == kind && *s == keys) {
            return place(name);
        }
        let known = self.slots.iter().filter(|(k, s, _)| k == kind && s.is_null() == keys.is_null()).count();
        let mut name = if keys.is_null() { kind.to_owned() } else { format!("{kind}-slot") };
        if known > 0 {
            name = format!("{name}-{}", known + 1);
        }
        self.slots.push((kind.to_owned(), keys.clone(), name.clone()));
        // The place is taken before the plugins are met: some hold others of their own kind.
        self.defs.insert(name.clone(), Json::Bool(true));
        let def = self.define(kind, &name, &keys);
        self.defs.insert(name.clone(), def);
        place(&name)
    }

    /// The definition of one plugin of a kind, which stands alone.
    pub(super) fn branch(&self, kind: &str, plugin: &str) -> Option<Json> {
        self.defs.get(&format!("{kind}.{plugin}")).cloned()
    }

    fn define(&mut self, kind: &str, name: &str, keys: &Json) -> Json {
        let all: Vec<&Entry> = entries().iter().copied().filter(|e| e.kind == kind).collect();
        let bare: Vec<Json> =
            all.iter().filter(|e| e.fields.iter().all(|f| !f.required)).flat_map(|e| names(e)).collect();
        let mut choices = Vec::new();
        if !bare.is_empty() {
            choices.push(json!({ "description": format!("A {kind} with its defaults, by its name."), "enum": bare }));
        }
        for entry in all {
            let own = self.table(entry, name, keys);
            let twin = self.defs.contains_key(&plain(&format!("{name}.{}", entry.name)));
            let of =
                if twin { format!("{name}.{}.{}", entry.krate, entry.name) } else { format!("{name}.{}", entry.name) };
            choices.push(json!({ "$ref": self.keep(&of, own) }));
        }
        json!({ "description": format!("A {kind}: `name` with its parameters beside it."), "anyOf": choices })
    }

    /// The table of one plugin.
    fn table(&mut self, entry: &Entry, of: &str, keys: &Json) -> Json {
        let mut schema = (entry.schema)();
        complete(&mut schema, entry.fields, &entry.defaults());
        let schema = schema.to_value();
        let defs = schema.get("$defs").and_then(Json::as_object).cloned().unwrap_or_default();
        let mut own = tidy::tidied(schema, &defs, self);
        let parameters = own.get("properties").and_then(Json::as_object).cloned().unwrap_or_default();
        let mut properties = Map::new();
        properties.insert("name".into(), json!({ "description": first(entry.doc), "enum": names(entry) }));
        let mut required = vec![json!("name")];
        required.extend(own.get("required").and_then(Json::as_array).into_iter().flatten().cloned());
        properties.extend(parameters.clone());
        for (key, value) in keys.get("properties").and_then(Json::as_object).into_iter().flatten() {
            let mut value = if key == "group" { group(value, entry, &parameters, of) } else { value.clone() };
            if key == "augment" || key == "freeze" {
                tidy::for_list(&mut value, super::listed);
            }
            properties.insert(key.clone(), value);
        }
        required.extend(keys.get("required").and_then(Json::as_array).into_iter().flatten().cloned());
        if let Some(object) = own.as_object_mut() {
            object.insert("title".into(), entry.name.into());
            object.insert("description".into(), described(entry).into());
            object.insert("type".into(), "object".into());
            object.insert("properties".into(), properties.into());
            object.insert("required".into(), required.into());
            object.insert("additionalProperties".into(), false.into());
        }
        own
    }
}

/// `[[optimizer.group]]`: values over those of the section, or another optimizer with its own.
fn group(keys: &Json, entry: &Entry, parameters: &Map<String, Json>, of: &str) -> Json {
    let mut list = keys.clone();
    let Some(item) = list.get_mut("items") else { return list };
    let mut properties: Map<String, Json> =
        item.get("properties").and_then(Json::as_object).cloned().unwrap_or_default();
    let matched = properties.clone();
    properties.insert("name".into(), json!({ "enum": names(entry) }));
    // What is not given is as in the section, so that no default of the plugin holds here.
    for (key, value) in parameters {
        let mut value = value.clone();
        value.as_object_mut().map(|o| o.remove("default"));
        properties.insert(key.clone(), value);
    }
    let own =
        json!({ "type": "object", "properties": properties, "required": ["match"], "additionalProperties": false });
    let others: Vec<Json> =
        entries().iter().filter(|e| e.kind == entry.kind && e.name != entry.name).flat_map(|e| names(e)).collect();
    let mut other = json!({
        "description": format!("Another {} than that of the section, from its own defaults.", of.trim_end_matches("-slot")),
        "type": "object", "properties": matched, "required": ["match", "name"]
    });
    if let Some(properties) = other.get_mut("properties").and_then(Json::as_object_mut) {
        properties.insert("name".into(), json!({ "enum": others }));
    }
    *item = tidy::any_of(vec![own, other]);
    list
}

/// Every name by which a file may call a plugin.
fn names(entry: &Entry) -> Vec<Json> {
    let short = std::iter::once(entry.name).chain(entry.alias.iter().copied()).map(Json::from);
    short.chain([entry.qualified().into()]).collect()
}

fn first(doc: &str) -> String {
    doc.split("\n\n").next().unwrap_or_default().replace('\n', " ")
}

fn described(entry: &Entry) -> String {
    format!("{}\n\n{} {}", entry.doc.trim_end(), entry.krate, entry.version)
}
