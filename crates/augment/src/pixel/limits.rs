//! Ranges that may be written as one number, each with its own rule for the other end.

use pleach_core::export::{schemars, serde};
use pleach_core::read::{Bounded, Bounds, Read, Reader};
use pleach_core::tree::{Node, Value};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;

macro_rules! ranges {
    ($($(#[$doc:meta])* $name:ident: $number:expr, then $fix:expr;)*) => { $(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(crate = "pleach_core::export::serde")]
        pub struct $name(pub f64, pub f64);

        impl Read for $name {
            fn read(node: &Node, r: &mut Reader) -> Option<Self> {
                let number: fn(f64) -> (f64, f64) = $number;
                let fix: fn((f64, f64)) -> (f64, f64) = $fix;
                let (low, high) = match &node.value {
                    Value::Array(_) => <(f64, f64)>::read(node, r)?,
                    Value::Int(_) | Value::Float(_) => number(f64::read(node, r)?),
                    _ => return r.wrong_type(node, "a number, or a list of two"),
                };
                let (low, high) = fix((low, high));
                if low <= high { Some(Self(low, high)) } else { r.wrong_type(node, "two numbers, the smaller one first") }
            }
        }

        impl Bounded for $name {
            fn within(&self, bounds: &Bounds) -> bool {
                bounds.contain(self.0) && bounds.contain(self.1)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn inline_schema() -> bool {
                true
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                let pair = json_schema!({
                    "type": "array", "items": { "type": "number" }, "minItems": 2, "maxItems": 2
                });
                json_schema!({ "anyOf": [{ "type": "number" }, pair] })
            }
        }
    )* };
}

ranges! {
    /// A range; one number `x` stands for `[0, x]`.
    FromZero: |x| (0.0, x), then |range| range;
    /// A range; one number `x` stands for `[1, x]`.
    FromOne: |x| (1.0, x), then |range| range;
    /// A range of factors; one number `x` stands for `[1 - x, 1 + x]`, of which nothing is less than 0.
    AroundOne: |x| ((1.0 - x).max(0.0), 1.0 + x), then |range| range;
    /// A range in which one number `x` stands for `[x, x]`.
    Exactly: |x| (x, x), then |range| range;
    /// Widths of a kernel in pixels; one number `x` stands for `[3, x]`. As in Albumentations nothing is less than
    /// 3, an even width is the next odd one, and where the first is the greater one, both are the second.
    KernelSizes: |x| (3.0, x), then odd;
}

fn odd((low, high): (f64, f64)) -> (f64, f64) {
    let odd = |x: f64| {
        let whole = x.max(3.0).trunc();
        if whole % 2.0 == 0.0 { whole + 1.0 } else { whole }
    };
    let high = odd(high);
    (odd(low).min(high), high)
}

impl KernelSizes {
    /// One of the odd widths, each as likely as the others.
    pub(crate) fn draw(self, rng: &mut pleach_core::Rng) -> usize {
        let (low, high) = odd((self.0, self.1));
        low as usize + 2 * rng.below(((high - low) / 2.0) as u64 + 1) as usize
    }
}

/// A whole number in a range with both ends.
pub(crate) fn whole(rng: &mut pleach_core::Rng, low: i64, high: i64) -> i64 {
    low + rng.below((high - low).max(0) as u64 + 1) as i64
}
