//! `[optimizer]` as a file writes it: one optimizer, and groups of parameters with values of their own.

use crate::diagnostic::Diagnostic;
use crate::kinds::optimizer::Optimizer;
use crate::read::{Read, Reader};
use crate::registry::Kind;
use crate::tree::{Key, Node, Table, Value};
use crate::{Plug, Result, saved};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::ops::Deref;

/// `[optimizer]`: how gradients change parameters.
///
/// `[[optimizer.group]]` gives the parameters that a pattern matches values of their own; what a group does not say
/// is as in `[optimizer]`, unless it names another optimizer, which then starts from its own defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OptimizerConfig {
    /// The optimizer of all parameters that no group takes.
    #[serde(flatten)]
    pub plug: Plug<dyn Optimizer>,
    /// Whether biases and all parameters of one dimension or none (the scales of norms) go without weight decay.
    #[serde(default)]
    pub filter_bias_and_bn: bool,
    /// Groups; a parameter belongs to the first one that matches it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub group: Vec<OptimizerGroup>,
}

/// One of `[[optimizer.group]]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OptimizerGroup {
    /// Patterns of parameter names; `*` matches any characters.
    #[serde(rename = "match")]
    pub patterns: Vec<String>,
    /// The optimizer with the group's own values.
    #[serde(flatten)]
    pub plug: Plug<dyn Optimizer>,
}

impl OptimizerConfig {
    /// An optimizer for all parameters alike.
    pub fn of_all(plug: Plug<dyn Optimizer>) -> Self {
        Self { filter_bias_and_bn: false, plug, group: Vec::new() }
    }
}

impl Deref for OptimizerConfig {
    type Target = dyn Optimizer;
    fn deref(&self) -> &Self::Target {
        &*self.plug
    }
}

const DECAY: &str = "weight_decay";

/// The same optimizer without weight decay.
///
/// # Errors
/// It has none that could be turned off.
pub fn without_decay(plug: &Plug<dyn Optimizer>) -> Result<Plug<dyn Optimizer>> {
    let mut all = plug.saved()?;
    match all.get_mut(DECAY) {
        Some(decay) => *decay = 0.0.into(),
        None => return Err(crate::Error::new("PL0218", format!("{} has no `{DECAY}`", plug.name()))),
    }
    saved::load(&all)
}

const GROUP: &str = "group";
const FILTER: &str = "filter_bias_and_bn";
const MATCH: &str = "match";

impl Read for OptimizerConfig {
    fn read(node: &Node, r: &mut Reader) -> Option<Self> {
        let Value::Table(table) = &node.value else { return Plug::read(node, r).map(Self::of_all) };
        let mut base = table.clone();
        let groups = base.remove(GROUP);
        let filter = base.remove(FILTER);
        let plug = Plug::read(&Node { value: Value::Table(base.clone()), place: node.place }, r);
        let group = match &groups {
            None => Some(Vec::new()),
            Some((_, Node { value: Value::Array(items), .. })) => {
                let read: Vec<_> = items.iter().map(|item| group(item, &base, r)).collect();
                read.into_iter().collect()
            }
            Some((_, other)) => r.wrong_type(other, "a list of groups: [[optimizer.group]]"),
        };
        let filter_bias_and_bn = match &filter {
            None => Some(false),
            Some((_, node)) => bool::read(node, r),
        };
        let whole = Self { filter_bias_and_bn: filter_bias_and_bn?, plug: plug?, group: group? };
        if let (true, Some((key, _))) = (whole.filter_bias_and_bn, &filter) {
            whole.can_filter(key, r)?;
        }
        Some(whole)
    }
}

impl OptimizerConfig {
    fn can_filter(&self, key: &Key, r: &mut Reader) -> Option<()> {
        let all = std::iter::once(&self.plug).chain(self.group.iter().map(|g| &g.plug));
        let without = all.map(|plug| (plug, without_decay(plug))).find(|(_, plug)| plug.is_err());
        let Some((plug, _)) = without else { return Some(()) };
        r.report(
            Diagnostic::new("PL0108", Some(key.place), format!("optimizer {} has no `{DECAY}`", plug.name()))
                .label("so there is nothing to spare biases and norms"),
        );
        None
    }
}

fn group(node: &Node, base: &Table, r: &mut Reader) -> Option<OptimizerGroup> {
    let Value::Table(table) = &node.value else { return r.wrong_type(node, "a table for [[optimizer.group]]") };
    let mut own = table.clone();
    let patterns = match own.remove(MATCH) {
        Some((_, node)) if matches!(node.value, Value::Str(_)) => String::read(&node, r).map(|p| vec![p]),
        Some((_, node)) => Vec::<String>::read(&node, r),
        None => {
            r.report(
                Diagnostic::new("PL0106", Some(node.place), "[[optimizer.group]] needs `match`")
                    .label("`match` is missing")
                    .note("match: a pattern of parameter names, or a list of them; `*` matches any characters"),
            );
            None
        }
    };
    let name = |table: &Table| table.get("name").map(|node| node.value.clone());
    let mut merged = match name(&own) {
        Some(other) if name(base) != Some(other.clone()) => Table::default(),
        _ => base.clone(),
    };
    for (key, value) in own.entries {
        merged.set(key, value);
    }
    let plug = Plug::read(&Node { value: Value::Table(merged), place: node.place }, r);
    Some(OptimizerGroup { patterns: patterns?, plug: plug? })
}

impl JsonSchema for OptimizerConfig {
    fn schema_name() -> Cow<'static, str> {
        "optimizer-slot".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let patterns = json_schema!({
            "description": "Patterns of parameter names; `*` matches any characters.",
            "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }]
        });
        json_schema!({
            "allOf": [
                { "$ref": format!("#/$defs/{}", <dyn Optimizer as Kind>::NAME) },
                { "properties": {
                    FILTER: { "type": "boolean", "default": false,
                        "description": "Whether biases and all parameters of one dimension or none (the scales of norms) go without weight decay." },
                    GROUP: { "type": "array", "items": { "type": "object", "properties": { MATCH: patterns }, "required": [MATCH] } }
                } }
            ]
        })
    }
}
