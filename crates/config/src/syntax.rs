//! Turns TOML text into a tree whose every key and value knows its bytes.

use pleach_core::diagnostic::Diagnostic;
use pleach_core::tree::{Key, Node, Place, Table, Value};
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Error};

/// Beyond this many, further syntax errors of one text tell nothing new.
const MOST: usize = 50;

/// A key of more parts than this is no configuration.
const DEEPEST: usize = 500;

/// Places of one source, whose text begins at a byte of it.
#[derive(Clone, Copy)]
pub(crate) struct At {
    /// The source.
    pub source: u16,
    /// Where the parsed text begins in it.
    pub offset: usize,
}

impl At {
    pub(crate) fn place(self, span: Range<usize>) -> Place {
        let byte = |b: usize| u32::try_from(b + self.offset).unwrap_or(u32::MAX);
        Place { source: self.source, start: byte(span.start), end: byte(span.end) }
    }
}

/// Parses a whole text. The tree holds what could be understood; the diagnostics, all that could not.
pub(crate) fn document(text: &str, at: At) -> (Table, Vec<Diagnostic>) {
    if let Some(span) = too_deep(text) {
        let d = Diagnostic::new("PL0111", Some(at.place(span)), "this key has too many parts");
        return (Table::default(), vec![d.label(format!("{DEEPEST} at most"))]);
    }
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut wrong = syntax_errors(text, &errors, at);
    let mut table = of_table(table.get_ref(), at, &mut wrong);
    // What stands below a header that is no header belongs to nobody knows what, and not to the root.
    let in_header = |byte: usize| {
        text.get(line_of(text, byte)..).is_some_and(|line| line.trim_start_matches([' ', '\t']).starts_with('['))
    };
    let headers = errors.iter().filter_map(|e| Some(e.span()?.start)).filter(|byte| in_header(*byte));
    if let Some(broken) = headers.min() {
        table.entries.retain(|(key, _)| {
            let byte = (key.place.start as usize).saturating_sub(at.offset);
            byte < broken || in_header(byte)
        });
    }
    (table, wrong)
}

/// Where the line of a byte begins.
fn line_of(text: &str, byte: usize) -> usize {
    text.get(..byte).and_then(|before| before.rfind('\n')).map_or(0, |end| end + 1)
}

/// Parses one value.
pub(crate) fn value(text: &str, at: At) -> Result<Node, Vec<Diagnostic>> {
    let (value, errors) = DeValue::parse_recoverable(text);
    let mut wrong = syntax_errors(text, &errors, at);
    let node = of_value(&value, at, &mut wrong);
    match node {
        Some(node) if wrong.is_empty() => Ok(node),
        _ => Err(wrong),
    }
}

/// A key with more parts than any configuration has. The parser would build a table in a table for each
/// of them, and to walk or to free such a tree would exhaust the stack.
fn too_deep(text: &str) -> Option<Range<usize>> {
    let mut start = 0;
    for run in text.split_inclusive(['\n', ',', '=', '[', ']', '{', '}']) {
        if run.bytes().filter(|b| *b == b'.').count() > DEEPEST {
            return Some(start..start + run.len() - 1);
        }
        start += run.len();
    }
    None
}

/// The first error of each line: what follows it on the line, it has caused.
fn syntax_errors(text: &str, errors: &[Error], at: At) -> Vec<Diagnostic> {
    let mut lines = Vec::new();
    let mut first_of_line = |e: &&Error| {
        let Some(span) = e.span() else { return true };
        let start = line_of(text, span.start);
        let new = !lines.contains(&start);
        lines.push(start);
        new
    };
    errors.iter().filter(|e| first_of_line(e)).take(MOST).map(|e| syntax_error(e, at)).collect()
}

fn syntax_error(error: &Error, at: At) -> Diagnostic {
    let (what, expected) = match error.message().split_once(", expected ") {
        Some((what, expected)) => (what, format!("expected {expected}")),
        None => (error.message(), "here".to_owned()),
    };
    Diagnostic::new("PL0111", error.span().map(|s| at.place(s)), format!("this is no TOML: {what}")).label(expected)
}

fn of_table(table: &DeTable<'_>, at: At, wrong: &mut Vec<Diagnostic>) -> Table {
    let mut entries: Vec<(Key, Node)> = table
        .iter()
        .filter_map(|(key, value)| {
            let node = of_value(value, at, wrong)?;
            Some((Key { name: key.get_ref().to_string(), place: at.place(key.span()) }, node))
        })
        .collect();
    entries.sort_by_key(|(key, _)| key.place);
    Table { entries }
}

fn of_value(value: &Spanned<DeValue<'_>>, at: At, wrong: &mut Vec<Diagnostic>) -> Option<Node> {
    let place = at.place(value.span());
    let mut refuse = |what: &str, label: &str| {
        // A broken value that the parser replaced has been reported with its own reason.
        if !wrong.iter().any(|d| d.place.is_some_and(|p| p.start <= place.end && place.start <= p.end)) {
            wrong.push(Diagnostic::new("PL0112", Some(place), what).label(label));
        }
        None
    };
    let value = match value.get_ref() {
        DeValue::String(s) => Value::Str(s.to_string()),
        DeValue::Boolean(b) => Value::Bool(*b),
        DeValue::Integer(i) => match i64::from_str_radix(i.as_str(), i.radix()) {
            Ok(n) => Value::Int(n),
            Err(_) => return refuse("a whole number beyond 64 bits", "cannot be held"),
        },
        DeValue::Float(x) => match x.as_str().parse::<f64>() {
            Ok(n) if n.is_finite() || x.as_str().contains(['i', 'n']) => Value::Float(n),
            _ => return refuse("a number beyond the greatest of 64 bits", "cannot be held; infinity is `inf`"),
        },
        DeValue::Datetime(_) => {
            return refuse("a date is no value of a configuration", "put it in quotes if it is meant as text");
        }
        DeValue::Array(items) => Value::Array(items.iter().filter_map(|item| of_value(item, at, wrong)).collect()),
        DeValue::Table(table) => Value::Table(of_table(table, at, wrong)),
    };
    Some(Node { value, place })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Every key and every plain value with the text at its place.
    fn texts<'t>(table: &Table, text: &'t str, all: &mut Vec<(String, &'t str)>) {
        let slice = |place: Place| &text[place.start as usize..place.end as usize];
        for (key, node) in &table.entries {
            all.push((key.name.clone(), slice(key.place)));
            match &node.value {
                Value::Table(inner) => texts(inner, text, all),
                Value::Array(items) => all.extend(items.iter().map(|i| (i.value.describe(), slice(i.place)))),
                other => all.push((other.describe(), slice(node.place))),
            }
        }
    }

    #[test]
    fn keys_and_values_know_their_bytes_and_keep_their_order() {
        let text = "z = 0x1F\n\"ü k\" = [1_000, 'é']\n[t.u]\nb.c = \"\"\"a\nb\"\"\"\na = -inf # end\n";
        let (table, wrong) = document(text, At { source: 0, offset: 0 });
        assert_eq!(wrong, []);
        let mut all = Vec::new();
        texts(&table, text, &mut all);
        let all: Vec<_> = all.iter().map(|(what, at)| (what.as_str(), *at)).collect();
        assert_eq!(
            all,
            [
                ("z", "z"),
                ("the whole number 31", "0x1F"),
                ("ü k", "\"ü k\""),
                ("the whole number 1000", "1_000"),
                ("the string \"é\"", "'é'"),
                ("t", "t"),
                ("u", "u"),
                ("b", "b"),
                ("c", "c"),
                ("the string \"a\nb\"", "\"\"\"a\nb\"\"\""),
                ("a", "a"),
                ("the number -inf", "-inf"),
            ]
        );
    }

    #[test]
    fn keys_below_a_broken_header_are_not_taken_for_keys_of_the_root() {
        let text = "z = 1\n [t\nlost = 2\nlost.too = 3\n[u]\na = [\n[4]]\n";
        let (table, wrong) = document(text, At { source: 0, offset: 0 });
        assert_eq!(wrong.len(), 1, "{wrong:?}");
        assert_eq!(table.entries.iter().map(|(key, _)| key.name.as_str()).collect::<Vec<_>>(), ["z", "u"]);
    }

    proptest! {
        #[test]
        fn any_text_is_a_tree_or_a_mistake_within_it(text in "[\\[\\]{}=.,a-c0-9\"'# \n\\-:T]{0,60}") {
            let (_, wrong) = document(&text, At { source: 0, offset: 0 });
            for d in wrong {
                prop_assert!(d.place.is_none_or(|p| p.start <= p.end && p.end as usize <= text.len()));
            }
        }
    }
}
