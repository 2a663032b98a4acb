//! Laws of sources.

use super::{Bench, Law};
use crate::fault::{Check, Fault, ensure};
use pleach_core::{Plug, Row, Samples, Source, SourceCx};
use std::collections::BTreeSet;

/// Samples stand still.
pub const STANDS_STILL: Law = Law {
    name: "a sample is the same each time it is read, also from a source that is opened anew",
    why: "epochs, threads and resumed runs must see the same data",
    write: "a function of seed and index: an `Rng` at the sample's own `Stream`, and no state that reading changes",
};

/// Data are as they say.
pub const AS_SAID: Law = Law {
    name: "samples are as `info` says: channels, frames, size, and classes that have names",
    why: "the net is built from what `info` says, before any sample is read",
    write: "an `info` that is told by the data, and an `Err` for a sample that does not fit",
};

/// There is an end.
pub const ENDS: Law = Law {
    name: "a sample beyond the end, and data that are not there, are errors",
    why: "a panic in a loader's thread ends a run without a word of what was read",
    write: "an `Err` with the path or the index, from `open` and from `row`",
};

const MOST: usize = 16;

pub(super) fn laws(bench: &mut Bench, plug: &Plug<dyn Source>) {
    let open = |split: &str| plug.open(&SourceCx { split: split.into(), seed: 5 });
    bench.check(&ENDS, || match open("train") {
        // Where its files are not here, there is nothing more to be seen of it.
        Err(_) => Ok(()),
        Ok(samples) => {
            let n = samples.len();
            ensure(n > 0, || "it opens, and has no sample".into())?;
            ensure(samples.row(n).is_err(), || format!("it has {n} samples, and gives a sample {n}"))
        }
    });
    bench.check(&STANDS_STILL, || {
        for split in ["train", "val"] {
            let (Ok(once), Ok(again)) = (open(split), open(split)) else { return Ok(()) };
            ensure(once.len() == again.len(), || format!("it has {} samples, then {}", once.len(), again.len()))?;
            for index in 0..once.len().min(MOST) {
                let (first, second, third) = (once.row(index)?, once.row(index)?, again.row(index)?);
                ensure(first == second && second == third, || format!("sample {index} of `{split}` changes"))?;
            }
        }
        Ok(())
    });
    bench.check(&AS_SAID, || {
        let Ok(samples) = open("train") else { return Ok(()) };
        let mut known = BTreeSet::new();
        (0..samples.len().min(MOST)).try_for_each(|index| as_said(&*samples, index, &mut known))
    });
}

fn as_said(samples: &dyn Samples, index: usize, known: &mut BTreeSet<u64>) -> Check {
    let (info, row) = (samples.info(), samples.row(index)?);
    let says = |what: String| Fault(format!("sample {index}: {what}"));
    ensure(known.insert(row.id.index), || says(format!("another calls itself {} too", row.id.index)).0)?;
    ensure(row.frames.len() == info.frames.max(1), || {
        says(format!("{} frames, and `info` says {}", row.frames.len(), info.frames)).0
    })?;
    for frame in &row.frames {
        let image = &frame.image;
        let found = (image.channels, image.height, image.width);
        let fits = image.channels == info.channels && info.size.is_none_or(|s| s == (image.height, image.width));
        ensure(fits, || says(format!("channels, height and width are {found:?}, and `info` says {info:?}")).0)?;
    }
    let unnamed = classes(&row).into_iter().find(|&c| c as usize >= info.classes.len() && Some(c) != info.ignore_index);
    ensure(unnamed.is_none(), || says(format!("class {unnamed:?} of {} that have names", info.classes.len())).0)
}

fn classes(row: &Row) -> Vec<u32> {
    let of_maps = row.maps.iter().flat_map(|m| m.classes.iter().map(|&c| u32::from(c)));
    row.labels.class.into_iter().chain(row.instances.iter().map(|i| i.class)).chain(of_maps).collect()
}
