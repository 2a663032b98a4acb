//! The keys of all plugins of a slot as one table, for editors that complete and explain keys without weighing which
//! plugin stands there.

use super::slot::Variant;
use super::{group, tidy};
use serde_json::{Map, Value as Json, json};

/// One property for each key, with what each plugin says of it.
pub(super) fn properties(variants: &[Variant]) -> Map<String, Json> {
    let mut all: Vec<(&str, Vec<(&str, &Json)>)> = Vec::new();
    for variant in variants {
        for (key, schema) in variant.properties.iter().filter(|(key, _)| *key != "name") {
            let one = (variant.entry.name, schema);
            match all.iter_mut().find(|(known, _)| known == key) {
                Some((_, of_key)) => of_key.push(one),
                None => all.push((key, vec![one])),
            }
        }
    }
    let mut properties: Map<String, Json> = all.iter().map(|(key, of)| ((*key).to_owned(), merged(of))).collect();
    let within = properties.clone();
    if let Some(list) = properties.get_mut("group") {
        *list = group::shown(&within, variants);
    }
    properties
}

fn merged(of: &[(&str, &Json)]) -> Json {
    let mut out = match one_for_all(of.iter().map(|(_, schema)| tidy::checks(schema))) {
        Some(same) => same,
        None => alike(of),
    };
    // Editors offer a key once for each of its choices; the first says what is usual.
    if let Some(usual) = out.get("anyOf").and_then(|all| all.get(0)).map(tidy::checks) {
        out = usual;
    }
    out.insert("description".into(), said(of).into());
    if let Some(default) = one_for_all(of.iter().map(|(_, schema)| schema.get("default").cloned())).flatten() {
        out.insert("default".into(), default);
    }
    Json::Object(out)
}

fn one_for_all<T: PartialEq>(mut all: impl Iterator<Item = T>) -> Option<T> {
    let first = all.next()?;
    all.all(|other| other == first).then_some(first)
}

/// What plugins that check a key differently have in common: the choice of all their names, or the type.
fn alike(of: &[(&str, &Json)]) -> Map<String, Json> {
    let mut out = Map::new();
    let lists: Option<Vec<&Vec<Json>>> = of.iter().map(|(_, schema)| schema.get("enum")?.as_array()).collect();
    if let Some(lists) = lists {
        let mut values: Vec<Json> = Vec::new();
        for value in lists.into_iter().flatten() {
            if !values.contains(value) {
                values.push(value.clone());
            }
        }
        out.insert("enum".into(), json!(values));
    } else if let Some(Some(same)) = one_for_all(of.iter().map(|(_, schema)| schema.get("type").cloned())) {
        out.insert("type".into(), same);
    }
    out
}

/// The documentation of a key; where plugins differ, each with its name.
fn said(of: &[(&str, &Json)]) -> String {
    let mut all: Vec<(&str, Vec<&str>)> = Vec::new();
    for (plugin, schema) in of {
        let text = schema.get("description").and_then(Json::as_str).unwrap_or_default();
        match all.iter_mut().find(|(known, _)| *known == text) {
            Some((_, plugins)) => plugins.push(plugin),
            None => all.push((text, vec![plugin])),
        }
    }
    match all.as_slice() {
        [(text, _)] => (*text).to_owned(),
        several => {
            let one = |(text, plugins): &(&str, Vec<&str>)| format!("**{}**: {text}", plugins.join(", "));
            several.iter().map(one).collect::<Vec<_>>().join("\n\n")
        }
    }
}
