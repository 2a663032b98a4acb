//! COCO's ways to write a mask, turned into pixels as its own `maskApi` does: polygons, run lengths, and run lengths
//! packed into text.

use pleach_core::{Mask, Polygon};
use serde::Deserialize;

/// Points of a polygon's outline are laid on a grid this much finer than the pixels.
const FINE: i64 = 5;

/// A coordinate further out than this is a mistake, in pixels.
const FARTHEST: f64 = 1e6;

/// What stands under `segmentation`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Shape {
    /// Rings of points, x and y by turns; the mask is all that lies in any of them.
    Polygons(Vec<Vec<f64>>),
    /// Run lengths.
    Runs {
        /// Height and width.
        size: [usize; 2],
        /// The lengths.
        counts: Counts,
    },
}

/// Lengths of runs down the columns, outside and inside by turns, outside first.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Counts {
    /// Whole numbers.
    Plain(Vec<u64>),
    /// Packed into text.
    Packed(String),
}

/// The pixels of a mask as stretches down its columns: the first pixel and one past the last of each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretches {
    width: usize,
    height: usize,
    list: Vec<[usize; 2]>,
}

impl Shape {
    /// The outline, where it is given.
    pub fn polygon(&self) -> Option<Polygon> {
        let ring = |flat: &Vec<f64>| flat.chunks_exact(2).map(|p| [p[0] as f32, p[1] as f32]).collect();
        match self {
            Self::Polygons(rings) if !rings.is_empty() => Some(Polygon(rings.iter().map(ring).collect())),
            _ => None,
        }
    }

    /// Whether there is anything at all.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Polygons(rings) if rings.is_empty())
    }

    /// The pixels in an image of `width` x `height`.
    ///
    /// # Errors
    /// What is wrong with the shape, in words that follow "its segmentation".
    pub fn stretches(&self, width: usize, height: usize) -> Result<Stretches, String> {
        let list = match self {
            Self::Polygons(rings) => {
                let rings = rings.iter().map(|ring| of_ring(ring, width, height)).collect::<Result<Vec<_>, _>>()?;
                joined(rings)
            }
            Self::Runs { size: [h, w], .. } if (*w, *h) != (width, height) => {
                return Err(format!("is {w}x{h}, its image {width}x{height}"));
            }
            Self::Runs { counts, .. } => of_counts(counts, width * height)?,
        };
        Ok(Stretches { width, height, list })
    }
}

impl Stretches {
    /// How many pixels there are.
    pub fn area(&self) -> usize {
        self.list.iter().map(|[start, end]| end - start).sum()
    }

    /// The smallest box around all pixels, as x, y, width and height; zeros where there is no pixel.
    pub fn bounds(&self) -> [usize; 4] {
        let h = self.height.max(1);
        let mut found: Option<[usize; 4]> = None;
        for &[start, end] in &self.list {
            let (x0, x1) = (start / h, (end - 1) / h);
            let (y0, y1) = if x0 == x1 { (start % h, (end - 1) % h) } else { (0, h - 1) };
            let b = found.get_or_insert([x0, y0, x1, y1]);
            *b = [b[0].min(x0), b[1].min(y0), b[2].max(x1), b[3].max(y1)];
        }
        found.map_or([0; 4], |[x0, y0, x1, y1]| [x0, y0, x1 - x0 + 1, y1 - y0 + 1])
    }

    /// The pixels, row by row.
    pub fn mask(&self) -> Mask {
        let (w, h) = (self.width, self.height.max(1));
        let mut inside = vec![0; w * self.height];
        for &[start, end] in &self.list {
            let mut at = start;
            while at < end {
                let (x, y) = (at / h, at % h);
                let stop = (y + end - at).min(h);
                inside.iter_mut().skip(y * w + x).step_by(w.max(1)).take(stop - y).for_each(|p| *p = 1);
                at += stop - y;
            }
        }
        Mask { width: w, height: self.height, inside }
    }
}

fn of_counts(counts: &Counts, pixels: usize) -> Result<Vec<[usize; 2]>, String> {
    let counts = match counts {
        Counts::Plain(counts) => counts.clone(),
        Counts::Packed(text) => unpacked(text)?,
    };
    let (mut list, mut at) = (Vec::with_capacity(counts.len() / 2), 0_usize);
    for (i, count) in counts.iter().enumerate() {
        let end = usize::try_from(*count).ok().and_then(|n| at.checked_add(n)).filter(|end| *end <= pixels);
        let Some(end) = end else { return Err(format!("has runs beyond the {pixels} pixels of its image")) };
        if i % 2 == 1 && end > at {
            list.push([at, end]);
        }
        at = end;
    }
    if at != pixels {
        return Err(format!("has runs of {at} pixels in all, its image has {pixels}"));
    }
    Ok(list)
}

/// Numbers of groups of five bits, least first, each in a character from `0` on; the sixth bit says that more follow,
/// and the last group's fifth is the sign. From the fourth number on they are differences to the last but one.
fn unpacked(text: &str) -> Result<Vec<u64>, String> {
    let mut counts: Vec<i64> = Vec::new();
    let mut bytes = text.bytes().enumerate();
    while let Some((mut at, mut byte)) = bytes.next() {
        let (mut value, mut shift) = (0_i64, 0);
        loop {
            let group = i64::from(byte) - 48;
            if !(0..64).contains(&group) {
                return Err(format!("has {:?} at character {at} of its counts", char::from(byte)));
            }
            if shift > 50 {
                return Err(format!("has a number of too many characters at character {at} of its counts"));
            }
            value |= (group & 0x1f) << shift;
            shift += 5;
            if group & 0x20 == 0 {
                if group & 0x10 != 0 {
                    value |= -1 << shift;
                }
                break;
            }
            (at, byte) = bytes.next().ok_or("has counts that end within a number")?;
        }
        if counts.len() > 2
            && let Some(before) = counts.iter().nth_back(1)
        {
            value = value.saturating_add(*before);
        }
        if value < 0 {
            return Err(format!("has a run of {value} pixels in its counts, which end at character {at}"));
        }
        counts.push(value);
    }
    Ok(counts.into_iter().map(i64::unsigned_abs).collect())
}

/// The pixels in a ring of points. The outline is walked on a grid of fifths of a pixel; wherever it crosses the middle
/// of a column, that column changes sides at the height of the crossing.
fn of_ring(ring: &[f64], width: usize, height: usize) -> Result<Vec<[usize; 2]>, String> {
    if ring.len() < 6 || ring.len() % 2 == 1 {
        return Err(format!("has a ring of {} numbers; three points and more have an even 6 or more", ring.len()));
    }
    if let Some(x) = ring.iter().find(|x| x.is_nan() || x.abs() > FARTHEST) {
        return Err(format!("has a point at {x}, far outside its image"));
    }
    // Towards zero, as C does.
    let fine = |x: f64| (FINE as f64 * x + 0.5) as i64;
    let points: Vec<[i64; 2]> = ring.chunks_exact(2).map(|p| [fine(p[0]), fine(p[1])]).collect();
    let mut changes: Vec<usize> = Vec::new();
    let mut last: Option<[i64; 2]> = None;
    for (from, to) in points.iter().zip(points.iter().cycle().skip(1)) {
        walk(*from, *to, |at| {
            if let Some(before) = last.replace(at) {
                changes.extend(crossing(before, at, width, height));
            }
        });
    }
    changes.sort_unstable();
    let mut list: Vec<[usize; 2]> = Vec::new();
    let mut open = None;
    for at in changes {
        match open.take() {
            None => open = Some(at),
            Some(start) if start == at => {}
            Some(start) => push(&mut list, [start, at]),
        }
    }
    if let Some(start) = open.filter(|start| *start < width * height) {
        push(&mut list, [start, width * height]);
    }
    Ok(list)
}

/// Adds a stretch that begins where the last one ends or behind it.
fn push(list: &mut Vec<[usize; 2]>, [start, end]: [usize; 2]) {
    match list.last_mut() {
        Some(last) if last[1] >= start => last[1] = last[1].max(end),
        _ => list.push([start, end]),
    }
}

/// Every grid point of a side, ends included, from `from` to `to`.
fn walk(from: [i64; 2], to: [i64; 2], mut visit: impl FnMut([i64; 2])) {
    let [dx, dy] = [(to[0] - from[0]).abs(), (to[1] - from[1]).abs()];
    let axis = usize::from(dx < dy);
    let n = dx.max(dy);
    if n == 0 {
        return visit(from);
    }
    // Always computed upwards along the longer axis, so that a side is the same from both its ends.
    let [low, high] = if from[axis] > to[axis] { [to, from] } else { [from, to] };
    let slope = (high[1 - axis] - low[1 - axis]) as f64 / n as f64;
    for step in 0..=n {
        let d = if from[axis] > to[axis] { n - step } else { step };
        let along = low[axis] + d;
        let across = (low[1 - axis] as f64 + slope * d as f64 + 0.5) as i64;
        visit(if axis == 0 { [along, across] } else { [across, along] });
    }
}

/// Where between two neighbouring grid points the middle of a column is crossed: the pixel, counted down the columns.
fn crossing(before: [i64; 2], at: [i64; 2], width: usize, height: usize) -> Option<usize> {
    if before[0] == at[0] {
        return None;
    }
    let x = before[0].min(at[0]);
    let column = usize::try_from(x.div_euclid(FINE)).ok().filter(|c| x.rem_euclid(FINE) == FINE / 2 && *c < width)?;
    // The first pixel whose middle is not above the crossing.
    let row = (before[1].min(at[1]) + FINE / 2).div_euclid(FINE).max(0);
    Some(column * height + usize::try_from(row).ok()?.min(height))
}

/// Stretches of several lists as one list without overlaps.
fn joined(lists: Vec<Vec<[usize; 2]>>) -> Vec<[usize; 2]> {
    let mut all = lists.concat();
    all.sort_unstable();
    let mut list = Vec::with_capacity(all.len());
    all.into_iter().for_each(|stretch| push(&mut list, stretch));
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(mask: &Mask) -> Vec<String> {
        mask.inside.chunks(mask.width).map(|r| r.iter().map(|p| if *p == 1 { '#' } else { '.' }).collect()).collect()
    }

    #[test]
    fn runs_go_down_the_columns() {
        let shape = Shape::Runs { size: [3, 4], counts: Counts::Plain(vec![1, 4, 5, 1, 1]) };
        let stretches = shape.stretches(4, 3).unwrap();
        assert_eq!(rows(&stretches.mask()), [".#..", "##.#", "#..."]);
        assert_eq!(stretches.bounds(), [0, 0, 4, 3]);
        assert_eq!(stretches.area(), 5);
    }
    #[test]
    fn a_mask_that_cannot_be_says_why() {
        let runs = |counts| Shape::Runs { size: [3, 4], counts };
        let packed = |text: &str| runs(Counts::Packed(text.into()));
        let ring = |numbers: &[f64]| Shape::Polygons(vec![numbers.to_vec()]);
        for (shape, why) in [
            (runs(Counts::Plain(vec![1, 4])), "runs of 5 pixels in all"),
            (runs(Counts::Plain(vec![1, u64::MAX])), "beyond the 12 pixels"),
            (Shape::Runs { size: [4, 3], counts: Counts::Plain(vec![12]) }, "is 3x4, its image 4x3"),
            (packed("\u{7f}"), "at character 0 of its counts"),
            (packed("1P"), "end within a number"),
            (packed("O"), "a run of -1 pixels"),
            (packed("PPPPPPPPPPPPPP0"), "too many characters"),
            (ring(&[1.0, 2.0, 3.0, 4.0]), "a ring of 4 numbers"),
            (ring(&[1.0; 7]), "a ring of 7 numbers"),
            (ring(&[1.0, 2.0, 3.0, 4.0, 1e9, 0.0]), "a point at 1000000000"),
        ] {
            let said = shape.stretches(4, 3).unwrap_err();
            assert!(said.contains(why), "{said}");
        }
    }
}
