//! What is wrong with a configuration, with the texts that are needed to show it.

use crate::source::{Layer, Source};
use pleach_core::diagnostic::Diagnostic;
use pleach_core::tree::Place;

/// More than this many mistakes are not shown one by one.
const MOST: usize = 100;

/// All mistakes of a configuration, or all remarks on a right one, sorted by place.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// The mistakes.
    pub diagnostics: Vec<Diagnostic>,
    /// The texts into which their places point.
    pub sources: Vec<Source>,
}

impl Failure {
    /// Sorts mistakes by place, those without one last, and drops what is said twice.
    pub fn new(mut diagnostics: Vec<Diagnostic>, sources: Vec<Source>) -> Self {
        diagnostics.sort_by_key(|d| (d.place.is_none(), d.place));
        let mut kept: Vec<Diagnostic> = Vec::new();
        let mut more = 0;
        for d in diagnostics {
            // Only its neighbours can be at the same place.
            if kept.iter().rev().take_while(|k| k.place == d.place).any(|k| *k == d) {
                continue;
            }
            if kept.len() < MOST { kept.push(d) } else { more += 1 }
        }
        if more > 0 {
            kept.push(Diagnostic::new("PL0100", None, format!("and {more} mistakes more")));
        }
        Self { diagnostics: kept, sources }
    }

    /// Line and column of a byte, counted from 1; columns are characters.
    pub fn line_column(&self, source: u16, byte: u32) -> Option<(usize, usize)> {
        let text = &self.sources.get(usize::from(source))?.text;
        let mut at = (byte as usize).min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        let before = text.get(..at)?;
        let start = before.rfind('\n').map_or(0, |i| i + 1);
        let line = 1 + before.bytes().filter(|b| *b == b'\n').count();
        Some((line, 1 + before.get(start..)?.chars().count()))
    }

    /// `run.toml:16:78`, as an editor understands it.
    pub fn location(&self, place: Place) -> Option<String> {
        let (line, column) = self.line_column(place.source, place.start)?;
        let name = &self.sources.get(usize::from(place.source))?.name;
        Some(format!("{name}:{line}:{column}"))
    }
}

/// The layer to which a mistake belongs.
pub(crate) struct InLayer {
    /// One of "file", "extends", "profile", "environment" and "set".
    pub word: &'static str,
    /// What a person is told where the place alone does not say it.
    pub note: Option<String>,
}

impl Failure {
    /// The layer in which a mistake stands.
    pub(crate) fn layer(&self, d: &Diagnostic) -> Option<InLayer> {
        let place = d.place?;
        let source = self.sources.get(usize::from(place.source))?;
        let profile = source.profile_at(place.start).map(|name| format!("in the profile `{name}`"));
        let below = || self.sources.first().map(|top| format!("in a file that `{}` extends", top.name));
        Some(match source.layer {
            Layer::File | Layer::Extended if profile.is_some() => InLayer { word: "profile", note: profile },
            Layer::Extended => InLayer { word: "extends", note: below() },
            Layer::File => InLayer { word: "file", note: None },
            Layer::Profile => InLayer { word: "profile", note: None },
            Layer::Environment => InLayer { word: "environment", note: None },
            Layer::Set => InLayer { word: "set", note: None },
        })
    }
}

impl From<Failure> for pleach_core::Error {
    /// One error with all mistakes in its text.
    fn from(failure: Failure) -> Self {
        let code = failure.diagnostics.first().map_or("PL0100", |d| d.code);
        Self::new(code, format!("the configuration is wrong\n\n{}", failure.render(crate::Paint::Plain)))
    }
}
