//! From texts to a resolved run: parse, lay over each other, read, hold against each other, freeze.

use crate::draft::Draft;
use crate::extends::{self, Files, identity};
use crate::failure::Failure;
use crate::resolved::Resolved;
use crate::source::{Layer, PROFILE, Source, Sources};
use crate::syntax::At;
use crate::{familiar, layers, origins, rules};
use pleach_core::diagnostic::Diagnostic;
use pleach_core::read::Reader;
use pleach_core::tree::{Place, Table};
use std::path::Path;

/// More values than this over one file are a mistake.
const MOST_OVER: usize = 60_000;

/// Reads a run from its sources.
///
/// # Errors
/// All mistakes of all sources at once, sorted by place.
pub fn resolve(sources: Sources) -> Result<Resolved, Failure> {
    let Sources { file, mut over } = sources;
    // Stable: what is of one layer keeps its order.
    over.sort_by_key(|source| source.layer);
    if over.len() > MOST_OVER {
        let what = format!("{} values are laid over the file by `--set` and the environment", over.len());
        let d = Diagnostic::new("PL0113", None, what).note(format!("{MOST_OVER} at most"));
        return Err(Failure::new(vec![d], Vec::new()));
    }
    let mut files = Files::default();
    let mut chain = vec![identity(&file.base.join(Path::new(&file.name).file_name().unwrap_or_default()))];
    let mut root = files.read(file, &mut chain);
    let Files { mut sources, syntax, mut wrong } = files;
    let first = sources.len();
    sources.extend(over);
    let of_layer = |sources: &[Source], wanted: &[Layer]| -> Vec<(u16, String)> {
        let over = (0u16..).zip(sources).skip(first).filter(|(_, s)| wanted.contains(&s.layer));
        over.map(|(number, s)| (number, s.text.clone())).collect()
    };
    let chosen: Vec<_> = of_layer(&sources, &[Layer::Profile]).into_iter().map(|(n, text)| chosen(n, &text)).collect();
    extends::profiles(&mut root, &chosen, &mut sources, &mut wrong);
    familiar::lists(&mut root);
    for layer in [Layer::Environment, Layer::Set] {
        let texts = of_layer(&sources, &[layer]);
        layers::lay(&mut root, texts.iter().map(|(number, text)| (*number, text.as_str())), &mut wrong);
    }
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
        r.report(Diagnostic::new("PL0129", None, what).note("this is a mistake in a plugin"));
    }
    let Some(run) = run else { return Err(Failure::new(r.diagnostics, sources)) };
    freeze(run, &root, Failure::new(r.remarks, sources))
}

/// The name of a profile, and its place on the command line.
fn chosen(source: u16, text: &str) -> (String, Place) {
    let name = text.get(PROFILE.len()..).unwrap_or_default();
    let place = At { source, offset: 0 }.place(PROFILE.len()..text.len());
    (name.to_owned(), place)
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
fn beside_syntax(syntax: Vec<Diagnostic>, others: Vec<Diagnostic>, sources: Vec<Source>) -> Failure {
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
