//! Who sits in which seat can do that seat's job, in the precision that the run asks for.

use crate::draft::{Draft, by_default};
use crate::places::{at, name_of};
use crate::run::Backends;
use pleach_core::diagnostic::Diagnostic;
use pleach_core::read::Reader;
use pleach_core::tree::Table;
use pleach_core::{Backend, Plug, Precision, Seat, registry, saved};

const TRAIN: &str = "CandleCpu";
const KERNELS: &str = "Cpu";

/// Fills every seat, by the file or by default, and refuses who cannot do the job.
pub(super) fn fill(draft: &mut Draft, root: &Table, r: &mut Reader) -> Option<Backends> {
    let accelerated = draft.trainer.as_mut().and_then(|trainer| trainer.accelerator.take());
    let asked = accelerated.as_deref().map_or(Some(()), |word| accelerator(word, draft, root, r));
    let given = draft.backend.take()?;
    asked?;
    let mut seat = |given: Option<Plug<dyn Backend>>, default: &str, seat: Seat| {
        let plug = given.or_else(|| by_default(default, "backend", r))?;
        can(&plug, seat, root, r).then_some(plug)
    };
    let train = seat(given.train, TRAIN, Seat::Train);
    let kernels = seat(given.kernels, KERNELS, Seat::Kernels);
    let eval = seat(given.eval, TRAIN, Seat::Eval);
    if let (Some(train), Some(trainer)) = (&train, &draft.trainer) {
        precision(train, trainer.precision, root, r);
    }
    Some(Backends { train: train?, kernels: kernels?, eval: eval? })
}

/// The short spelling of the training seat.
fn accelerator(word: &str, draft: &Draft, root: &Table, r: &mut Reader) -> Option<()> {
    let place = at(root, "trainer.accelerator").map(|node| node.place);
    let given = draft.backend.as_ref().and_then(|b| b.train.as_ref()).map(|plug| plug.name());
    match (word, given) {
        ("auto", _) | ("cpu", None) => Some(()),
        ("cpu", Some(name)) if name == TRAIN => Some(()),
        ("cpu", Some(name)) => {
            r.report(
                Diagnostic::new("PL0124", place, format!("`accelerator` says {TRAIN}, and [backend] says {name}"))
                    .label("leave one of them out")
                    .also(name_of(root, "backend.train"), "the other one")
                    .note("`accelerator` is a short spelling of `train` under [backend]"),
            );
            None
        }
        _ => {
            r.report(
                Diagnostic::new("PL0124", place, format!("this program has no backend for the accelerator `{word}`"))
                    .label("write \"cpu\", or `train` under [backend]")
                    .note(format!("backends that can train: {}", able(Seat::Train).join(", "))),
            );
            None
        }
    }
}

fn key(seat: Seat) -> &'static str {
    match seat {
        Seat::Train => "train",
        Seat::Kernels => "kernels",
        Seat::Eval => "eval",
    }
}

fn able(seat: Seat) -> Vec<&'static str> {
    let can = |e: &&registry::Entry| e.plug::<dyn Backend>().is_some_and(|b| b.seats().contains(&seat));
    registry::of_kind::<dyn Backend>().filter(can).map(|e| e.name).collect()
}

fn can(plug: &Plug<dyn Backend>, seat: Seat, root: &Table, r: &mut Reader) -> bool {
    let can = plug.seats().contains(&seat);
    if !can {
        let key = key(seat);
        let does: Vec<_> = plug.seats().iter().map(|s| format!("`{}`", self::key(*s))).collect();
        r.report(
            Diagnostic::new(
                "PL0122",
                name_of(root, &format!("backend.{key}")),
                format!("backend {} cannot sit in the seat `{key}`", plug.name()),
            )
            .label(format!("can: {}", does.join(", ")))
            .note(format!("backends that can: {}", able(seat).join(", ")))
            .expected(format!("one of {}", able(seat).join(", ")))
            .see(format!("pleach describe {}", plug.name())),
        );
    }
    can
}

fn precision(train: &Plug<dyn Backend>, wanted: Precision, root: &Table, r: &mut Reader) {
    if train.precisions().contains(&wanted) {
        return;
    }
    let place = at(root, "trainer.precision").map(|node| node.place).or_else(|| name_of(root, "backend.train"));
    let others: Vec<_> = registry::of_kind::<dyn Backend>()
        .filter(|e| e.plug::<dyn Backend>().is_some_and(|b| b.precisions().contains(&wanted)))
        .map(|e| e.name)
        .collect();
    let can: Vec<_> = train.precisions().iter().map(|p| format!("\"{}\"", word(*p))).collect();
    r.report(
        Diagnostic::new("PL0123", place, format!("backend {} does not train in {}", train.name(), word(wanted)))
            .label(format!("it trains in {}", can.join(", ")))
            .also(name_of(root, "backend.train"), "this backend")
            .expected(format!("one of {}", can.join(", ")))
            .see(format!("pleach describe {}", train.name()))
            .note(match others.is_empty() {
                true => format!("no backend of this program trains in {}", word(wanted)),
                false => format!("backends that do: {}", others.join(", ")),
            }),
    );
}

fn word(precision: Precision) -> String {
    let saved = saved::save(&precision).unwrap_or_default();
    saved.as_str().unwrap_or_default().to_owned()
}
