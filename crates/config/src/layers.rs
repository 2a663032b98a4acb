//! Lays each `PLEACH__KEY=VALUE` of the environment and each `--set KEY=VALUE` over the tree of the files.

use crate::familiar;
use crate::places::at;
use crate::source::{SET, VARIABLE};
use crate::syntax::{self, At};
use pleach_core::diagnostic::Diagnostic;
use pleach_core::registry;
use pleach_core::tree::{Key, Node, Place, Table, Value};
use std::ops::Range;

/// One `--set` or variable, understood.
struct Assignment {
    path: Vec<Key>,
    value: Node,
}

impl Assignment {
    /// Whether it chooses another plugin for a table, which then starts from that plugin's defaults.
    fn chooses(&self) -> bool {
        let names: Vec<&str> = self.path.iter().map(|k| k.name.as_str()).collect();
        match names.as_slice() {
            ["run", "name"] | ["phase", _, "name"] => false,
            [_, .., "name"] => true,
            _ => false,
        }
    }

    /// Whether it is a key of one of `[[optimizer.group]]`.
    fn is_of_a_group(&self) -> bool {
        self.path.iter().rev().nth(2).is_some_and(|key| key.name == "group")
    }

    /// What is set from the outside in, so that the order on the command line does not matter: a whole
    /// table, then its plugin, then its parameters.
    fn order(&self) -> usize {
        if self.chooses() { 2 * self.path.len() - 3 } else { 2 * self.path.len() - 2 }
    }
}

/// Lays assignments, given as the texts of their sources with the source's number, over a tree.
pub(crate) fn lay<'a>(root: &mut Table, sets: impl Iterator<Item = (u16, &'a str)>, wrong: &mut Vec<Diagnostic>) {
    let mut all = Vec::new();
    for (source, text) in sets {
        match parse(source, text) {
            Ok(assignment) => all.push(assignment),
            Err(d) => wrong.extend(d),
        }
    }
    all.sort_by_key(Assignment::order);
    for assignment in all {
        // On a copy, so that what is refused leaves no half of it behind.
        let mut next = root.clone();
        match put(&mut next, &assignment) {
            Ok(()) => *root = next,
            Err(d) => wrong.push(d),
        }
        familiar::lists(root);
    }
}

fn parse(source: u16, text: &str) -> Result<Assignment, Vec<Diagnostic>> {
    let (lead, what, dot) = match text.strip_prefix(SET) {
        Some(_) => (SET, "`--set`", "."),
        None => (VARIABLE, "a variable `PLEACH__...`", "__"),
    };
    let body = text.get(lead.len()..).unwrap_or_default();
    let place = |span: Range<usize>| At { source, offset: lead.len() }.place(span);
    let refuse = |span, why: &str, label: &str| {
        let example = match lead {
            SET => "--set optimizer.lr=0.01, --set loss.0.factor=2, --set run.name=first",
            _ => "PLEACH__OPTIMIZER__LR=0.01, PLEACH__LOSS__0__FACTOR=2, PLEACH__RUN__NAME=first",
        };
        vec![
            Diagnostic::new("PL0113", Some(place(span)), format!("{what} {why}"))
                .label(label)
                .note(format!("for example: {example}")),
        ]
    };
    let Some(eq) = outside_quotes(body, "=").next() else {
        return Err(refuse(0..body.len(), "needs a key and a value", "there is no `=`"));
    };
    let mut path = Vec::new();
    let mut start = 0;
    for end in outside_quotes(body.get(..eq).unwrap_or_default(), dot).chain([eq]) {
        let part = body.get(start..end).unwrap_or_default();
        let begin = start + part.len() - part.trim_start().len();
        let name = part.trim();
        let bare = ['"', '\''].iter().find_map(|q| name.strip_prefix(*q)?.strip_suffix(*q)).unwrap_or(name);
        if bare.is_empty() {
            return Err(refuse(start..end.max(start + 1), "has a key with an empty part", "what stands here?"));
        }
        let name_of_key = if lead == VARIABLE { of_variable(bare) } else { bare.to_owned() };
        path.push(Key { name: name_of_key, place: place(begin..begin + name.len()) });
        start = end + dot.len();
    }
    let typed = body.get(eq + 1..).unwrap_or_default();
    let begin = eq + 1 + typed.len() - typed.trim_start().len();
    let word = typed.trim();
    let at = At { source, offset: lead.len() + begin };
    let value = match syntax::value(word, at) {
        Ok(node) => node,
        // What is meant as TOML is held to it; anything else is a string that the shell has unquoted.
        Err(wrong) if word.starts_with(['"', '\'', '[', '{']) => return Err(wrong),
        Err(_) => Node { value: Value::Str(word.to_owned()), place: at.place(0..word.len()) },
    };
    Ok(Assignment { path, value })
}

/// A part of a variable's name as a key: capitals stand for small letters, unless only a key with capitals (`T_max`)
/// is known.
fn of_variable(part: &str) -> String {
    if part.chars().any(char::is_lowercase) {
        return part.to_owned();
    }
    let small = part.to_lowercase();
    let known = || registry::entries().iter().flat_map(|e| e.fields).map(|field| field.name);
    if known().any(|name| name == small) {
        return small;
    }
    known().find(|name| name.to_lowercase() == small).map_or(small, str::to_owned)
}

/// Where a character stands outside quotes.
fn outside_quotes(text: &str, wanted: &str) -> impl Iterator<Item = usize> {
    let mut quote = None;
    let mut next = 0;
    text.char_indices().filter_map(move |(i, c)| match quote {
        Some(q) => {
            if c == q {
                quote = None;
            }
            None
        }
        None if c == '"' || c == '\'' => {
            quote = Some(c);
            None
        }
        None => {
            let here = i >= next && text.get(i..).is_some_and(|rest| rest.starts_with(wanted));
            next = if here { i + wanted.len() } else { next };
            here.then_some(i)
        }
    })
}

fn put(root: &mut Table, set: &Assignment) -> Result<(), Diagnostic> {
    let Some((last, way)) = set.path.split_last() else { return Ok(()) };
    let Some((first, way)) = way.split_first() else {
        put_in(root, last, set, None);
        return Ok(());
    };
    let section: Vec<&str> = set.path.iter().rev().skip(3).rev().map(|key| key.name.as_str()).collect();
    let inherited = Some(format!("{}.name", section.join("."))).filter(|_| set.is_of_a_group());
    let inherited = inherited.and_then(|path| at(root, &path)).map(|node| node.value.clone());
    if root.get(&first.name).is_none() {
        root.set(first.clone(), empty(first.place));
    }
    let mut here = root.entries.iter_mut().find(|(k, _)| k.name == first.name).map(|(_, node)| node);
    let mut walked = first.name.clone();
    for key in way {
        let Some(node) = here else { return Ok(()) };
        here = Some(child(node, key, &walked)?);
        walked = format!("{walked}.{}", key.name);
    }
    let Some(node) = here else { return Ok(()) };
    if let Value::Array(_) = node.value {
        *child(node, last, &walked)? = set.value.clone();
        return Ok(());
    }
    put_in(keyed(node, last, &walked)?, last, set, inherited);
    Ok(())
}

/// `inherited` is the plugin of a table that does not name its own.
fn put_in(table: &mut Table, key: &Key, set: &Assignment, inherited: Option<Value>) {
    let old = table.get("name").map(|node| node.value.clone()).or(inherited);
    if set.chooses() && old.is_some_and(|old| old != set.value.value) {
        // Which parameters a group takes is not its optimizer's.
        table.entries.retain(|(key, _)| set.is_of_a_group() && key.name == "match");
    }
    table.set(key.clone(), set.value.clone());
}

fn empty(place: Place) -> Node {
    Node { value: Value::Table(Table::default()), place }
}

/// The node under a key of a table, made if it is missing, or the item of a list.
fn child<'t>(node: &'t mut Node, key: &Key, walked: &str) -> Result<&'t mut Node, Diagnostic> {
    if matches!(node.value, Value::Array(_)) {
        return item(node, key, walked);
    }
    let place = key.place;
    let table = keyed(node, key, walked)?;
    let at = match table.entries.iter().position(|(k, _)| k.name == key.name) {
        Some(at) => at,
        None => {
            table.entries.push((key.clone(), empty(place)));
            table.entries.len() - 1
        }
    };
    let missing = || Diagnostic::new("PL0113", Some(place), format!("`{walked}` has no `{}`", key.name));
    table.entries.get_mut(at).map(|(_, node)| node).ok_or_else(missing)
}

/// The table behind a node, in which a key is about to stand. A list that the file does not have has no items.
fn keyed<'t>(node: &'t mut Node, key: &Key, walked: &str) -> Result<&'t mut Table, Diagnostic> {
    let made_for_this = node.place.source == key.place.source;
    let table = as_table(node, key, walked)?;
    if made_for_this && table.entries.is_empty() && key.name.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Diagnostic::new("PL0113", Some(key.place), format!("`{walked}` is not in the file"))
            .label(format!("so it has no item {}", key.name))
            .note(format!("a whole list can be set: --set '{walked}=[{{ name = \"...\" }}]'")));
    }
    Ok(table)
}

fn item<'t>(list: &'t mut Node, key: &Key, walked: &str) -> Result<&'t mut Node, Diagnostic> {
    let refuse = |what: String| Diagnostic::new("PL0113", Some(key.place), what);
    let Value::Array(items) = &mut list.value else { return Err(refuse(format!("`{walked}` is no list"))) };
    let Ok(index) = key.name.parse::<usize>() else {
        return Err(refuse(format!("`{walked}` is a list"))
            .label("which item?")
            .note(format!("items count from 0: `{walked}.0.{}`", key.name)));
    };
    let have = match items.len() {
        0 => "the list is empty".to_owned(),
        1 => "there is only item 0".to_owned(),
        n => format!("there are items 0 to {}", n - 1),
    };
    items.get_mut(index).ok_or_else(|| refuse(format!("`{walked}` has no item {index}")).label(have))
}

/// The table behind a node: a bare name becomes the table for which it stands, and what is off, an empty one.
fn as_table<'t>(node: &'t mut Node, key: &Key, walked: &str) -> Result<&'t mut Table, Diagnostic> {
    let place = node.place;
    match &node.value {
        Value::Str(off) if off == "none" => *node = empty(place),
        Value::Bool(false) => *node = empty(place),
        Value::Str(_) => {
            let name = Key { name: "name".into(), place };
            let inner = node.clone();
            node.value = Value::Table(Table { entries: vec![(name, inner)] });
        }
        _ => {}
    }
    let found = node.value.describe();
    match &mut node.value {
        Value::Table(table) => Ok(table),
        _ => Err(Diagnostic::new("PL0113", Some(key.place), format!("`{walked}` is {found} and has no keys"))
            .label(format!("nothing called `{}` can stand in it", key.name))),
    }
}
