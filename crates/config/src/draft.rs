//! Reads the sections of a file, each by its own reader, and fills in what the file leaves out.

use crate::places;
use crate::run::sections::BackendsGiven;
use crate::run::*;
use pleach_core::diagnostic::{Diagnostic, nearest};
use pleach_core::kinds::keeper::KeeperConfig;
use pleach_core::kinds::loss::LossConfig;
use pleach_core::kinds::scheduler::SchedulerConfig;
use pleach_core::param_groups::OptimizerConfig;
use pleach_core::read::{Read, ReadTable, Reader, table};
use pleach_core::tree::{Key, Node, Place, Table, Value};
use pleach_core::{Kind, Observer, Plug, Task, registry};

/// The sections, each as far as it could be read. What is `None` has been reported.
pub(crate) struct Draft {
    pub run: Option<RunSection>,
    pub task: Option<Plug<dyn Task>>,
    pub model: Option<ModelConfig>,
    pub loss: Option<Vec<LossConfig>>,
    pub optimizer: Option<OptimizerConfig>,
    pub scheduler: Option<Option<SchedulerConfig>>,
    pub dataset: Option<Dataset>,
    pub dataloader: Option<Dataloaders>,
    pub trainer: Option<Trainer>,
    pub early_stopping: Option<Option<Plug<dyn Observer>>>,
    pub checkpointing: Option<Checkpointing>,
    pub logging: Option<Vec<Plug<dyn Observer>>>,
    pub observer: Option<Vec<Plug<dyn Observer>>>,
    pub keeper: Option<Vec<KeeperConfig>>,
    pub metrics: Option<Metrics>,
    pub phase: Option<Vec<Phase>>,
    pub backend: Option<BackendsGiven>,
}

pub(crate) const SECTIONS: [&str; 17] = [
    "run",
    "task",
    "model",
    "loss",
    "optimizer",
    "scheduler",
    "dataset",
    "dataloader",
    "trainer",
    "early_stopping",
    "checkpointing",
    "logging",
    "observer",
    "keeper",
    "metrics",
    "phase",
    "backend",
];

/// What other systems call a section.
const OTHER_NAMES: [(&str, &str); 17] = [
    ("losses", "[[loss]]"),
    ("criterion", "[[loss]]"),
    ("optim", "[optimizer]"),
    ("optimizers", "[optimizer]"),
    ("lr_scheduler", "[scheduler]"),
    ("schedulers", "[scheduler]"),
    ("data", "[dataset]"),
    ("datasets", "[dataset]"),
    ("loader", "[dataloader]"),
    ("logger", "[[logging]]"),
    ("loggers", "[[logging]]"),
    ("callback", "[[observer]]"),
    ("callbacks", "[[observer]]"),
    ("augment", "[[dataset.train.augment]]"),
    ("augmentations", "[[dataset.train.augment]]"),
    ("transforms", "[[dataset.train.augment]]"),
    ("checkpoint", "[checkpointing]"),
];

impl Draft {
    /// Reads every section of a tree, reporting every mistake in it.
    pub fn read(root: &Table, r: &mut Reader) -> Self {
        unknown_sections(root).for_each(|d| r.report(d));
        let draft = Self {
            run: section(root, "run", r),
            task: needed(root, "task", &known_names::<dyn Task>(), r),
            model: needed(root, "model", &known_names::<dyn pleach_core::Model>(), r),
            loss: list(root, "loss", r),
            optimizer: match root.get("optimizer") {
                Some(node) => OptimizerConfig::read(node, r),
                None => by_default("AdamW", "optimizer", r).map(OptimizerConfig::of_all),
            },
            scheduler: optional(root, "scheduler", r),
            dataset: needed(root, "dataset", "a table [dataset.train] whose `name` is that of a source", r),
            dataloader: Dataloaders::read(root.get("dataloader").unwrap_or(&nothing()), r),
            trainer: section(root, "trainer", r),
            early_stopping: optional(root, "early_stopping", r),
            checkpointing: section(root, "checkpointing", r),
            logging: loggers(root, r),
            observer: list(root, "observer", r),
            keeper: list(root, "keeper", r),
            metrics: section(root, "metrics", r),
            phase: phases(root, r),
            backend: section(root, "backend", r),
        };
        send_home(root, r);
        draft
    }
}

/// What is to be said of each key at the top that is no section.
pub(crate) fn unknown_sections(root: &Table) -> impl Iterator<Item = Diagnostic> {
    root.entries.iter().filter(|(key, _)| !SECTIONS.contains(&key.name.as_str())).map(|(key, _)| unknown_section(key))
}

fn unknown_section(key: &Key) -> Diagnostic {
    let d = Diagnostic::new("PL0101", Some(key.place), format!("unknown section `{}`", key.name));
    let other = OTHER_NAMES.iter().find(|(other, _)| *other == key.name).map(|(_, ours)| (*ours).to_owned());
    let inner = || {
        let section = home(&key.name)?;
        Some(format!("it is a key of {section}"))
    };
    let d = d.note(format!("there is: {}", SECTIONS.join(", "))).expected("a section");
    if let Some(label) = other.map(|ours| format!("write {ours}")).or_else(inner) {
        return d.label(label);
    }
    match nearest(&key.name, SECTIONS) {
        Some(near) => d.near(near),
        None => d.label("not known here"),
    }
}

/// The section of plain keys that has a key.
fn home(key: &str) -> Option<&'static str> {
    let sections = [
        ("[run]", RunSection::FIELDS),
        ("[trainer]", Trainer::FIELDS),
        ("[dataloader]", Dataloader::FIELDS),
        ("[checkpointing]", Checkpointing::FIELDS),
    ];
    sections.iter().find(|(_, fields)| fields.iter().any(|f| f.name == key)).map(|(section, _)| *section)
}

/// Says of unknown keys that resemble none of their own section where they belong.
fn send_home(root: &Table, r: &mut Reader) {
    for d in r.diagnostics.iter_mut().filter(|d| d.code == "PL0104" && d.nearest.is_none()) {
        let is_unsaid = d.label.as_deref() == Some("not known here");
        let key = d.place.filter(|_| is_unsaid).and_then(|place| places::key_at(root, place));
        if let Some(section) = key.and_then(home) {
            d.label = Some(format!("it is a key of {section}"));
        }
    }
}

/// An empty table, where a section that the file does not have is read for its defaults.
fn nothing() -> Node {
    Node { value: Value::Table(Table::default()), place: Place { source: 0, start: 0, end: 0 } }
}

/// A section of plain keys; one that is missing has all defaults.
fn section<T: ReadTable>(root: &Table, name: &str, r: &mut Reader) -> Option<T> {
    table(root.get(name).unwrap_or(&nothing()), &format!("[{name}]"), r)
}

/// A section that may be off, which it is if it is missing.
fn optional<T: Read>(root: &Table, name: &str, r: &mut Reader) -> Option<Option<T>> {
    root.get(name).map_or(Some(None), |node| Option::read(node, r))
}

/// A list of plugins; one that is missing is empty.
fn list<T: Read>(root: &Table, name: &str, r: &mut Reader) -> Option<Vec<T>> {
    root.get(name).map_or(Some(Vec::new()), |node| Vec::read(node, r))
}

fn phases(root: &Table, r: &mut Reader) -> Option<Vec<Phase>> {
    let Some(node) = root.get("phase") else { return Some(Vec::new()) };
    let Value::Array(items) = &node.value else { return r.wrong_type(node, "a list of [[phase]]") };
    let read: Vec<_> = items.iter().map(|item| table(item, "[[phase]]", r)).collect();
    read.into_iter().collect()
}

/// A section that every file must have.
fn needed<T: Read>(root: &Table, name: &str, what: &str, r: &mut Reader) -> Option<T> {
    if let Some(node) = root.get(name) {
        return T::read(node, r);
    }
    r.report(Diagnostic::new("PL0106", None, format!("the file has no [{name}]")).note(format!("it takes {what}")));
    None
}

fn known_names<K: Kind + ?Sized>() -> String {
    let names: Vec<_> = registry::of_kind::<K>().map(|e| format!("\"{}\"", e.name)).collect();
    match names.is_empty() {
        true => format!("the name of a {0}, but no {0} is linked into this program", K::NAME),
        false => format!("`name = ...`, one of {}", names.join(", ")),
    }
}

/// The plugin of that name with its defaults, where the file leaves the choice to the program.
pub(crate) fn by_default<K: Kind + ?Sized>(name: &str, section: &str, r: &mut Reader) -> Option<Plug<K>> {
    match Plug::named(name) {
        Ok(plug) => Some(plug),
        Err(_) => {
            let what = format!("the {} `{name}`, meant where a file does not say [{section}], is not linked", K::NAME);
            r.report(
                Diagnostic::new("PL0103", None, what).note(format!("give [{section}], or link the crate that has it")),
            );
            None
        }
    }
}

/// The loggers; the record that resuming and every viewer need is always among them.
fn loggers(root: &Table, r: &mut Reader) -> Option<Vec<Plug<dyn Observer>>> {
    const RECORD: &str = "JsonLines";
    let Some(node) = root.get("logging") else {
        let [a, b, c] = [RECORD, "Csv", "Curves"].map(|name| by_default(name, "logging", r));
        return Some(vec![a?, b?, c?]);
    };
    let mut given: Vec<Plug<dyn Observer>> = Vec::read(node, r)?;
    if !given.iter().any(|plug| plug.name() == RECORD) {
        given.insert(0, by_default(RECORD, "logging", r)?);
    }
    Some(given)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn a_program_without_plugins_says_which_ones_a_file_lacks() {
        // This test links no plugins but the sources.
        let failure = crate::from_text("run.toml", "dataset.train = 'Digits'", Path::new("/")).unwrap_err();
        let shown = failure.render(crate::Paint::Plain);
        for missing in [
            "optimizer `AdamW`",
            "observer `JsonLines`",
            "observer `Csv`",
            "observer `Curves`",
            "backend `CandleCpu`",
            "backend `Cpu`",
        ] {
            assert!(shown.contains(&format!("the {missing}, meant where a file does not say")), "{missing}\n{shown}");
        }
        assert!(shown.contains("no task is linked into this program"), "{shown}");
    }
}
