//! From texts to a resolved run: parse, lay `--set` over, read, hold against each other, freeze.

use crate::draft::Draft;
use crate::failure::Failure;
use crate::resolved::Resolved;
use crate::source::Sources;
use crate::syntax::{self, At};
use crate::{familiar, layers, origins, rules};
use pleach_core::diagnostic::Diagnostic;
use pleach_core::read::Reader;
use pleach_core::tree::Table;

/// Reads a run from its sources.
///
/// # Errors
/// All mistakes of all sources at once, sorted by place.
pub fn resolve(sources: Sources) -> Result<Resolved, Failure> {
    let sources = sources.into_all();
    if u16::try_from(sources.len()).is_err() {
        let d = Diagnostic::new("PL0113", None, format!("{} times `--set` is too much", sources.len() - 1));
        return Err(Failure::new(vec![d], Vec::new()));
    }
    let text = sources.first().map_or("", |file| file.text.as_str());
    let (mut root, syntax) = syntax::document(text, At { source: 0, offset: 0 });
    let mut wrong = Vec::new();
    familiar::lists(&mut root);
    layers::lay(&mut root, (1u16..).zip(sources.iter().skip(1).map(|s| s.text.as_str())), &mut wrong);
    familiar::rewrite(&mut root, &mut wrong);

    let mut r = Reader::new(sources.iter().map(|s| s.base.clone()).collect());
    let draft = Draft::read(&root, &mut r);
    if !syntax.is_empty() {
        wrong.append(&mut r.diagnostics);
        return Err(beside_syntax(syntax, wrong, sources));
    }
    r.diagnostics.append(&mut wrong);
    let run = rules::complete(draft, &root, &mut r);
    if run.is_none() && r.diagnostics.is_empty() {
        let what = "a part of the run could not be read, and its reader did not say why";
        r.report(Diagnostic::new("PL0100", None, what).note("this is a mistake in a plugin"));
    }
    let Some(run) = run else { return Err(Failure::new(r.diagnostics, sources)) };
    freeze(run, &root, Failure::new(r.remarks, sources))
}

fn freeze(run: crate::run::Run, root: &Table, mut texts: Failure) -> Result<Resolved, Failure> {
    match Resolved::freeze(run, |saved| origins::of(saved, root, &texts)) {
        Ok(resolved) => Ok(resolved.with_remarks(texts)),
        Err(e) => {
            texts.diagnostics = vec![Diagnostic::new("PL0130", None, format!("this run cannot be written: {e}"))];
            Err(texts)
        }
    }
}

/// Mistakes in a text that is no TOML: its syntax errors, and of the rest only what the broken lines cannot
/// have caused.
fn beside_syntax(syntax: Vec<Diagnostic>, others: Vec<Diagnostic>, sources: Vec<crate::Source>) -> Failure {
    let texts = Failure::new(Vec::new(), sources);
    let line = |d: &Diagnostic| d.place.and_then(|p| texts.line_column(p.source, p.start)).map(|(line, _)| line);
    let broken: Vec<_> = syntax.iter().map(line).collect();
    let apart = |d: &Diagnostic| {
        d.place.is_some_and(|p| p.end > p.start)
            && d.code != "PL0106"
            && d.code != "PL0110"
            && !broken.contains(&line(d))
    };
    let kept: Vec<_> = others.into_iter().filter(apart).collect();
    Failure::new(syntax.into_iter().chain(kept).collect(), texts.sources)
}
