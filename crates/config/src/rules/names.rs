//! Two plugins of one kind and name stop the program, unless the file says which one it means.

use crate::places;
use pleach_core::diagnostic::Diagnostic;
use pleach_core::read::Reader;
use pleach_core::registry::{self, Entry};
use pleach_core::tree::Table;
use std::sync::LazyLock;

/// Kind, name and plugins of every name with several: those of the program, which never change.
static CLAIMED_TWICE: LazyLock<Vec<(&str, &str, Vec<&Entry>)>> = LazyLock::new(registry::duplicates);

/// Reports every name that two plugins of one kind claim.
pub(super) fn unambiguous(root: &Table, r: &mut Reader) {
    let mut written = Vec::new();
    places::strings(root, &mut written);
    for &(kind, name, ref who) in CLAIMED_TWICE.iter() {
        let chosen = |krate: &str| written.iter().any(|s| s.split_once('/') == Some((krate, name)));
        if who.iter().any(|entry| chosen(entry.krate)) {
            continue;
        }
        let choice: Vec<_> = who.iter().map(|entry| format!("`{}/{name}`", entry.krate)).collect();
        // Where the file uses the bare name, the reader has said so at its place.
        let title = format!("{} plugins of the kind {kind} are called `{name}`", who.len());
        if r.diagnostics.iter().any(|d| d.code == "PL0102" && d.message == title) {
            continue;
        }
        let crates: Vec<_> = who.iter().map(|entry| format!("{} {}", entry.krate, entry.version)).collect();
        r.report(
            Diagnostic::new("PL0102", None, title)
                .note(format!("they come from {}", crates.join(" and ")))
                .note(format!("link one of them only, or write {} in the file", choice.join(" or "))),
        );
    }
}
