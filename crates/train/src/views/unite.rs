//! Predicted rows of several views of a sample, put together part by part.

use pleach_core::kinds::augmentation::Trail;
use pleach_core::{Instance, Labels, Map, Mask, NamedPoint, Result, RotBox, Row};

/// Instances of different views are one object where they overlap by more than this (Solovyev, Wang and Gabruseva,
/// "Weighted boxes fusion", 2021, have 0.55).
const SAME: f64 = 0.55;

/// What one view predicts, brought back, and for each of its maps how much of each pixel the view saw.
pub struct Part {
    row: Row,
    seen: Vec<Vec<f32>>,
}

impl Part {
    /// The plain view, which sees everything.
    pub fn plain(row: Row) -> Self {
        let seen = row.maps.iter().map(|m| vec![1.0; m.classes.len()]).collect();
        Self { row, seen }
    }

    /// A prediction brought back.
    ///
    /// # Errors
    /// Its parts do not have the size of the view.
    pub fn back(mut row: Row, trail: &Trail) -> Result<Self> {
        let maps = row.maps.len();
        for n in 0..maps {
            let of = &row.maps[n];
            let whole = Map { scores: vec![1.0; of.classes.len()], ..of.clone() };
            row.maps.push(whole);
        }
        trail.undo(&mut row)?;
        let seen = row.maps.split_off(maps).into_iter().map(|m| m.scores).collect();
        Ok(Self { row, seen })
    }
}

/// The one row of all views; the plain one comes first and wins ties.
///
/// Probabilities, values and scores of maps are means (of maps over the views that saw the pixel). Classes without
/// probabilities are voted on. Instances of different views that overlap are one: their boxes, masks and points are
/// means by score, and the score is divided by all views, those that saw nothing there included.
pub fn rows(parts: Vec<Part>) -> Row {
    let n = parts.len();
    let Some(first) = parts.first() else { return Row::prediction(&nobody()) };
    let mut row = Row::prediction(&first.row);
    row.labels = labels(&parts);
    row.values = means(parts.iter().map(|p| p.row.values.as_slice()));
    row.maps = (0..first.row.maps.len()).filter_map(|m| map(&parts, m)).collect();
    row.instances = instances(parts.into_iter().map(|p| p.row.instances).collect(), n);
    row
}

fn nobody() -> Row {
    Row::new(pleach_core::SampleId { index: 0, key: "".into() }, Vec::new())
}

/// The mean of lists of one length; the first where lengths differ.
fn means<'a>(mut lists: impl Iterator<Item = &'a [f32]> + Clone) -> Vec<f32> {
    let n = lists.clone().count() as f32;
    let Some(first) = lists.next() else { return Vec::new() };
    let mut sums = first.to_vec();
    for list in lists {
        if list.len() != first.len() {
            return first.to_vec();
        }
        sums.iter_mut().zip(list).for_each(|(s, x)| *s += x);
    }
    sums.iter_mut().for_each(|s| *s /= n);
    sums
}

fn labels(parts: &[Part]) -> Labels {
    let scores = means(parts.iter().map(|p| p.row.labels.scores.as_slice()));
    let best = scores.iter().enumerate().rev().max_by(|a, b| a.1.total_cmp(b.1));
    let voted = || vote(parts.iter().filter_map(|p| Some((p.row.labels.class?, 1.0))));
    let class = best.map(|(class, _)| class as u32).or_else(voted);
    Labels { class, scores }
}

/// The choice with the most weight; the earliest wins a tie.
fn vote<T: PartialEq>(votes: impl Iterator<Item = (T, f32)>) -> Option<T> {
    let mut all: Vec<(T, f32)> = Vec::new();
    for (choice, weight) in votes {
        match all.iter_mut().find(|(c, _)| *c == choice) {
            Some((_, sum)) => *sum += weight,
            None => all.push((choice, weight)),
        }
    }
    all.into_iter().rev().max_by(|a, b| a.1.total_cmp(&b.1)).map(|(choice, _)| choice)
}

fn map(parts: &[Part], index: usize) -> Option<Map> {
    let like = parts.first()?.row.maps.get(index)?;
    let fits = |p: &&Part| p.row.maps.get(index).is_some_and(|m| (m.width, m.height) == (like.width, like.height));
    let all: Vec<(&Map, &Vec<f32>)> =
        parts.iter().filter(fits).filter_map(|p| Some((p.row.maps.get(index)?, p.seen.get(index)?))).collect();
    let pixels = like.classes.len();
    let at = |at: usize| all.iter().map(move |(m, seen)| (m, at, seen.get(at).copied().unwrap_or_default()));
    let class = |pixel: usize| vote(at(pixel).filter_map(|(m, at, weight)| Some((*m.classes.get(at)?, weight))));
    let score = |pixel: usize| {
        let (sum, seen) = at(pixel).fold((0.0, 0.0), |(sum, seen), (m, at, weight)| {
            // Outside of what a view saw its score is 0 already.
            (sum + m.scores.get(at).copied().unwrap_or_default(), seen + weight)
        });
        sum / seen
    };
    let scores =
        if all.iter().all(|(m, _)| m.scores.len() == pixels) { (0..pixels).map(score).collect() } else { vec![] };
    let classes = (0..pixels).map(|p| class(p).unwrap_or_default()).collect();
    Some(Map { classes, scores, ..like.clone() })
}

/// Instances of several views that are one object, the surest first.
type Object = Vec<(usize, Instance)>;

fn instances(views: Vec<Vec<Instance>>, n: usize) -> Vec<Instance> {
    let mut all: Object =
        views.into_iter().enumerate().flat_map(|(view, list)| list.into_iter().map(move |i| (view, i))).collect();
    let score = |i: &Instance| i.score.unwrap_or(1.0);
    all.sort_by(|(_, a), (_, b)| score(b).total_cmp(&score(a)));
    let mut objects: Vec<Object> = Vec::new();
    for (view, i) in all {
        let likeness = |object: &Object| {
            let (_, surest) = object.first()?;
            let other = (surest.frame, surest.class) == (i.frame, i.class) && object.iter().all(|(v, _)| *v != view);
            other.then(|| alike(surest, &i)).filter(|x| *x > SAME)
        };
        let found = objects.iter_mut().filter_map(|o| Some((likeness(o)?, o))).max_by(|a, b| a.0.total_cmp(&b.0));
        match found {
            Some((_, object)) => object.push((view, i)),
            None => objects.push(vec![(view, i)]),
        }
    }
    let mut done: Vec<Instance> =
        objects.into_iter().filter_map(|o| one(o.into_iter().map(|(_, i)| i).collect(), n)).collect();
    done.sort_by(|a, b| score(b).total_cmp(&score(a)));
    done
}

/// How much two instances are the same, 0 to 1: intersection over union of masks, else of boxes, else of the boxes around
/// outlines; and where there are points alone, less by a tenth for each pixel between them.
fn alike(a: &Instance, b: &Instance) -> f64 {
    if let (Some(a), Some(b)) = (&a.mask, &b.mask) {
        let count = |f: fn(bool, bool) -> bool| {
            a.inside.iter().zip(&b.inside).filter(|(a, b)| f(**a != 0, **b != 0)).count() as f64
        };
        return count(|a, b| a && b) / count(|a, b| a || b).max(1.0);
    }
    if let (Some(a), Some(b)) = (a.bbox.or_else(|| around(a)), b.bbox.or_else(|| around(b))) {
        return a.iou(&b);
    }
    let pairs = a.points.iter().filter_map(|p| Some((p, b.points.iter().find(|q| q.name == p.name)?)));
    let far: Vec<f64> = pairs.map(|(p, q)| f64::from((p.x - q.x).hypot(p.y - q.y))).collect();
    if far.is_empty() { 0.0 } else { 1.0 - far.iter().sum::<f64>() / far.len() as f64 / 10.0 }
}

fn around(i: &Instance) -> Option<RotBox> {
    let points: Vec<[f32; 2]> = i.polygon.iter().flat_map(|p| p.0.iter().flatten().copied()).collect();
    let fold = |axis: usize, f: fn(f32, f32) -> f32| points.iter().map(|p| p[axis]).reduce(f);
    Some(RotBox::from_corners(fold(0, f32::min)?, fold(1, f32::min)?, fold(0, f32::max)?, fold(1, f32::max)?))
}

/// One object of the instances that are it, the surest first; what has no mean is that of the surest.
fn one(all: Vec<Instance>, views: usize) -> Option<Instance> {
    let weights: Vec<f32> = all.iter().map(|i| i.score.unwrap_or(1.0).max(f32::MIN_POSITIVE)).collect();
    let sum: f32 = weights.iter().sum();
    let mut best = all.first()?.clone();
    if all.len() > 1 {
        best.bbox = mean_box(&all, &weights);
        best.mask = mean_mask(&all, &weights);
        best.points = best.points.iter().map(|p| mean_point(p, &all, &weights)).collect();
        let areas: Option<Vec<f32>> = all.iter().map(|i| i.area).collect();
        best.area = areas.map(|areas| areas.iter().zip(&weights).map(|(a, w)| a * w).sum::<f32>() / sum);
    }
    best.score = best.score.map(|_| all.iter().filter_map(|i| i.score).sum::<f32>() / views as f32);
    Some(best)
}

fn mean_box(all: &[Instance], weights: &[f32]) -> Option<RotBox> {
    let first = all.first()?.bbox?;
    let half = std::f32::consts::PI;
    let (mut b, mut sum) = (RotBox { cx: 0.0, cy: 0.0, w: 0.0, h: 0.0, angle: 0.0 }, 0.0);
    for (of, weight) in all.iter().zip(weights).filter_map(|(i, w)| Some((i.bbox?, w))) {
        // The same box also stands half a turn further; and a quarter further with its sides exchanged.
        let turn = of.angle - first.angle;
        let turn = turn - half * (turn / half).round();
        let (w, h, turn) =
            if turn.abs() > half / 4.0 { (of.h, of.w, turn - turn.signum() * half / 2.0) } else { (of.w, of.h, turn) };
        b.cx += weight * of.cx;
        b.cy += weight * of.cy;
        b.w += weight * w;
        b.h += weight * h;
        b.angle += weight * turn;
        sum += weight;
    }
    let by = |x: f32| x / sum;
    Some(RotBox { cx: by(b.cx), cy: by(b.cy), w: by(b.w), h: by(b.h), angle: first.angle + by(b.angle) })
}

/// The pixels that more than half of the weight has.
fn mean_mask(all: &[Instance], weights: &[f32]) -> Option<Mask> {
    let first = all.first()?.mask.as_ref()?;
    let mut votes = vec![0.0; first.inside.len()];
    let mut sum = 0.0;
    for (mask, weight) in all.iter().zip(weights).filter_map(|(i, w)| Some((i.mask.as_ref()?, w))) {
        votes.iter_mut().zip(&mask.inside).filter(|(_, p)| **p != 0).for_each(|(v, _)| *v += weight);
        sum += weight;
    }
    let inside = votes.into_iter().map(|v| u8::from(v * 2.0 > sum)).collect::<Vec<u8>>();
    Some(if inside.contains(&1) { Mask { inside, ..*first } } else { first.clone() })
}

fn mean_point(like: &NamedPoint, all: &[Instance], weights: &[f32]) -> NamedPoint {
    let of = |i: &Instance| i.points.iter().find(|p| p.name == like.name).cloned();
    let found: Vec<(NamedPoint, f32)> = all.iter().zip(weights).filter_map(|(i, w)| Some((of(i)?, *w))).collect();
    let seen: f32 = found.iter().filter(|(p, _)| p.visible).map(|(_, w)| w).sum();
    let whole: f32 = found.iter().map(|(_, w)| w).sum();
    let visible = seen * 2.0 > whole;
    // Where a view does not see a point, it does not know where it is either.
    let known = found.iter().filter(|(p, _)| p.visible == visible);
    let (x, y, sum) = known.fold((0.0, 0.0, 0.0), |(x, y, sum), (p, w)| (x + w * p.x, y + w * p.y, sum + w));
    if sum > 0.0 { NamedPoint { x: x / sum, y: y / sum, visible, ..like.clone() } } else { like.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(x: f32, score: f32) -> Instance {
        let bbox = Some(RotBox::from_corners(x, 0.0, x + 10.0, 10.0));
        Instance { bbox, score: Some(score), ..Instance::default() }
    }

    #[test]
    fn what_two_views_see_is_one_object_and_what_one_sees_is_half_as_sure() {
        let all = instances(vec![vec![boxed(0.0, 0.9), boxed(50.0, 0.8)], vec![boxed(1.0, 0.3)]], 2);
        assert_eq!(all.len(), 2);
        assert!((all[0].score.unwrap() - 0.6).abs() < 1e-6 && (all[0].bbox.unwrap().cx - 5.25).abs() < 1e-5);
        assert_eq!((all[1].score, all[1].bbox), (Some(0.4), boxed(50.0, 0.8).bbox));
    }

    #[test]
    fn neighbours_of_one_view_stay_apart() {
        let crowd = vec![boxed(0.0, 0.9), boxed(2.0, 0.8), boxed(4.0, 0.7)];
        let all = instances(vec![crowd.clone(), crowd.clone()], 2);
        let boxes: Vec<f32> = all.iter().map(|i| i.bbox.unwrap().cx).collect();
        assert_eq!(boxes.len(), 3);
        assert!(boxes.iter().zip(&crowd).all(|(x, i)| (x - i.bbox.unwrap().cx).abs() < 1e-4), "{boxes:?}");
    }

    #[test]
    fn a_turned_box_and_itself_half_a_turn_or_a_quarter_further_are_one() {
        let b = RotBox { cx: 5.0, cy: 6.0, w: 8.0, h: 3.0, angle: 0.4 };
        let of = |b| Instance { bbox: Some(b), ..Instance::default() };
        let half = RotBox { angle: 0.4 - std::f32::consts::PI, ..b };
        let quarter = RotBox { w: 3.0, h: 8.0, angle: 0.4 + std::f32::consts::FRAC_PI_2, ..b };
        let all = instances(vec![vec![of(b)], vec![of(half)], vec![of(quarter)]], 3);
        let [Instance { bbox: Some(m), score: None, .. }] = all.as_slice() else { panic!("{all:?}") };
        let off = [m.cx - b.cx, m.cy - b.cy, m.w - b.w, m.h - b.h, m.angle - b.angle];
        assert!(off.iter().all(|d| d.abs() < 1e-5), "{m:?}");
    }
}
