//! One JSON Schema of a whole run, from the plugins of this program: editors complete and check run files by it.

mod kinds;
mod tidy;

use crate::draft::SECTIONS;
use crate::run::sections::BackendsGiven;
use crate::run::{Checkpointing, Dataloader, Dataset, Metrics, ModelConfig, Phase, RunSection, Trainer};
use kinds::Kinds;
use pleach_core::kinds::keeper::KeeperConfig;
use pleach_core::kinds::loss::LossConfig;
use pleach_core::kinds::scheduler::SchedulerConfig;
use pleach_core::param_groups::OptimizerConfig;
use pleach_core::{Observer, Plug, Task};
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value as Json, json};

/// The version of JSON Schema in which [`of_run`] is written.
pub const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The schema of a run file: every section, and every plugin of this program at each place where it may stand.
pub fn of_run() -> Json {
    let mut kinds = Kinds::default();
    let mut properties = Map::new();
    for section in SECTIONS {
        if let Some(schema) = of_section(section, &mut kinds) {
            properties.insert(section.to_owned(), schema);
        }
    }
    for (key, schema) in beside_sections() {
        properties.insert(key.to_owned(), schema);
    }
    let needed = json!(["task", "model", "dataset"]);
    json!({
        "$schema": DIALECT,
        "title": "A run of pleach",
        "description": "Sections of a run file; every part of a run is a plugin that `name` finds.",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
        // What the file does not have, those that it extends may.
        "if": { "not": { "required": ["extends"] } },
        "then": { "required": needed },
        "$defs": kinds.into_defs(),
    })
}

/// Keys that say from where else a run is read.
fn beside_sections() -> Vec<(&'static str, Json)> {
    let path = json!({ "type": "string" });
    let extends = json!({
        "description": "Files whose values hold where this one has none, the last first; paths start at this file.",
        "anyOf": [path, { "type": "array", "items": path }]
    });
    let profile = json!({
        "description": "Values under a name, laid over the file with `--profile NAME`.",
        "type": "object",
        "additionalProperties": { "type": "object" }
    });
    vec![("extends", extends), ("profile", profile)]
}

fn of_section(section: &str, kinds: &mut Kinds) -> Option<Json> {
    let described = |schema: Json, doc: &str| tidy::described(schema, doc);
    Some(match section {
        "run" => described(plain::<RunSection>(kinds), "Name and seed."),
        "task" => described(plain::<Plug<dyn Task>>(kinds), "What is learnt."),
        "model" => described(plain::<ModelConfig>(kinds), "The net, its first weights and what is frozen."),
        "loss" => described(listed(plain::<Vec<LossConfig>>(kinds)), "What is minimised: the sum of all losses."),
        "optimizer" => {
            described(plain::<OptimizerConfig>(kinds), "How gradients change parameters; AdamW if not given.")
        }
        "scheduler" => described(tidy::or_off(plain::<SchedulerConfig>(kinds)), "How the rates change."),
        "dataset" => described(of_dataset(kinds), "Where samples come from, and how they are split."),
        "dataloader" => described(of_dataloader(kinds), "How samples are batched; for every split, or for one."),
        "trainer" => described(of_trainer(kinds), "How long, how often, how precisely."),
        "early_stopping" => described(of_early_stopping(kinds), "Ends a run that no longer improves."),
        "checkpointing" => described(of_checkpointing(kinds), "Which checkpoints stay."),
        "logging" => described(listed(plain::<Vec<Plug<dyn Observer>>>(kinds)), "Where the record of the run goes."),
        "observer" => described(listed(plain::<Vec<Plug<dyn Observer>>>(kinds)), "What else watches the run."),
        "keeper" => described(listed(plain::<Vec<KeeperConfig>>(kinds)), "Which other checkpoints stay."),
        "metrics" => described(of_metrics(kinds), "What is measured over each split."),
        "phase" => described(listed(of_phases(kinds)), "Stages of the run, and what is theirs alone."),
        "backend" => described(plain::<BackendsGiven>(kinds), "Who executes what."),
        _ => return None,
    })
}

/// The schema that a type derives, as files are written.
fn plain<T: JsonSchema>(kinds: &mut Kinds) -> Json {
    let mut generator = SchemaGenerator::default();
    // A kind that stands inline would lose what it refers to.
    let schema = T::json_schema(&mut generator);
    let defs = generator.take_definitions(true);
    tidy::tidied(schema.to_value(), &defs, kinds)
}

/// One item alone may stand for a list of one, and "none" for an empty one.
fn listed(list: Json) -> Json {
    let item = list.get("items").cloned().unwrap_or_default();
    tidy::any_of(vec![list, item, tidy::off()])
}

/// Does the same for the property of a section.
fn list_property(section: &mut Json, name: &str) {
    if let Some(property) = section.pointer_mut(&format!("/properties/{name}")) {
        tidy::for_list(property, listed);
    }
}

fn of_dataset(kinds: &mut Kinds) -> Json {
    plain::<Dataset>(kinds)
}

fn of_dataloader(kinds: &mut Kinds) -> Json {
    let mut whole = plain::<Dataloader>(kinds);
    let one = whole.clone();
    if let Some(properties) = whole.get_mut("properties").and_then(Json::as_object_mut) {
        for split in ["train", "val", "test"] {
            let doc = format!("What differs for the split {split}.");
            properties.insert(split.to_owned(), tidy::described(one.clone(), &doc));
        }
    }
    whole
}

fn of_trainer(kinds: &mut Kinds) -> Json {
    let mut trainer = plain::<Trainer>(kinds);
    // Lightning's other spellings, which are understood.
    for (key, words) in [
        ("precision", json!([32, 64, 16, "32", "64", "16", "bf16"])),
        ("profiler", json!(["passthrough"])),
        ("devices", json!(["1", "-1"])),
    ] {
        if let Some(property) = trainer.pointer_mut(&format!("/properties/{key}")) {
            let own = std::mem::take(property);
            *property = tidy::any_of(vec![own, json!({ "enum": words })]);
        }
    }
    if let Some(devices) = trainer.pointer_mut("/properties/devices/anyOf").and_then(Json::as_array_mut) {
        devices.push(
            json!({ "type": "array", "items": { "type": "integer", "minimum": 0 }, "minItems": 1, "maxItems": 1 }),
        );
    }
    trainer
}

fn of_early_stopping(kinds: &mut Kinds) -> Json {
    let mut all = vec![plain::<Plug<dyn Observer>>(kinds)];
    // Without a name it is the familiar one.
    if let Some(mut nameless) = kinds.branch("observer", "EarlyStopping") {
        if let Some(object) = nameless.as_object_mut() {
            object.remove("required");
            object.get_mut("properties").and_then(Json::as_object_mut).map(|p| p.remove("name"));
        }
        all.insert(0, nameless);
    }
    all.push(tidy::off());
    tidy::any_of(all)
}

fn of_checkpointing(kinds: &mut Kinds) -> Json {
    let mut section = plain::<Checkpointing>(kinds);
    list_property(&mut section, "monitor");
    section
}

fn of_metrics(kinds: &mut Kinds) -> Json {
    let mut section = plain::<Metrics>(kinds);
    ["train", "val", "test"].into_iter().for_each(|split| list_property(&mut section, split));
    section
}

fn of_phases(kinds: &mut Kinds) -> Json {
    let mut phases = plain::<Vec<Phase>>(kinds);
    let dataset = of_dataset(kinds);
    if let Some(phase) = phases.get_mut("items") {
        ["loss", "freeze"].into_iter().for_each(|key| list_property(phase, key));
        if let Some(property) = phase.pointer_mut("/properties/dataset") {
            *property = tidy::or_off(dataset);
        }
    }
    phases
}
