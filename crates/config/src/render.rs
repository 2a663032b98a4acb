//! Shows mistakes to a person with carets, and to a program as JSON.

use crate::failure::Failure;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use pleach_core::diagnostic::Diagnostic;
use serde_json::{Value as Json, json};
use std::ops::Range;

/// Longer sentences than this, in characters, are cut: they quote what stands in the file anyway.
const LONGEST: usize = 300;

/// Whether text goes to a terminal that knows colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Paint {
    /// Plain text.
    #[default]
    Plain,
    /// With the escape codes of terminals.
    Color,
}

impl Failure {
    /// All mistakes as text, in the order of the file, with an empty line between two.
    pub fn render(&self, paint: Paint) -> String {
        let all: Vec<_> = self.diagnostics.iter().map(|d| self.render_one(d, paint)).collect();
        all.join("\n\n")
    }

    fn render_one(&self, d: &Diagnostic, paint: Paint) -> String {
        let renderer = match paint {
            Paint::Plain => Renderer::plain(),
            Paint::Color => Renderer::styled(),
        };
        let title = Level::ERROR.no_name().primary_title(format!("{}  {}", d.code, clip(&d.message)));
        let mut group = Group::with_title(title);
        match self.line_of(d) {
            Some((name, number, line, span)) => {
                let mark = AnnotationKind::Primary.span(span).label(d.label.as_deref().map(clip));
                group = group.element(Snippet::source(line).path(name).line_start(number).annotation(mark));
            }
            None => {
                if let Some(first) = self.sources.first() {
                    group = group.element(Origin::path(first.name.as_str()));
                }
            }
        }
        for note in &d.notes {
            group = group.element(Level::NOTE.no_name().message(clip(note)));
        }
        let drawn = renderer.render(&[group]);
        let kept: Vec<&str> = drawn.lines().filter(|line| bare(line).trim() != "|").collect();
        kept.join("\n")
    }

    /// Source, line number, line and the marked bytes of it: the first line of what is wrong.
    fn line_of(&self, d: &Diagnostic) -> Option<(&str, usize, &str, Range<usize>)> {
        let place = d.place?;
        let source = self.sources.get(usize::from(place.source))?;
        let (number, _) = self.line_column(place.source, place.start)?;
        let line = source.text.lines().nth(number - 1).unwrap_or_default();
        let before: usize = source.text.split_inclusive('\n').take(number - 1).map(str::len).sum();
        let within = |byte: u32| {
            let mut at = (byte as usize).saturating_sub(before).min(line.len());
            while !line.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        Some((&source.name, number, line, within(place.start)..within(place.end)))
    }

    /// All mistakes as JSON: code, message, file, line, column, end, label and notes of each. Lines and
    /// columns count from 1, columns in characters; `end` is the first character after what is wrong.
    pub fn json(&self) -> Json {
        self.diagnostics.iter().map(|d| self.json_of(d)).collect()
    }

    fn json_of(&self, d: &Diagnostic) -> Json {
        let source = d.place.map_or(0, |p| p.source);
        let file = self.sources.get(usize::from(source)).map(|s| s.name.as_str());
        let at = d.place.and_then(|p| self.line_column(source, p.start));
        let end = d.place.and_then(|p| self.line_column(source, p.end));
        json!({
            "code": d.code,
            "message": d.message,
            "file": file,
            "line": at.map(|(line, _)| line),
            "column": at.map(|(_, column)| column),
            "end": end.map(|(line, column)| json!({ "line": line, "column": column })),
            "label": d.label,
            "notes": d.notes,
        })
    }
}

/// One line of bounded length, so that what a message quotes cannot break the drawing.
fn clip(text: &str) -> String {
    let text = text.replace('\n', "\\n");
    let text = annotate_snippets::normalize_untrusted_str(&text);
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{} ...", text.get(..at).unwrap_or_default()),
        None => text,
    }
}

/// The text without the escape codes of terminals.
fn bare(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        out.push_str(before);
        rest = after.split_once('m').map_or("", |(_, r)| r);
    }
    out.push_str(rest);
    out
}
