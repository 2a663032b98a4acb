//! Each law catches a plugin that breaks it, tells what to write, and lets sound plugins pass.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod any;
mod augmentation;
mod backend;
mod command;
mod importer;
mod keeper;
mod loss;
mod metric;
mod model;
mod observer;
mod optimizer;
mod scheduler;
mod source;
mod task;

use pleach_testkit::laws;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};

static HIDDEN: AtomicU64 = AtomicU64::new(0);

/// What a plugin keeps outside of its state.
fn hidden() -> u64 {
    HIDDEN.fetch_add(1, Ordering::Relaxed)
}

/// Plugins of one kind, with words of the laws that each breaks.
type Breaks = &'static [(&'static str, &'static [&'static str])];

/// The plugins of each kind that core knows.
const OF_KINDS: &[(&str, Breaks)] = &[
    ("augmentation", augmentation::BREAKS),
    ("backend", backend::BREAKS),
    ("command", command::BREAKS),
    ("importer", importer::BREAKS),
    ("keeper", keeper::BREAKS),
    ("loss", loss::BREAKS),
    ("metric", metric::BREAKS),
    ("model", model::BREAKS),
    ("observer", observer::BREAKS),
    ("optimizer", optimizer::BREAKS),
    ("scheduler", scheduler::BREAKS),
    ("source", source::BREAKS),
    ("task", task::BREAKS),
];

/// The laws that each plugin breaks, by the name that stands behind its kind and crate.
fn found(broken: &[laws::Broken]) -> BTreeMap<String, BTreeSet<&'static str>> {
    let mut all: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for b in broken {
        all.entry(b.plugin.replace("pleach-testkit/", "")).or_default().insert(b.law.name);
    }
    all
}

/// Each plugin breaks the laws that are listed, and no other.
fn assert_exactly(all: &BTreeMap<String, BTreeSet<&'static str>>, kind: &str, breaks: Breaks) {
    let of_kind: Vec<&str> = all.keys().filter_map(|plugin| plugin.strip_prefix(&format!("{kind} "))).collect();
    let listed: BTreeSet<&str> = breaks.iter().map(|(plugin, _)| *plugin).collect();
    assert_eq!(of_kind.into_iter().collect::<BTreeSet<_>>(), listed, "plugins of the kind {kind} that break a law");
    for (plugin, words) in breaks {
        let laws = &all[&format!("{kind} {plugin}")];
        let other: Vec<_> = laws.iter().filter(|law| !words.iter().any(|w| law.contains(w))).collect();
        let missed: Vec<_> = words.iter().filter(|w| !laws.iter().any(|law| law.contains(*w))).collect();
        assert!(other.is_empty() && missed.is_empty(), "{plugin}: also {other:#?}, and not {missed:?}");
    }
}

#[test]
fn each_law_catches_the_plugins_that_break_it_and_no_other() {
    let all = found(&laws::all(Some("pleach_testkit")));
    for (kind, breaks) in OF_KINDS {
        let of_core: BTreeMap<_, _> =
            all.iter().filter(|(p, _)| *p != "scheduler Robbed").map(|(p, l)| (p.clone(), l.clone())).collect();
        assert_exactly(&of_core, kind, breaks);
    }
    assert!(all["scheduler Robbed"].iter().any(|law| law.contains("key of its slot")));
}

#[test]
fn every_law_of_every_kind_is_broken_here() {
    let mut broken: BTreeSet<&str> = laws::all(Some("pleach_testkit")).iter().map(|b| b.law.name).collect();
    broken.extend(laws::of_kind::<dyn any::gadget::Gadget>(None).iter().map(|b| b.law.name));
    let kept: Vec<_> = laws::ALL.iter().flat_map(|(_, laws)| *laws).filter(|law| !broken.contains(law.name)).collect();
    assert!(kept.is_empty(), "no plugin here breaks {kept:#?}");
    let kinds: Vec<&str> = laws::ALL.iter().map(|(kind, _)| *kind).skip(1).collect();
    let here: Vec<&str> = pleach_core::registry::kinds().into_iter().filter(|kind| *kind != "gadget").collect();
    assert_eq!(kinds, here, "each kind has its place in the table of laws");
}

#[test]
fn a_message_names_the_law_the_plugin_the_reason_and_the_remedy() {
    let broken = laws::all(Some("pleach_testkit"));
    for b in &broken {
        let text = b.to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], format!("{} breaks the law: {}", b.plugin, b.law.name));
        assert!(b.plugin.contains(" pleach-testkit/") && !b.found.trim().is_empty(), "{text}");
        for part in [format!("   why it matters: {}", b.law.why), format!("   write: {}", b.law.write)] {
            assert!(lines.contains(&part.as_str()), "{text}");
        }
    }
    let severed = broken.iter().find(|b| b.plugin.ends_with("/Severed")).unwrap().to_string();
    assert!(
        severed.starts_with("loss pleach-testkit/Severed breaks the law: the gradient of a loss is that of its value")
    );
    assert!(severed.contains("differences give") && severed.contains("write: plain tensor algebra"), "{severed}");
}

#[test]
fn plugins_of_any_kind_obey_the_laws_of_every_plugin() {
    assert_exactly(&found(&laws::of_kind::<dyn any::gadget::Gadget>(None)), "gadget", any::BREAKS);
}

#[test]
fn a_crate_that_is_not_linked_is_an_error_and_not_a_success() {
    let panic = std::panic::catch_unwind(|| laws::assert_all(Some("pleach_nowhere"))).unwrap_err();
    let text = panic.downcast_ref::<String>().cloned().unwrap_or_default();
    assert!(text.contains("use pleach_nowhere as _;"), "{text}");
}
