//! A plugin is found by name, read with every mistake reported, and comes back from its saved form.
#![allow(missing_docs)]

use pleach_core::read::{Read, ReadTable, Reader};
use pleach_core::tree::{Key, Node, Place, Table, Value};
use pleach_core::*;

/// Multiplies the rate by `gamma` every `step_size` ticks.
#[plugin(scheduler, alias = ["Stairs"], check = Self::check)]
pub struct StepDown {
    /// Ticks between two drops.
    #[plugin(example = 3)]
    pub step_size: u64,
    /// What the rate is multiplied by.
    #[plugin(default = 0.1, range = 0.0..=1.0, was = "factors")]
    pub gamma: f64,
    /// A limit.
    #[plugin(default = Some(f64::INFINITY))]
    pub limit: Option<f64>,
    /// Schedulers inside.
    #[plugin(default = Vec::new())]
    pub inner: Vec<Plug<dyn DynScheduler>>,
}

impl StepDown {
    fn check(&self, rules: &mut read::Rules) {
        if self.step_size == 13 {
            rules.refuse("step_size", "13 brings bad luck");
        }
    }
}

impl Scheduler for StepDown {
    type State = u64;
    fn start(&self, _: &Plan, _: &mut [GroupRates]) -> Result<u64> {
        Ok(0)
    }
    fn rate(&self, drops: &mut u64, tick: &Tick, now: &mut [GroupRates]) -> Result<()> {
        if tick.count.is_multiple_of(self.step_size) {
            *drops += 1;
            now.iter_mut().for_each(|g| g.lr *= self.gamma);
        }
        Ok(())
    }
}

mod tracker {
    pub trait Tracker: Send + Sync {
        fn reach(&self) -> f64;
    }
    pleach_core::kind!(Tracker, "tracker");
}

/// A plugin of a kind that core has never heard of.
#[plugin(crate::tracker)]
struct Nearest {
    /// Pixels.
    #[plugin(default = 2.0, above = 0.0)]
    radius: f64,
}

impl tracker::Tracker for Nearest {
    fn reach(&self) -> f64 {
        self.radius
    }
}

const AT: Place = Place { source: 0, start: 0, end: 0 };

fn node(value: Value) -> Node {
    Node { value, place: AT }
}

fn table(entries: &[(&str, Value)]) -> Node {
    let entries = entries.iter().map(|(k, v)| (Key { name: (*k).into(), place: AT }, node(v.clone()))).collect();
    node(Value::Table(Table { entries }))
}

fn read<T: Read>(node: &Node) -> Result<T, Vec<String>> {
    let mut r = Reader::default();
    let value = T::read(node, &mut r);
    value.filter(|_| r.diagnostics.is_empty()).ok_or_else(|| {
        r.diagnostics
            .iter()
            .map(|d| format!("{} {} ({})", d.code, d.message, d.label.clone().unwrap_or_default()))
            .collect()
    })
}

#[test]
fn a_name_finds_a_plugin_and_typetag_brings_it_back() {
    let inner =
        table(&[("name", Value::Str("Stairs".into())), ("step_size", Value::Int(2)), ("limit", Value::Bool(false))]);
    let whole = table(&[
        ("every", Value::Str("step".into())),
        ("inner", Value::Array(vec![inner])),
        ("name", Value::Str("pleach-core/StepDown".into())),
        ("step_size", Value::Int(5)),
    ]);
    let slot: kinds::scheduler::SchedulerConfig = read(&whole).unwrap();
    assert_eq!(slot.slot.every, kinds::scheduler::Every::Step);
    let json = saved::save(&slot).unwrap();
    assert_eq!(json["name"], "pleach-core/StepDown");
    assert_eq!(json["inner"][0]["limit"], Saved::Null);
    let back: Plug<dyn DynScheduler> = saved::load(&slot.plug.saved().unwrap()).unwrap();
    assert_eq!(format!("{back:?}"), format!("{:?}", slot.plug));
    assert_eq!(slot.plug.name(), "StepDown");
    let whole: kinds::scheduler::SchedulerConfig = saved::load(&json).unwrap();
    assert_eq!(whole, slot);
}

#[test]
fn a_bare_string_is_a_plugin_with_its_defaults_and_a_kind_may_be_anyones() {
    let plug: Plug<dyn tracker::Tracker> = read(&node(Value::Str("Nearest".into()))).unwrap();
    assert!((plug.reach() - 2.0).abs() < f64::EPSILON);
}

#[test]
fn all_mistakes_of_a_table_are_reported_at_once() {
    let bad = table(&[
        ("name", Value::Str("StepDown".into())),
        ("gamma", Value::Float(7.0)),
        ("step_sise", Value::Int(5)),
        ("limit", Value::Str("ten".into())),
        ("factors", Value::Float(0.5)),
        ("inner", Value::Array(vec![node(Value::Str("StepDwn".into())), table(&[])])),
    ]);
    let errors = read::<Plug<dyn DynScheduler>>(&bad).unwrap_err();
    let all = errors.join("\n");
    for part in [
        "PL0104 unknown parameter `step_sise` for scheduler StepDown (did you mean `step_size`?)",
        "PL0104 unknown parameter `factors` for scheduler StepDown (write `gamma` instead)",
        "PL0106 scheduler StepDown needs `step_size`",
        "PL0107 `gamma` of scheduler StepDown is out of bounds (must be at least 0 and at most 1)",
        "PL0105 expected a number, found the string \"ten\"",
        "PL0103 no scheduler is called `StepDwn` (did you mean `StepDown`?)",
        "PL0110 this scheduler has no `name`",
    ] {
        assert!(all.contains(part), "`{part}` is not in\n{all}");
    }
    assert_eq!(errors.len(), 7, "{all}");
}

#[test]
fn rules_between_fields_hold() {
    let bad = table(&[("name", Value::Str("StepDown".into())), ("step_size", Value::Int(13))]);
    assert!(read::<Plug<dyn DynScheduler>>(&bad).unwrap_err()[0].contains("13 brings bad luck"));
}

#[test]
fn the_schema_carries_docs_defaults_and_bounds() {
    let entry = registry::of_kind::<dyn DynScheduler>().find(|e| e.name == "StepDown").unwrap();
    let schema = (entry.schema)();
    let schema = schema.as_value();
    assert_eq!(schema["properties"]["gamma"]["maximum"], 1.0);
    assert_eq!(schema["properties"]["gamma"]["description"], "What the rate is multiplied by.");
    assert_eq!(schema["properties"]["inner"]["items"]["$ref"], "#/$defs/scheduler");
}

#[test]
fn reserved_words_of_a_kind_are_the_keys_of_its_slot() {
    let keys = |fields: &[Field]| ["name", "id"].into_iter().chain(fields.iter().map(|f| f.name)).collect::<Vec<_>>();
    for (kind, fields) in [
        ("loss", kinds::loss::LossSlot::FIELDS),
        ("augmentation", kinds::augmentation::AugmentSlot::FIELDS),
        ("scheduler", kinds::scheduler::SchedulerSlot::FIELDS),
        ("metric", kinds::metric::MetricSlot::FIELDS),
        ("task", &[]),
    ] {
        assert_eq!(registry::reserved(kind), keys(fields), "{kind}");
    }
}

/// A scheduler may have a parameter that only the slot of a loss reserves.
#[plugin(scheduler)]
struct Plateau {
    /// What the rate is multiplied by.
    #[plugin(default = 0.1)]
    factor: f64,
}

impl Scheduler for Plateau {
    type State = ();
    fn start(&self, _: &Plan, _: &mut [GroupRates]) -> Result<()> {
        Ok(())
    }
    fn rate(&self, (): &mut (), _: &Tick, now: &mut [GroupRates]) -> Result<()> {
        now.iter_mut().for_each(|g| g.lr *= self.factor);
        Ok(())
    }
}

#[test]
fn a_key_of_one_kinds_slot_is_free_in_another() {
    let plateau = table(&[("name", Value::Str("Plateau".into())), ("factor", Value::Float(0.5))]);
    let slot: kinds::scheduler::SchedulerConfig = read(&plateau).unwrap();
    assert_eq!(slot.plug.saved().unwrap()["factor"], 0.5);
}
