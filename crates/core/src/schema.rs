//! Tells a derived JSON Schema what only the attributes of a struct know: bounds, defaults, and which fields a file must
//! give.

use crate::Saved;
use crate::registry::Field;
use schemars::Schema;
use serde_json::{Map, Value as Json, json};

/// Completes the schema of a struct from its fields and from the saved form of its sample.
///
/// Bounds go to every number of a field, also within an option, a list or a pair. What is off by default is written as
/// files write it, `"none"`.
pub fn complete(schema: &mut Schema, fields: &[Field], sample: &Saved) {
    let Some(object) = schema.as_object_mut() else { return };
    let required: Vec<_> = fields.iter().filter(|f| f.required).map(|f| json!(f.name)).collect();
    match required.is_empty() {
        true => drop(object.remove("required")),
        false => drop(object.insert("required".into(), Json::Array(required))),
    }
    let Some(properties) = object.get_mut("properties").and_then(Json::as_object_mut) else { return };
    for field in fields {
        let Some(property) = properties.get_mut(field.name) else { continue };
        if field.bounds.is_some() {
            let bounds = Bound::take(property, field);
            bound(property, &bounds);
        }
        let Some(property) = property.as_object_mut() else { continue };
        property.entry("description").or_insert_with(|| field.doc.into());
        if field.idle {
            property.insert("deprecated".into(), true.into());
        }
        match sample.get(field.name) {
            _ if field.required || field.sampled => {}
            Some(Json::Null) => drop(property.insert("default".into(), "none".into())),
            // JSON has no infinity that a default could be.
            Some(value) if !has_mark(value) => drop(property.insert("default".into(), value.clone())),
            _ => {}
        }
    }
}

/// Adds further spellings to a choice among names; one of digits stands for a number as well.
pub fn spell(schema: &mut Schema, spellings: &[&str]) {
    let numbers = spellings.iter().filter_map(|s| s.parse::<i64>().ok()).map(Json::from);
    let all: Vec<Json> = spellings.iter().map(|s| Json::from(*s)).chain(numbers).collect();
    let Some(object) = schema.as_object_mut().filter(|_| !all.is_empty()) else { return };
    let key = if object.contains_key("oneOf") { "oneOf" } else { "enum" };
    match object.get_mut(key).and_then(Json::as_array_mut) {
        Some(choices) if key == "oneOf" => {
            choices.push(json!({ "description": "In the words of other libraries.", "enum": all }));
        }
        Some(choices) => choices.extend(all),
        None => {}
    }
}

fn has_mark(value: &Json) -> bool {
    match value {
        Json::Object(o) => o.contains_key("$float") || o.values().any(has_mark),
        Json::Array(a) => a.iter().any(has_mark),
        _ => false,
    }
}

/// The bounds of a field as the keywords of a schema.
struct Bound(Map<String, Json>);

const KEYWORDS: [&str; 4] = ["minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"];

impl Bound {
    /// Takes what stands at the field as a whole away: on a list it would mean nothing.
    fn take(property: &mut Json, field: &Field) -> Self {
        let mut keywords = Map::new();
        if let Some(b) = field.bounds {
            let [min, above, max, below] = KEYWORDS;
            if b.min.is_finite() {
                keywords.insert(if b.min_excluded { above } else { min }.into(), number(b.min));
            }
            if b.max.is_finite() {
                keywords.insert(if b.max_excluded { below } else { max }.into(), number(b.max));
            }
        }
        if let Some(object) = property.as_object_mut() {
            KEYWORDS.iter().for_each(|keyword| drop(object.remove(*keyword)));
        }
        Self(keywords)
    }
}

/// Whole bounds without a point: many readers of schemas show the text as it stands.
fn number(x: f64) -> Json {
    if x.fract() == 0.0 && x.abs() < 1e15 { json!(x as i64) } else { json!(x) }
}

/// Keyword of a number that stands for itself and its negative, so that both must be within the bounds.
pub const BOTH_SIGNS: &str = "x-both-signs";

/// Holds a number to its bounds with either sign.
fn reflect(object: &mut Map<String, Json>) {
    let [min, above, max, below] = KEYWORDS;
    for (from, to) in [(min, max), (above, below), (max, min), (below, above)] {
        let Some(limit) = object.get(from).and_then(Json::as_f64) else { continue };
        let opposite = -limit;
        let nearer = match object.get(to).and_then(Json::as_f64) {
            Some(old) if to == max || to == below => opposite < old,
            Some(old) => opposite > old,
            None => true,
        };
        if nearer {
            object.insert(to.into(), number(opposite));
        }
    }
}

fn bound(schema: &mut Json, bounds: &Bound) {
    let Some(object) = schema.as_object_mut() else { return };
    let is_number = |t: &Json| matches!(t.as_str(), Some("number" | "integer"));
    let numeric = match object.get("type") {
        Some(Json::Array(types)) => types.iter().any(is_number),
        Some(one) => is_number(one),
        None => object.contains_key("$ref"),
    };
    if numeric {
        for (keyword, limit) in &bounds.0 {
            object.insert(keyword.clone(), limit.clone());
        }
        if object.remove(BOTH_SIGNS).is_some() {
            reflect(object);
        }
    }
    for key in ["anyOf", "oneOf", "prefixItems"] {
        object.get_mut(key).and_then(Json::as_array_mut).into_iter().flatten().for_each(|s| bound(s, bounds));
    }
    if let Some(items) = object.get_mut("items") {
        bound(items, bounds);
    }
}

#[cfg(test)]
mod tests {
    use crate::{config, saved};
    use schemars::schema_for;
    use serde_json::json;

    /// A part of a configuration.
    #[config]
    struct Part {
        /// A pair of shares.
        #[config(default = (0.5, 0.9), range = 0.0..1.0)]
        pair: (f64, f64),
        /// What a file must give.
        #[config(example = 3, range = 1..)]
        count: u32,
        /// What may be off.
        #[config(above = 0.0)]
        clip: Option<f64>,
    }

    #[test]
    fn a_number_that_stands_for_both_signs_is_bounded_on_both_sides() {
        let mut property = json!({ "type": "number", (super::BOTH_SIGNS): true, "exclusiveMinimum": -1 });
        super::reflect(property.as_object_mut().unwrap());
        assert_eq!((&property["exclusiveMaximum"], property.get("maximum")), (&json!(1), None));
    }

    #[test]
    fn bounds_reach_the_numbers_and_only_required_fields_are_required() {
        let schema = serde_json::to_value(schema_for!(Part)).unwrap();
        assert_eq!(schema["required"], json!(["count"]));
        let pair = &schema["properties"]["pair"];
        assert_eq!(pair["prefixItems"][1]["exclusiveMaximum"], json!(1));
        assert_eq!((pair.get("exclusiveMaximum"), &pair["default"]), (None, &json!([0.5, 0.9])));
        assert_eq!(schema["properties"]["count"]["minimum"], json!(1));
        assert_eq!(schema["properties"]["count"].get("default"), None);
        assert_eq!(schema["properties"]["clip"]["exclusiveMinimum"], json!(0));
        assert_eq!(schema["properties"]["clip"]["default"], json!("none"));
        let sample: Part = crate::read::ReadTable::sample();
        assert_eq!(saved::save(&sample).unwrap()["count"], 3);
    }
}
