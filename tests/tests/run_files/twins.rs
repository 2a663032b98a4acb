//! The reader and the schema are two descriptions of one thing: what the reader takes is valid, and a single value that
//! it refuses is not.

use crate::by_schema::{SCHEMA, data, mistakes, of_definition, takes};
use crate::mutations::VALUES;
use pleach_config::from_text;
use pleach_core::diagnostic::Diagnostic;
use pleach_core::read::Reader;
use pleach_core::registry::{Entry, entries};
use pleach_core::tree::{Key, Node, Place, Table as Tree, Value as Leaf};
use serde_json::Value as Json;
use std::path::Path;
use toml::{Table, Value};

/// A run with every section, into which values are put.
const BASE: &str = r#"
run.name = "twin"
task.name = "Classification"
model.name = "ConvNet"
optimizer = { name = "SGD", lr = 0.1, group = [{ match = "e*", lr = 0.2 }] }
scheduler = { name = "StepLR", step_size = 3, warmup = { length = 2 } }
dataset = { train.name = "Digits", test.name = "Digits", split.val = 0.1 }
dataloader = { batch_size = 8, val.batch_size = 16 }
trainer.max_epochs = 3
early_stopping.patience = 3
checkpointing.save_top_k = 1
metrics.val = ["Accuracy"]
backend.kernels = "Plain"
loss = [{ name = "CrossEntropy" }]
logging = [{ name = "JsonLines" }]
observer = [{ name = "EMA" }]
keeper = [{ name = "Last" }]
phase = [{ name = "first", max_epochs = 1 }]
"#;

/// The tables of the file whose keys get every value.
const TABLES: &[&[&str]] = &[
    &[],
    &["run"],
    &["task"],
    &["model"],
    &["optimizer"],
    &["optimizer", "group", "0"],
    &["scheduler"],
    &["scheduler", "warmup"],
    &["dataset"],
    &["dataset", "train"],
    &["dataset", "split"],
    &["dataloader"],
    &["dataloader", "val"],
    &["trainer"],
    &["early_stopping"],
    &["checkpointing"],
    &["metrics"],
    &["backend"],
    &["loss", "0"],
    &["logging", "0"],
    &["keeper", "0"],
    &["phase", "0"],
];

/// Those of them whose keys take values in words.
const OF_UNITS: &[&[&str]] = &[
    &["scheduler", "warmup"],
    &["dataset", "split"],
    &["dataloader"],
    &["trainer"],
    &["checkpointing"],
    &["phase", "0"],
];

/// Codes of what is wrong with one value alone, whatever stands beside it.
const OF_ONE_VALUE: [&str; 5] = ["PL0103", "PL0105", "PL0107", "PL0109", "PL0117"];

fn values() -> impl Iterator<Item = Value> {
    VALUES.iter().filter_map(|text| Some(toml::from_str::<Table>(&format!("x = {text}")).ok()?.remove("x").unwrap()))
}

/// The table at a path, made where it is missing.
fn table_at<'t>(root: &'t mut Table, path: &[&str]) -> &'t mut Table {
    let mut here = root;
    let mut path = path.iter().peekable();
    while let Some(key) = path.next() {
        let next = here.entry(*key).or_insert_with(|| Value::Table(Table::new()));
        let next = match path.next_if(|index| index.parse::<usize>().is_ok()) {
            Some(index) => &mut next.as_array_mut().unwrap()[index.parse::<usize>().unwrap()],
            None => next,
        };
        here = next.as_table_mut().unwrap();
    }
    here
}

/// Every key that the schema has anywhere.
fn keys_of(schema: &Json, all: &mut Vec<String>) {
    if let Some(properties) = schema.get("properties").and_then(Json::as_object) {
        all.extend(properties.keys().cloned());
    }
    match schema {
        Json::Object(o) => o.values().for_each(|s| keys_of(s, all)),
        Json::Array(a) => a.iter().for_each(|s| keys_of(s, all)),
        _ => {}
    }
}

/// The keys of the schema that the reader knows in a table.
fn known_keys(base: &Table, path: &[&str]) -> Vec<String> {
    let mut keys = Vec::new();
    keys_of(&SCHEMA, &mut keys);
    keys.sort();
    keys.dedup();
    let mut root = base.clone();
    let table = table_at(&mut root, path);
    keys.iter().for_each(|key| drop(table.insert(key.clone(), Value::Boolean(true))));
    table.extend(table_at(&mut base.clone(), path).remove_entry("name"));
    let failure = from_text("run.toml", &toml::to_string(&root).unwrap(), Path::new("/nowhere")).unwrap_err();
    let unknown = failure.diagnostics.iter().filter(|d| matches!(d.code, "PL0101" | "PL0104"));
    let unknown: Vec<&str> = unknown.filter_map(|d| d.message.split('`').nth(1)).collect();
    keys.retain(|key| !unknown.contains(&key.as_str()));
    keys
}

/// JSON has one kind of number: `3.0` is a whole one there, and none in a run file.
fn is_whole_float(value: &Value) -> bool {
    match value {
        Value::Float(x) => x.fract() == 0.0 || x.is_infinite(),
        Value::Array(a) => a.iter().any(is_whole_float),
        _ => false,
    }
}

fn refused_for_itself(wrong: &[Diagnostic]) -> bool {
    !wrong.is_empty() && wrong.iter().all(|d| OF_ONE_VALUE.contains(&d.code))
}

#[test]
fn sections_take_what_the_schema_takes() {
    let base: Table = toml::from_str(BASE).unwrap();
    assert_eq!(mistakes(BASE), Vec::<String>::new());
    from_text("run.toml", BASE, Path::new("/nowhere")).unwrap();
    let (mut taken, mut parted) = (0, Vec::new());
    for path in TABLES {
        // Where keys have units, every value; elsewhere what plugins take is for the other test, and some do.
        let every = if OF_UNITS.contains(path) { 1 } else { 6 };
        for (number, key) in known_keys(&base, path).into_iter().enumerate() {
            for value in values().skip(number % every).step_by(every) {
                let mut root = base.clone();
                table_at(&mut root, path).insert(key.clone(), value.clone());
                let text = toml::to_string(&root).unwrap();
                match from_text("run.toml", &text, Path::new("/nowhere")) {
                    Ok(_) => {
                        taken += 1;
                        let wrong = mistakes(&text);
                        if !wrong.is_empty() {
                            parted.push(format!("{path:?} {key} = {value} is taken: {wrong:?}"));
                        }
                    }
                    Err(f) if refused_for_itself(&f.diagnostics) && !is_whole_float(&value) => {
                        if takes(&text) {
                            parted.push(format!("{path:?} {key} = {value} is refused: {}", f.diagnostics[0].message));
                        }
                    }
                    Err(_) => {}
                }
            }
        }
    }
    assert!(parted.is_empty(), "{} values:\n{}", parted.len(), parted.join("\n"));
    assert!(taken > 300, "{taken} values were taken");
}

/// Without a place, because nothing is shown of it.
fn leaf(value: &Value) -> Option<Node> {
    let value = match value {
        Value::Boolean(b) => Leaf::Bool(*b),
        Value::Integer(i) => Leaf::Int(*i),
        Value::Float(x) => Leaf::Float(*x),
        Value::String(s) => Leaf::Str(s.clone()),
        Value::Array(a) => Leaf::Array(a.iter().map(leaf).collect::<Option<_>>()?),
        Value::Table(t) => Leaf::Table(tree(t)?),
        Value::Datetime(_) => return None,
    };
    Some(Node { value, place: Place { source: 0, start: 0, end: 0 } })
}

fn tree(table: &Table) -> Option<Tree> {
    let mut tree = Tree::default();
    for (key, value) in table {
        let node = leaf(value)?;
        tree.set(Key { name: key.clone(), place: node.place }, node);
    }
    Some(tree)
}

/// A saved form as a file would have it.
fn written(saved: &Json) -> Value {
    match saved {
        Json::Null => Value::String("none".into()),
        Json::Bool(b) => Value::Boolean(*b),
        Json::Number(n) => n.as_i64().map_or_else(|| Value::Float(n.as_f64().unwrap()), Value::Integer),
        Json::String(s) => Value::String(s.clone()),
        Json::Array(a) => Value::Array(a.iter().map(written).collect()),
        Json::Object(o) if o.contains_key("$float") => Value::Float(f64::INFINITY),
        Json::Object(o) => Value::Table(o.iter().map(|(k, v)| (k.clone(), written(v))).collect()),
    }
}

fn read(entry: &Entry, table: &Table) -> Option<Vec<Diagnostic>> {
    let mut r = Reader::default();
    let tree = tree(table)?;
    let place = Place { source: 0, start: 0, end: 0 };
    (entry.read)(&tree, place, entry.name, &mut r);
    Some(r.diagnostics)
}

#[test]
fn plugins_take_what_the_schema_takes() {
    let (mut taken, mut refused, mut parted) = (0, 0, Vec::new());
    for entry in entries() {
        let names = [format!("{}-slot.{}", entry.kind, entry.name), format!("{}.{}", entry.kind, entry.name)];
        // Commands and importers stand in no file.
        let found = names.into_iter().find_map(|name| Some((of_definition(&name)?, name)));
        let Some((validator, name)) = found else { continue };
        let Value::Table(sample) = written(&entry.defaults()) else { panic!("{name} is no table") };
        for field in entry.fields {
            for value in values() {
                let mut table = sample.clone();
                table.insert(field.name.into(), value.clone());
                table.remove("name");
                let Some(wrong) = read(entry, &table) else { continue };
                table.insert("name".into(), Value::String(entry.name.into()));
                let valid = validator.is_valid(&data(&Value::Table(table)));
                taken += usize::from(wrong.is_empty());
                refused += usize::from(refused_for_itself(&wrong));
                if wrong.is_empty() && !valid {
                    parted.push(format!("{name}: {} = {value} is taken", field.name));
                }
                if valid && refused_for_itself(&wrong) && !is_whole_float(&value) {
                    parted.push(format!("{name}: {} = {value} is refused: {}", field.name, wrong[0].message));
                }
            }
        }
    }
    assert!(parted.is_empty(), "{} values:\n{}", parted.len(), parted.join("\n"));
    assert!(taken > 4_000 && refused > 20_000, "{taken} values were taken, {refused} refused");
}
