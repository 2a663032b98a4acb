//! All that is known of one key of a run: documentation, type, bounds, default, value and origin.

use crate::emit::{inline, is_table, is_tables};
use crate::explain::{at, of_plugin, origin, plugin_of, with_margin};
use crate::resolved::Resolved;
use crate::schema;
use pleach_core::diagnostic::{listed, nearest};
use pleach_core::registry::entries;
use pleach_core::{Error, Result, Saved};
use serde_json::{Value as Json, json};

/// What is known of one key of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Explained {
    /// Its path with every index.
    pub path: String,
    /// What it does.
    pub doc: String,
    /// What may stand there: "a number", "one of mean, sum".
    pub takes: String,
    /// "at least 0 and below 1"; empty where every value is taken.
    pub bounds: String,
    /// The choices of which it is one, with what each means.
    pub choices: Vec<(String, String)>,
    /// The default as TOML, and whose it is; none where a file must give the value.
    pub default: Option<(String, String)>,
    /// The value as TOML; of a table, the whole part of the run with its margin.
    pub value: String,
    /// Where a single value comes from.
    pub origin: Option<String>,
    /// The plugin to which it belongs, or which it is: `pleach describe` knows more.
    pub plugin: Option<&'static str>,
}

/// Explains a key of a run (`optimizer.lr`, `loss.0.factor`, `trainer`).
///
/// # Errors
/// The run has no such key; the nearest one is named.
pub fn key(resolved: &Resolved, path: &str) -> Result<Explained> {
    let full = resolved.saved()?;
    let (path, value) = match at(&full, path) {
        Some(found) => found,
        None => return Err(unknown(&full, path)),
    };
    let root = schema::of_run();
    let mut place = Place { root: &root, all: vec![&root] };
    let (mut here, mut owner, mut inner) = (&full, None, plugin_of(Some(&full)));
    for part in path.split('.') {
        owner = inner.or(owner);
        place = place.step(here, part);
        here = match here {
            Saved::Array(items) => part.parse::<usize>().ok().and_then(|i| items.get(i)).unwrap_or(value),
            other => other.get(part).unwrap_or(value),
        };
        inner = plugin_of(Some(here));
    }
    let last = path.rsplit('.').next().unwrap_or(&path);
    let owner = owner.filter(|e| e.fields.iter().any(|f| f.name == last));
    let single = !is_table(value) && !is_tables(value);
    let field = owner.and_then(|e| e.fields.iter().find(|f| f.name == last));
    let default = place.default().filter(|_| single).map(|d| (d, owner.map_or_else(|| "pleach".into(), of_plugin)));
    let required = field.is_some_and(|f| f.required);
    Ok(Explained {
        doc: inner.map(|e| e.doc.to_owned()).or_else(|| field.map(|f| f.doc.to_owned())).unwrap_or_else(|| place.doc()),
        takes: place.takes(),
        bounds: field.and_then(|f| f.bounds).map(|b| b.words()).unwrap_or_else(|| place.bounds()),
        choices: place.choices(),
        default: default.filter(|_| !required),
        value: if single { inline(value)? } else { with_margin(resolved, Some(&path))? },
        origin: if single { origin(resolved, &full, &path) } else { None },
        plugin: inner.or(owner).map(|e| e.name),
        path,
    })
}

impl Explained {
    /// The same as data.
    pub fn json(&self) -> Json {
        let choices: Vec<_> = self.choices.iter().map(|(value, doc)| json!({ "value": value, "doc": doc })).collect();
        json!({
            "key": self.path, "doc": self.doc, "takes": self.takes, "bounds": self.bounds, "choices": choices,
            "default": self.default.as_ref().map(|(value, _)| value), "value": self.value, "origin": self.origin,
            "plugin": self.plugin,
        })
    }
}

fn unknown(saved: &Saved, path: &str) -> Error {
    let mut known = Vec::new();
    paths(saved, String::new(), &mut known);
    let e = Error::new("PL0135", format!("this run has no key `{path}`"));
    let Some((table, last)) = path.rsplit_once('.') else {
        // A key alone is meant wherever it stands.
        let same = known.iter().find(|k| k.rsplit('.').next() == Some(path)).map(String::as_str);
        return hinted(e, same.or_else(|| nearest(path, known.iter().map(String::as_str))));
    };
    let Some((table, inside)) = at(saved, table) else {
        return hinted(e, nearest(path, known.iter().map(String::as_str)));
    };
    // In a list, a key is one of its first item that has one like it.
    let below = |k: &str| Some(k.strip_prefix(&table)?.strip_prefix('.')?.to_owned());
    let inner: Vec<String> = known.iter().filter_map(|k| below(k)).collect();
    let key = |k: &str| k.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').to_owned();
    let keys: Vec<String> = inner.iter().map(|k| key(k)).filter(|k| !k.contains('.')).collect();
    let near = nearest(last, keys.iter().map(String::as_str)).filter(|near| !near.is_empty());
    if let Some(found) = near.and_then(|near| inner.iter().find(|k| key(k) == near)) {
        return hinted(e, Some(&format!("{table}.{found}")));
    }
    match (inside, plugin_of(Some(inside))) {
        (Saved::Array(items), _) => e.hint(match items.len() {
            0 => format!("`{table}` is empty"),
            1 => format!("`{table}` has 1 part: `{table}.0`"),
            n => format!("`{table}` has {n} parts: `{table}.0` to `{table}.{}`", n - 1),
        }),
        (_, Some(plugin)) => {
            let owners = entries().iter().filter(|o| o.kind == plugin.kind && o.fields.iter().any(|f| f.name == last));
            let owners: Vec<&str> = owners.map(|o| o.name).collect();
            let belongs = match owners.is_empty() {
                true => String::new(),
                false => format!("; `{last}` belongs to {}", listed(plugin.name, &owners)),
            };
            e.hint(format!("`{table}` is {}{belongs}: see `pleach describe {}`", plugin.name, plugin.name))
        }
        _ => hinted(e, None),
    }
}

fn hinted(e: Error, near: Option<&str>) -> Error {
    match near {
        Some(near) => e.hint(format!("did you mean `{near}`?")),
        None => e.hint("`pleach explain RUN.toml` prints every key"),
    }
}

fn paths(saved: &Saved, path: String, all: &mut Vec<String>) {
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match saved {
        Saved::Object(entries) => entries.iter().for_each(|(key, value)| paths(value, below(key), all)),
        Saved::Array(items) if items.iter().any(is_table) => {
            items.iter().enumerate().for_each(|(i, value)| paths(value, below(&i.to_string()), all));
        }
        _ => {}
    }
    if !path.is_empty() {
        all.push(path);
    }
}

/// The schemas that hold at one place.
struct Place<'s> {
    root: &'s Json,
    all: Vec<&'s Json>,
}

impl<'s> Place<'s> {
    /// The schemas one key further in, of a table whose value chooses among several.
    fn step(&self, value: &Saved, part: &str) -> Self {
        let name = value.get("name").and_then(Saved::as_str).map(|n| n.rsplit('/').next().unwrap_or(n));
        let mut all = Vec::new();
        for schema in self.flat() {
            let names = schema.pointer("/properties/name/enum").and_then(Json::as_array);
            let is_other = |names: &Vec<Json>| name.is_some_and(|name| !names.iter().any(|n| n == name));
            if names.is_some_and(is_other) {
                continue;
            }
            let property = schema.get("properties").and_then(|p| p.get(part));
            let list = || schema.get("items").filter(|_| part.parse::<usize>().is_ok());
            let pair = || schema.get("prefixItems")?.get(part.parse::<usize>().ok()?);
            let any = || schema.get("additionalProperties").filter(|s| s.is_object());
            all.extend(property.or_else(list).or_else(pair).or_else(any));
        }
        Self { root: self.root, all }
    }

    /// Every schema behind references and choices.
    fn flat(&self) -> Vec<&'s Json> {
        let mut open: Vec<&Json> = self.all.clone();
        let mut all = Vec::new();
        open.reverse();
        while let Some(schema) = open.pop() {
            if all.len() > 10_000 {
                break;
            }
            all.push(schema);
            let referred =
                schema.get("$ref").and_then(Json::as_str).and_then(|r| self.root.pointer(r.strip_prefix('#')?));
            // Where a condition stands, its branches say exactly what the choices beside it only show.
            let lists = if schema.get("if").is_some() { &["allOf"][..] } else { &["anyOf", "oneOf", "allOf"] };
            let choices = lists.iter().filter_map(|key| schema.get(key)?.as_array()).flatten();
            let branches = ["then", "else"].iter().filter_map(|key| schema.get(key));
            let mut next: Vec<&Json> = referred.into_iter().chain(choices).chain(branches).collect();
            next.reverse();
            open.extend(next);
        }
        all
    }

    fn said(&self, key: &str) -> Option<&'s Json> {
        self.all.iter().find_map(|schema| schema.get(key)).or_else(|| self.flat().into_iter().find_map(|s| s.get(key)))
    }

    fn doc(&self) -> String {
        self.said("description").and_then(Json::as_str).unwrap_or_default().to_owned()
    }

    fn default(&self) -> Option<String> {
        self.all.iter().find_map(|schema| schema.get("default")).and_then(|d| inline(d).ok())
    }

    fn choices(&self) -> Vec<(String, String)> {
        let constant =
            |s: &&Json| Some((s.get("const")?.as_str()?.to_owned(), s.get("description")?.as_str()?.to_owned()));
        self.flat().iter().filter_map(constant).collect()
    }

    fn bounds(&self) -> String {
        let word = |(key, word): (&str, &str)| self.said(key).map(|limit| format!("{word} {limit}"));
        let low = word(("minimum", "at least")).or_else(|| word(("exclusiveMinimum", "above")));
        let high = word(("maximum", "at most")).or_else(|| word(("exclusiveMaximum", "below")));
        [low, high].into_iter().flatten().collect::<Vec<_>>().join(" and ")
    }

    fn takes(&self) -> String {
        let mut all: Vec<String> = Vec::new();
        for schema in self.flat() {
            for word in words(schema) {
                if !all.contains(&word) {
                    all.push(word);
                }
            }
        }
        all.join(", ")
    }
}

/// What one schema, without those behind it, takes.
fn words(schema: &Json) -> Vec<String> {
    let plain = |word: &str| match word {
        "number" => Some("a number"),
        "integer" => Some("a whole number"),
        "string" => Some("a string"),
        "boolean" => Some("true or false"),
        "array" => Some("a list"),
        "object" => Some("a table"),
        _ => None,
    };
    if let Some(constant) = schema.get("const") {
        return vec![constant.to_string()];
    }
    if let Some(values) = schema.get("enum").and_then(Json::as_array) {
        // The names of all plugins of a kind are for `pleach list`.
        return if values.len() > 8 { vec!["a name".into()] } else { values.iter().map(Json::to_string).collect() };
    }
    let types = match schema.get("type") {
        Some(Json::Array(types)) => types.iter().filter_map(Json::as_str).collect(),
        Some(one) => one.as_str().into_iter().collect(),
        None => Vec::new(),
    };
    types.into_iter().filter_map(plain).map(str::to_owned).collect()
}
