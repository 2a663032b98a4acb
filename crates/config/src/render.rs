//! Shows mistakes to a person with carets, and to a program as JSON.

use crate::failure::Failure;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use pleach_core::diagnostic::Diagnostic;
use pleach_core::tree::Place;
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
        match d.place.and_then(|place| self.line_of(place)) {
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
        for (place, text) in &d.also {
            if let Some((name, number, line, span)) = self.line_of(*place) {
                let mark = AnnotationKind::Context.span(span).label(clip(text));
                group = group.element(Snippet::source(line).path(name).line_start(number).annotation(mark));
            }
        }
        let layer = self.layer(d).and_then(|layer| layer.note);
        let see = d.see.as_ref().map(|command| format!("see: {command}"));
        for note in d.notes.iter().chain(&layer).chain(&see) {
            group = group.element(Level::NOTE.no_name().message(clip(note)));
        }
        let drawn = renderer.render(&[group]);
        let kept: Vec<&str> = drawn.lines().filter(|line| bare(line).trim() != "|").collect();
        kept.join("\n")
    }

    /// Source, line number, line and the marked bytes of it: the first line of what is wrong.
    fn line_of(&self, place: Place) -> Option<(&str, usize, &str, Range<usize>)> {
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

    /// All mistakes as JSON for editors: file, layer, range, code, severity, message, expected, nearest, hint, notes,
    /// see and related of each. Lines and columns count from 1, columns in characters; the end of a range is the first
    /// character after it.
    pub fn json(&self) -> Json {
        self.diagnostics.iter().map(|d| self.json_of(d, "error")).collect()
    }

    /// The same for remarks, which are no errors.
    pub fn json_of_remarks(&self) -> Json {
        self.diagnostics.iter().map(|d| self.json_of(d, "information")).collect()
    }

    fn json_of(&self, d: &Diagnostic, severity: &str) -> Json {
        let source = d.place.map_or(0, |p| p.source);
        let related = d.also.iter().map(
            |(place, text)| json!({ "file": self.name_of(place.source), "range": self.range(*place), "message": text }),
        );
        json!({
            "file": self.name_of(source),
            "layer": self.layer(d).map(|layer| layer.word),
            "range": d.place.map(|place| self.range(place)),
            "code": d.code,
            "severity": severity,
            "message": d.message,
            "expected": d.expected,
            "nearest": d.nearest,
            "hint": d.label,
            "notes": d.notes,
            "see": d.see,
            "related": related.collect::<Json>(),
        })
    }

    fn name_of(&self, source: u16) -> Option<&str> {
        self.sources.get(usize::from(source)).map(|s| s.name.as_str())
    }

    fn range(&self, place: Place) -> Json {
        let at =
            |byte| self.line_column(place.source, byte).map(|(line, column)| json!({ "line": line, "column": column }));
        json!({ "start": at(place.start), "end": at(place.end) })
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
