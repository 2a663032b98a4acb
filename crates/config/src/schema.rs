//! One JSON Schema of a whole run, from the plugins of this program: editors complete and check run files by it.

mod group;
mod kinds;
mod merged;
mod slot;
mod tidy;

use crate::draft::SECTIONS;
use crate::run::inherited::INHERITED;
use crate::run::sections::BackendsGiven;
use crate::run::{Checkpointing, Dataloader, Dataset, Metrics, ModelConfig, Partition, Phase, RunSection, Trainer};
use crate::{familiar, units};
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
    let (mut properties, mut alone) = (Map::new(), Map::new());
    for section in SECTIONS {
        let Some(schema) = of_section(section, &mut kinds) else { continue };
        if let Some(needs) = tidy::needs(&schema, &mut kinds).filter(|_| section != "early_stopping") {
            alone.insert(section.to_owned(), needs);
        }
        let part = tidy::part(schema, &mut kinds);
        properties.insert(section.to_owned(), json!({ "$ref": kinds.keep(&format!("section.{section}"), part) }));
    }
    let profile = json!({
        "description": "Values under a name, laid over the file with `--profile NAME`.",
        "type": "object",
        "additionalProperties": { "type": "object", "properties": properties, "additionalProperties": false }
    });
    let path = json!({ "type": "string" });
    let extends = json!({
        "description": "Files whose values hold where this one has none, the last first; paths start at this file.",
        "anyOf": [path, { "type": "array", "items": path }]
    });
    properties.insert("extends".into(), extends);
    properties.insert("profile".into(), profile);
    json!({
        "$schema": DIALECT,
        "title": "A run of pleach",
        "description": "Sections of a run file; every part of a run is a plugin that `name` finds.",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
        // What the file does not have, those that it extends may.
        "if": { "not": { "required": ["extends"] } },
        "then": { "required": ["task", "model", "dataset"], "properties": alone },
        "$defs": kinds.into_defs(),
    })
}

fn of_section(section: &str, kinds: &mut Kinds) -> Option<Json> {
    let described = |schema: Json, doc: &str| tidy::described(schema, doc);
    Some(match section {
        "run" => described(plain::<RunSection>(kinds), "Name and seed."),
        "task" => described(plain::<Plug<dyn Task>>(kinds), "What is learnt."),
        "model" => described(plain::<ModelConfig>(kinds), "The net, its first weights and what is frozen."),
        "loss" => described(list::<Vec<LossConfig>>(kinds), "What is minimised: the sum of all losses."),
        "optimizer" => {
            described(plain::<OptimizerConfig>(kinds), "How gradients change parameters; AdamW if not given.")
        }
        "scheduler" => described(plain::<Option<SchedulerConfig>>(kinds), "How the rates change."),
        "dataset" => described(of_dataset(kinds), "Where samples come from, and how they are split."),
        "dataloader" => described(of_dataloader(kinds), "How samples are batched; for every split, or for one."),
        "trainer" => described(of_trainer(kinds), "How long, how often, how precisely."),
        "early_stopping" => described(of_early_stopping(kinds), "Ends a run that no longer improves."),
        "checkpointing" => described(of_checkpointing(kinds), "Which checkpoints stay."),
        "logging" => described(list::<Vec<Plug<dyn Observer>>>(kinds), "Where the record of the run goes."),
        "observer" => described(list::<Vec<Plug<dyn Observer>>>(kinds), "What else watches the run."),
        "keeper" => described(list::<Vec<KeeperConfig>>(kinds), "Which other checkpoints stay."),
        "metrics" => described(of_metrics(kinds), "What is measured over each split."),
        "phase" => described(of_phases(kinds), "Stages of the run, and what is theirs alone."),
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

/// Lets one item stand for a list in properties of a section.
fn list_properties(section: &mut Json, names: &[&str], kinds: &mut Kinds) {
    for name in names {
        if let Some(property) = section.pointer_mut(&format!("/properties/{name}")) {
            tidy::for_list(property, kinds);
        }
    }
}

/// A list of plugins, or one alone.
fn list<T: JsonSchema>(kinds: &mut Kinds) -> Json {
    let list = plain::<T>(kinds);
    tidy::listed(list, kinds)
}

fn of_dataset(kinds: &mut Kinds) -> Json {
    let mut dataset = plain::<Dataset>(kinds);
    // Of the section's own, so that its units are written once.
    let mut partition = plain::<Partition>(kinds);
    units::in_schema("split", &mut partition);
    if let Some(split) = dataset.pointer_mut("/properties/split") {
        tidy::replace(split, tidy::or_off(partition));
    }
    dataset
}

fn of_dataloader(kinds: &mut Kinds) -> Json {
    let mut whole = plain::<Dataloader>(kinds);
    familiar::in_schema("dataloader", &mut whole);
    let one = plain::<Dataloader>(kinds);
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
    list_properties(&mut trainer, &["tta"], kinds);
    units::in_schema("trainer", &mut trainer);
    for (key, words) in [("strategy", json!(["auto", "single_device"])), ("accelerator", json!(["auto", "cpu"]))] {
        if let Some(word) = trainer.pointer_mut(&format!("/properties/{key}/anyOf/0")) {
            *word = json!({ "enum": words });
        }
    }
    // Lightning's other spellings, which are understood.
    for (key, words) in [
        ("precision", json!([32, 64, 16, "32", "64", "16", "bf16"])),
        ("profiler", json!(["passthrough"])),
        ("devices", json!(["1", "-1"])),
    ] {
        if let Some(property) = trainer.pointer_mut(&format!("/properties/{key}")) {
            let mut own = property.clone();
            own.as_object_mut().map(|own| own.remove("description"));
            tidy::replace(property, tidy::any_of(vec![own, json!({ "enum": words })]));
        }
    }
    if let Some(devices) = trainer.pointer_mut("/properties/devices/anyOf").and_then(Json::as_array_mut) {
        devices.push(
            json!({ "type": "array", "items": { "type": "integer", "minimum": 0 }, "minItems": 1, "maxItems": 1 }),
        );
    }
    familiar::in_schema("trainer", &mut trainer);
    trainer
}

fn of_early_stopping(kinds: &mut Kinds) -> Json {
    let mut whole = plain::<Option<Plug<dyn Observer>>>(kinds);
    // Without a name it is the familiar one.
    if let Some(mut nameless) = kinds.branch("observer", "EarlyStopping") {
        if let Some(properties) = nameless.get_mut("properties").and_then(Json::as_object_mut) {
            properties.remove("name");
        }
        let named = whole.clone();
        whole = json!({
            "anyOf": [nameless, named, true],
            "if": { "type": "object", "not": { "required": ["name"] } },
            "then": nameless,
            "else": named
        });
    }
    whole
}

fn of_checkpointing(kinds: &mut Kinds) -> Json {
    let mut section = plain::<Checkpointing>(kinds);
    list_properties(&mut section, &["monitor"], kinds);
    units::in_schema("checkpointing", &mut section);
    familiar::in_schema("checkpointing", &mut section);
    section
}

fn of_metrics(kinds: &mut Kinds) -> Json {
    let mut section = plain::<Metrics>(kinds);
    list_properties(&mut section, &["train", "val", "test"], kinds);
    section
}

fn of_phases(kinds: &mut Kinds) -> Json {
    let mut phase = plain::<Phase>(kinds);
    let dataset = of_dataset(kinds);
    list_properties(&mut phase, &["loss", "freeze"], kinds);
    units::in_schema("phase", &mut phase);
    if let Some(property) = phase.pointer_mut("/properties/dataset") {
        tidy::replace(property, tidy::or_off(dataset));
    }
    if let Some(property) = phase.pointer_mut("/properties/scheduler") {
        let own = plain::<Option<SchedulerConfig>>(kinds);
        let word = json!({ "enum": [INHERITED], "description": "As in [scheduler]." });
        *property = json!({
            "description": property.get("description"), "default": INHERITED,
            "anyOf": [own, word, true], "if": word, "else": own
        });
    }
    tidy::listed(json!({ "type": "array", "items": phase }), kinds)
}
