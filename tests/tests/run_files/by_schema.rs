//! The JSON Schema of a run and the mistakes that an independent validator finds by it.

use jsonschema::Validator;
use serde_json::{Value as Json, json};
use std::sync::LazyLock;

/// What `pleach schema` prints.
pub static SCHEMA: LazyLock<Json> = LazyLock::new(pleach_config::schema::of_run);
static WHOLE: LazyLock<Validator> = LazyLock::new(|| jsonschema::validator_for(&SCHEMA).unwrap());

/// TOML as data; JSON has no infinity.
pub fn data(value: &toml::Value) -> Json {
    match value {
        toml::Value::Float(x) if x.is_infinite() => json!(x.signum() * 1e300),
        toml::Value::Array(a) => a.iter().map(data).collect(),
        toml::Value::Table(t) => t.iter().map(|(k, v)| (k.clone(), data(v))).collect(),
        other => serde_json::to_value(other).unwrap(),
    }
}

fn parsed(text: &str) -> Json {
    data(&toml::Value::Table(toml::from_str(text).unwrap()))
}

/// Whether a run file is valid, which is known sooner than why it is not.
pub fn takes(text: &str) -> bool {
    WHOLE.is_valid(&parsed(text))
}

/// What the validator says of a run file.
pub fn mistakes(text: &str) -> Vec<String> {
    if takes(text) {
        return Vec::new();
    }
    WHOLE.iter_errors(&parsed(text)).map(|e| format!("{}: {e}", e.instance_path())).collect()
}

/// The validator of one definition.
pub fn of_definition(name: &str) -> Option<Validator> {
    let defs = &SCHEMA["$defs"];
    defs.get(name)?;
    Some(jsonschema::validator_for(&json!({ "$ref": format!("#/$defs/{name}"), "$defs": defs })).unwrap())
}
