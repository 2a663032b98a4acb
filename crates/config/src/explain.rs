//! A resolved run with the origin of each value beside it.

use crate::emit::{inline, is_table, is_tables, name};
use crate::origins::DEFAULT;
use crate::resolved::{FORMAT, Resolved, shorten};
use pleach_core::registry::{Entry, entries};
use pleach_core::{Error, Result, Saved};

/// Lines longer than this push their own margin out, and not that of all others.
const WIDEST: usize = 56;

/// The version of this program, for defaults that no plugin has.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The whole run as TOML, which runs again as it is, with the origin of each value as a comment in a margin. With a
/// `path` (`optimizer`, `loss.0`), that part alone.
///
/// # Errors
/// The run cannot be written.
pub fn with_margin(resolved: &Resolved, path: Option<&str>) -> Result<String> {
    let full = resolved.saved()?;
    let mut short = full.clone();
    shorten(&mut short);
    let mut page = Page { resolved, task: plugin_of(full.get("task")), lines: Vec::new() };
    match path {
        None => page.table((&full, &short), "", None)?,
        Some(path) => {
            let missing = || Error::new("PL0135", format!("this run has no `{path}`"));
            let [full, short] =
                [&full, &short].map(|saved| at(saved, path).map(|(_, found)| found).ok_or_else(missing));
            let (full, short) = (full?, short?);
            match is_table(short) {
                true => page.section((full, short), path)?,
                false => page.leaf(path, path.rsplit('.').next().unwrap_or(path), short, None)?,
            }
        }
    }
    let width = |line: &Line| line.text.lines().last().unwrap_or_default().chars().count();
    let margin =
        page.lines.iter().filter(|l| l.origin.is_some()).map(width).filter(|w| *w <= WIDEST).max().unwrap_or(0);
    let mut out = String::new();
    if path.is_none() {
        out.push_str(&format!("# pleach run, resolved; format {FORMAT}; beside each value, where it comes from\n"));
    }
    for line in &page.lines {
        out.push_str(&line.text);
        if let Some(origin) = &line.origin {
            // A line of a file or a shell may hold anything; a comment ends with the line.
            let origin: String = origin.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            out.push_str(&" ".repeat(margin.saturating_sub(width(line)) + 2));
            out.push_str(&format!("# {origin}"));
        }
        out.push('\n');
    }
    Ok(out)
}

/// Where the value at a path comes from, in words.
pub(crate) fn origin(resolved: &Resolved, full: &Saved, path: &str) -> Option<String> {
    let page = Page { resolved, task: plugin_of(full.get("task")), lines: Vec::new() };
    let mut owner = None;
    let mut here = full;
    let (parents, key) = path.rsplit_once('.').unwrap_or(("", path));
    for part in parents.split('.').filter(|part| !part.is_empty()) {
        here = child(here, part)?;
        owner = plugin_of(Some(here)).or(owner);
    }
    page.origin(path, key, owner)
}

/// The value at a path, and the path with every index: a list of one item needs none in the path.
pub(crate) fn at<'s>(saved: &'s Saved, path: &str) -> Option<(String, &'s Saved)> {
    let mut whole = Vec::new();
    let mut here = saved;
    for part in path.split('.') {
        if let (Saved::Array(items), Err(_)) = (here, part.parse::<usize>()) {
            let first = items.iter().position(|item| item.get(part).is_some())?;
            whole.push(first.to_string());
            here = items.get(first)?;
        }
        here = child(here, part)?;
        whole.push(part.to_owned());
    }
    Some((whole.join("."), here))
}

fn child<'s>(saved: &'s Saved, part: &str) -> Option<&'s Saved> {
    match saved {
        Saved::Object(entries) => entries.get(part),
        Saved::Array(items) => items.get(part.parse::<usize>().ok()?),
        _ => None,
    }
}

/// The plugin whose table this is.
pub(crate) fn plugin_of(saved: Option<&Saved>) -> Option<&'static Entry> {
    let name = saved?.get("name")?.as_str()?;
    let (krate, short) = name.split_once('/')?;
    entries().iter().copied().find(|e| e.krate == krate && e.name == short)
}

struct Line {
    text: String,
    origin: Option<String>,
}

struct Page<'r> {
    resolved: &'r Resolved,
    task: Option<&'static Entry>,
    lines: Vec<Line>,
}

/// A value with whole names, and with short ones.
type Both<'s> = (&'s Saved, &'s Saved);

impl Page<'_> {
    fn section(&mut self, both: Both<'_>, path: &str) -> Result<()> {
        let is_item = path.rsplit('.').next().is_some_and(|part| part.parse::<usize>().is_ok());
        let title: Vec<_> = path.split('.').filter(|part| part.parse::<usize>().is_err()).map(name).collect();
        let title = title.join(".");
        self.blank();
        self.put(if is_item { format!("[[{title}]]") } else { format!("[{title}]") }, None);
        self.table(both, path, plugin_of(Some(both.0)))
    }

    fn table(&mut self, (full, short): Both<'_>, path: &str, owner: Option<&'static Entry>) -> Result<()> {
        let Some(entries) = short.as_object() else { return Ok(()) };
        let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
        for (key, value) in entries.iter().filter(|(_, v)| !is_table(v) && !is_tables(v)) {
            self.leaf(&below(key), key, value, owner)?;
        }
        for (key, value) in entries {
            let Some(full) = full.get(key) else { continue };
            if is_table(value) {
                self.section((full, value), &below(key))?;
            } else if is_tables(value) {
                let both = full.as_array().into_iter().flatten().zip(value.as_array().into_iter().flatten());
                for (i, item) in both.enumerate() {
                    self.section(item, &format!("{}.{i}", below(key)))?;
                }
            }
        }
        Ok(())
    }

    fn leaf(&mut self, path: &str, key: &str, value: &Saved, owner: Option<&'static Entry>) -> Result<()> {
        let origin = self.origin(path, key, owner);
        self.put(format!("{} = {}", name(key), inline(value)?), origin);
        Ok(())
    }

    fn put(&mut self, text: String, origin: Option<String>) {
        self.lines.push(Line { text, origin });
    }

    fn blank(&mut self) {
        if !self.lines.is_empty() {
            self.put(String::new(), None);
        }
    }

    fn origin(&self, path: &str, key: &str, owner: Option<&'static Entry>) -> Option<String> {
        let given = self.resolved.origins().get(path);
        if let Some(given) = given.filter(|origin| *origin != DEFAULT) {
            return Some(given.clone());
        }
        // A list of mixed items has the origin of its first one.
        let items = || self.resolved.origins().range(format!("{path}.")..).next();
        if let (None, Some((below, origin))) = (given, items())
            && below.starts_with(&format!("{path}."))
            && origin != DEFAULT
        {
            return Some(origin.clone());
        }
        let task_decides = path.starts_with("loss.") || path.starts_with("metrics.");
        Some(match (owner, self.task) {
            (Some(e), _) if e.fields.iter().any(|f| f.name == key) => of_plugin(e),
            (_, Some(task)) if task_decides && key == "name" => {
                format!("choice of {}, {} {}", task.name, task.krate, task.version)
            }
            _ => format!("{DEFAULT} of pleach {VERSION}"),
        })
    }
}

/// "default of AdamW, pleach-optim 0.1.0".
pub(crate) fn of_plugin(e: &Entry) -> String {
    format!("{DEFAULT} of {}, {} {}", e.name, e.krate, e.version)
}
