//! A range that one number makes narrow.

use pleach_core::Rng;
use pleach_core::export::{schemars, serde};
use pleach_core::read::{Bounded, Bounds, Read, Reader};
use pleach_core::tree::{Node, Value};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;

/// A range from a least to a greatest value: `[0.8, 1.2]`, or `1.1` for `[1.1, 1.1]`.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(crate = "pleach_core::export::serde")]
pub struct Range(pub f64, pub f64);

impl Range {
    pub(crate) fn draw(self, rng: &mut Rng) -> f64 {
        rng.range(self.0, self.1)
    }

    /// A whole number from the least to the greatest, both included.
    pub(crate) fn whole(self, rng: &mut Rng) -> i64 {
        let (low, high) = (self.0 as i64, self.1 as i64);
        low + rng.below((high - low).unsigned_abs() + 1) as i64
    }
}

impl Read for Range {
    fn read(node: &Node, r: &mut Reader) -> Option<Self> {
        let range = match &node.value {
            Value::Array(_) => <(f64, f64)>::read(node, r).map(|(low, high)| Self(low, high))?,
            Value::Int(_) | Value::Float(_) => f64::read(node, r).map(|x| Self(x, x))?,
            _ => return r.wrong_type(node, "a number, or a list of two"),
        };
        if range.0 <= range.1 { Some(range) } else { r.wrong_type(node, "two numbers, the smaller one first") }
    }
}

impl Bounded for Range {
    fn within(&self, bounds: &Bounds) -> bool {
        bounds.contain(self.0) && bounds.contain(self.1)
    }
}

impl JsonSchema for Range {
    fn schema_name() -> Cow<'static, str> {
        "Range".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let pair = json_schema!({ "type": "array", "items": { "type": "number" }, "minItems": 2, "maxItems": 2 });
        json_schema!({ "anyOf": [{ "type": "number" }, pair] })
    }
}
