//! The laws, kind by kind.
//!
//! Laws of every plugin are in [`plugin`]; each kind has its own besides. A broken law is reported with what was found,
//! why the law exists and what to write; a panic inside a plugin breaks the law that was being checked.

mod augmentation;
mod backend;
mod command;
mod form;
mod importer;
mod keeper;
mod loss;
mod metric;
mod model;
mod observer;
mod optimizer;
pub mod plugin;
mod scheduler;
mod source;
mod task;

use crate::fault::{Check, Fault};
use pleach_core::registry::{self, Kind};
use pleach_core::{
    Backend, Command, DynAugmentation, DynKeeper, DynMetric, DynScheduler, Entry, Importer, Loss, Model, Observer,
    Optimizer, Plug, Source, Task,
};
use std::any::TypeId;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A law: what holds, why it matters, and what an author writes to obey it.
#[derive(Debug, PartialEq, Eq)]
pub struct Law {
    /// What holds.
    pub name: &'static str,
    /// What goes wrong in a run where it does not.
    pub why: &'static str,
    /// What to write.
    pub write: &'static str,
}

/// A law that a plugin breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The law.
    pub law: &'static Law,
    /// Kind, crate and name of the plugin.
    pub plugin: String,
    /// What was found.
    pub found: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} breaks the law: {}", self.plugin, self.law.name)?;
        writeln!(f, "   found: {}", self.found.replace('\n', "\n          "))?;
        writeln!(f, "   why it matters: {}", self.law.why)?;
        write!(f, "   write: {}", self.law.write)
    }
}

/// All laws: those of every kind first, then those of each kind by its name.
pub const ALL: &[(&str, &[&Law])] = &[
    (
        "every kind",
        &[
            &plugin::DOCUMENTED,
            &plugin::ONE_NAME,
            &plugin::FREE_KEYS,
            &plugin::TYPOS,
            &plugin::READS_BACK,
            &plugin::ROUND_TRIP,
        ],
    ),
    ("augmentation", &[&augmentation::REPLAYS, &augmentation::WHOLE, &augmentation::SEATS]),
    ("backend", &[&backend::SEATED, &backend::FAITHFUL]),
    ("command", &[&command::TYPED, &command::ASKS]),
    ("importer", &[&importer::KNOWS, &importer::ACCOUNTS]),
    ("keeper", &[&keeper::HOLDS, &keeper::RESUMES]),
    ("loss", &[&loss::GRADIENT, &loss::FINITE, &loss::FUSED, &loss::EMPTY, &loss::ASKS]),
    ("metric", &[&metric::MERGES, &metric::RESUMES, &metric::NAMED]),
    ("model", &[&model::BUILDS, &model::SERVES, &model::LEARNS]),
    ("observer", &[&observer::RESUMES]),
    (
        "optimizer",
        &[
            &optimizer::RESUMES,
            &optimizer::USABLE,
            &optimizer::SHAPES,
            &optimizer::LATE,
            &optimizer::APART,
            &optimizer::SCALED,
        ],
    ),
    ("scheduler", &[&scheduler::RESUMES, &scheduler::USABLE, &scheduler::ANY_RUN]),
    ("source", &[&source::STANDS_STILL, &source::AS_SAID, &source::ENDS]),
    ("task", &[&task::GIVES, &task::IN_ORDER, &task::EMPTY]),
];

/// Where the laws of one plugin are checked.
struct Bench {
    entry: &'static Entry,
    broken: Vec<Broken>,
}

impl Bench {
    fn check(&mut self, law: &'static Law, body: impl FnOnce() -> Check) {
        // A plugin's panic is an outcome here; nothing that it has touched is used again.
        let outcome = catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()));
            Err(Fault(format!("it panics: {}", text.unwrap_or_default())))
        });
        if let Err(Fault(found)) = outcome {
            let plugin = format!("{} {}", self.entry.kind, self.entry.qualified());
            self.broken.push(Broken { law, plugin, found });
        }
    }

    /// The laws of every plugin, then those of a kind whose samples they need.
    fn hold<K: Kind + ?Sized>(&mut self, of_kind: impl FnOnce(&mut Self, &Plug<K>)) {
        plugin::without_a_sample(self);
        let Some(plug) = self.entry.plug::<K>() else { return };
        plugin::with_a_sample(self, &plug);
        of_kind(self, &plug);
    }
}

/// Whether an entry is of a crate, written with `-` or `_`; every entry is where none is named.
fn is_of(entry: &Entry, krate: Option<&str>) -> bool {
    krate.is_none_or(|k| entry.krate.replace('-', "_") == k.replace('-', "_"))
}

/// The laws that the plugins of a crate break, or all plugins of this program.
///
/// Plugins of kinds that core does not know are held against the laws that need no sample; see [`of_kind`].
pub fn all(krate: Option<&str>) -> Vec<Broken> {
    registry::entries().iter().filter(|e| is_of(e, krate)).flat_map(|e| of_entry(e)).collect()
}

/// The laws of every plugin, for the plugins of a kind that core does not know.
pub fn of_kind<K: Kind + ?Sized>(krate: Option<&str>) -> Vec<Broken> {
    registry::of_kind::<K>()
        .filter(|e| is_of(e, krate))
        .flat_map(|entry| {
            let mut bench = Bench { entry, broken: Vec::new() };
            bench.hold::<K>(|_, _| {});
            bench.broken
        })
        .collect()
}

fn of_entry(entry: &'static Entry) -> Vec<Broken> {
    let mut bench = Bench { entry, broken: Vec::new() };
    let kind = (entry.kind_id)();
    macro_rules! kinds {
        ($($object:ty => $laws:expr),* $(,)?) => {
            $(if kind == TypeId::of::<$object>() { bench.hold::<$object>($laws); } else)*
            { plugin::without_a_sample(&mut bench); }
        };
    }
    kinds!(
        dyn DynScheduler => scheduler::laws,
        dyn Optimizer => optimizer::laws,
        dyn Loss => loss::laws,
        dyn DynAugmentation => augmentation::laws,
        dyn DynMetric => metric::laws,
        dyn DynKeeper => keeper::laws,
        dyn Observer => observer::laws,
        dyn Importer => importer::laws,
        dyn Command => command::laws,
        dyn Backend => backend::laws,
        dyn Model => model::laws,
        dyn Source => source::laws,
        dyn Task => task::laws,
    );
    bench.broken
}

/// Panics with all broken laws of a crate's plugins (of all plugins where none is named), and where it has no plugin.
#[allow(clippy::panic, reason = "it is an assertion, for tests")]
pub fn assert_all(krate: Option<&str>) {
    if !registry::entries().iter().any(|e| is_of(e, krate)) {
        let name = krate.unwrap_or("this program");
        panic!("{name} has no plugin here. Is the crate linked? A test names it: `use {name} as _;`");
    }
    let broken = all(krate);
    if !broken.is_empty() {
        let texts: Vec<_> = broken.iter().map(ToString::to_string).collect();
        panic!("{} laws are broken\n\n{}\n", broken.len(), texts.join("\n\n"));
    }
}

/// A saved form through text and back, as a checkpoint does it.
fn through_text(saved: &pleach_core::Saved) -> Check<pleach_core::Saved> {
    use pleach_core::export::serde_json;
    Ok(serde_json::from_str(&serde_json::to_string(saved)?)?)
}

/// The same plugin made anew from its saved form: whatever it hid outside its state is gone.
fn fresh<K: Kind + ?Sized>(plug: &Plug<K>) -> Check<Plug<K>> {
    Ok(pleach_core::saved::load(&through_text(&plug.saved()?)?)?)
}
