//! What is said of a plugin, for `list`, `describe` and `reference` alike.

use pleach_core::certificate::{self, Certificate};
use pleach_core::registry::{Entry, Field};
use serde_json::{Value as Json, json};

/// A parameter as a person reads of it.
pub struct Parameter {
    pub name: &'static str,
    pub ty: &'static str,
    /// "required, for example 3", "default 0.1".
    pub value: String,
    /// "at least 0", "one of mean, sum"; empty where every value is taken.
    pub takes: String,
    pub doc: &'static str,
}

/// The parameters of a plugin.
pub fn parameters(e: &Entry) -> Vec<Parameter> {
    let defaults = e.defaults();
    let schema = Json::from((e.schema)());
    let one = |field: &Field| Parameter {
        name: field.name,
        ty: field.ty,
        value: value(field, defaults.get(field.name).unwrap_or(&Json::Null)),
        takes: field.bounds.map(|b| b.words()).or_else(|| names(&schema, field.name)).unwrap_or_default(),
        doc: field.doc,
    };
    e.fields.iter().map(one).collect()
}

fn value(field: &Field, value: &Json) -> String {
    match (field.required, value) {
        (true, example) => format!("required, for example {example}"),
        (false, sample) if field.sampled => format!("for example {sample}"),
        (false, Json::Null) => "default \"none\"".to_owned(),
        (false, value) => format!("default {value}"),
    }
}

/// The values of a parameter that is one of a few names.
fn names(schema: &Json, field: &str) -> Option<String> {
    let property = schema.get("properties")?.get(field)?;
    let kinds = property.get("anyOf").and_then(Json::as_array).map_or(std::slice::from_ref(property), Vec::as_slice);
    let name = kinds.iter().find_map(|kind| kind.get("$ref")?.as_str()?.strip_prefix("#/$defs/"))?;
    let def = schema.get("$defs")?.get(name)?;
    let list = |key: &str| def.get(key).and_then(Json::as_array);
    let all: Option<Vec<&str>> = match (list("oneOf"), list("enum")) {
        (Some(described), _) => described.iter().map(|one| one.get("const")?.as_str()).collect(),
        (None, Some(plain)) => plain.iter().map(Json::as_str).collect(),
        (None, None) => None,
    };
    let all = all?;
    Some(format!("one of {}", all.join(", ")))
}

/// The first paragraph of the documentation, on one line.
pub fn first(e: &Entry) -> String {
    e.doc.split("\n\n").next().unwrap_or_default().replace('\n', " ")
}

/// What golden files have shown of a plugin: a line for each certificate, or that there is none. Nothing where no golden
/// file could show anything.
pub fn certificates(e: &Entry) -> Vec<String> {
    match certificate::of(e) {
        Err(error) => vec![error.to_string()],
        Ok(all) if all.is_empty() && pleach_certify::kinds().any(|kind| kind == e.kind) => vec!["none".to_owned()],
        Ok(all) => all.into_iter().map(words).collect(),
    }
}

fn words(c: &Certificate) -> String {
    format!(
        "largest error {}, {} of the tolerance {}: {} of {}, {}",
        number(c.largest_error),
        percent(c.largest_share),
        c.tolerance,
        counted(c.cases, "case"),
        c.file,
        c.reference.words(),
    )
}

/// "1 case", "2 cases".
pub fn counted(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// A small number with two digits.
pub fn number(x: f64) -> String {
    if x == 0.0 { "0".to_owned() } else { format!("{x:.1e}") }
}

/// A share in per cent.
pub fn percent(share: f64) -> String {
    match share * 100.0 {
        0.0 => "0%".to_owned(),
        small if small < 1.0 => "<1%".to_owned(),
        large if large < 1000.0 => format!("{large:.0}%"),
        _ => ">999%".to_owned(),
    }
}

/// What `list --json` says.
pub fn brief(e: &Entry) -> Json {
    json!({
        "kind": e.kind, "name": e.name, "alias": e.alias, "doc": e.doc, "crate": e.krate, "version": e.version,
    })
}

/// What `describe --json` says.
pub fn whole(e: &Entry) -> Json {
    json!({
        "kind": e.kind, "name": e.name, "alias": e.alias, "doc": e.doc, "cite": e.cite,
        "crate": e.krate, "version": e.version, "defaults": e.defaults(), "schema": (e.schema)(),
        "certificates": certificate::of(e).unwrap_or_default(),
    })
}
