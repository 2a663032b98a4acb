//! The scheduler of a phase, which may be the run's, none, or one of its own.

use pleach_core::kinds::scheduler::SchedulerConfig;
use pleach_core::read::{Read, Reader};
use pleach_core::tree::{Node, Value};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::borrow::Cow;

/// `scheduler` of a `[[phase]]`: where the phase says nothing, `[scheduler]` holds; "none" and `false` turn it off.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum PhaseScheduler {
    /// As in `[scheduler]`.
    #[default]
    Inherited,
    /// The rates of this phase stay.
    Off,
    /// One of its own.
    Own(SchedulerConfig),
}

/// The word for [`PhaseScheduler::Inherited`].
pub(crate) const INHERITED: &str = "inherited";

impl PhaseScheduler {
    /// The phase's scheduler in a run that has this one.
    pub fn or<'s>(&'s self, common: Option<&'s SchedulerConfig>) -> Option<&'s SchedulerConfig> {
        match self {
            Self::Inherited => common,
            Self::Off => None,
            Self::Own(own) => Some(own),
        }
    }
}

impl Read for PhaseScheduler {
    const READS_FALSE: bool = true;
    fn read(node: &Node, r: &mut Reader) -> Option<Self> {
        match &node.value {
            Value::Str(word) if word == INHERITED => Some(Self::Inherited),
            _ => Option::read(node, r).map(|own| own.map_or(Self::Off, Self::Own)),
        }
    }
}

impl Serialize for PhaseScheduler {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Inherited => s.serialize_str(INHERITED),
            Self::Off => s.serialize_none(),
            Self::Own(own) => own.serialize(s),
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Saved {
    Word(String),
    Own(SchedulerConfig),
}

impl<'de> Deserialize<'de> for PhaseScheduler {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        match Option::deserialize(d)? {
            None => Ok(Self::Off),
            Some(Saved::Own(own)) => Ok(Self::Own(own)),
            Some(Saved::Word(word)) if word == INHERITED => Ok(Self::Inherited),
            Some(Saved::Word(word)) => Err(de::Error::custom(format!("`{word}` is no scheduler of a phase"))),
        }
    }
}

impl JsonSchema for PhaseScheduler {
    fn schema_name() -> Cow<'static, str> {
        "PhaseScheduler".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "enum": [INHERITED, "none", false] }, SchedulerConfig::json_schema(generator)] })
    }
}
