//! Losses and metrics work on what the task gives; where the file names none, the task proposes them.

use crate::draft::Draft;
use crate::places::name_of;
use pleach_core::diagnostic::{Diagnostic, listed};
use pleach_core::kinds::loss::{LossConfig, LossSlot};
use pleach_core::kinds::metric::{MetricConfig, Part};
use pleach_core::read::Reader;
use pleach_core::tree::Table;
use pleach_core::{DynMetric, Form, Gives, Loss, Plug, Slot, Target, Wants, registry};

/// Holds every loss against the task, and takes the task's own where there is none.
pub(super) fn losses(draft: &mut Draft, root: &Table, r: &mut Reader) {
    let Some(task) = &draft.task else { return };
    let gives = task.gives();
    check_losses(draft.loss.iter().flatten(), "loss", &task.name(), &gives, root, r);
    for (i, phase) in draft.phase.iter().flatten().enumerate() {
        check_losses(phase.loss.iter().flatten(), &format!("phase.{i}.loss"), &task.name(), &gives, root, r);
    }
    let Some(given) = &mut draft.loss else { return };
    if !given.is_empty() || task.own_objective() {
        return;
    }
    let Some(phases) = &draft.phase else { return };
    if !phases.is_empty() && phases.iter().all(|phase| phase.loss.as_ref().is_some_and(|own| !own.is_empty())) {
        return;
    }
    let names = task.default_losses();
    if names.is_empty() {
        let fitting = listed("", &fitting_losses(&gives));
        r.report(
            Diagnostic::new("PL0126", None, format!("there is no [[loss]], and task {} proposes none", task.name()))
                .note(format!("these fit: {fitting}"))
                .also(name_of(root, "task"), "this task")
                .see("pleach list loss"),
        );
    }
    given.extend(names.iter().filter_map(|name| proposed(name, &task.name(), r)).map(with_defaults));
}

/// Holds every metric against the task, and takes the task's own for validation and test where the file
/// does not say.
pub(super) fn metrics(draft: &mut Draft, root: &Table, r: &mut Reader) {
    let (Some(task), Some(metrics)) = (&draft.task, &mut draft.metrics) else { return };
    let gives = task.gives();
    for (path, list) in
        [("train", Some(&metrics.train)), ("val", metrics.val.as_ref()), ("test", metrics.test.as_ref())]
    {
        for (i, metric) in list.into_iter().flatten().enumerate() {
            if gives.parts.contains(&metric.reads()) {
                continue;
            }
            let has: Vec<_> = gives.parts.iter().map(|p| part(*p)).collect();
            let fitting: Vec<_> = registry::of_kind::<dyn DynMetric>()
                .filter(|e| e.plug::<dyn DynMetric>().is_some_and(|m| gives.parts.contains(&m.reads())))
                .map(|e| e.name)
                .collect();
            r.report(
                Diagnostic::new(
                    "PL0120",
                    name_of(root, &format!("metrics.{path}.{i}")),
                    format!("metric {} does not fit task {}", metric.plug.name(), task.name()),
                )
                .label(format!("reads {}", part(metric.reads())))
                .also(name_of(root, "task"), format!("the task predicts {}", has.join(", ")))
                .note(format!("these fit: {}", listed(&metric.plug.name(), &fitting)))
                .expected(format!("a metric that reads {}", has.join(" or ")))
                .see(format!("pleach describe {}", metric.plug.name())),
            );
        }
    }
    let defaults = task.default_metrics();
    if metrics.val.is_none() || metrics.test.is_none() {
        let proposed = defaults.iter().filter_map(|name| proposed(name, &task.name(), r));
        let proposed: Vec<MetricConfig> = proposed.map(MetricConfig::from).collect();
        metrics.val.get_or_insert_with(|| proposed.clone());
        metrics.test.get_or_insert(proposed);
    }
}

fn proposed<K: pleach_core::Kind + ?Sized>(name: &str, task: &str, r: &mut Reader) -> Option<Plug<K>> {
    let plug = Plug::named(name);
    if plug.is_err() {
        let what = format!("task {task} proposes the {} `{name}`, which is not linked", K::NAME);
        r.report(Diagnostic::new("PL0103", None, what).note("name one in the file, or link the crate that has it"));
    }
    plug.ok()
}

fn with_defaults(plug: Plug<dyn Loss>) -> LossConfig {
    Slot { slot: LossSlot::default(), plug }
}

fn check_losses<'a>(
    losses: impl Iterator<Item = &'a LossConfig>,
    path: &str,
    task: &str,
    gives: &Gives,
    root: &Table,
    r: &mut Reader,
) {
    for (i, loss) in losses.enumerate() {
        let wants = loss.wants();
        if fits(wants, gives) {
            continue;
        }
        let targets: Vec<_> = gives.targets.iter().map(|t| target(*t)).collect();
        r.report(
            Diagnostic::new(
                "PL0120",
                name_of(root, &format!("{path}.{i}")),
                format!("loss {} does not fit task {task}", loss.plug.name()),
            )
            .label(format!("wants {} and {}", form(wants.form), target(wants.target)))
            .also(name_of(root, "task"), format!("the task gives {} and {}", form(gives.form), targets.join(", ")))
            .note(format!("these fit: {}", listed(&loss.plug.name(), &fitting_losses(gives))))
            .expected(format!("a loss that takes {} and {}", form(gives.form), targets.join(" or ")))
            .see(format!("pleach describe {}", loss.plug.name())),
        );
    }
}

fn fits(wants: Wants, gives: &Gives) -> bool {
    let target = wants.target == Target::Nothing || gives.targets.contains(&wants.target);
    wants.form == gives.form && target
}

fn fitting_losses(gives: &Gives) -> Vec<&'static str> {
    let fit = |e: &&registry::Entry| e.plug::<dyn Loss>().is_some_and(|loss| fits(loss.wants(), gives));
    registry::of_kind::<dyn Loss>().filter(fit).map(|e| e.name).collect()
}

fn form(form: Form) -> &'static str {
    match form {
        Form::Logits => "logits",
        Form::Probabilities => "probabilities",
        Form::LogProbabilities => "logarithms of probabilities",
        Form::Values => "values",
        Form::Embeddings => "embeddings",
    }
}

fn target(target: Target) -> &'static str {
    match target {
        Target::Class => "class indices",
        Target::Mask => "masks",
        Target::Values => "values",
        Target::Pair => "1 or -1 for each pair",
        Target::Nothing => "no target",
    }
}

fn part(part: Part) -> &'static str {
    match part {
        Part::Labels => "labels",
        Part::Maps => "maps",
        Part::Instances => "instances",
        Part::Values => "values",
        Part::Frames => "images",
    }
}
