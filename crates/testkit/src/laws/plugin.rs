//! Laws of every plugin: its documentation, its names, and the way through a file and back.

use super::form::{NOWHERE, key, node, parameters};
use super::{Bench, Law, through_text};
use crate::fault::{Check, Fault, ensure};
use pleach_core::diagnostic::Diagnostic;
use pleach_core::read::{Read, Reader};
use pleach_core::registry::{self, Kind};
use pleach_core::tree::{Table, Value};
use pleach_core::{Entry, Plug, saved};
use std::collections::BTreeSet;

/// The doc comment is the help text.
pub const DOCUMENTED: Law = Law {
    name: "every plugin and every parameter says what it does",
    why: "the doc comment is the help text of `describe`, of the schema and of the form",
    write: "a doc comment of at least three words on the type and on each field: what it does, its unit",
};

/// A name stands for one plugin.
pub const ONE_NAME: Law = Law {
    name: "a name stands for one plugin of its kind",
    why: "a file that names it would be refused as ambiguous in every program that links both",
    write: "another type name, or an alias less",
};

/// Slots keep their keys.
pub const FREE_KEYS: Law = Law {
    name: "no parameter has the name of a key of its slot",
    why: "both stand in one table: the slot would take the value away from the plugin",
    write: "another field name",
};

/// A typo is met with the right key.
pub const TYPOS: Law = Law {
    name: "a typo in a key suggests that key, and an unknown key is refused",
    why: "a parameter that is silently ignored ruins a run, and a message without the right key costs minutes",
    write: "fields that read themselves by `#[plugin]` or `#[config]`, and keys further apart than one letter",
};

/// Reading and saving are inverse.
pub const READS_BACK: Law = Law {
    name: "the sample, written out and read as a file would be, is the sample",
    why: "`resolved.toml` must run again as it is, and the defaults must obey their own bounds and rules",
    write: "a `Read` that takes the serialised form, and defaults inside `range`, `above` and `check`",
};

/// typetag's form is complete.
pub const ROUND_TRIP: Law = Law {
    name: "the saved form comes back equal and has every parameter",
    why: "checkpoints hold plugins in this form: what is lost there is lost on resume",
    write: "no `#[serde(skip)]`, `rename` or lossy `serialize_with` on a field",
};

fn read(entry: &Entry, table: &Table) -> (Option<registry::Boxed>, Vec<Diagnostic>) {
    let mut reader = Reader::default();
    let boxed = (entry.read)(table, NOWHERE, entry.name, &mut reader);
    (boxed, reader.diagnostics)
}

fn texts(diagnostics: &[Diagnostic]) -> String {
    let line = |d: &Diagnostic| format!("{} {} ({})", d.code, d.message, d.label.as_deref().unwrap_or_default());
    diagnostics.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Laws that need no plugin to be made.
pub(super) fn without_a_sample(bench: &mut Bench) {
    let entry = bench.entry;
    bench.check(&DOCUMENTED, || documented(entry));
    bench.check(&ONE_NAME, || one_name(entry));
    bench.check(&FREE_KEYS, || {
        let taken: Vec<_> =
            entry.fields.iter().map(|f| f.name).filter(|n| registry::reserved(entry.kind).contains(n)).collect();
        ensure(taken.is_empty(), || format!("`{}` belongs to the slot", taken.join("`, `")))
    });
    bench.check(&TYPOS, || typos(entry));
}

/// Laws of the saved form.
pub(super) fn with_a_sample<K: Kind + ?Sized>(bench: &mut Bench, plug: &Plug<K>) {
    let entry = bench.entry;
    bench.check(&READS_BACK, || reads_back(entry, plug));
    bench.check(&ROUND_TRIP, || {
        let form = plug.saved()?;
        let back: Plug<K> = saved::load(&through_text(&form)?)?;
        ensure(back.saved()? == form, || format!("{form} came back as {back:?}"))?;
        let there: BTreeSet<_> = form.as_object().into_iter().flat_map(|o| o.keys().map(String::as_str)).collect();
        let wanted: BTreeSet<_> = std::iter::once("name").chain(entry.fields.iter().map(|f| f.name)).collect();
        ensure(there == wanted, || format!("the parameters are {wanted:?}, the saved form has {there:?}"))
    });
}

fn documented(entry: &Entry) -> Check {
    let says_something = |doc: &str| doc.split_whitespace().count() >= 3 || doc.contains('.') && doc.len() >= 8;
    ensure(says_something(entry.doc), || format!("the plugin's documentation is \"{}\"", entry.doc))?;
    for field in entry.fields {
        ensure(says_something(field.doc), || format!("the documentation of `{}` is \"{}\"", field.name, field.doc))?;
    }
    Ok(())
}

fn one_name(entry: &Entry) -> Check {
    for (kind, name, who) in registry::duplicates() {
        let ours = kind == entry.kind && who.iter().any(|e| e.krate == entry.krate && e.name == entry.name);
        ensure(!ours, || {
            let all: Vec<_> = who.iter().map(|e| e.qualified()).collect();
            format!("`{name}` is claimed by {}", all.join(" and "))
        })?;
    }
    Ok(())
}

/// Misspellings of a key by one letter: one left out, one twice, two exchanged.
fn misspelt(name: &str) -> Vec<String> {
    let letters: Vec<char> = name.chars().collect();
    let middle = letters.len() / 2;
    let mut all = Vec::new();
    if letters.len() > 3 {
        all.push(letters.iter().enumerate().filter(|(i, _)| *i != middle).map(|(_, c)| c).collect());
        let mut exchanged = letters.clone();
        exchanged.swap(middle - 1, middle);
        all.push(exchanged.iter().collect());
    }
    all.push(letters.iter().chain(letters.last()).collect());
    all
}

fn typos(entry: &Entry) -> Check {
    let taken = |key: &str| {
        entry.fields.iter().any(|f| f.name == key || f.was.contains(&key))
            || registry::reserved(entry.kind).contains(&key)
    };
    let complaint = |name: &str| {
        let table = Table { entries: vec![(key(name), node(&saved::Saved::Bool(true)))] };
        let unknown = format!("`{name}`");
        read(entry, &table).1.into_iter().find(|d| d.code == "PL0104" && d.message.contains(&unknown))
    };
    for field in entry.fields {
        for typo in misspelt(field.name).into_iter().filter(|t| !taken(t)) {
            let Some(found) = complaint(&typo) else { return Err(Fault(format!("`{typo}` is not refused"))) };
            let label = found.label.clone().unwrap_or_default();
            ensure(label.contains(&format!("`{}`", field.name)), || {
                format!("for `{typo}` it should say `{}`: {}", field.name, texts(&[found]))
            })?;
        }
    }
    ensure(complaint("a_key_that_nobody_has").is_some(), || "`a_key_that_nobody_has` is not refused".into())
}

fn reads_back<K: Kind + ?Sized>(entry: &Entry, plug: &Plug<K>) -> Check {
    let form = plug.saved()?;
    let (boxed, diagnostics) = read(entry, &parameters(&form));
    ensure(boxed.is_some() && diagnostics.is_empty(), || format!("{form} is refused:\n{}", texts(&diagnostics)))?;
    let mut reader = Reader::default();
    let whole = Plug::<K>::read(&node(&form), &mut reader)
        .ok_or_else(|| Fault(format!("{form} is refused:\n{}", texts(&reader.diagnostics))))?;
    ensure(whole.saved()? == form, || format!("{form} was read as {whole:?}"))?;
    if entry.fields.iter().all(|f| !f.required && !f.sampled) {
        let mut reader = Reader::default();
        let bare = Plug::<K>::read(
            &pleach_core::tree::Node { value: Value::Str(entry.qualified()), place: NOWHERE },
            &mut reader,
        )
        .ok_or_else(|| Fault(format!("its bare name is refused:\n{}", texts(&reader.diagnostics))))?;
        ensure(bare.saved()? == form, || format!("by its bare name it is {bare:?}, its sample is {form}"))?;
    }
    Ok(())
}
