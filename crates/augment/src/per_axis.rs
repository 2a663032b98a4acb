//! A range for x and one for y.

use crate::Range;
use pleach_core::export::{schemars, serde};
use pleach_core::read::{Bounded, Bounds, Read, Reader};
use pleach_core::tree::{Node, Value};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;

/// A range for each axis: `{ x = [0.8, 1.2], y = 1.0 }`, or one range or number for both, from which each axis has a
/// draw of its own.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(crate = "pleach_core::export::serde")]
pub struct PerAxis {
    /// Along rows.
    pub x: Range,
    /// Along columns.
    pub y: Range,
}

impl PerAxis {
    /// The same range for both.
    pub fn both(low: f64, high: f64) -> Self {
        Self { x: Range(low, high), y: Range(low, high) }
    }
}

impl Read for PerAxis {
    fn read(node: &Node, r: &mut Reader) -> Option<Self> {
        let Value::Table(table) = &node.value else { return Range::read(node, r).map(|one| Self { x: one, y: one }) };
        if let Some((key, _)) = table.entries.iter().find(|(key, _)| key.name != "x" && key.name != "y") {
            let what = format!("`x` and `y`, and not `{}`", key.name);
            return r.wrong_type(node, &what);
        }
        match (table.get("x"), table.get("y")) {
            (Some(x), Some(y)) => Some(Self { x: Range::read(x, r)?, y: Range::read(y, r)? }),
            _ => r.wrong_type(node, "a range, or a table with `x` and `y`"),
        }
    }
}

impl Bounded for PerAxis {
    fn within(&self, bounds: &Bounds) -> bool {
        self.x.within(bounds) && self.y.within(bounds)
    }
}

impl JsonSchema for PerAxis {
    fn schema_name() -> Cow<'static, str> {
        "PerAxis".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let one = json_schema!({ "anyOf": [{ "type": "number" },
            { "type": "array", "items": { "type": "number" }, "minItems": 2, "maxItems": 2 }] });
        json_schema!({ "anyOf": [one, { "type": "object", "properties": { "x": one, "y": one }, "required": ["x", "y"] }] })
    }
}
