//! A number for each channel of an image, or one for all of them.

use pleach_core::export::{schemars, serde};
use pleach_core::read::{Bounded, Bounds, Read, Reader};
use pleach_core::tree::{Node, Value};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;

/// A list with a number for each channel; one number stands for every channel.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(crate = "pleach_core::export::serde")]
pub struct PerChannel(pub Vec<f64>);

impl PerChannel {
    /// The number of a channel; none where the list does not fit an image of so many channels.
    pub fn of(&self, channel: usize, channels: usize) -> Option<f64> {
        match self.0.as_slice() {
            [one] => Some(*one),
            all if all.len() == channels => all.get(channel).copied(),
            _ => None,
        }
    }

    /// As a border of a warp has it: numbers from 0 to 255 in units of white, for the first four channels.
    pub fn levels(&self) -> [f32; 4] {
        let last = self.0.last().copied().unwrap_or(0.0);
        [0, 1, 2, 3].map(|c| (self.0.get(c).copied().unwrap_or(last) / 255.0) as f32)
    }
}

impl Read for PerChannel {
    fn read(node: &Node, r: &mut Reader) -> Option<Self> {
        let numbers = match &node.value {
            Value::Array(_) => Vec::read(node, r)?,
            Value::Int(_) | Value::Float(_) => vec![f64::read(node, r)?],
            _ => Vec::new(),
        };
        if numbers.is_empty() {
            r.wrong_type(node, "a number, or a list of one for each channel")
        } else {
            Some(Self(numbers))
        }
    }
}

impl Bounded for PerChannel {
    fn within(&self, bounds: &Bounds) -> bool {
        self.0.within(bounds)
    }
}

impl JsonSchema for PerChannel {
    fn schema_name() -> Cow<'static, str> {
        "PerChannel".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let list = json_schema!({ "type": "array", "items": { "type": "number" }, "minItems": 1 });
        json_schema!({ "anyOf": [{ "type": "number" }, list] })
    }
}
