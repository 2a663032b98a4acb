//! What is wrong in a file that a person wrote: a code, a place, a label and notes.

use crate::tree::Place;
use std::collections::BTreeSet;

/// One mistake in a configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Diagnostic {
    /// The code, `PL01xx`.
    pub code: &'static str,
    /// The sentence in the title.
    pub message: String,
    /// Where it is; none for what is missing from the file as a whole.
    pub place: Option<Place>,
    /// What stands beside the caret.
    pub label: Option<String>,
    /// Lines below the drawing.
    pub notes: Vec<String>,
}

impl Diagnostic {
    /// A mistake at a place.
    pub fn new(code: &'static str, place: Option<Place>, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), place, label: None, notes: Vec::new() }
    }

    /// Adds what stands beside the caret.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Adds a line below the drawing.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }
}

/// The known name nearest to a misspelt one, if it is near enough to be meant.
///
/// ```
/// assert_eq!(pleach_core::diagnostic::nearest("patince", ["factor", "patience"]), Some("patience"));
/// assert_eq!(pleach_core::diagnostic::nearest("x", ["factor", "patience"]), None);
/// // Of two that are as near, the one with the same letters is meant.
/// assert_eq!(pleach_core::diagnostic::nearest("rr", ["lr", "r"]), Some("r"));
/// assert_eq!(pleach_core::diagnostic::nearest("rl", ["lr", "r"]), Some("lr"));
/// ```
pub fn nearest<'a>(bad: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let letters = |word: &str| word.chars().collect::<BTreeSet<_>>();
    let lower = bad.to_lowercase();
    known
        .into_iter()
        .map(|k| (strsim::damerau_levenshtein(&lower, &k.to_lowercase()), k))
        .filter(|(distance, k)| *distance <= (k.len().min(bad.len()) / 3).max(1))
        .min_by_key(|(distance, k)| (*distance, letters(&k.to_lowercase()) != letters(&lower), *k))
        .map(|(_, k)| k)
}
