//! What is kept of each image: which predictions were matched at which threshold, and nothing of their shapes.

use super::region::{Crowd, Region};
use pleach_core::{SampleId, state};
use std::cmp::Ordering;
use std::sync::Arc;

/// The matches of all images seen, in the order of the images, whichever way they came together.
#[state]
pub struct Matches {
    pub(super) keys: Vec<String>,
    pub(super) images: Vec<ImageMatches>,
}

/// One image: a frame of a sample.
#[state]
pub struct ImageMatches {
    index: u64,
    key: Arc<str>,
    frame: u32,
    pub(super) classes: Vec<ClassMatches>,
}

/// The predictions of one class in one image, from the surest down.
#[state]
pub struct ClassMatches {
    pub(super) class: u32,
    /// How many objects there are to find, for each range of sizes.
    pub(super) wanted: Vec<u32>,
    pub(super) scores: Vec<f32>,
    /// A bit for each threshold: whether the prediction was matched. Prediction by prediction, range by range.
    pub(super) matched: Vec<u64>,
    /// Likewise: whether it is neither right nor wrong.
    pub(super) ignored: Vec<u64>,
}

impl Matches {
    pub(super) fn new(keys: Vec<String>) -> Self {
        Self { keys, images: Vec::new() }
    }

    pub(super) fn add(&mut self, id: &SampleId, frame: u32, classes: Vec<ClassMatches>) {
        let image = ImageMatches { index: id.index, key: Arc::clone(&id.key), frame, classes };
        let at = self.images.partition_point(|other| other.order(&image).is_le());
        self.images.insert(at, image);
    }

    pub(super) fn merge(&mut self, other: Self) {
        if other.keys.len() > self.keys.len() {
            self.keys = other.keys;
        }
        self.images.extend(other.images);
        self.images.sort_by(ImageMatches::order);
    }
}

impl ImageMatches {
    /// By sample and frame. A sample that was measured twice is ordered by what was found, so that the
    /// order does not tell which came first.
    fn order(&self, other: &Self) -> Ordering {
        self.index
            .cmp(&other.index)
            .then_with(|| self.key.cmp(&other.key))
            .then_with(|| self.frame.cmp(&other.frame))
            .then_with(|| self.classes.iter().map(found).cmp(other.classes.iter().map(found)))
    }
}

/// Everything in the matches of a class, as something that has an order.
fn found(c: &ClassMatches) -> (u32, &[u32], Vec<u32>, &[u64], &[u64]) {
    (c.class, &c.wanted, c.scores.iter().map(|s| s.to_bits()).collect(), &c.matched, &c.ignored)
}

/// A true object.
pub(super) struct Truth {
    pub(super) region: Region,
    pub(super) area: f64,
    pub(super) crowd: Crowd,
    /// Neither right nor wrong whatever its size.
    pub(super) ignore: bool,
}

/// A prediction.
pub(super) struct Found {
    pub(super) region: Region,
    pub(super) area: f64,
    pub(super) score: f32,
}

/// Thresholds and ranges of sizes.
pub(super) struct Rules {
    pub(super) thresholds: Vec<f64>,
    pub(super) ranges: Vec<[f64; 2]>,
}

/// A true object that a prediction overlaps far enough for the least threshold.
struct Candidate {
    truth: usize,
    iou: f64,
}

/// Matches the predictions of a class, from the surest down, with its objects. `None` where two masks have
/// different sizes.
pub(super) fn match_up(class: u32, truths: &[Truth], found: &[Found], rules: &Rules) -> Option<ClassMatches> {
    // An overlap of 1 that rounding has left a little short is still whole.
    let thresholds: Vec<f64> = rules.thresholds.iter().map(|t| t.min(1.0 - 1e-10)).collect();
    let least = thresholds.iter().copied().fold(f64::INFINITY, f64::min);
    let mut candidates: Vec<Vec<Candidate>> = Vec::with_capacity(found.len());
    for f in found {
        let mut near = Vec::new();
        for (truth, t) in truths.iter().enumerate() {
            let iou = f.region.overlap(&t.region, t.crowd)?;
            if iou >= least {
                near.push(Candidate { truth, iou });
            }
        }
        candidates.push(near);
    }
    let (n, ranges) = (found.len(), rules.ranges.len());
    let mut out = ClassMatches {
        class,
        wanted: Vec::with_capacity(ranges),
        scores: found.iter().map(|f| f.score).collect(),
        matched: vec![0; n * ranges],
        ignored: vec![0; n * ranges],
    };
    for (r, range) in rules.ranges.iter().enumerate() {
        let outside = |area: f64| area < range[0] || area > range[1];
        let ignored: Vec<bool> = truths.iter().map(|t| t.ignore || t.crowd == Crowd::Yes || outside(t.area)).collect();
        out.wanted.push(ignored.iter().filter(|i| !**i).count() as u32);
        // Objects that count are offered first.
        candidates.iter_mut().for_each(|near| near.sort_by_key(|c| (ignored.get(c.truth).copied(), c.truth)));
        for (bit, &threshold) in thresholds.iter().enumerate() {
            let mut taken = vec![false; truths.len()];
            for (d, (f, near)) in found.iter().zip(&candidates).enumerate() {
                let best = best(near, threshold, truths, &ignored, &taken);
                let (mut matched, mut neither) = (false, outside(f.area));
                if let Some(truth) = best {
                    (matched, neither) = (true, ignored.get(truth).is_some_and(|i| *i));
                    if let Some(t) = taken.get_mut(truth) {
                        *t = true;
                    }
                }
                let at = d * ranges + r;
                let set = |bits: &mut Vec<u64>, on: bool| {
                    if let Some(b) = bits.get_mut(at) {
                        *b |= u64::from(on) << bit;
                    }
                };
                set(&mut out.matched, matched);
                set(&mut out.ignored, neither);
            }
        }
    }
    Some(out)
}

/// The object that a prediction overlaps most, the last of equals; one that counts, if there is one.
fn best(near: &[Candidate], threshold: f64, truths: &[Truth], ignored: &[bool], taken: &[bool]) -> Option<usize> {
    let is = |flags: &[bool], truth: usize| flags.get(truth).is_some_and(|f| *f);
    let mut best: Option<&Candidate> = None;
    for c in near {
        // A crowd can be matched by any number.
        let free = !is(taken, c.truth) || truths.get(c.truth).is_some_and(|t| t.crowd == Crowd::Yes);
        if !free {
            continue;
        }
        if best.is_some_and(|b| !is(ignored, b.truth)) && is(ignored, c.truth) {
            break;
        }
        if c.iou >= best.map_or(threshold, |b| b.iou) {
            best = Some(c);
        }
    }
    best.map(|c| c.truth)
}
