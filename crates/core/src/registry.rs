//! Who exists: the plugins that are linked into this program, found by kind and name.

use crate::diagnostic::{Diagnostic, listed, nearest};
use crate::read::{Bounds, Read, ReadTable, Reader};
use crate::tree::{Node, Place, Table, Value};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::any::{Any, TypeId};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

/// A family of plugins. It is implemented for the object type (`dyn Loss`) by [`kind!`](crate::kind).
pub trait Kind: Send + Sync + 'static {
    /// The family's name, as `list` prints it.
    const NAME: &'static str;

    /// The trait object that typetag saves and loads.
    type Tagged: ?Sized + Serialize + std::fmt::Debug + Send + Sync + 'static;

    /// The object behind typetag's.
    fn open(tagged: &Self::Tagged) -> &Self;

    /// Reads typetag's form back.
    ///
    /// # Errors
    /// Whatever the deserializer refuses.
    fn thaw<'de, D: Deserializer<'de>>(d: D) -> Result<Box<Self::Tagged>, D::Error>;
}

/// One parameter of a plugin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Field {
    /// The key in a file.
    pub name: &'static str,
    /// What it does, its unit and its effect.
    pub doc: &'static str,
    /// The Rust type, for readers of `describe`.
    pub ty: &'static str,
    /// The range of numbers it takes.
    pub bounds: Option<Bounds>,
    /// Whether a file must give it.
    pub required: bool,
    /// Whether the sample has another value than the default, because the defaults alone break a rule.
    pub sampled: bool,
    /// Names it had before.
    pub was: &'static [&'static str],
    /// Whether it is only understood, for the sake of files of other libraries, and has no effect.
    pub idle: bool,
}

/// A plugin that was read, on its way to the slot that wants it.
pub type Boxed = Box<dyn Any + Send + Sync>;

/// What a plugin leaves in the registry.
pub struct Entry {
    /// The kind's name.
    pub kind: &'static str,
    /// The kind's identity.
    pub kind_id: fn() -> TypeId,
    /// The name in a file.
    pub name: &'static str,
    /// Names that other libraries give to the same behaviour.
    pub alias: &'static [&'static str],
    /// What it is.
    pub doc: &'static str,
    /// Where its formulas come from.
    pub cite: &'static [&'static str],
    /// The crate that brings it.
    pub krate: &'static str,
    /// That crate's version.
    pub version: &'static str,
    /// Its parameters.
    pub fields: &'static [Field],
    /// Reads it from a table, span by span.
    pub read: fn(&Table, Place, &str, &mut Reader) -> Option<Boxed>,
    /// One with all defaults.
    pub sample: fn() -> Boxed,
    /// The same as data.
    pub sample_saved: fn() -> crate::Saved,
    /// The JSON Schema of its parameters.
    pub schema: fn() -> schemars::Schema,
}

inventory::collect!(Entry);

/// A name that users know from another library and that cannot be here, with the reason: it is told in place of
/// "no such plugin". [`absent!`](crate::absent) submits one.
#[derive(Debug)]
pub struct Absent {
    /// The kind.
    pub kind: &'static str,
    /// The name.
    pub name: &'static str,
    /// Why it cannot be here.
    pub why: &'static str,
    /// What to write in its place.
    pub instead: &'static str,
}

inventory::collect!(Absent);

impl Absent {
    /// What is known of a name of a kind.
    pub fn find(kind: &str, name: &str) -> Option<&'static Self> {
        inventory::iter::<Self>.into_iter().find(|a| a.kind == kind && a.name == name)
    }
}

/// Explains a name that users know and that cannot be here: `absent!("optimizer", "SparseAdam", why, instead)`.
#[macro_export]
macro_rules! absent {
    ($kind:literal, $name:literal, $why:literal, $instead:literal) => {
        $crate::export::inventory::submit! {
            $crate::registry::Absent { kind: $kind, name: $name, why: $why, instead: $instead }
        }
    };
}

impl Entry {
    /// `crate/Name`, which is never ambiguous.
    pub fn qualified(&self) -> String {
        format!("{}/{}", self.krate, self.name)
    }

    /// The parameters of the plugin with all defaults (and the examples of required ones), as JSON.
    pub fn defaults(&self) -> crate::Saved {
        (self.sample_saved)()
    }

    /// What can be said of a key that this plugin does not take: it may be the slot's, misspelt, or another plugin's.
    fn explain_key(&self, key: &str, d: &mut Diagnostic) {
        if d.nearest.is_none()
            && let Some(near) = nearest(key, reserved(self.kind).iter().copied())
        {
            d.nearest = Some(near.to_owned());
            d.label = Some(format!("did you mean `{near}`?"));
        }
        let mut owners: Vec<&str> = entries()
            .iter()
            .filter(|e| e.kind == self.kind && e.fields.iter().any(|f| f.name == key))
            .map(|e| e.name)
            .collect();
        owners.sort_by_key(|name| (name.len(), *name));
        let belongs = match owners.as_slice() {
            [] => return,
            [one] => format!("`{key}` belongs to {one}, not {}", self.name),
            [one, two] => format!("`{key}` belongs to {one} and {two}, not {}", self.name),
            [one, two, rest @ ..] => {
                format!("`{key}` belongs to {one}, {two} and {} more, not {}", rest.len(), self.name)
            }
        };
        match d.nearest {
            Some(_) => d.notes.push(belongs),
            None => d.label = Some(belongs),
        }
    }

    /// Whether a file that says `name` means this plugin, where no other has the name.
    pub fn answers(&self, name: &str) -> bool {
        match name.split_once('/') {
            Some((krate, rest)) if krate == self.krate => self.name == rest || self.alias.contains(&rest),
            _ => self.name == name || self.alias.contains(&name),
        }
    }

    /// The plugin with all defaults, as a slot of its kind holds it.
    pub fn plug<K: Kind + ?Sized>(&self) -> Option<Plug<K>> {
        (self.sample)().downcast::<Box<K::Tagged>>().ok().map(|b| Plug(Arc::from(*b)))
    }
}

/// A kind that is linked into this program, whether it has a plugin or not; [`kind!`](crate::kind) submits it.
#[derive(Debug)]
pub struct Known {
    /// Its name.
    pub name: &'static str,
}

inventory::collect!(Known);

/// The names of all kinds, sorted.
pub fn kinds() -> Vec<&'static str> {
    let mut all: Vec<_> = inventory::iter::<Known>.into_iter().map(|known| known.name).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// All plugins, sorted by kind, name and crate.
pub fn entries() -> &'static [&'static Entry] {
    static ALL: OnceLock<Vec<&'static Entry>> = OnceLock::new();
    ALL.get_or_init(|| {
        let mut all: Vec<_> = inventory::iter::<Entry>.into_iter().collect();
        all.sort_by_key(|e| (e.kind, e.name, e.krate));
        all
    })
}

/// The plugins of one kind.
pub fn of_kind<K: Kind + ?Sized>() -> impl Iterator<Item = &'static Entry> {
    entries().iter().copied().filter(|e| (e.kind_id)() == TypeId::of::<K>())
}

/// Names that two plugins of one kind claim.
pub fn duplicates() -> Vec<(&'static str, &'static str, Vec<&'static Entry>)> {
    let mut claims: BTreeMap<(&str, &str), Vec<&'static Entry>> = BTreeMap::new();
    for entry in entries() {
        for name in std::iter::once(&entry.name).chain(entry.alias) {
            claims.entry((entry.kind, name)).or_default().push(entry);
        }
    }
    claims.into_iter().filter(|(_, who)| who.len() > 1).map(|((kind, name), who)| (kind, name, who)).collect()
}

/// A slot's plugin: `name = "..."` with its parameters beside it, or a bare string.
pub struct Plug<K: Kind + ?Sized>(Arc<K::Tagged>);

impl<K: Kind + ?Sized> Plug<K> {
    /// A plugin that code made.
    pub fn new(plugin: Box<K::Tagged>) -> Self {
        Self(Arc::from(plugin))
    }

    /// The plugin of this name with its defaults.
    ///
    /// # Errors
    /// No plugin of the kind has the name.
    pub fn named(name: &str) -> crate::Result<Self> {
        let found = of_kind::<K>().find(|e| e.answers(name));
        found
            .and_then(Entry::plug)
            .ok_or_else(|| crate::Error::new("PL0103", format!("no {} is called `{name}`", K::NAME)))
    }

    /// The parameters with the name, as typetag saves them.
    pub fn saved(&self) -> crate::Result<crate::Saved> {
        crate::saved::save(&*self.0)
    }

    /// The name and the crate of this plugin.
    pub fn name(&self) -> String {
        let saved = self.saved().unwrap_or_default();
        let qualified = saved.get("name").and_then(|n| n.as_str()).unwrap_or_default();
        qualified.rsplit('/').next().unwrap_or_default().to_owned()
    }
}

impl<K: Kind + ?Sized> Clone for Plug<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K: Kind + ?Sized> Deref for Plug<K> {
    type Target = K;
    fn deref(&self) -> &K {
        K::open(&self.0)
    }
}

impl<K: Kind + ?Sized> std::fmt::Debug for Plug<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Two plugins are equal when they are saved alike.
impl<K: Kind + ?Sized> PartialEq for Plug<K> {
    fn eq(&self, other: &Self) -> bool {
        matches!((self.saved(), other.saved()), (Ok(a), Ok(b)) if a == b)
    }
}

impl<K: Kind + ?Sized> Serialize for Plug<K> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(s)
    }
}

impl<'de, K: Kind + ?Sized> Deserialize<'de> for Plug<K> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        K::thaw(d).map(Self::new)
    }
}

/// A plugin in a plugin refers to its whole kind.
impl<K: Kind + ?Sized> schemars::JsonSchema for Plug<K> {
    fn schema_name() -> Cow<'static, str> {
        K::NAME.into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "$ref": format!("#/$defs/{}", K::NAME) })
    }
}

impl<K: Kind + ?Sized> Read for Plug<K> {
    fn read(node: &Node, r: &mut Reader) -> Option<Self> {
        match &node.value {
            Value::Str(name) => find::<K>(name, node.place, r)?.build(&Table::default(), node.place, r),
            Value::Table(table) => read_plug(table, node.place, r),
            _ => r.wrong_type(node, &format!("the name of a {0}, or a table with `name = \"...\"`", K::NAME)),
        }
    }
}

fn read_plug<K: Kind + ?Sized>(table: &Table, place: Place, r: &mut Reader) -> Option<Plug<K>> {
    let mut table = table.clone();
    let Some((_, tag)) = table.remove("name") else {
        let known: Vec<_> = of_kind::<K>().map(|e| e.name).collect();
        r.report(
            Diagnostic::new("PL0110", Some(place), format!("this {} has no `name`", K::NAME))
                .label("`name` is missing")
                .note(format!("one of: {}", listed("", &known)))
                .expected("`name`")
                .see(format!("pleach list {}", K::NAME)),
        );
        return None;
    };
    let Value::Str(name) = &tag.value else { return r.wrong_type(&tag, "a name") };
    find::<K>(name, tag.place, r)?.build(&table, place, r)
}

/// The entry of a name, or a report with the nearest one.
fn find<K: Kind + ?Sized>(name: &str, place: Place, r: &mut Reader) -> Option<Found> {
    let all: Vec<_> = of_kind::<K>().filter(|e| e.answers(name)).collect();
    match all.as_slice() {
        [one] => return Some(Found(one)),
        [] => {}
        several => {
            let names: Vec<_> = several.iter().map(|e| format!("`{}`", e.qualified())).collect();
            r.report(
                Diagnostic::new(
                    "PL0102",
                    Some(place),
                    format!("{} plugins of the kind {} are called `{name}`", several.len(), K::NAME),
                )
                .label("which one?")
                .note(format!("write {}", names.join(" or "))),
            );
            return None;
        }
    }
    let known: Vec<_> = of_kind::<K>().flat_map(|e| std::iter::once(e.name).chain(e.alias.iter().copied())).collect();
    if let Some(absent) = Absent::find(K::NAME, name) {
        r.report(
            Diagnostic::new("PL0103", Some(place), format!("{} {name}: {}", K::NAME, absent.why))
                .label(absent.instead)
                .expected(absent.instead),
        );
        return None;
    }
    let mut d = Diagnostic::new("PL0103", Some(place), format!("no {} is called `{name}`", K::NAME));
    if let Some(near) = nearest(name, known.iter().copied()) {
        d = d.near(near);
    }
    for other in entries().iter().filter(|e| e.kind != K::NAME && e.answers(name)) {
        d = d.note(format!("`{name}` is of another kind: {}", other.kind)).see(format!("pleach describe {name}"));
    }
    let names: Vec<_> = of_kind::<K>().map(|e| e.name).collect();
    if names.is_empty() {
        r.report(d.note(format!("no {} is linked into this program", K::NAME)));
        return None;
    }
    d.see.get_or_insert_with(|| format!("pleach list {}", K::NAME));
    r.report(
        d.note(format!("there is: {}", listed(name, &names))).expected(format!("the name of a plugin: {}", K::NAME)),
    );
    None
}

struct Found(&'static Entry);

impl Found {
    fn build<K: Kind + ?Sized>(&self, table: &Table, place: Place, r: &mut Reader) -> Option<Plug<K>> {
        let entry = self.0;
        let before = r.diagnostics.len();
        let boxed = (entry.read)(table, place, &format!("{} {}", entry.kind, entry.name), r);
        for d in r.diagnostics.iter_mut().skip(before).filter(|d| d.see.is_none()) {
            d.see = Some(format!("pleach describe {}", entry.name));
            let key = table.entries.iter().find(|(key, _)| Some(key.place) == d.place);
            if let ("PL0104", Some((key, _))) = (d.code, key) {
                entry.explain_key(&key.name, d);
            }
        }
        let tagged = boxed?.downcast::<Box<K::Tagged>>().ok()?;
        Some(Plug::new(*tagged))
    }
}

/// A plugin with the keys that belong to its slot (`factor`, `p`, `every`), side by side in one table.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(serialize = "S: Serialize", deserialize = "S: Deserialize<'de>"))]
pub struct Slot<K: Kind + ?Sized, S> {
    /// The slot's own keys.
    #[serde(flatten)]
    pub slot: S,
    /// The plugin.
    #[serde(flatten)]
    pub plug: Plug<K>,
}

impl<K: Kind + ?Sized, S: Clone> Clone for Slot<K, S> {
    fn clone(&self) -> Self {
        Self { slot: self.slot.clone(), plug: self.plug.clone() }
    }
}

impl<K: Kind + ?Sized, S: PartialEq> PartialEq for Slot<K, S> {
    fn eq(&self, other: &Self) -> bool {
        self.slot == other.slot && self.plug == other.plug
    }
}

impl<K: Kind + ?Sized, S> Deref for Slot<K, S> {
    type Target = K;
    fn deref(&self) -> &K {
        &self.plug
    }
}

impl<K: Kind + ?Sized, S: ReadTable> Read for Slot<K, S> {
    fn read(node: &Node, r: &mut Reader) -> Option<Self> {
        let Value::Table(table) = &node.value else {
            let plug = Plug::read(node, r);
            let slot = S::read_table(&Table::default(), node.place, &format!("this {}", K::NAME), r);
            return Some(Self { slot: slot?, plug: plug? });
        };
        let of_slot = |name: &str| S::FIELDS.iter().any(|f| f.name == name);
        let (slot, plug): (Vec<_>, Vec<_>) = table.entries.iter().cloned().partition(|(key, _)| of_slot(&key.name));
        let slot = S::read_table(&Table { entries: slot }, node.place, &format!("this {}", K::NAME), r);
        let plug = read_plug(&Table { entries: plug }, node.place, r);
        Some(Self { slot: slot?, plug: plug? })
    }
}

impl<K: Kind + ?Sized, S: schemars::JsonSchema> schemars::JsonSchema for Slot<K, S> {
    fn schema_name() -> Cow<'static, str> {
        format!("{}-slot", K::NAME).into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "allOf": [{ "$ref": format!("#/$defs/{}", K::NAME) }, S::json_schema(generator)] })
    }
}

/// Adds the bounds of the fields to a schema that schemars derived.
#[doc(hidden)]
pub fn schema_of<T: schemars::JsonSchema>(fields: &[Field]) -> schemars::Schema {
    let mut schema = schemars::schema_for!(T);
    for field in fields {
        let Some(b) = field.bounds else { continue };
        let Some(property) = schema.pointer_mut(&format!("/properties/{}", field.name)).and_then(|p| p.as_object_mut())
        else {
            continue;
        };
        if b.min.is_finite() {
            property.insert(if b.min_excluded { "exclusiveMinimum" } else { "minimum" }.into(), b.min.into());
        }
        if b.max.is_finite() {
            property.insert(if b.max_excluded { "exclusiveMaximum" } else { "maximum" }.into(), b.max.into());
        }
    }
    schema
}

/// Keys of the slot of a kind: no field of its plugins may have one of these names, because both stand in one table.
pub fn reserved(kind: &str) -> &'static [&'static str] {
    match kind {
        "loss" => &["name", "id", "factor", "output", "loss_factors"],
        "augmentation" => &["name", "id", "p", "apply_p", "per_frame", "exact", "min_visibility", "min_area"],
        "scheduler" => &["name", "id", "every", "warmup"],
        "model" => &["name", "id", "weights", "strict", "freeze", "pretrained"],
        "source" => &["name", "id", "augment"],
        "optimizer" => &["name", "id", "group", "match", "filter_bias_and_bn"],
        "metric" => &["name", "id", "per"],
        _ => &["name", "id"],
    }
}

/// Makes a kind of plugin in the module where it stands.
///
/// ```ignore
/// pub mod tracker {
///     pub trait Tracker { fn track(&self); }
///     pleach_core::kind!(Tracker, "tracker");
/// }
/// #[pleach_core::plugin(crate::tracker)]
/// ```
/// The trait must be usable as an object; a trait with associated types gets an erased twin, as
/// [`DynScheduler`](crate::DynScheduler) is to [`Scheduler`](crate::Scheduler).
#[macro_export]
macro_rules! kind {
    ($object:ident, $name:literal) => {
        use $crate::export::typetag;

        /// The object of this kind.
        pub type Object = dyn $object;

        /// What typetag saves and loads; the attribute `#[plugin]` implements it.
        #[typetag::serde(tag = "name")]
        pub trait Tagged: ::std::fmt::Debug + Send + Sync + 'static {
            /// The plugin.
            fn open(&self) -> &Object;
        }

        $crate::export::inventory::submit! {
            $crate::registry::Known { name: $name }
        }

        impl $crate::registry::Kind for dyn $object {
            const NAME: &'static str = $name;
            type Tagged = dyn Tagged;
            fn open(tagged: &Self::Tagged) -> &Self {
                tagged.open()
            }
            fn thaw<'de, D: $crate::export::serde::Deserializer<'de>>(
                d: D,
            ) -> ::std::result::Result<::std::boxed::Box<Self::Tagged>, D::Error> {
                <::std::boxed::Box<dyn Tagged> as $crate::export::serde::Deserialize>::deserialize(d)
            }
        }
    };
}
