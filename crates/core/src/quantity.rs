//! Values with units: `"500 steps"`, `"5 epochs"`, `"3%"`, `"4 GiB"`.

use crate::diagnostic::{Diagnostic, nearest};
use crate::read::{Read, Reader};
use crate::tree::{Node, Place, Value};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// A stretch of training: a plain number counts the ticks of the slot in which it stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Span {
    /// Ticks of the slot (`every = "epoch"` or `"step"`).
    Ticks(u64),
    /// Optimizer steps.
    Steps(u64),
    /// Epochs.
    Epochs(f64),
    /// Per cent of the whole run.
    Percent(f64),
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ticks(n) => write!(f, "{n}"),
            Self::Steps(n) => write!(f, "{n} steps"),
            Self::Epochs(n) => write!(f, "{n} epochs"),
            Self::Percent(n) => write!(f, "{n}%"),
        }
    }
}

impl FromStr for Span {
    type Err = ();
    fn from_str(s: &str) -> Result<Self, ()> {
        let (number, unit) = split(s).ok_or(())?;
        let whole = || (number >= 0.0 && number.fract() == 0.0).then_some(number as u64).ok_or(());
        match unit {
            "" | "tick" | "ticks" => whole().map(Self::Ticks),
            "step" | "steps" => whole().map(Self::Steps),
            "epoch" | "epochs" if number >= 0.0 => Ok(Self::Epochs(number)),
            "%" if (0.0..=100.0).contains(&number) => Ok(Self::Percent(number)),
            _ => Err(()),
        }
    }
}

/// An amount of memory in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bytes(pub u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (unit, size) in [("GiB", 1u64 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)] {
            if self.0 >= size && self.0.is_multiple_of(size) {
                return write!(f, "{} {unit}", self.0 / size);
            }
        }
        write!(f, "{} B", self.0)
    }
}

impl FromStr for Bytes {
    type Err = ();
    fn from_str(s: &str) -> Result<Self, ()> {
        let (number, unit) = split(s).ok_or(())?;
        let size = match unit {
            "B" | "" => 1.0,
            "KiB" => 1024.0,
            "MiB" => 1024.0 * 1024.0,
            "GiB" => 1024.0 * 1024.0 * 1024.0,
            "kB" | "KB" => 1e3,
            "MB" => 1e6,
            "GB" => 1e9,
            _ => return Err(()),
        };
        (number >= 0.0).then_some(Self((number * size) as u64)).ok_or(())
    }
}

/// A number and what stands behind it: `"5 epochs"` is 5 and `epochs`.
pub fn split(s: &str) -> Option<(f64, &str)> {
    let s = s.trim();
    let end = s.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | '_'))).unwrap_or(s.len());
    let number = s[..end].replace('_', "").parse().ok()?;
    Some((number, s[end..].trim()))
}

/// Which numbers may stand before a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Digits {
    /// Any that is not negative.
    Any,
    /// Whole ones, not negative.
    Whole,
    /// Whole ones, 1 and above.
    FromOne,
    /// Whole ones, and -1.
    FromMinusOne,
    /// 0 to 100.
    UpToHundred,
    /// 0 to below 100.
    BelowHundred,
}

impl Digits {
    /// Their regular expression. Underscores are digits that count nothing, and a fraction of zeros is none.
    fn pattern(self) -> String {
        let zero = r"[+-]?(?:[0_]*0[0_]*(?:\.[0_]*)?|\.[0_]+)";
        let below_hundred = r"\+?[0_]*(?:[0-9]_*){1,2}(?:\.[0-9_]*)?|\+?\.[0-9_]+";
        match self {
            Self::Any => format!(r"\+?(?:_*[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9_]+)|{zero}"),
            Self::Whole => format!(r"\+?_*[0-9][0-9_]*(?:\.[0_]*)?|{zero}"),
            Self::FromOne => r"\+?[0_]*[1-9][0-9_]*(?:\.[0_]*)?".into(),
            Self::FromMinusOne => format!(r"(?:\+?_*[0-9][0-9_]*|-[0_]*1_*)(?:\.[0_]*)?|{zero}"),
            Self::BelowHundred => format!("{below_hundred}|{zero}"),
            Self::UpToHundred => format!(r"{below_hundred}|\+?[0_]*1_*0_*0_*(?:\.[0_]*)?|{zero}"),
        }
    }
}

/// The regular expression of texts in which such numbers stand before such units, for schemas.
pub fn pattern(texts: &[(Digits, &str)]) -> String {
    let mut kinds: Vec<(Digits, Vec<&str>)> = Vec::new();
    for (digits, unit) in texts {
        match kinds.iter_mut().find(|(known, _)| known == digits) {
            Some((_, units)) => units.push(unit),
            None => kinds.push((*digits, vec![unit])),
        }
    }
    let one = |(digits, units): &(Digits, Vec<&str>)| format!("(?:{})\\s*(?:{})", digits.pattern(), units.join("|"));
    format!("^\\s*(?:{})\\s*$", kinds.iter().map(one).collect::<Vec<_>>().join("|"))
}

/// What is to be said of a unit that a value does not have, at the unit's own place.
pub fn wrong_unit(whole: Place, text: &str, unit: &str, units: &[&str], words: &str) -> Diagnostic {
    let d =
        Diagnostic::new("PL0117", Some(unit_place(whole, text, unit)), format!("`{unit}` is no unit of this value"))
            .note(format!("units: {}", units.join(", ")))
            .expected(words);
    match nearest(unit, units.iter().copied()) {
        Some(near) => d.near(near),
        None => d.label(format!("expected {words}")),
    }
}

/// Reports text that is no quantity: an unknown unit, or all else as a wrong value.
fn not_understood<T>(node: &Node, text: &str, units: &[&str], words: &str, r: &mut Reader) -> Option<T> {
    let unknown = split(text).map(|(_, unit)| unit).filter(|unit| !units.contains(unit) && !unit.is_empty());
    let Some(unit) = unknown else { return r.wrong_type(node, words) };
    r.report(wrong_unit(node.place, text, unit, units, words));
    None
}

/// Where the unit stands, in a string that was written without escapes; else the whole string.
fn unit_place(whole: Place, text: &str, unit: &str) -> Place {
    let plain = whole.end.saturating_sub(whole.start) as usize == text.len() + 2;
    match (plain, text.rfind(unit), u32::try_from(unit.len())) {
        (true, Some(at), Ok(len)) => {
            let start = whole.start + 1 + u32::try_from(at).unwrap_or_default();
            Place { start, end: start + len, ..whole }
        }
        _ => whole,
    }
}

/// A plain number of ticks or bytes stays a number, so that files written by the program read as people write them.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Number(u64),
    Text(String),
}

macro_rules! text_form {
    ($t:ident, $words:literal, $units:expr, $texts:expr, $from:expr, $plain:expr) => {
        impl Read for $t {
            fn read(node: &Node, r: &mut Reader) -> Option<Self> {
                match &node.value {
                    Value::Int(i) if *i >= 0 => Some($from(*i as u64)),
                    Value::Str(s) => s.parse().ok().or_else(|| not_understood(node, s, $units, $words, r)),
                    _ => r.wrong_type(node, $words),
                }
            }
        }
        impl Serialize for $t {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                let plain: fn(&Self) -> Option<u64> = $plain;
                match plain(self) {
                    Some(n) => s.serialize_u64(n),
                    None => s.collect_str(self),
                }
            }
        }
        impl<'de> Deserialize<'de> for $t {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                match Written::deserialize(d)? {
                    Written::Number(n) => Ok($from(n)),
                    Written::Text(text) => text.parse().map_err(|()| de::Error::custom(concat!("expected ", $words))),
                }
            }
        }
        impl JsonSchema for $t {
            fn schema_name() -> Cow<'static, str> {
                stringify!($t).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "type": ["integer", "string"], "minimum": 0, "pattern": pattern($texts), "description": $words
                })
            }
        }
    };
}
const STRETCHES: &[&str] = &["steps", "epochs", "ticks", "%"];
const STRETCH_TEXTS: &[(Digits, &str)] = &[
    (Digits::Whole, "steps"),
    (Digits::Whole, "step"),
    (Digits::Any, "epochs"),
    (Digits::Any, "epoch"),
    (Digits::Whole, "ticks"),
    (Digits::Whole, "tick"),
    (Digits::Whole, ""),
    (Digits::UpToHundred, "%"),
];
const MEMORY: &[&str] = &["B", "KiB", "MiB", "GiB", "kB", "MB", "GB"];
const MEMORY_TEXTS: &[(Digits, &str)] = &[
    (Digits::Any, "B"),
    (Digits::Any, "KiB"),
    (Digits::Any, "MiB"),
    (Digits::Any, "GiB"),
    (Digits::Any, "kB"),
    (Digits::Any, "KB"),
    (Digits::Any, "MB"),
    (Digits::Any, "GB"),
    (Digits::Any, ""),
];
text_form!(
    Span,
    "a number of ticks, or \"500 steps\", \"5 epochs\", \"3%\"",
    STRETCHES,
    STRETCH_TEXTS,
    Span::Ticks,
    |s| match s {
        Span::Ticks(n) => Some(*n),
        _ => None,
    }
);
text_form!(Bytes, "a number of bytes, or \"512 MiB\", \"4 GiB\"", MEMORY, MEMORY_TEXTS, Bytes, |_| None);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_read_and_written_alike() {
        for text in ["500 steps", "5 epochs", "3%", "7"] {
            assert_eq!(text.parse::<Span>().map(|s| s.to_string()), Ok(text.to_owned()));
        }
        assert_eq!("4 GiB".parse(), Ok(Bytes(4 << 30)));
        assert_eq!(Bytes(4 << 30).to_string(), "4 GiB");
        assert!("5 parsecs".parse::<Span>().is_err() && "-1 steps".parse::<Span>().is_err());
    }
}
