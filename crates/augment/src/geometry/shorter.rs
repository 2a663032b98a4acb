//! What the resizing augmentations share: the length of a shorter side, and how they shrink.

use pleach_core::config;
use pleach_core::export::{schemars, serde};
use pleach_core::read::{Bounded, Bounds, Read, Reader};
use pleach_core::tree::{Node, Value};
use pleach_core::warp::Interpolation;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;

/// The shorter side in pixels, or height and width.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(crate = "pleach_core::export::serde", untagged)]
pub enum Shorter {
    /// The shorter side.
    One(usize),
    /// Height and width.
    Both(usize, usize),
}

impl Read for Shorter {
    fn read(node: &Node, r: &mut Reader) -> Option<Self> {
        match &node.value {
            Value::Array(list) if list.len() == 1 => usize::read(list.first()?, r).map(Self::One),
            Value::Array(_) => <(usize, usize)>::read(node, r).map(|(height, width)| Self::Both(height, width)),
            Value::Int(_) => usize::read(node, r).map(Self::One),
            _ => r.wrong_type(node, "a number of pixels, or a list of two"),
        }
    }
}

impl Bounded for Shorter {
    fn within(&self, bounds: &Bounds) -> bool {
        match self {
            Self::One(n) => n.within(bounds),
            Self::Both(height, width) => height.within(bounds) && width.within(bounds),
        }
    }
}

impl JsonSchema for Shorter {
    fn schema_name() -> Cow<'static, str> {
        "Shorter".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let pair = json_schema!({ "type": "array", "items": { "type": "integer" }, "minItems": 1, "maxItems": 2 });
        json_schema!({ "anyOf": [{ "type": "integer" }, pair] })
    }
}

/// What shrinks by the mean of what a pixel covers.
#[config]
pub enum AreaFor {
    /// Frames.
    Image,
    /// Frames; masks take the nearest pixel all the same.
    ImageMask,
}

impl AreaFor {
    /// The interpolation of a stretch from one size to another.
    pub(crate) fn or(
        asked: Option<Self>,
        interpolation: Interpolation,
        from: (usize, usize),
        to: (usize, usize),
    ) -> Interpolation {
        let shrinks = to.0 < from.0 || to.1 < from.1;
        if asked.is_some() && shrinks { Interpolation::Area } else { interpolation }
    }
}
