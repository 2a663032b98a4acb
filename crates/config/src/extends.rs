//! Lays files over each other: what a file names under `extends` lies below it, key by key.

use crate::draft::unknown_sections;
use crate::source::{Layer, Source, absolute, read_text};
use crate::syntax::{self, At};
use pleach_core::diagnostic::{Diagnostic, nearest};
use pleach_core::tree::{Node, Place, Table, Value};
use std::path::{Path, PathBuf};

/// More files than this are no configuration of one run.
const MOST: usize = 64;

/// Files while they are read: their texts, and what is wrong with them.
#[derive(Default)]
pub(crate) struct Files {
    /// The texts; places count them in this order.
    pub sources: Vec<Source>,
    /// What is no TOML.
    pub syntax: Vec<Diagnostic>,
    /// What else is wrong.
    pub wrong: Vec<Diagnostic>,
}

impl Files {
    /// The tree of a file with all files below it. `chain` holds the files that are being read.
    pub fn read(&mut self, source: Source, chain: &mut Vec<PathBuf>) -> Table {
        let number = u16::try_from(self.sources.len()).unwrap_or(u16::MAX);
        let (mut own, mut syntax) = syntax::document(&source.text, At { source: number, offset: 0 });
        self.syntax.append(&mut syntax);
        let (base, name) = (source.base.clone(), source.name.clone());
        self.sources.push(source);
        let Some((_, extends)) = own.remove("extends") else { return own };
        let mut all = Table::default();
        let items = match extends.value {
            Value::Array(items) => items,
            _ => vec![extends],
        };
        for item in items {
            if let Some(below) = self.below(&item, &base, &name, chain) {
                merge(&mut all, below, Names::OfPlugins);
            }
        }
        merge(&mut all, own, Names::OfPlugins);
        all
    }

    fn below(&mut self, item: &Node, base: &Path, above: &str, chain: &mut Vec<PathBuf>) -> Option<Table> {
        let mut refuse = |d: Diagnostic| {
            self.wrong.push(d);
            None
        };
        let Value::Str(given) = &item.value else {
            let what = format!("expected the path of a file, found {}", item.value.describe());
            let d = Diagnostic::new("PL0105", Some(item.place), what);
            return refuse(d.label("expected the path of a file").expected("the path of a file"));
        };
        let path = identity(&base.join(given));
        if chain.contains(&path) {
            let d = Diagnostic::new("PL0118", Some(item.place), format!("`{given}` extends itself"));
            return refuse(d.label("this file is being read already"));
        }
        if self.sources.len() >= MOST {
            let d = Diagnostic::new("PL0118", Some(item.place), "too many files extend each other");
            return refuse(d.label(format!("{MOST} at most")));
        }
        let text = match read_text(&path) {
            Ok(text) => text,
            Err(d) => return refuse(Diagnostic { place: Some(item.place), ..d }.label("extended here")),
        };
        let name = Path::new(above).parent().unwrap_or(Path::new("")).join(given).display().to_string();
        let folder = path.parent().unwrap_or(base).to_owned();
        chain.push(path);
        let table = self.read(Source::new(Layer::Extended, name, text, folder), chain);
        chain.pop();
        Some(table)
    }
}

/// A path by which a file is known again.
pub(crate) fn identity(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| absolute(path))
}

/// What a key `name` means in a table.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Names {
    /// The plugin, so that another one replaces the whole table.
    OfPlugins,
    /// A word like any other.
    Plain,
}

/// Lays a table over another: key by key, but a list, and a table with another `name`, replaces what it covers.
pub(crate) fn merge(under: &mut Table, over: Table, names: Names) {
    for (key, node) in over.entries {
        let below = under.entries.iter_mut().find(|(k, _)| k.name == key.name);
        let Some((old_key, old)) = below else {
            under.entries.push((key, node));
            continue;
        };
        let names = if key.name == "run" { Names::Plain } else { names };
        match (&mut old.value, node) {
            (Value::Table(old), Node { value: Value::Table(new), .. }) if !replaces(old, &new, names) => {
                merge(old, new, names);
            }
            // A bare string is a plugin with its defaults, to which keys may be added.
            (Value::Str(word), Node { value: Value::Table(new), place })
                if word != "none" && new.get("name").is_none() =>
            {
                let tag = Node { value: Value::Str(std::mem::take(word)), place: old.place };
                let mut table = Table::default();
                table.set(pleach_core::tree::Key { name: "name".into(), place: old.place }, tag);
                merge(&mut table, new, names);
                *old = Node { value: Value::Table(table), place };
            }
            (_, node) => (*old_key, *old) = (key, node),
        }
    }
}

fn replaces(old: &Table, new: &Table, names: Names) -> bool {
    let name = |table: &Table| table.get("name").map(|node| node.value.clone());
    names == Names::OfPlugins && matches!((name(old), name(new)), (Some(old), Some(new)) if old != new)
}

/// Takes the profiles out of the tree and lays the chosen ones, given as name and place of the choice, over it.
pub(crate) fn profiles(
    root: &mut Table,
    chosen: &[(String, Place)],
    sources: &mut [Source],
    wrong: &mut Vec<Diagnostic>,
) {
    let all = match root.remove("profile") {
        Some((_, Node { value: Value::Table(all), .. })) => all,
        Some((key, _)) => {
            let d = Diagnostic::new("PL0105", Some(key.place), "expected tables [profile.NAME]");
            wrong.push(d.label("expected tables [profile.NAME]").expected("tables [profile.NAME]"));
            return;
        }
        None => Table::default(),
    };
    // A profile that is not chosen is not read, but a misspelt section in it is a mistake on any day.
    for (key, node) in &all.entries {
        match &node.value {
            Value::Table(table) => wrong.extend(unknown_sections(table)),
            _ => {
                let what = format!("expected a table [profile.{}]", key.name);
                let d = Diagnostic::new("PL0105", Some(key.place), what);
                wrong.push(d.label("expected a table").expected("a table"));
            }
        }
    }
    let known: Vec<&str> = all.entries.iter().map(|(key, _)| key.name.as_str()).collect();
    for (name, place) in chosen {
        let Some((_, profile)) = all.entry(name) else {
            let d = Diagnostic::new("PL0119", Some(*place), format!("there is no profile `{name}`"));
            let d = match nearest(name, known.iter().copied()) {
                Some(near) => d.near(near),
                None => d.label("not in the file"),
            };
            let there = if known.is_empty() { "no profiles".to_owned() } else { known.join(", ") };
            wrong.push(d.note(format!("there is: {there}")).note("a profile is a table [profile.NAME] in the file"));
            continue;
        };
        let Value::Table(table) = &profile.value else { continue };
        mark(table, name, sources);
        merge(root, table.clone(), Names::OfPlugins);
    }
}

/// Notes in the sources which bytes are a profile's.
fn mark(table: &Table, profile: &str, sources: &mut [Source]) {
    let mut note = |place: Place| {
        if let Some(source) = sources.get_mut(usize::from(place.source)) {
            source.profiles.push((place.start..place.end.max(place.start + 1), profile.to_owned()));
        }
    };
    let mut open: Vec<&Table> = vec![table];
    while let Some(table) = open.pop() {
        for (key, node) in &table.entries {
            note(key.place);
            note(node.place);
            match &node.value {
                Value::Table(inner) => open.push(inner),
                Value::Array(items) => open.extend(items.iter().filter_map(|item| match &item.value {
                    Value::Table(inner) => Some(inner),
                    _ => None,
                })),
                _ => {}
            }
        }
    }
}
