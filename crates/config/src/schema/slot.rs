//! A place where plugins of one kind stand. Its definition says everything twice: once for editors that complete and
//! explain by what all plugins have and never weigh conditions, and once exactly, by the name that stands there.

use super::kinds::first;
use super::{merged, tidy};
use pleach_core::registry::Entry;
use serde_json::{Map, Value as Json, json};

/// A kind with the keys of one of its slots.
pub(super) struct Slot {
    pub kind: String,
    pub keys: Json,
    pub name: String,
    pub variants: Vec<Variant>,
}

/// A plugin in a slot.
pub(super) struct Variant {
    pub entry: &'static Entry,
    /// Where its table is defined.
    pub place: String,
    /// All keys of that table.
    pub properties: Map<String, Json>,
    /// Those of them that are the plugin's own.
    pub parameters: Map<String, Json>,
    /// Those of them that must be given.
    pub required: Vec<Json>,
}

/// What else may stand in a slot than a plugin with all that it needs.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Shape {
    /// "none" and `false` turn it off.
    pub off: bool,
    /// What is missing may be in a file below.
    pub part: bool,
}

impl Shape {
    /// The name of the definition of a slot in this shape.
    pub(super) fn name(self, slot: &str) -> String {
        format!("{slot}{}{}", if self.off { "-or-none" } else { "" }, if self.part { "-part" } else { "" })
    }
}

/// Every name by which a file may call a plugin.
pub(super) fn names(entry: &Entry) -> Vec<Json> {
    let short = std::iter::once(entry.name).chain(entry.alias.iter().copied()).map(Json::from);
    short.chain([entry.qualified().into()]).collect()
}

impl Slot {
    pub(super) fn define(&self, shape: Shape) -> Json {
        let kind = &self.kind;
        let whole = self.variants.iter().filter(|v| v.required.is_empty() || shape.part);
        let mut bare = Names::of(whole);
        if shape.off {
            bare.values.push(json!("none"));
            bare.docs.push(json!("Off."));
        }
        let article = if kind.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
        let with_defaults = format!("The name of {article} {kind}, which stands there with its defaults.");
        let mut properties = Map::new();
        properties
            .insert("name".into(), Names::of(self.variants.iter()).schema(format!("The name of {article} {kind}.")));
        properties.extend(merged::properties(&self.variants));
        // `true` last: what fails is said by the exact half, at its own place.
        let shown = [bare.schema(with_defaults), json!({ "type": "object", "properties": properties }), json!(true)];
        if shape.off {
            bare.values.push(json!(false));
        }
        json!({
            "description": format!("`name` of {article} {kind}, with its parameters beside it."),
            "anyOf": shown,
            "if": { "type": "object" },
            "then": self.table(shape),
            "else": { "enum": bare.values },
        })
    }

    /// What a table must be, by the name in it.
    fn table(&self, shape: Shape) -> Json {
        let mut by_name: Vec<Json> = self.variants.iter().map(|v| v.chosen(json!({ "$ref": v.place }))).collect();
        let needy = self.variants.iter().filter(|v| !v.required.is_empty() && !shape.part);
        by_name.extend(needy.map(|v| v.chosen(json!({ "required": v.required }))));
        let nameless = match shape.part {
            false => json!({ "required": ["name"] }),
            true => json!({ "propertyNames": { "enum": self.keys() } }),
        };
        json!({
            "if": { "required": ["name"] },
            "then": {
                "properties": { "name": { "enum": Names::of(self.variants.iter()).values } },
                "allOf": by_name
            },
            "else": nameless,
        })
    }

    /// All keys of all plugins.
    fn keys(&self) -> Vec<Json> {
        let mut all: Vec<Json> = Vec::new();
        for key in self.variants.iter().flat_map(|v| v.properties.keys()) {
            if !all.iter().any(|known| known == key.as_str()) {
                all.push(key.as_str().into());
            }
        }
        all
    }

    /// What a table lacks that stands alone: its name, and what its plugin must be given.
    pub(super) fn needs(&self) -> Json {
        let needy = self.variants.iter().filter(|v| !v.required.is_empty());
        let by_name: Vec<Json> = needy.map(|v| v.chosen(json!({ "required": v.required }))).collect();
        if by_name.is_empty() {
            return json!({ "if": { "type": "object" }, "then": { "required": ["name"] } });
        }
        let bare = Names::of(self.variants.iter().filter(|v| !v.required.is_empty())).values;
        let table = json!({ "required": ["name"], "allOf": by_name });
        json!({ "if": { "type": "object" }, "then": table, "else": { "not": { "enum": bare } } })
    }
}

impl Variant {
    /// What holds if this plugin is named.
    fn chosen(&self, what: Json) -> Json {
        json!({ "if": { "properties": { "name": { "enum": names(self.entry) } } }, "then": what })
    }
}

/// Names with what is said of each.
pub(super) struct Names {
    values: Vec<Json>,
    docs: Vec<Json>,
}

impl Names {
    pub(super) fn of<'v>(variants: impl Iterator<Item = &'v Variant>) -> Self {
        let mut all = Self { values: Vec::new(), docs: Vec::new() };
        for entry in variants.map(|v| v.entry) {
            for name in names(entry) {
                if !all.values.contains(&name) {
                    all.values.push(name);
                    all.docs.push(first(entry.doc).into());
                }
            }
        }
        all
    }

    pub(super) fn schema(&self, description: String) -> Json {
        let mut schema = json!({ "description": description, "type": "string", "enum": self.values });
        if let Some(object) = schema.as_object_mut() {
            object.insert(tidy::TAPLO.into(), json!({ "docs": { "enumValues": self.docs } }));
        }
        schema
    }
}
