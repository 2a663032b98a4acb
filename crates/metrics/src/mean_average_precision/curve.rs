//! From matches to precision and recall: the sums over images, of one class and one range of sizes.

use super::matches::{ClassMatches, Matches};
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// The predictions of one class over all images, from the surest down.
pub(super) struct Ranked<'a> {
    parts: Vec<&'a ClassMatches>,
    /// Which part, and which prediction of it.
    order: Vec<(usize, usize)>,
}

/// Precision and recall at one overlap threshold.
pub(super) struct Scores {
    /// The mean, over the recall thresholds, of the best precision at that recall or beyond.
    pub(super) precision: f64,
    /// The share of objects that is found.
    pub(super) recall: f64,
}

impl<'a> Ranked<'a> {
    /// The predictions of each class. Equal scores stay in the order of images.
    pub(super) fn by_class(matches: &'a Matches) -> BTreeMap<u32, Self> {
        let mut parts: BTreeMap<u32, Vec<&ClassMatches>> = BTreeMap::new();
        for class in matches.images.iter().flat_map(|i| &i.classes) {
            parts.entry(class.class).or_default().push(class);
        }
        parts.into_iter().map(|(class, parts)| (class, Self::of(parts))).collect()
    }

    fn of(parts: Vec<&'a ClassMatches>) -> Self {
        let mut scored: Vec<(f32, (usize, usize))> = Vec::new();
        for (p, part) in parts.iter().enumerate() {
            scored.extend(part.scores.iter().enumerate().map(|(d, &score)| (score, (p, d))));
        }
        scored.sort_by(|a, b| surest_first(a.0, b.0));
        Self { parts, order: scored.into_iter().map(|(_, at)| at).collect() }
    }

    /// For each of `thresholds` overlap thresholds, with `limit` predictions in an image at most, the scores over
    /// range number `range` of `ranges`; `None` where there is nothing to find.
    pub(super) fn scores(
        &self,
        thresholds: usize,
        recalls: &[f64],
        [range, ranges]: [usize; 2],
        limit: usize,
    ) -> Option<Vec<Scores>> {
        let wanted: u64 = self.parts.iter().filter_map(|p| p.wanted.get(range)).map(|n| u64::from(*n)).sum();
        if wanted == 0 {
            return None;
        }
        let marks = |&(p, d): &(usize, usize)| {
            let (part, at) = (self.parts.get(p)?, d * ranges + range);
            (d < limit).then_some([*part.matched.get(at)?, *part.ignored.get(at)?])
        };
        let marks: Vec<[u64; 2]> = self.order.iter().filter_map(marks).collect();
        let wanted = wanted as f64;
        Some((0..thresholds).map(|bit| at_threshold(&marks, bit, wanted, recalls)).collect())
    }
}

/// The order of finite scores.
pub(super) fn surest_first(a: f32, b: f32) -> Ordering {
    b.partial_cmp(&a).unwrap_or(Ordering::Equal)
}

fn at_threshold(marks: &[[u64; 2]], bit: usize, wanted: f64, recalls: &[f64]) -> Scores {
    let (mut right, mut wrong) = (0_u64, 0_u64);
    let (mut recall, mut precision) = (Vec::<f64>::new(), Vec::<f64>::new());
    for [matched, ignored] in marks {
        if ignored >> bit & 1 == 1 {
            continue;
        }
        let hit = matched >> bit & 1;
        right += hit;
        wrong += 1 - hit;
        // Only a hit moves recall, and the precision at a recall is the best one there or beyond.
        if hit == 1 {
            recall.push(right as f64 / wanted);
            precision.push(right as f64 / (right as f64 + wrong as f64 + f64::EPSILON));
        }
    }
    let mut best = 0.0_f64;
    for p in precision.iter_mut().rev() {
        best = best.max(*p);
        *p = best;
    }
    let at = |r: &f64| {
        // Recall 0 is reached by the first prediction already, right or wrong; the best beyond is the same.
        let i = recall.partition_point(|x| x < r);
        precision.get(i).copied().unwrap_or(0.0)
    };
    let sum: f64 = recalls.iter().map(at).sum();
    Scores { precision: sum / recalls.len().max(1) as f64, recall: recall.last().copied().unwrap_or(0.0) }
}
