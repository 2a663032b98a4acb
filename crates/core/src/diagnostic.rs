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
    /// What could have stood there, in words.
    pub expected: Option<String>,
    /// The known name that is nearest to what stands there.
    pub nearest: Option<String>,
    /// Other places that have a part in it, with what is to be said of each.
    pub also: Vec<(Place, String)>,
    /// The command that tells more, such as `pleach describe SGD`.
    pub see: Option<String>,
}

impl Diagnostic {
    /// A mistake at a place.
    pub fn new(code: &'static str, place: Option<Place>, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            place,
            label: None,
            notes: Vec::new(),
            expected: None,
            nearest: None,
            also: Vec::new(),
            see: None,
        }
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

    /// Says what could have stood there; programs read it apart from the label.
    #[must_use]
    pub fn expected(mut self, what: impl Into<String>) -> Self {
        self.expected = Some(what.into());
        self
    }

    /// Asks whether a known name was meant.
    #[must_use]
    pub fn near(mut self, name: &str) -> Self {
        self.nearest = Some(name.to_owned());
        self.label(format!("did you mean `{name}`?"))
    }

    /// Shows another place that has a part in the mistake, if it is known.
    #[must_use]
    pub fn also(mut self, place: Option<Place>, text: impl Into<String>) -> Self {
        self.also.extend(place.filter(|p| Some(*p) != self.place).map(|p| (p, text.into())));
        self
    }

    /// Names the command that tells more.
    #[must_use]
    pub fn see(mut self, command: impl Into<String>) -> Self {
        self.see = Some(command.into());
        self
    }
}

/// Names in one line: all of them if they are few, else those nearest to what was written, and how many more there are.
pub fn listed(bad: &str, names: &[&str]) -> String {
    const FEW: usize = 12;
    const SHOWN: usize = 6;
    if names.len() <= FEW {
        return names.join(", ");
    }
    let lower = bad.to_lowercase();
    let mut near: Vec<_> =
        names.iter().map(|name| (strsim::damerau_levenshtein(&lower, &name.to_lowercase()), *name)).collect();
    near.sort_unstable();
    let shown: Vec<_> = near.iter().take(SHOWN).map(|(_, name)| *name).collect();
    format!("{} and {} more", shown.join(", "), names.len() - SHOWN)
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
