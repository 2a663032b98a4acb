//! The rules between plugins, which none of them can know alone, and what follows from one section for
//! another that the file leaves out.

mod fit;
mod monitors;
mod names;
mod seats;

use crate::draft::Draft;
use crate::places::{at, name_of};
use crate::run::{Dataset, Run};
use pleach_core::diagnostic::Diagnostic;
use pleach_core::read::Reader;
use pleach_core::tree::Table;

/// Holds the sections against each other and puts the run together, if nothing is wrong.
pub(crate) fn complete(mut draft: Draft, root: &Table, r: &mut Reader) -> Option<Run> {
    names::unambiguous(root, r);
    fit::losses(&mut draft, root, r);
    fit::metrics(&mut draft, root, r);
    let backend = seats::fill(&mut draft, root, r);
    weights(&draft, root, r);
    views(&draft, root, r);
    data(&draft, root, r);
    phases(&draft, root, r);
    monitors::measured(&mut draft, root, r);
    if !r.diagnostics.is_empty() {
        return None;
    }
    Some(Run {
        run: draft.run?,
        task: draft.task?,
        model: draft.model?,
        loss: draft.loss?,
        optimizer: draft.optimizer?,
        scheduler: draft.scheduler?,
        dataset: draft.dataset?,
        dataloader: draft.dataloader?,
        trainer: draft.trainer?,
        early_stopping: draft.early_stopping?,
        checkpointing: draft.checkpointing?,
        logging: draft.logging?,
        observer: draft.observer?,
        keeper: draft.keeper?,
        metrics: draft.metrics?,
        phase: draft.phase?,
        backend: backend?,
    })
}

/// Holds those who sit in the seats against what the run asks of them.
pub(crate) fn seats(draft: &mut Draft, root: &Table, r: &mut Reader) {
    // Who sits where is of interest to whole runs alone.
    let _ = seats::fill(draft, root, r);
}

fn weights(draft: &Draft, root: &Table, r: &mut Reader) {
    if draft.model.as_ref().is_some_and(|m| m.slot.pretrained && m.slot.weights.is_none()) {
        let place = at(root, "model.pretrained").map(|node| node.place);
        r.report(
            Diagnostic::new("PL0125", place, "`pretrained` without `weights`")
                .label("which weights?")
                .expected("`weights`")
                .note("this program ships no weights: write `weights = \"file.safetensors\"` beside it"),
        );
    }
}

fn views(draft: &Draft, root: &Table, r: &mut Reader) {
    for (i, step) in draft.trainer.iter().flat_map(|trainer| &trainer.tta).enumerate() {
        let (key, label) = match (step.plug.undoes(), step.slot.per_frame) {
            (false, _) => ("", "what it does to a sample has no way back"),
            (true, true) => (".per_frame", "a view is one draw for all frames"),
            (true, false) => continue,
        };
        let place = at(root, &format!("trainer.tta.{i}{key}")).map(|node| node.place);
        r.report(
            Diagnostic::new("PL0139", place, format!("{} cannot be undone on a prediction", step.plug.name()))
                .label(label)
                .expected("an augmentation that moves pixels, or changes colours alone")
                .note("views must not look at the truth, mix in other samples, or drop objects"),
        );
    }
}

fn data(draft: &Draft, root: &Table, r: &mut Reader) {
    let own = draft.phase.iter().flatten().enumerate();
    let own = own.filter_map(|(i, phase)| phase.dataset.as_ref().map(|d| (format!("phase.{i}.dataset"), d)));
    for (path, dataset) in draft.dataset.iter().map(|d| ("dataset".to_owned(), d)).chain(own) {
        let Some(split) = &dataset.split else { continue };
        let twice = |name: &str, given: bool, key: &str, taken: bool| {
            let place = at(root, &format!("{path}.split.{key}")).map(|node| node.place);
            (given && taken).then(|| {
                Diagnostic::new(
                    "PL0127",
                    place,
                    format!("two sources for `{name}`: [{path}.{name}] and [{path}.split]"),
                )
                .label(format!("[{path}.{name}] is there already"))
                .also(name_of(root, &format!("{path}.{name}")), "the other one")
            })
        };
        let folds = twice("val", dataset.val.is_some(), "num_folds", split.num_folds.is_some());
        let val = twice("val", dataset.val.is_some(), "val", split.val > 0.0);
        let test = twice("test", dataset.test.is_some(), "test", split.test > 0.0);
        [folds, val, test].into_iter().flatten().for_each(|d| r.report(d));
    }
}

fn phases(draft: &Draft, root: &Table, r: &mut Reader) {
    let names: Vec<&str> = draft.phase.iter().flatten().map(|phase| phase.name.as_str()).collect();
    for (i, name) in names.iter().enumerate() {
        if names.iter().take(i).any(|earlier| earlier == name) {
            let place = at(root, &format!("phase.{i}.name")).map(|node| node.place);
            let first = names.iter().position(|earlier| earlier == name).unwrap_or_default();
            r.report(
                Diagnostic::new("PL0128", place, format!("two phases are called `{name}`"))
                    .label("the second one")
                    .also(at(root, &format!("phase.{first}.name")).map(|node| node.place), "the first one")
                    .note("logs and checkpoints tell phases by their names"),
            );
        }
    }
}

/// The data of each stage: those of the run, or the phases' own.
fn stages(draft: &Draft) -> Option<Vec<&Dataset>> {
    let base = draft.dataset.as_ref()?;
    let phases = draft.phase.as_ref()?;
    if phases.is_empty() {
        return Some(vec![base]);
    }
    Some(phases.iter().map(|phase| phase.dataset.as_ref().unwrap_or(base)).collect())
}
