//! `pleach diff`: in what two runs differ, and from which step on.

mod log;

use crate::args::Diff;
use crate::output::{self, Done, Failed};
use log::{Log, Parting};
use pleach_core::registry::entries;
use pleach_core::{Error, Saved};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::ExitCode;

pub fn run(args: &Diff) -> Done {
    let (a, b) = (Side::open(&args.a)?, Side::open(&args.b)?);
    let config = differences(&a.config, &b.config);
    let plugins = differences(&a.plugins, &b.plugins);
    let data = match (&a.data, &b.data) {
        (Some(a), Some(b)) => Some(differences(a, b)),
        _ => None,
    };
    let parting = match (&a.log, &b.log) {
        (Some(a), Some(b)) => Some(log::part(a, b)),
        _ => None,
    };
    let same = config.is_empty()
        && plugins.is_empty()
        && data.as_ref().is_none_or(Vec::is_empty)
        && parting.as_ref().is_none_or(|p| matches!(p, Parting::Never { .. }));
    if args.json {
        let list = |all: &[Difference]| -> Vec<Json> {
            all.iter().map(|d| json!({ "key": d.key, "a": d.a, "b": d.b })).collect()
        };
        let all = json!({
            "same": same, "config": list(&config), "plugins": list(&plugins), "data": data.as_deref().map(list),
            "log": parting.as_ref().map(Parting::json),
        });
        output::print(&all.to_string());
    } else {
        output::print(&format!("a: {}\nb: {}", args.a.display(), args.b.display()));
        section("config", Some(&config), "");
        section("plugins", Some(&plugins), "");
        section("data", data.as_deref(), "not known of both: the folder of a run has them in data.json");
        output::print("");
        match &parting {
            Some(parting) => parting.lines().iter().for_each(|line| output::print(line)),
            None => output::print("log: not there for both"),
        }
    }
    Ok(if same { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// One of the two, by key: what was set, who made it, what it was made of.
struct Side {
    config: BTreeMap<String, String>,
    plugins: BTreeMap<String, String>,
    data: Option<BTreeMap<String, String>>,
    log: Option<Log>,
}

impl Side {
    /// A run's folder, or a run file, of which only the configuration can be compared.
    fn open(path: &Path) -> Result<Self, Failed> {
        let file = if path.is_dir() { path.join("resolved.toml") } else { path.to_owned() };
        if path.is_dir() && !file.is_file() {
            let e = Error::new("PL0503", format!("`{}` is not the folder of a run", path.display()));
            return Err(e.hint("a run's folder has a file `resolved.toml`").into());
        }
        let read = |name: &str| std::fs::read_to_string(path.join(name)).ok().filter(|_| path.is_dir());
        let config = match path.is_dir() {
            // A run of another program may have plugins that this one does not have.
            true => flat_toml(&file)?,
            false => {
                let resolved = output::load(&file, &[])?;
                let table: toml::Table = toml::from_str(resolved.toml()).unwrap_or_default();
                flat(&table)
            }
        };
        let plugins = match read("plugins.lock") {
            Some(text) => text.lines().filter_map(|l| l.split_once(' ')).map(|(k, v)| (k.into(), v.into())).collect(),
            None => entries().iter().map(|e| (e.krate.to_owned(), e.version.to_owned())).collect(),
        };
        let data = read("data.json").and_then(|text| serde_json::from_str::<Saved>(&text).ok());
        let data =
            data.map(|all| all.as_object().into_iter().flatten().map(|(k, v)| (k.clone(), of_split(v))).collect());
        let log = read("log.jsonl").map(|text| Log::read(&text));
        Ok(Self { config, plugins, data, log })
    }
}

fn of_split(split: &Saved) -> String {
    let text = |key: &str| split.get(key).and_then(Saved::as_str).unwrap_or_default();
    let short = |hash: &str| hash.chars().take(12).collect::<String>();
    let samples = split.get("samples").and_then(Saved::as_u64).unwrap_or_default();
    format!("{samples} samples, names {}, content {}", short(text("names")), short(text("content")))
}

fn flat_toml(file: &Path) -> Result<BTreeMap<String, String>, Error> {
    let broken = |why: String| Error::new("PL0503", format!("`{}` cannot be read: {why}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|e| broken(e.to_string()))?;
    let table: toml::Table = toml::from_str(&text).map_err(|e| broken(e.message().to_owned()))?;
    Ok(flat(&table))
}

/// Every value by its path.
fn flat(table: &toml::Table) -> BTreeMap<String, String> {
    fn walk(value: &toml::Value, path: String, all: &mut BTreeMap<String, String>) {
        let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
        match value {
            toml::Value::Table(t) if !t.is_empty() => t.iter().for_each(|(k, v)| walk(v, below(k), all)),
            toml::Value::Array(a) if a.iter().any(toml::Value::is_table) => {
                a.iter().enumerate().for_each(|(i, v)| walk(v, below(&i.to_string()), all));
            }
            other => drop(all.insert(path, other.to_string())),
        }
    }
    let mut all = BTreeMap::new();
    table.iter().for_each(|(key, value)| walk(value, key.clone(), &mut all));
    all
}

struct Difference {
    key: String,
    a: Option<String>,
    b: Option<String>,
}

fn differences(a: &BTreeMap<String, String>, b: &BTreeMap<String, String>) -> Vec<Difference> {
    let keys: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    let one = |key: &&String| Difference { key: (*key).clone(), a: a.get(*key).cloned(), b: b.get(*key).cloned() };
    keys.iter().map(one).filter(|d| d.a != d.b).collect()
}

fn section(name: &str, all: Option<&[Difference]>, unknown: &str) {
    output::print("");
    let Some(all) = all else { return output::print(&format!("{name}: {unknown}")) };
    if all.is_empty() {
        return output::print(&format!("{name}: equal"));
    }
    output::print(&format!("{name}:"));
    let width = all.iter().map(|d| d.key.len()).max().unwrap_or_default();
    for d in all {
        let shown = |side: &Option<String>| side.clone().unwrap_or_else(|| "-".into());
        output::print(&format!("  {:width$}  {}  |  {}", d.key, shown(&d.a), shown(&d.b)));
    }
}
