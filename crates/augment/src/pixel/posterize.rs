//! Fewer levels.

use super::grid::{as_bytes, channels};
use super::limits::whole;
use super::table::look_up;
use pleach_core::export::{schemars, serde};
use pleach_core::image::Image;
use pleach_core::read::{Bounded, Bounds, Read, Reader};
use pleach_core::tree::{Node, Value};
use pleach_core::{Augmentation, Error, Result, Rng, RowView, plugin, state};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;

/// Keeps the upper `num_bits` bits of each 8-bit sample and clears the others.
///
/// Follows `Posterize` of Albumentations 2.0.8: images of other types become 8 bits first. torchvision's
/// `RandomPosterize`, which has `bits`, stands beside it.
#[plugin(augmentation, cite = "Albumentations 2.0.8, Posterize")]
pub struct Posterize {
    /// How many bits are kept, 1 to 7: a number, a least and a greatest one, or a list of numbers or of pairs, one
    /// for each of three or more channels.
    #[plugin(default = Bits(vec![(4, 4)]))]
    pub num_bits: Bits,
}

/// Keeps the upper `bits` bits of each 8-bit sample and clears the others.
///
/// Follows `RandomPosterize` of torchvision's v2 transforms for 8 bits; other types become 8 bits first, where
/// torchvision has a rule for each.
#[plugin(augmentation, cite = "torchvision 0.29, v2.RandomPosterize")]
pub struct RandomPosterize {
    /// How many bits are kept.
    #[plugin(example = 4, range = 0..=8)]
    pub bits: u8,
}

/// A least and a greatest number of bits, for all channels or for each.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(crate = "pleach_core::export::serde")]
pub struct Bits(pub Vec<(u8, u8)>);

impl Read for Bits {
    fn read(node: &Node, r: &mut Reader) -> Option<Self> {
        let bits = match &node.value {
            Value::Array(items) if items.len() == 2 => vec![<(u8, u8)>::read(node, r)?],
            Value::Array(items) => items
                .iter()
                .map(|item| match &item.value {
                    Value::Array(_) => <(u8, u8)>::read(item, r),
                    _ => u8::read(item, r).map(|n| (n, n)),
                })
                .collect::<Option<Vec<_>>>()?,
            _ => u8::read(node, r).map(|n| vec![(n, n)])?,
        };
        let good = |&(low, high): &(u8, u8)| 1 <= low && low <= high && high <= 7;
        if !bits.is_empty() && bits.iter().all(good) {
            Some(Self(bits))
        } else {
            r.wrong_type(node, "numbers of bits from 1 to 7, the smaller one first")
        }
    }
}

impl Bounded for Bits {
    fn within(&self, bounds: &Bounds) -> bool {
        self.0.iter().all(|&(low, high)| bounds.contain(low.into()) && bounds.contain(high.into()))
    }
}

impl JsonSchema for Bits {
    fn schema_name() -> Cow<'static, str> {
        "Bits".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let number = json_schema!({ "type": "integer", "minimum": 1, "maximum": 7 });
        let pair = json_schema!({ "type": "array", "items": number, "minItems": 2, "maxItems": 2 });
        let list = json_schema!({ "type": "array", "items": { "anyOf": [number, pair] }, "minItems": 1 });
        json_schema!({ "anyOf": [number, list] })
    }
}

/// What was decided.
#[state]
pub struct Posterized {
    /// The bits that are kept, of all channels or of each.
    pub bits: Vec<u8>,
}

fn entries(bits: u8) -> [u8; 256] {
    let mask = 255_u8.checked_shl(8 - u32::from(bits.min(8))).unwrap_or(0);
    std::array::from_fn(|i| i as u8 & mask)
}

fn tables(draw: &Posterized) -> Vec<[u8; 256]> {
    draw.bits.iter().map(|&b| entries(b)).collect()
}

fn posterize(draw: &Posterized, image: &mut Image) -> Result<()> {
    as_bytes(image, |grid| {
        look_up(grid, &tables(draw));
        Ok(())
    })
}

impl Augmentation for Posterize {
    type Draw = Posterized;

    fn draw(&self, rng: &mut Rng, row: &RowView<'_>) -> Result<Option<Posterized>> {
        let (have, want) = (self.num_bits.0.len(), channels(row));
        if have > 1 && have != want {
            let message = format!("Posterize has {have} values in `num_bits`, but the image has {want} channels");
            return Err(Error::new("PL0342", message).hint("give one value for each channel, or one for all of them"));
        }
        let one = |&(low, high): &(u8, u8)| whole(rng, low.into(), high.into()) as u8;
        Ok(Some(Posterized { bits: self.num_bits.0.iter().map(one).collect() }))
    }

    fn touch(&self, draw: &Posterized, image: &mut Image) -> Result<()> {
        posterize(draw, image)
    }

    fn touches(&self) -> bool {
        true
    }

    fn table(&self, draw: &Posterized, channels: usize) -> Option<Vec<[u8; 256]>> {
        (draw.bits.len() == 1 || draw.bits.len() == channels).then(|| tables(draw))
    }

    fn default_p(&self) -> f64 {
        0.5
    }
}

impl Augmentation for RandomPosterize {
    type Draw = Posterized;

    fn draw(&self, _: &mut Rng, _: &RowView<'_>) -> Result<Option<Posterized>> {
        Ok(Some(Posterized { bits: vec![self.bits] }))
    }

    fn touch(&self, draw: &Posterized, image: &mut Image) -> Result<()> {
        posterize(draw, image)
    }

    fn touches(&self) -> bool {
        true
    }

    fn table(&self, draw: &Posterized, _: usize) -> Option<Vec<[u8; 256]>> {
        Some(tables(draw))
    }

    fn default_p(&self) -> f64 {
        0.5
    }
}
