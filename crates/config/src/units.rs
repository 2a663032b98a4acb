//! Understands units in sections whose keys count one thing: `max_epochs = "3 epochs"`, `limit_val_batches = "5%"`.

use pleach_core::diagnostic::Diagnostic;
use pleach_core::quantity::{Digits, pattern, split, wrong_unit};
use pleach_core::tree::{Node, Table, Value};
use serde_json::Value as Json;

/// What a key counts, and the units that say the same.
struct Unit {
    names: &'static [&'static str],
    words: &'static str,
}

const EPOCHS: Unit = Unit { names: &["epochs", "epoch"], words: "a number of epochs" };
const STEPS: Unit = Unit { names: &["steps", "step"], words: "a number of optimizer steps" };
const SHARE: Unit = Unit { names: &["%"], words: "a share from 0 to 1, or \"10%\"" };
const BATCHES: Unit = Unit { names: &["%", "batches"], words: "a number of batches, or a share as \"5%\"" };

/// Section, key, and what it counts.
const KEYS: &[(&str, &str, Unit)] = &[
    ("trainer", "max_epochs", EPOCHS),
    ("trainer", "min_epochs", EPOCHS),
    ("trainer", "check_val_every_n_epoch", EPOCHS),
    ("trainer", "max_steps", STEPS),
    ("trainer", "val_every_n_steps", STEPS),
    ("trainer", "log_every_n_steps", STEPS),
    ("trainer", "limit_train_batches", BATCHES),
    ("trainer", "limit_val_batches", BATCHES),
    ("trainer", "limit_test_batches", BATCHES),
    ("trainer", "limit_predict_batches", BATCHES),
    ("checkpointing", "every_n_epochs", EPOCHS),
    ("checkpointing", "every_n_steps", STEPS),
    ("phase", "max_epochs", EPOCHS),
    ("phase", "max_steps", STEPS),
    ("split", "val", SHARE),
    ("split", "test", SHARE),
];

/// Writes plain numbers where a section, given by its name, has numbers with the unit of their key.
pub(crate) fn plain(section: &str, table: &mut Table, wrong: &mut Vec<Diagnostic>) {
    for (key, node) in &mut table.entries {
        let of_key = KEYS.iter().find(|(of, name, _)| *of == section && *name == key.name);
        if let Some((_, _, unit)) = of_key {
            rewrite(&key.name, node, unit, wrong);
        }
    }
}

/// Adds, to the schema of a section, what its keys take in words.
pub(crate) fn in_schema(section: &str, schema: &mut Json) {
    let of_section = KEYS.iter().filter(|(of, ..)| *of == section);
    for (_, key, unit) in of_section {
        if let Some(property) = schema.pointer_mut(&format!("/properties/{key}")) {
            beside_numbers(property, unit);
        }
    }
}

fn beside_numbers(property: &mut Json, unit: &Unit) {
    let least = least(property);
    let texts: Vec<(Digits, &str)> = unit.names.iter().map(|name| (unit.digits(name, least), *name)).collect();
    let choices = property.get_mut("anyOf").and_then(Json::as_array_mut);
    let number = match choices {
        Some(choices) => choices.iter_mut().find(|one| is_number(one)),
        None => Some(property),
    };
    if let Some(Json::Object(number)) = number {
        let mut types = match number.remove("type") {
            Some(Json::Array(types)) => types,
            Some(one) => vec![one],
            None => Vec::new(),
        };
        types.push("string".into());
        number.insert("type".into(), types.into());
        number.insert("pattern".into(), pattern(&texts).into());
    }
}

fn is_number(schema: &Json) -> bool {
    matches!(schema.get("type").and_then(Json::as_str), Some("integer" | "number"))
}

/// The least number of a schema, wherever among its choices it is said.
fn least(schema: &Json) -> Option<f64> {
    let choices = schema.get("anyOf").and_then(Json::as_array);
    let of_choice = || choices?.iter().find_map(least);
    schema.get("minimum").and_then(Json::as_f64).or_else(of_choice)
}

impl Unit {
    /// The numbers that a key takes before one of its units, if its least number is this one.
    fn digits(&self, unit: &str, least: Option<f64>) -> Digits {
        match (unit, least) {
            ("%", _) if self.names.len() == 1 => Digits::BelowHundred,
            ("%", _) => Digits::UpToHundred,
            (_, Some(least)) if least >= 1.0 => Digits::FromOne,
            (_, Some(least)) if least < 0.0 => Digits::FromMinusOne,
            _ => Digits::Whole,
        }
    }
}

fn rewrite(key: &str, node: &mut Node, unit: &Unit, wrong: &mut Vec<Diagnostic>) {
    let Value::Str(text) = &node.value else { return };
    let Some((number, given)) = split(text).filter(|(_, given)| !given.is_empty()) else { return };
    let whole = number.fract() == 0.0 && number.abs() < 1e15;
    let value = match given {
        _ if !unit.names.contains(&given) => {
            let plural = unit.names.iter().filter(|name| !unit.names.contains(&format!("{name}s").as_str()));
            let units: Vec<&str> = plural.copied().collect();
            let d = wrong_unit(node.place, text, given, &units, unit.words);
            let other = KEYS.iter().find(|(of, _, other)| *of == "trainer" && other.names.contains(&given));
            wrong.push(match other {
                Some((_, instead, _)) if d.nearest.is_none() => {
                    d.note(format!("`{instead}` takes {given}, `{key}` does not"))
                }
                _ => d,
            });
            // What stands for it is not looked at: a run with a mistake is none.
            if unit.names.contains(&"%") { Value::Float(0.0) } else { Value::Int(1) }
        }
        "%" => Value::Float(number / 100.0),
        _ if whole => Value::Int(number as i64),
        // Half a batch is none, and no share either.
        "batches" => return,
        _ => Value::Float(number),
    };
    node.value = value;
}
