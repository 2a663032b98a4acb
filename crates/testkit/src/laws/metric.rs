//! Laws of metrics.

use super::{Bench, Law, fresh, through_text};
use crate::fault::{Check, Fault, ensure};
use pleach_core::image::{Image, Pixels};
use pleach_core::kinds::metric::Part;
use pleach_core::{DataInfo, DynMetric, Frame, Instance, Map, Mask, Named, Plug, Purpose, Rng, RotBox, Row, SampleId};
use std::any::Any;
use std::collections::VecDeque;
use std::ops::Range;

/// Merging is adding.
pub const MERGES: Law = Law {
    name: "parts, merged in any order, measure what the whole does; merging with nothing changes nothing",
    why: "validation is spread over workers and ranks, and its result must not depend on how",
    write: "sums and counts into the state, ratios into `values`",
};

/// Resume is exact.
pub const RESUMES: Law = Law {
    name: "a metric saved after any sample and restored into a fresh object goes on to the bit",
    why: "accumulators travel between processes and into checkpoints",
    write: "everything that is accumulated into `State`",
};

/// Values have stable names.
pub const NAMED: Law = Law {
    name: "values have names in snake case, and all of them are among those that the metric says it can have",
    why: "names are columns of logs and what `monitor` refers to",
    write: "all names in `names`, where `values` leaves some out as long as nothing can be said",
};

const ROWS: usize = 8;
const SIDE: usize = 12;

/// Rows that lie together however the data are cut: a video, or one that is of none.
struct Stretch {
    rows: Range<usize>,
    video: Option<&'static str>,
}

const PARTS: [Stretch; 4] = [
    Stretch { rows: 0..3, video: Some("first") },
    Stretch { rows: 3..4, video: None },
    Stretch { rows: 4..7, video: Some("second") },
    Stretch { rows: 7..8, video: None },
];

/// Orders in which parts come together.
const ORDERS: [[usize; 4]; 4] = [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1], [1, 3, 0, 2]];

pub(super) fn laws(bench: &mut Bench, plug: &Plug<dyn DynMetric>) {
    // A metric of binary maps may refuse three classes, and one of many classes two.
    let worlds: Vec<_> = [3, 2].into_iter().map(World::new).filter(|w| measure(plug, w, 0..ROWS).is_ok()).collect();
    bench.check(&NAMED, || {
        if worlds.is_empty() {
            measure(plug, &World::new(2), 0..ROWS)?;
        }
        worlds.iter().try_for_each(|w| named(plug, w))
    });
    bench.check(&MERGES, || worlds.iter().try_for_each(|w| merges(plug, w)));
    bench.check(&RESUMES, || worlds.iter().try_for_each(|w| resumes(plug, w)));
}

/// A data set with predictions, some of them right.
struct World {
    data: DataInfo,
    truth: Vec<Row>,
    predicted: Vec<Row>,
}

impl World {
    fn new(classes: u32) -> Self {
        let names = (0..classes).map(|c| format!("class {c}")).collect();
        let data = DataInfo { classes: names, channels: 3, frames: 1, size: Some((SIDE, SIDE)), ignore_index: None };
        let mut rng = Rng::named(2, Purpose::Other, "metrics");
        let (mut truth, mut predicted) = (Vec::new(), Vec::new());
        for index in 0..ROWS {
            let bytes: Vec<u8> = (0..3 * SIDE * SIDE).map(|_| rng.below(256) as u8).collect();
            let id = SampleId { index: index as u64, key: format!("sample {index}").into() };
            let frame = |bytes| {
                let image = Image { width: SIDE, height: SIDE, channels: 3, pixels: Pixels::U8(bytes) };
                vec![Frame { number: (index % 3) as u32, image }]
            };
            let noisy = bytes.iter().map(|b| b.saturating_add(rng.below(20) as u8)).collect();
            let mut t = Row::new(id, frame(bytes));
            t.video = PARTS.iter().find(|part| part.rows.contains(&index)).and_then(|part| part.video).map(Into::into);
            let mut p = Row::prediction(&t);
            p.frames = frame(noisy);
            fill(&mut t, &mut p, classes, &mut rng);
            truth.push(t);
            predicted.push(p);
        }
        Self { data, truth, predicted }
    }
}

fn fill(truth: &mut Row, predicted: &mut Row, classes: u32, rng: &mut Rng) {
    let class = |rng: &mut Rng| rng.below(u64::from(classes)) as u32;
    truth.labels.class = Some(class(rng));
    let scores: Vec<f32> = (0..classes).map(|_| rng.uniform() as f32 + 0.05).collect();
    let total: f32 = scores.iter().sum();
    let best = (0..scores.len()).max_by(|&a, &b| scores[a].total_cmp(&scores[b])).unwrap_or(0);
    predicted.labels.class = Some(best as u32);
    predicted.labels.scores = scores.iter().map(|s| s / total).collect();
    truth.values = vec![rng.normal() as f32, 1.0 + rng.normal() as f32];
    predicted.values = truth.values.iter().map(|v| v + 0.1 * rng.normal() as f32).collect();
    let n = SIDE * SIDE;
    let map = |classes: Vec<u16>, scores| Map { frame: 0, width: SIDE, height: SIDE, classes, scores };
    let right: Vec<u16> = (0..n).map(|_| class(rng) as u16).collect();
    let guess: Vec<u16> = right.iter().map(|&c| if rng.chance(0.6) { c } else { class(rng) as u16 }).collect();
    let of_foreground = |c: &u16| if *c == 1 { 0.8 } else { 0.1 };
    let scores = if classes == 2 { guess.iter().map(of_foreground).collect() } else { Vec::new() };
    truth.maps = vec![map(right, Vec::new())];
    predicted.maps = vec![map(guess, scores)];
    for track in 0..2_u64 {
        let (x, y) = (rng.below(6) as usize, rng.below(6) as usize);
        let instance = |x: usize, score| {
            let inside = (0..n).map(|i| u8::from((x..x + 5).contains(&(i % SIDE)) && (y..y + 5).contains(&(i / SIDE))));
            Instance {
                class: track as u32 % classes,
                track: Some(track),
                score,
                bbox: Some(RotBox::from_corners(x as f32, y as f32, (x + 5) as f32, (y + 5) as f32)),
                mask: Some(Mask { width: SIDE, height: SIDE, inside: inside.collect() }),
                ..Instance::default()
            }
        };
        truth.instances.push(instance(x, None));
        predicted.instances.push(instance(x + rng.below(2) as usize, Some(0.5 + 0.4 * rng.uniform() as f32)));
    }
}

type State = Box<dyn Any + Send>;

fn feed(plug: &Plug<dyn DynMetric>, state: &mut State, world: &World, rows: Range<usize>) -> Check {
    for i in rows {
        plug.update(&mut **state, &world.predicted[i], &world.truth[i])?;
    }
    Ok(())
}

fn measure(plug: &Plug<dyn DynMetric>, world: &World, rows: Range<usize>) -> Check<State> {
    let mut state = plug.start(&world.data);
    feed(plug, &mut state, world, rows)?;
    Ok(state)
}

fn alike(a: &Named<f64>, b: &Named<f64>, tolerance: f64) -> bool {
    let close = |x: f64, y: f64| x.is_nan() && y.is_nan() || x == y || (x - y).abs() <= tolerance * y.abs().max(1.0);
    a.len() == b.len() && a.iter().zip(b.iter()).all(|((n, x), (m, y))| n == m && close(*x, *y))
}

fn named(plug: &Plug<dyn DynMetric>, world: &World) -> Check {
    let values = |state: &State| plug.values(&**state);
    let (none, all) = (values(&plug.start(&world.data)), values(&measure(plug, world, 0..ROWS)?));
    let names = |v: &Named<f64>| v.names().map(str::to_owned).collect::<Vec<_>>();
    ensure(!all.is_empty(), || "it gives no value".into())?;
    let said = plug.names(&world.data);
    let unsaid: Vec<_> = names(&none).into_iter().chain(names(&all)).filter(|n| !said.contains(n)).collect();
    ensure(unsaid.is_empty(), || format!("{unsaid:?} are not among {said:?}"))?;
    let snake = |n: &str| !n.is_empty() && n.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    let odd: Vec<_> = names(&all).into_iter().filter(|n| !snake(n)).collect();
    ensure(odd.is_empty(), || format!("`{}` is not in snake case", odd.join("`, `")))?;
    let main = all.first().copied().unwrap_or(f64::NAN);
    let reads = plug.reads();
    // Every kind of row here has something to measure, so that a main value of NaN says that nothing was read.
    ensure(main.is_finite() || reads == Part::Instances, || format!("after {ROWS} samples the main value is {main}"))
}

fn merges(plug: &Plug<dyn DynMetric>, world: &World) -> Check {
    let whole = plug.values(&*measure(plug, world, 0..ROWS)?);
    let check = |merged: &State, how: String| {
        let merged = plug.values(&**merged);
        ensure(alike(&merged, &whole, 1e-9), || format!("{how} measure {merged:?}, all at once {whole:?}"))
    };
    for cut in PARTS.iter().map(|part| part.rows.start).chain([ROWS]) {
        let mut first = measure(plug, world, 0..cut)?;
        plug.merge(&mut *first, measure(plug, world, cut..ROWS)?);
        check(&first, format!("{cut} samples merged with {}", ROWS - cut))?;
    }
    for order in ORDERS {
        let parts = || order.iter().filter_map(|&i| PARTS.get(i)).map(|part| measure(plug, world, part.rows.clone()));
        let mut from_nothing = plug.start(&world.data);
        for part in parts() {
            plug.merge(&mut *from_nothing, part?);
        }
        check(&from_nothing, format!("four parts, one after another in the order {order:?},"))?;
        // Two and two, as ranks do it.
        let mut queue = parts().collect::<Check<VecDeque<State>>>()?;
        while let Some(mut first) = queue.pop_front() {
            let Some(second) = queue.pop_front() else {
                check(&first, format!("four parts, two and two in the order {order:?},"))?;
                break;
            };
            plug.merge(&mut *first, second);
            queue.push_back(first);
        }
    }
    Ok(())
}

fn resumes(plug: &Plug<dyn DynMetric>, world: &World) -> Check {
    let whole = plug.values(&*measure(plug, world, 0..ROWS)?);
    for stop in 0..=ROWS {
        let saved = plug.save(&*measure(plug, world, 0..stop)?)?;
        let again = fresh(plug)?;
        let mut state = again.restore(&through_text(&saved)?)?;
        if again.save(&*state)? != saved {
            return Err(Fault(format!("after {stop} samples its state is saved and not restored")));
        }
        feed(&again, &mut state, world, stop..ROWS)?;
        let rest = again.values(&*state);
        ensure(alike(&rest, &whole, 0.0), || {
            format!("restored after {stop} samples: {rest:?}, uninterrupted {whole:?}")
        })?;
    }
    Ok(())
}
