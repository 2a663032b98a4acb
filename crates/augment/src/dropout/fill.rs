//! What holes are filled with, as parameters say it.

use crate::PerChannel;
use pleach_core::config;
use pleach_core::export::{schemars, serde};
use pleach_core::read::{Bounded, Bounds, Read, Reader};
use pleach_core::tree::{Node, Value};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;

/// A number, a list of one for each channel, `random` or `random_uniform`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(untagged, crate = "pleach_core::export::serde")]
pub enum Fill {
    /// In the image's own levels.
    Values(PerChannel),
    /// Drawn.
    Random(RandomFill),
}

/// A fill that is drawn.
#[config]
pub enum RandomFill {
    /// Every sample by itself.
    Random,
    /// One value for each channel of a hole.
    RandomUniform,
}

impl Default for Fill {
    fn default() -> Self {
        Self::Values(PerChannel(vec![0.0]))
    }
}

impl Read for Fill {
    fn read(node: &Node, r: &mut Reader) -> Option<Self> {
        match &node.value {
            Value::Str(_) => RandomFill::read(node, r).map(Self::Random),
            _ => PerChannel::read(node, r).map(Self::Values),
        }
    }
}

impl Bounded for Fill {
    fn within(&self, bounds: &Bounds) -> bool {
        match self {
            Self::Values(values) => values.within(bounds),
            Self::Random(_) => true,
        }
    }
}

impl JsonSchema for Fill {
    fn schema_name() -> Cow<'static, str> {
        "Fill".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let list = json_schema!({ "type": "array", "items": { "type": "number" }, "minItems": 1 });
        let names = json_schema!({ "enum": ["random", "random_uniform"] });
        json_schema!({ "anyOf": [{ "type": "number" }, list, names] })
    }
}
