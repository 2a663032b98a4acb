//! A range that may be written as one number.

use pleach_core::export::{schemars, serde};
use pleach_core::read::{Bounded, Bounds, Read, Reader};
use pleach_core::schema::BOTH_SIGNS;
use pleach_core::tree::{Node, Value};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;

/// A range from a least to a greatest value: `[-10, 30]`, or `30` for `[-30, 30]`.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(crate = "pleach_core::export::serde")]
pub struct Limit(pub f64, pub f64);

impl Read for Limit {
    fn read(node: &Node, r: &mut Reader) -> Option<Self> {
        let limit = match &node.value {
            Value::Array(_) => <(f64, f64)>::read(node, r).map(|(low, high)| Self(low, high))?,
            Value::Int(_) | Value::Float(_) => f64::read(node, r).map(|x| Self(-x.abs(), x.abs()))?,
            _ => return r.wrong_type(node, "a number, or a list of two"),
        };
        if limit.0 <= limit.1 { Some(limit) } else { r.wrong_type(node, "two numbers, the smaller one first") }
    }
}

impl Bounded for Limit {
    fn within(&self, bounds: &Bounds) -> bool {
        bounds.contain(self.0) && bounds.contain(self.1)
    }
}

impl JsonSchema for Limit {
    fn schema_name() -> Cow<'static, str> {
        "Limit".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let pair = json_schema!({ "type": "array", "items": { "type": "number" }, "minItems": 2, "maxItems": 2 });
        json_schema!({ "anyOf": [{ "type": "number", BOTH_SIGNS: true }, pair] })
    }
}
