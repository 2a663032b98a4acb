//! Reads sections that no file has, to hear what the reader has against them: for importers, whose sections come from
//! other systems.

use crate::draft::{Draft, SECTIONS};
use crate::{emit, familiar, rules};
use pleach_core::diagnostic::Diagnostic;
use pleach_core::read::Reader;
use pleach_core::tree::Table;
use pleach_core::{Result, Saved};
use serde_json::Map;

/// What is wrong with the sections of a tree, each by itself; places are those of the tree.
pub fn judge(mut root: Table) -> Vec<Diagnostic> {
    let mut wrong = Vec::new();
    familiar::rewrite(&mut root, &mut wrong);
    let mut r = Reader::new(Vec::new());
    let mut draft = Draft::read(&root, &mut r);
    // Most imported files are parts of runs: of the rules between sections only this one asks for no others.
    rules::seats(&mut draft, &root, &mut r);
    wrong.append(&mut r.diagnostics);
    wrong
}

/// Sections as a person would write them, in the order of the documentation.
///
/// # Errors
/// A number does not fit TOML.
pub fn written(run: &Map<String, Saved>) -> Result<String> {
    let place = |name: &str| SECTIONS.iter().position(|s| *s == name).unwrap_or(SECTIONS.len());
    let mut sections: Vec<_> = run.iter().collect();
    sections.sort_by_key(|(name, _)| place(name));
    let ordered: Map<String, Saved> = sections.into_iter().map(|(k, v)| (k.clone(), name_first(v))).collect();
    emit::document(&Saved::Object(ordered))
}

/// The name of a plugin before its parameters.
fn name_first(value: &Saved) -> Saved {
    match value {
        Saved::Object(o) => {
            let name = o.get_key_value("name");
            let rest = o.iter().filter(|(key, _)| *key != "name");
            name.into_iter().chain(rest).map(|(k, v)| (k.clone(), name_first(v))).collect()
        }
        Saved::Array(items) => items.iter().map(name_first).collect(),
        other => other.clone(),
    }
}
