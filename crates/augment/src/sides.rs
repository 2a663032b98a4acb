//! Height and width, or one number for both.

use pleach_core::export::{schemars, serde};
use pleach_core::read::{Bounded, Bounds, Read, Reader};
use pleach_core::tree::{Node, Value};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;

/// Height and width in pixels: `[480, 640]`, or `224` for `[224, 224]`.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(crate = "pleach_core::export::serde")]
pub struct Sides(pub usize, pub usize);

impl Read for Sides {
    fn read(node: &Node, r: &mut Reader) -> Option<Self> {
        match &node.value {
            Value::Array(_) => <(usize, usize)>::read(node, r).map(|(height, width)| Self(height, width)),
            Value::Int(_) => usize::read(node, r).map(|n| Self(n, n)),
            _ => r.wrong_type(node, "a number of pixels, or a list of two"),
        }
    }
}

impl Bounded for Sides {
    fn within(&self, bounds: &Bounds) -> bool {
        self.0.within(bounds) && self.1.within(bounds)
    }
}

impl JsonSchema for Sides {
    fn schema_name() -> Cow<'static, str> {
        "Sides".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let pair = json_schema!({ "type": "array", "items": { "type": "integer" }, "minItems": 2, "maxItems": 2 });
        json_schema!({ "anyOf": [{ "type": "integer" }, pair] })
    }
}
