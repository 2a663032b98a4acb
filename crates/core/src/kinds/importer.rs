//! Importers: what a configuration of another system means here.

use crate::{Result, Saved};
use serde_json::Map;
use std::collections::BTreeMap;

/// How sure an importer is that a document is for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Claim {
    /// Nothing in it is of its system.
    Nothing,
    /// It has sections that several systems have.
    Sections,
    /// It is a file of its system and of no other.
    Whole,
}

/// What became of one value of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It stands in the run, at this path (`optimizer.lr`).
    Kept(String),
    /// It says what is so here without it, in these words.
    Anyway(String),
    /// Nothing here does what it asks for: why, or what to do instead.
    Missing(String),
}

/// What a document means here, with an account of every value in it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Import {
    /// The sections of a run as data; what it does not have, a person adds.
    pub run: Map<String, Saved>,
    /// What became of each value, or of all below a table, by its path in the document.
    pub fates: BTreeMap<String, Fate>,
}

impl Import {
    /// Puts a value into the run, and notes that it was kept. A number in a path is the place in a list.
    pub fn keep(&mut self, from: impl Into<String>, to: impl Into<String>, value: Saved) {
        let to = to.into();
        put(&mut self.run, &to, value);
        self.fates.insert(from.into(), Fate::Kept(to));
    }

    /// Notes that a value says what is so without it.
    pub fn anyway(&mut self, from: impl Into<String>, what: impl Into<String>) {
        self.fates.insert(from.into(), Fate::Anyway(what.into()));
    }

    /// Notes that a value, or all below a table, has no counterpart.
    pub fn missing(&mut self, from: impl Into<String>, why: impl Into<String>) {
        self.fates.insert(from.into(), Fate::Missing(why.into()));
    }

    /// The values of a document, by their paths, of which nothing was noted.
    pub fn passed_over(&self, document: &Saved) -> Vec<String> {
        let mut all = Vec::new();
        leaves(document, String::new(), &mut all);
        all.retain(|path| !self.is_noted(path));
        all
    }

    fn is_noted(&self, path: &str) -> bool {
        let ends = path.char_indices().filter(|(_, c)| *c == '.').map(|(i, _)| i).chain([path.len()]);
        ends.filter_map(|end| path.get(..end)).any(|above| self.fates.contains_key(above))
    }
}

/// The paths of all values that are neither tables nor lists of tables.
fn leaves(value: &Saved, path: String, all: &mut Vec<String>) {
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match value {
        Saved::Object(o) if !o.is_empty() => o.iter().for_each(|(key, value)| leaves(value, below(key), all)),
        Saved::Array(a) if a.iter().any(|v| v.is_object() || v.is_array()) => {
            a.iter().enumerate().for_each(|(i, value)| leaves(value, below(&i.to_string()), all));
        }
        _ if path.is_empty() => {}
        _ => all.push(path),
    }
}

/// Puts a value at a path, and makes the tables and lists on the way to it.
fn put(run: &mut Map<String, Saved>, path: &str, value: Saved) {
    let Some((first, rest)) = path.split_once('.') else {
        run.insert(path.to_owned(), value);
        return;
    };
    put_in(run.entry(first).or_insert(Saved::Null), rest, value);
}

fn put_in(here: &mut Saved, path: &str, value: Saved) {
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let next = match first.parse::<usize>() {
        Ok(index) => {
            if !here.is_array() {
                *here = Saved::Array(Vec::new());
            }
            let Some(list) = here.as_array_mut() else { return };
            while list.len() <= index && list.len() < MOST {
                list.push(Saved::Null);
            }
            list.get_mut(index)
        }
        Err(_) => {
            if !here.is_object() {
                *here = Saved::Object(Map::new());
            }
            here.as_object_mut().map(|table| table.entry(first).or_insert(Saved::Null))
        }
    };
    match (next, rest) {
        (Some(next), Some(rest)) => put_in(next, rest, value),
        (Some(next), None) => *next = value,
        (None, _) => {}
    }
}

/// A list of a run has no more items than this.
const MOST: usize = 10_000;

/// Turns configurations of another system into runs. A file has been read into data before (JSON, YAML and TOML are
/// alike); the importer says what each value means.
///
/// What it puts into the run is read as if a person had written it: a value that the reader refuses is taken out
/// again, with the reader's reason. So an importer may hand over parameters under the names that they have.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is called an importer, and does not implement `Importer`",
    label = "write `impl Importer for {Self}`"
)]
pub trait Importer: std::fmt::Debug + Send + Sync + 'static {
    /// Whether a document is for it.
    fn knows(&self, document: &Saved) -> Claim;

    /// What a document means, with an account of each value.
    ///
    /// # Errors
    /// It is none of its documents.
    fn import(&self, document: &Saved) -> Result<Import>;

    /// A document as its system has them, for the laws and for those who want to see one.
    fn example(&self) -> Saved;
}

crate::kind!(Importer, "importer");

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_value_goes_to_its_path_and_what_nobody_noted_is_found() {
        let mut import = Import::default();
        import.keep("optim.lr", "optimizer.lr", json!(0.1));
        import.keep("losses.1.w", "loss.1.factor", json!(2));
        import.missing("hooks", "nothing here has hooks");
        assert_eq!(json!(import.run), json!({ "optimizer": { "lr": 0.1 }, "loss": [null, { "factor": 2 }] }));
        let document = json!({
            "optim": { "lr": 0.1, "eps": 1 }, "losses": [{ "w": 1 }, { "w": 2 }], "hooks": { "a": [1, 2] }, "x": []
        });
        assert_eq!(import.passed_over(&document), ["optim.eps", "losses.0.w", "x"]);
    }
}
