//! The plugins of each kind as definitions of the schema, alone and with the keys of the slots in which they stand.

use super::slot::{Shape, Slot, Variant, names};
use super::{group, tidy};
use pleach_core::registry::{Entry, entries};
use pleach_core::schema::complete;
use serde_json::{Map, Value as Json, json};

/// All definitions so far.
#[derive(Default)]
pub(super) struct Kinds {
    defs: Map<String, Json>,
    /// Every slot that was met.
    slots: Vec<Slot>,
    /// Slots, by their number, and the shapes in which they are referred to.
    shapes: Vec<(usize, Shape)>,
}

/// Where a definition stands.
fn place(name: &str) -> String {
    format!("{DEFS}{name}")
}

const DEFS: &str = "#/$defs/";

/// A name that needs no escapes in a reference.
fn plain(name: &str) -> String {
    let kept = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '_' };
    name.chars().map(kept).collect()
}

impl Kinds {
    pub(super) fn into_defs(self) -> Map<String, Json> {
        let slots = self.shapes.iter().filter_map(|(number, shape)| {
            let slot = self.slots.get(*number)?;
            Some((shape.name(&slot.name), slot.define(*shape)))
        });
        let mut all: Vec<_> = slots.chain(self.defs).collect();
        all.sort_by(|(a, _), (b, _)| a.cmp(b));
        all.into_iter().collect()
    }

    /// Keeps the definition of a type; another one of the same name gets a number.
    pub(super) fn keep(&mut self, name: &str, def: Json) -> String {
        let name = plain(name);
        let numbered = (1..).map(|n: usize| if n == 1 { name.clone() } else { format!("{name}-{n}") });
        for name in numbered {
            match self.defs.get(&name) {
                Some(other) if *other != def => {}
                Some(_) => return place(&name),
                None => {
                    self.defs.insert(name.clone(), def);
                    return place(&name);
                }
            }
        }
        place(&name)
    }

    /// Where the plugins of a kind are defined, alone or in a slot with keys of its own.
    pub(super) fn refer(&mut self, kind: &str, slot: Option<Json>, shape: Shape) -> String {
        let keys = slot.unwrap_or(Json::Null);
        let number = match self.slots.iter().position(|s| s.kind == kind && s.keys == keys) {
            Some(number) => number,
            None => self.open(kind, keys),
        };
        self.shaped(number, shape)
    }

    /// The same place for another shape, if plugins stand there.
    pub(super) fn reshape(&mut self, reference: &str, shape: impl Fn(Shape) -> Shape) -> Option<String> {
        let (number, old) = self.meant(reference)?;
        Some(self.shaped(number, shape(old)))
    }

    /// What the plugins of a place need that stand alone.
    pub(super) fn needs(&mut self, reference: &str) -> Option<String> {
        let (number, _) = self.meant(reference)?;
        let slot = self.slots.get(number)?;
        let (name, needs) = (format!("{}.needs", slot.name), slot.needs());
        Some(self.keep(&name, needs))
    }

    /// The slot to which a reference leads, and its shape there.
    fn meant(&self, reference: &str) -> Option<(usize, Shape)> {
        let is_meant = |(number, shape): &&(usize, Shape)| {
            self.slots.get(*number).is_some_and(|slot| reference == place(&shape.name(&slot.name)))
        };
        self.shapes.iter().find(is_meant).copied()
    }

    fn shaped(&mut self, number: usize, shape: Shape) -> String {
        if !self.shapes.contains(&(number, shape)) {
            self.shapes.push((number, shape));
        }
        place(&shape.name(self.slots.get(number).map_or("", |slot| &slot.name)))
    }

    fn open(&mut self, kind: &str, keys: Json) -> usize {
        let known = self.slots.iter().filter(|s| s.kind == kind && s.keys.is_null() == keys.is_null()).count();
        let mut name = if keys.is_null() { kind.to_owned() } else { format!("{kind}-slot") };
        if known > 0 {
            name = format!("{name}-{}", known + 1);
        }
        let number = self.slots.len();
        // The place is taken before the plugins are met: some hold others of their own kind.
        self.slots.push(Slot { kind: kind.to_owned(), keys: keys.clone(), name: name.clone(), variants: Vec::new() });
        let all = entries().iter().copied().filter(|e| e.kind == kind);
        let variants: Vec<Variant> = all.map(|entry| self.variant(entry, &name, &keys)).collect();
        if keys.pointer("/properties/group").is_some() {
            self.defs.insert(group::others_of(&name), group::others(&keys, &variants));
        }
        if let Some(slot) = self.slots.get_mut(number) {
            slot.variants = variants;
        }
        number
    }

    /// The definition of one plugin of a kind, which stands alone.
    pub(super) fn branch(&self, kind: &str, plugin: &str) -> Option<Json> {
        self.defs.get(&format!("{kind}.{plugin}")).cloned()
    }

    /// The table of one plugin in a slot of this name, with these keys.
    fn variant(&mut self, entry: &'static Entry, slot: &str, keys: &Json) -> Variant {
        let mut schema = (entry.schema)();
        complete(&mut schema, entry.fields, &entry.defaults());
        let schema = schema.to_value();
        let defs = schema.get("$defs").and_then(Json::as_object).cloned().unwrap_or_default();
        let mut own = tidy::tidied(schema, &defs, self);
        let parameters = own.get("properties").and_then(Json::as_object).cloned().unwrap_or_default();
        let mut properties = Map::new();
        properties.insert("name".into(), json!({ "description": first(entry.doc), "enum": names(entry) }));
        let mut required: Vec<Json> = own.get("required").and_then(Json::as_array).cloned().unwrap_or_default();
        properties.extend(parameters.clone());
        for (key, value) in keys.get("properties").and_then(Json::as_object).into_iter().flatten() {
            let mut value = value.clone();
            if key == "group" {
                value = group::of(&value, entry, &parameters, slot);
            }
            if key == "augment" || key == "freeze" {
                tidy::for_list(&mut value, self);
            }
            properties.insert(key.clone(), value);
        }
        required.extend(keys.get("required").and_then(Json::as_array).into_iter().flatten().cloned());
        if let Some(object) = own.as_object_mut() {
            object.insert("title".into(), entry.name.into());
            object.insert("description".into(), described(entry).into());
            object.insert("type".into(), "object".into());
            object.insert("properties".into(), properties.clone().into());
            object.remove("required");
            object.insert("additionalProperties".into(), false.into());
        }
        let twin = self.defs.contains_key(&plain(&format!("{slot}.{}", entry.name)));
        let of = if twin { format!("{slot}.{}.{}", entry.krate, entry.name) } else { format!("{slot}.{}", entry.name) };
        Variant { entry, place: self.keep(&of, own), properties, parameters, required }
    }
}

/// The first paragraph.
pub(super) fn first(doc: &str) -> String {
    doc.split("\n\n").next().unwrap_or_default().replace('\n', " ")
}

fn described(entry: &Entry) -> String {
    format!("{}\n\n{} {}", entry.doc.trim_end(), entry.krate, entry.version)
}
