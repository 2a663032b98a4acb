//! Understands units in sections whose keys count one thing: `max_epochs = "3 epochs"`, `limit_val_batches = "5%"`.

use pleach_core::diagnostic::Diagnostic;
use pleach_core::quantity::{split, wrong_unit};
use pleach_core::tree::{Node, Table, Value};

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
        _ => Value::Float(number),
    };
    node.value = value;
}
