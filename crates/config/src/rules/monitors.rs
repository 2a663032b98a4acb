//! What schedulers, observers and keepers watch must be measured: a name that nothing gives would never
//! change, and what waits for it would never act.

use super::stages;
use crate::draft::Draft;
use crate::places::{at, string_in};
use crate::run::{Dataset, Metrics, PhaseScheduler};
use pleach_core::diagnostic::{Diagnostic, nearest};
use pleach_core::kinds::loss::{LossConfig, snake};
use pleach_core::kinds::metric::{MetricConfig, Part};
use pleach_core::read::Reader;
use pleach_core::registry::{self, Entry};
use pleach_core::tree::{Place, Table};
use pleach_core::{DataInfo, DynMetric, Plug, Task};
use std::collections::BTreeSet;

/// Reports every watched name that is not measured. Best checkpoints go by the training loss where there is
/// no validation and the file does not say.
pub(super) fn measured(draft: &mut Draft, root: &Table, r: &mut Reader) {
    let Some(any_val) = stages(draft).map(|all| all.iter().any(|data| data.has_val())) else { return };
    if let Some(checkpointing) = &mut draft.checkpointing
        && at(root, "checkpointing.monitor").is_none()
        && !any_val
    {
        checkpointing.monitor = vec!["train_loss".into()];
    }
    let draft = &*draft;
    let (Some(task), Some(losses), Some(metrics)) = (&draft.task, &draft.loss, &draft.metrics) else { return };
    let (Some(base), Some(phases)) = (&draft.dataset, &draft.phase) else { return };
    let stage = |i: usize| {
        let phase = phases.get(i);
        let data = phase.and_then(|p| p.dataset.as_ref()).unwrap_or(base);
        let losses = phase.and_then(|p| p.loss.as_ref()).unwrap_or(losses);
        Measured::new(task, losses, metrics, data)
    };
    let all: Vec<Measured> = (0..phases.len().max(1)).map(stage).collect();

    // A scheduler must be served in every stage in which it runs; all else, in one.
    for (i, here) in all.iter().enumerate() {
        let common = draft.scheduler.iter().flatten().next();
        let of_phase = phases.get(i).map(|phase| &phase.scheduler);
        let path = match of_phase {
            Some(PhaseScheduler::Own(_)) => format!("phase.{i}.scheduler"),
            _ => "scheduler".into(),
        };
        let scheduler = of_phase.map_or(common, |own| own.or(common));
        for name in scheduler.map(|s| s.monitors()).into_iter().flatten() {
            check(&name, string_in(root, &path, &name), std::slice::from_ref(here), r);
        }
    }
    let mut watch = |path: String, names: Vec<String>| {
        for name in names {
            check(&name, string_in(root, &path, &name), &all, r);
        }
    };
    for observer in draft.early_stopping.iter().flatten() {
        watch("early_stopping".into(), observer.monitors());
    }
    for (section, list) in [("logging", &draft.logging), ("observer", &draft.observer)] {
        for (i, observer) in list.iter().flatten().enumerate() {
            watch(format!("{section}.{i}"), observer.monitors());
        }
    }
    for (i, keeper) in draft.keeper.iter().flatten().enumerate() {
        watch(format!("keeper.{i}"), keeper.monitors());
    }
    if let Some(checkpointing) = &draft.checkpointing {
        watch("checkpointing".into(), checkpointing.monitor.clone());
    }
}

/// A class by whose name the values of single classes are told from others.
const NO_CLASS: &str = "pleachprobe";

/// The names that a stage measures.
struct Measured {
    exact: BTreeSet<String>,
    /// How names may begin whose ends depend on the data (`val_iou_cat`).
    begin: Vec<String>,
    /// Whether the task measures what only itself knows.
    open: bool,
    has_val: bool,
    /// What metrics of this stage may read.
    parts: Vec<Part>,
}

impl Measured {
    fn new(task: &Plug<dyn Task>, losses: &[LossConfig], metrics: &Metrics, data: &Dataset) -> Self {
        let has_val = data.has_val();
        let (open, parts) = (task.own_objective(), task.gives().parts);
        let mut all = Self { exact: BTreeSet::new(), begin: Vec::new(), open, has_val, parts };
        all.split("train", losses, &metrics.train);
        if has_val {
            all.split("val", losses, metrics.val.as_deref().unwrap_or_default());
        }
        all
    }

    fn split(&mut self, split: &str, losses: &[LossConfig], metrics: &[MetricConfig]) {
        self.exact.insert(format!("{split}_loss"));
        for loss in losses {
            let output = loss.slot.output.as_ref().map(|o| format!("_{o}")).unwrap_or_default();
            self.exact.insert(format!("{split}_loss_{}{output}", snake(&loss.plug.name())));
        }
        for metric in metrics {
            // What depends on the classes is found by giving classes that no data have.
            for classes in 0..4 {
                let classes = (0..classes).map(|c| format!("{NO_CLASS}{c}")).collect();
                for name in metric.names(&DataInfo { classes, ..DataInfo::default() }) {
                    match name.split_once(NO_CLASS) {
                        None => drop(self.exact.insert(format!("{split}_{name}"))),
                        Some((begin, _)) => self.begin.push(format!("{split}_{begin}")),
                    }
                }
            }
            self.begin.push(format!("{split}_{}", snake(&metric.plug.name())));
        }
    }

    fn has(&self, name: &str) -> bool {
        let of_a_split = name.starts_with("train_") || self.has_val && name.starts_with("val_");
        self.exact.contains(name)
            || self.begin.iter().any(|begin| name.starts_with(begin.as_str()))
            || self.open && of_a_split
    }

    /// The metric that would measure a name (less its split), if it were asked to.
    fn unasked(&self, name: &str) -> Option<&'static str> {
        let begins =
            |known: &str| name.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'));
        let measures = |e: &&Entry| {
            let fitting = e.plug::<dyn DynMetric>().filter(|m| self.parts.contains(&m.reads()));
            fitting.is_some_and(|m| begins(&snake(e.name)) || m.names(&DataInfo::default()).iter().any(|n| begins(n)))
        };
        registry::of_kind::<dyn DynMetric>().filter(measures).max_by_key(|e| e.name.len()).map(|e| e.name)
    }
}

/// The name that is meant, if one can be: misspelt, cut short (`val_acc`), or without its split (`loss`).
fn meant<'a>(name: &str, known: &BTreeSet<&'a str>) -> Option<&'a str> {
    let cut_short = || {
        let whole = name.split_once('_').is_some_and(|(_, rest)| rest.len() > 1);
        known.iter().copied().filter(|k| whole && k.starts_with(name)).min_by_key(|k| k.len())
    };
    let of_a_split =
        || ["val", "train"].iter().find_map(|split| known.get(format!("{split}_{name}").as_str()).copied());
    nearest(name, known.iter().copied()).or_else(cut_short).or_else(of_a_split)
}

fn check(name: &str, place: Option<Place>, stages: &[Measured], r: &mut Reader) {
    if stages.iter().any(|stage| stage.has(name)) {
        return;
    }
    let known: BTreeSet<&str> = stages.iter().flat_map(|stage| stage.exact.iter().map(String::as_str)).collect();
    let mut d = Diagnostic::new("PL0121", place, format!("nothing measures `{name}`"));
    let measure = |(split, rest): (&'static str, &str)| {
        let metric = stages.iter().find_map(|stage| stage.unasked(rest))?;
        let asked = known.contains(format!("{split}_{}", snake(metric)).as_str());
        let could = split == "train" || stages.iter().any(|stage| stage.has_val);
        (could && !asked).then(|| format!("{metric} measures it, where it stands in `{split}` under [metrics]"))
    };
    let parts = ["train", "val"].iter().find_map(|split| Some((*split, name.strip_prefix(split)?.strip_prefix('_')?)));
    d = match (parts.and_then(measure), meant(name, &known)) {
        (Some(metric), _) => d.label("would never change").note(metric),
        (None, Some(near)) => d.near(near),
        (None, None) => d.label("would never change"),
    };
    if name.starts_with("test_") {
        d = d.note("the test split is measured after training, not while it lasts");
    }
    if name.starts_with("val_") && !stages.iter().any(|stage| stage.has_val) {
        d = d.note("there is nothing to validate on: add [dataset.val], or `val = 0.1` under [dataset.split]");
    }
    let known: Vec<_> = known.into_iter().collect();
    r.report(d.note(format!("there is: {}", known.join(", "))).expected(format!("one of {}", known.join(", "))));
}
