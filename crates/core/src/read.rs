//! Reads documented structs out of a tree of nodes, collecting every mistake instead of stopping
//! at the first.

use crate::diagnostic::{Diagnostic, nearest};
use crate::quantity;
use crate::registry::Field;
use crate::tree::{Node, Place, Table, Value};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Where a reader keeps what it found wrong.
#[derive(Debug, Default)]
pub struct Reader {
    /// Everything wrong so far.
    pub diagnostics: Vec<Diagnostic>,
    /// What is right and of no effect, which a person may not expect.
    pub remarks: Vec<Diagnostic>,
    bases: Vec<PathBuf>,
}

impl Reader {
    /// A reader for sources whose relative paths start at these folders, in the order of the sources.
    pub fn new(bases: Vec<PathBuf>) -> Self {
        Self { bases, ..Self::default() }
    }

    /// The folder at which relative paths of a source start.
    pub fn base(&self, place: Place) -> Option<&Path> {
        self.bases.get(usize::from(place.source)).map(PathBuf::as_path)
    }

    /// Notes a mistake.
    pub fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Notes that a value is of the wrong type.
    pub fn wrong_type<T>(&mut self, node: &Node, expected: &str) -> Option<T> {
        let found = node.value.describe();
        self.report(
            Diagnostic::new("PL0105", Some(node.place), format!("expected {expected}, found {found}"))
                .label(format!("expected {expected}"))
                .expected(expected),
        );
        None
    }

    /// Notes that text stands where a number is wanted: it may be a number in quotes, or one with a unit.
    fn no_number<T>(&mut self, node: &Node, expected: &str) -> Option<T> {
        let Value::Str(text) = &node.value else { return self.wrong_type(node, expected) };
        let Some((number, unit)) = quantity::split(text) else { return self.wrong_type(node, expected) };
        let plain = match unit {
            "" => {
                self.wrong_type::<T>(node, expected);
                if let Some(d) = self.diagnostics.last_mut() {
                    d.label = Some(format!("expected {expected}: write it without quotes"));
                }
                return None;
            }
            "%" => format!("write {}", number / 100.0),
            _ => format!("write {number}"),
        };
        self.report(
            Diagnostic::new("PL0117", Some(node.place), format!("`{text}` has a unit, and this key takes none"))
                .label(format!("expected {expected}: {plain}"))
                .expected(expected),
        );
        None
    }
}

/// A value that can be read from a node. `None` means that the mistake has been reported.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a parameter of a plugin",
    label = "a file cannot hold this",
    note = "a parameter is a number, `bool`, `String`, `PathBuf`, a quantity (`Span`, `Bytes`), another plugin (`Plug<dyn Loss>`), a struct or an enum with `#[config]`, or an `Option`, `Vec`, array, pair or map of these; what a plugin makes of them while it runs belongs into its state"
)]
pub trait Read: Sized {
    /// Reads the value, reporting every mistake in it.
    fn read(node: &Node, r: &mut Reader) -> Option<Self>;

    /// Whether `false` is a value of this type, and not the sign that an option is off.
    const READS_FALSE: bool = false;
}

/// A struct that reads itself from a table, field by field; [`plugin`](crate::plugin) and
/// [`config`](crate::config) write the impl.
pub trait ReadTable: Sized {
    /// Name, documentation and bounds of each field.
    const FIELDS: &'static [Field];

    /// Reads all fields; `of` names the thing in messages ("scheduler StepLR", "[trainer]").
    fn read_table(table: &Table, place: Place, of: &str, r: &mut Reader) -> Option<Self>;

    /// All defaults, and the example of each required field.
    fn sample() -> Self;
}

/// The open end or ends of a range of numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// Least value.
    pub min: f64,
    /// Whether the least value itself is outside.
    pub min_excluded: bool,
    /// Greatest value.
    pub max: f64,
    /// Whether the greatest value itself is outside.
    pub max_excluded: bool,
}

impl Bounds {
    /// Whether a number is inside; NaN never is.
    pub fn contain(&self, x: f64) -> bool {
        let above = if self.min_excluded { x > self.min } else { x >= self.min };
        let below = if self.max_excluded { x < self.max } else { x <= self.max };
        above && below
    }

    /// The bounds in words: "at least 0 and below 1".
    pub fn words(&self) -> String {
        let low = (self.min > f64::NEG_INFINITY)
            .then(|| format!("{} {}", if self.min_excluded { "above" } else { "at least" }, self.min));
        let high = (self.max < f64::INFINITY)
            .then(|| format!("{} {}", if self.max_excluded { "below" } else { "at most" }, self.max));
        [low, high].into_iter().flatten().collect::<Vec<_>>().join(" and ")
    }
}

/// A value all of whose numbers can be held against bounds.
pub trait Bounded {
    /// Whether every number in it is inside.
    fn within(&self, bounds: &Bounds) -> bool;
}

macro_rules! bounded {
    ($($t:ty),*) => { $(impl Bounded for $t {
        fn within(&self, bounds: &Bounds) -> bool { bounds.contain(*self as f64) }
    })* };
}
bounded!(f64, f32, u8, u16, u32, u64, usize, i32, i64);

impl<T: Bounded> Bounded for Option<T> {
    fn within(&self, bounds: &Bounds) -> bool {
        self.as_ref().is_none_or(|x| x.within(bounds))
    }
}
impl<T: Bounded> Bounded for Vec<T> {
    fn within(&self, bounds: &Bounds) -> bool {
        self.iter().all(|x| x.within(bounds))
    }
}
impl<T: Bounded, const N: usize> Bounded for [T; N] {
    fn within(&self, bounds: &Bounds) -> bool {
        self.iter().all(|x| x.within(bounds))
    }
}
impl<T: Bounded> Bounded for (T, T) {
    fn within(&self, bounds: &Bounds) -> bool {
        self.0.within(bounds) && self.1.within(bounds)
    }
}

/// The fields of one table while it is read.
pub struct Fields<'a> {
    table: &'a Table,
    place: Place,
    of: &'a str,
    known: &'static [Field],
    r: &'a mut Reader,
    complete: bool,
}

impl<'a> Fields<'a> {
    /// Begins to read a table and reports the keys that no field has.
    pub fn open(table: &'a Table, place: Place, of: &'a str, known: &'static [Field], r: &'a mut Reader) -> Self {
        for (key, node) in &table.entries {
            if let Some(field) = known.iter().find(|f| f.name == key.name) {
                if field.idle && node.value != Value::Str("none".into()) {
                    let what = format!("`{}` of {of} has no effect here", key.name);
                    r.remarks.push(Diagnostic::new("PL0140", Some(key.place), what).label(field.doc));
                }
                continue;
            }
            let mut d =
                Diagnostic::new("PL0104", Some(key.place), format!("unknown parameter `{}` for {of}", key.name));
            if let Some(now) = known.iter().find(|f| f.was.contains(&key.name.as_str())) {
                d = d.label(format!("write `{}` instead", now.name));
                d.nearest = Some(now.name.to_owned());
            } else if let Some(near) = nearest(&key.name, known.iter().map(|f| f.name)) {
                d = d.near(near);
            } else {
                d = d.label("not known here");
            }
            let takes = known.iter().map(|f| f.name).collect::<Vec<_>>().join(", ");
            r.report(match takes.is_empty() {
                true => d.note("takes no parameters"),
                false => d.note(format!("takes: {takes}")).expected(takes),
            });
        }
        Self { table, place, of, known, r, complete: true }
    }

    /// Reads a field that may be absent.
    pub fn optional<T: Read>(&mut self, name: &str, default: impl FnOnce() -> T) -> Option<T> {
        match self.table.get(name) {
            None => Some(default()),
            Some(node) => self.value(node),
        }
    }

    /// Reads a field that must be there.
    pub fn required<T: Read>(&mut self, name: &str) -> Option<T> {
        match self.table.get(name) {
            Some(node) => self.value(node),
            None => {
                let doc = self.known.iter().find(|f| f.name == name).map_or("", |f| f.doc);
                let first = doc.lines().next().unwrap_or_default();
                self.complete = false;
                self.r.report(
                    Diagnostic::new("PL0106", Some(self.place), format!("{} needs `{name}`", self.of))
                        .label(format!("`{name}` is missing"))
                        .note(format!("{name}: {first}"))
                        .expected(format!("`{name}`")),
                );
                None
            }
        }
    }

    fn value<T: Read>(&mut self, node: &Node) -> Option<T> {
        let value = T::read(node, self.r);
        self.complete &= value.is_some();
        value
    }

    /// Holds a value that was read against the field's bounds.
    pub fn bounded<T: Bounded>(&mut self, name: &str, value: Option<T>) -> Option<T> {
        let bounds = self.known.iter().find(|f| f.name == name).and_then(|f| f.bounds);
        if let (Some(v), Some(b)) = (&value, bounds)
            && !v.within(&b)
        {
            let place = self.table.get(name).map_or(self.place, |node| node.place);
            self.complete = false;
            self.r.report(
                Diagnostic::new("PL0107", Some(place), format!("`{name}` of {} is out of bounds", self.of))
                    .label(format!("must be {}", b.words()))
                    .expected(b.words()),
            );
            return None;
        }
        value
    }

    /// Runs the rules that a struct has between its fields.
    pub fn rules<T>(&mut self, value: &T, rules: impl FnOnce(&T, &mut Rules)) {
        let mut broken = Rules(Vec::new());
        rules(value, &mut broken);
        for (field, message) in broken.0 {
            let place = self.table.get(field).map_or(self.place, |node| node.place);
            self.complete = false;
            self.r.report(
                Diagnostic::new("PL0108", Some(place), format!("{}: {message}", self.of)).label(format!("`{field}`")),
            );
        }
    }

    /// Whether everything so far could be read.
    pub fn complete(&self) -> bool {
        self.complete
    }
}

/// The broken rules between the fields of one struct.
pub struct Rules(Vec<(&'static str, String)>);

impl Rules {
    /// Refuses the value of a field, with the reason.
    pub fn refuse(&mut self, field: &'static str, why: impl Into<String>) {
        self.0.push((field, why.into()));
    }
}

impl Read for bool {
    const READS_FALSE: bool = true;
    fn read(node: &Node, r: &mut Reader) -> Option<Self> {
        match node.value {
            Value::Bool(b) => Some(b),
            _ => r.wrong_type(node, "true or false"),
        }
    }
}

macro_rules! read_int {
    ($($t:ty => $words:literal),*) => { $(impl Read for $t {
        fn read(node: &Node, r: &mut Reader) -> Option<Self> {
            match node.value {
                Value::Int(i) => <$t>::try_from(i).ok().or_else(|| r.wrong_type(node, $words)),
                _ => r.no_number(node, $words),
            }
        }
    })* };
}
read_int!(
    u8 => "a whole number from 0 to 255", u16 => "a whole number from 0 to 65535",
    u32 => "a whole number, at least 0", u64 => "a whole number, at least 0", usize => "a whole number, at least 0",
    i32 => "a whole number", i64 => "a whole number"
);

impl Read for f64 {
    fn read(node: &Node, r: &mut Reader) -> Option<Self> {
        match node.value {
            Value::Float(x) if x.is_nan() => r.wrong_type(node, "a number"),
            Value::Float(x) => Some(x),
            Value::Int(i) => Some(i as f64),
            _ => r.no_number(node, "a number"),
        }
    }
}

impl Read for f32 {
    fn read(node: &Node, r: &mut Reader) -> Option<Self> {
        f64::read(node, r).map(|x| x as f32)
    }
}

impl Read for String {
    fn read(node: &Node, r: &mut Reader) -> Option<Self> {
        match &node.value {
            Value::Str(s) => Some(s.clone()),
            _ => r.wrong_type(node, "a string"),
        }
    }
}

/// A path; a relative one starts at the folder of the file in which it stands.
impl Read for PathBuf {
    fn read(node: &Node, r: &mut Reader) -> Option<Self> {
        let Value::Str(text) = &node.value else { return r.wrong_type(node, "a path") };
        let path = PathBuf::from(text);
        match r.base(node.place) {
            Some(base) if path.is_relative() => Some(base.join(path)),
            _ => Some(path),
        }
    }
}

/// `"none"` turns an option off, and so does `false` where it means nothing else.
impl<T: Read> Read for Option<T> {
    const READS_FALSE: bool = true;
    fn read(node: &Node, r: &mut Reader) -> Option<Self> {
        match &node.value {
            Value::Bool(false) if !T::READS_FALSE => Some(None),
            Value::Str(s) if s == "none" => Some(None),
            _ => T::read(node, r).map(Some),
        }
    }
}

impl<T: Read> Read for Box<T> {
    const READS_FALSE: bool = T::READS_FALSE;
    fn read(node: &Node, r: &mut Reader) -> Option<Self> {
        T::read(node, r).map(Self::new)
    }
}

impl<T: Read> Read for Vec<T> {
    fn read(node: &Node, r: &mut Reader) -> Option<Self> {
        let Value::Array(items) = &node.value else { return r.wrong_type(node, "a list") };
        // Every item is read, so that every mistake is found.
        let read: Vec<Option<T>> = items.iter().map(|item| T::read(item, r)).collect();
        read.into_iter().collect()
    }
}

impl<T: Read, const N: usize> Read for [T; N] {
    fn read(node: &Node, r: &mut Reader) -> Option<Self> {
        let items = Vec::<T>::read(node, r)?;
        items.try_into().ok().or_else(|| r.wrong_type(node, &format!("a list of {N} values")))
    }
}

impl<T: Read> Read for (T, T) {
    fn read(node: &Node, r: &mut Reader) -> Option<Self> {
        <[T; 2]>::read(node, r).map(|[a, b]| (a, b))
    }
}

impl<T: Read> Read for BTreeMap<String, T> {
    fn read(node: &Node, r: &mut Reader) -> Option<Self> {
        let Value::Table(table) = &node.value else { return r.wrong_type(node, "a table") };
        let read: Vec<_> =
            table.entries.iter().map(|(key, node)| T::read(node, r).map(|v| (key.name.clone(), v))).collect();
        read.into_iter().collect()
    }
}

/// Reads one of a fixed list of names.
pub fn one_of<'a>(node: &Node, names: &[&'a str], r: &mut Reader) -> Option<&'a str> {
    let Value::Str(s) = &node.value else { return r.wrong_type(node, &format!("one of {}", names.join(", "))) };
    if let Some(name) = names.iter().find(|n| *n == s) {
        return Some(name);
    }
    let mut d = Diagnostic::new("PL0109", Some(node.place), format!("unknown value `{s}`"))
        .note(format!("one of: {}", names.join(", ")))
        .expected(format!("one of {}", names.join(", ")));
    if let Some(near) = nearest(s, names.iter().copied()) {
        d = d.near(near);
    }
    r.report(d);
    None
}

/// [`one_of`], with further spellings of some names, numbers among them: what stands for it in other libraries.
pub fn one_of_spellings<'a>(
    node: &Node,
    names: &[&'a str],
    spellings: &[(&str, &'a str)],
    r: &mut Reader,
) -> Option<&'a str> {
    let given = match &node.value {
        Value::Str(s) => s.clone(),
        Value::Int(n) => n.to_string(),
        _ => String::new(),
    };
    let other = spellings.iter().find(|(spelling, _)| *spelling == given);
    other.map_or_else(|| one_of(node, names, r), |(_, name)| Some(name))
}

/// Reads a struct from a node that must be a table.
pub fn table<T: ReadTable>(node: &Node, of: &str, r: &mut Reader) -> Option<T> {
    match &node.value {
        Value::Table(table) => T::read_table(table, node.place, of, r),
        _ => r.wrong_type(node, &format!("a table for {of}")),
    }
}
