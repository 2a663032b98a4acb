//! A length of a side, or several to draw from.

use crate::geometry::resize::Resized;
use pleach_core::Rng;
use pleach_core::export::{schemars, serde};
use pleach_core::read::{Bounded, Bounds, Read, Reader};
use pleach_core::tree::{Node, Value};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;

/// One length in pixels, or a list of which one is drawn.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(crate = "pleach_core::export::serde")]
pub struct MaxSize(pub Vec<usize>);

impl MaxSize {
    pub(crate) fn draw(&self, rng: &mut Rng) -> f64 {
        let one = self.0.get(rng.below(self.0.len() as u64) as usize);
        one.copied().unwrap_or(1) as f64
    }
}

/// A size times a factor, rounded to even halves and at least one pixel.
pub(crate) fn scaled(size: (usize, usize), scale: f64) -> Resized {
    let side = |n: usize| ((n as f64 * scale).round_ties_even() as usize).max(1);
    Resized { width: side(size.0), height: side(size.1) }
}

impl Read for MaxSize {
    fn read(node: &Node, r: &mut Reader) -> Option<Self> {
        let sizes = match &node.value {
            Value::Array(_) => Vec::read(node, r)?,
            Value::Int(_) => vec![usize::read(node, r)?],
            _ => Vec::new(),
        };
        if sizes.is_empty() { r.wrong_type(node, "a number of pixels, or a list of them") } else { Some(Self(sizes)) }
    }
}

impl Bounded for MaxSize {
    fn within(&self, bounds: &Bounds) -> bool {
        self.0.within(bounds)
    }
}

impl JsonSchema for MaxSize {
    fn schema_name() -> Cow<'static, str> {
        "MaxSize".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let list = json_schema!({ "type": "array", "items": { "type": "integer" }, "minItems": 1 });
        json_schema!({ "anyOf": [{ "type": "integer" }, list] })
    }
}
