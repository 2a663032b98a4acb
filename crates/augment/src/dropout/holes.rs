//! Rectangles that are cut out of frames, and what becomes of the instances behind them.

use super::fill::{Fill, RandomFill};
use crate::pixel::grid::{Grid, by_type};
use crate::pixel::noise::Noise;
use pleach_core::image::Image;
use pleach_core::{Error, Result, RotBox, Row, state};

/// What was decided: rectangles of all frames.
#[state]
pub struct Holes {
    /// Left, top, right and bottom in pixels; right and bottom are outside.
    pub holes: Vec<[i64; 4]>,
    /// What random fills are made from.
    pub seed: u64,
}

/// A hole cut to an image: left, top, right, bottom; none where nothing is left of it.
fn inside([x0, y0, x1, y1]: [i64; 4], (w, h): (usize, usize)) -> Option<[usize; 4]> {
    let cut = |v: i64, n: usize| v.clamp(0, n as i64) as usize;
    let [x0, y0, x1, y1] = [cut(x0, w), cut(y0, h), cut(x1, w), cut(y1, h)];
    (x0 < x1 && y0 < y1).then_some([x0, y0, x1, y1])
}

/// A sample that can be filled in.
trait Filled: Copy {
    fn level(value: f64, white: f64) -> Self;
    fn random(bits: u16) -> Self;
}

impl Filled for u8 {
    fn level(value: f64, _: f64) -> Self {
        value.clamp(0.0, 255.0) as u8
    }
    fn random(bits: u16) -> Self {
        bits as u8
    }
}

impl Filled for f32 {
    fn level(value: f64, white: f64) -> Self {
        (value / white) as f32
    }
    fn random(bits: u16) -> Self {
        f32::from(bits) / 65535.0
    }
}

fn cut<T: Filled>(draw: &Holes, fill: &Fill, white: f64, grid: &mut Grid<T>) -> Result<()> {
    let (c, n) = (grid.channels, grid.row_len());
    for (kind, hole) in draw.holes.iter().enumerate() {
        let Some([x0, y0, x1, y1]) = inside(*hole, (grid.width, grid.height)) else { continue };
        let length = (x1 - x0) * c;
        let noise = Noise { seed: draw.seed, kind: kind as u32 };
        // One row of the hole, repeated unless every sample is drawn.
        let mut line: Vec<T> = Vec::with_capacity(length);
        match fill {
            Fill::Values(values) => {
                let one = |channel| {
                    values.of(channel, c).map(|v| T::level(v, white)).ok_or_else(|| {
                        let message = format!("`fill` has {} values, but the image has {c} channels", values.0.len());
                        Error::new("PL0342", message).hint("give one value for each channel, or one for all of them")
                    })
                };
                let pixel = (0..c).map(one).collect::<Result<Vec<T>>>()?;
                (x0..x1).for_each(|_| line.extend_from_slice(&pixel));
            }
            Fill::Random(RandomFill::RandomUniform) => {
                let mut pixel = Vec::with_capacity(c);
                noise.each(c, |_, bits| pixel.extend(bits.iter().map(|&b| T::random(b))));
                (x0..x1).for_each(|_| line.extend_from_slice(&pixel));
            }
            Fill::Random(RandomFill::Random) => {
                let mut all = Vec::with_capacity(length * (y1 - y0));
                noise.each(length * (y1 - y0), |_, bits| all.extend(bits.iter().map(|&b| T::random(b))));
                for (y, line) in (y0..y1).zip(all.chunks_exact(length)) {
                    grid.samples[y * n + x0 * c..][..length].copy_from_slice(line);
                }
                continue;
            }
        }
        for y in y0..y1 {
            grid.samples[y * n + x0 * c..][..length].copy_from_slice(&line);
        }
    }
    Ok(())
}

/// Fills the holes of one frame.
pub(crate) fn fill(draw: &Holes, fill: &Fill, image: &mut Image) -> Result<()> {
    let white = f64::from(image.pixels.white());
    by_type(image, |grid| cut(draw, fill, white, grid), |grid| cut(draw, fill, white, grid))
}

/// What becomes of the rest of a row: maps get a class in the holes where one is given; an instance of which less than
/// `min_left`, or nothing, is left beside the holes is dropped; an axis box that nothing else outlines shrinks to
/// what is left; key points in holes are not visible.
pub(crate) fn cover(draw: &Holes, class: Option<u16>, min_left: f32, row: &mut Row) {
    let Some((w, h)) = row.size() else { return };
    let mut covered = vec![false; w * h];
    for [x0, y0, x1, y1] in draw.holes.iter().filter_map(|&hole| inside(hole, (w, h))) {
        (y0..y1).for_each(|y| covered[y * w + x0..y * w + x1].fill(true));
    }
    if let Some(class) = class {
        for map in row.maps.iter_mut().filter(|m| (m.width, m.height) == (w, h)) {
            map.classes.iter_mut().zip(&covered).filter(|(_, hidden)| **hidden).for_each(|(c, _)| *c = class);
        }
    }
    row.instances.retain_mut(|instance| {
        for point in &mut instance.points {
            let (x, y) = (point.x.floor(), point.y.floor());
            if x >= 0.0 && y >= 0.0 && x < w as f32 && y < h as f32 && covered[y as usize * w + x as usize] {
                point.visible = false;
            }
        }
        if let Some(mask) = instance.mask.as_ref().filter(|m| m.inside.len() == covered.len()) {
            let pixels = || mask.inside.iter().zip(&covered).filter(|(inside, _)| **inside != 0);
            let (all, left) = (pixels().count(), pixels().filter(|(_, hidden)| !**hidden).count());
            return all == 0 || (left > 0 && left as f32 >= min_left * all as f32);
        }
        let Some(bbox) = instance.bbox else { return true };
        let Some([x0, y0, x1, y1]) = inside(bbox.bounds().map(|v| v as i64), (w, h)) else { return true };
        let open = |x: usize, y: usize| !covered[y * w + x];
        let left = (y0..y1).map(|y| (x0..x1).filter(|&x| open(x, y)).count()).sum::<usize>();
        let all = (x1 - x0) * (y1 - y0);
        if left == 0 || (left as f32) < min_left * all as f32 {
            return false;
        }
        if left < all && instance.polygon.is_none() && bbox.angle == 0.0 {
            let columns = || (x0..x1).filter(|&x| (y0..y1).any(|y| open(x, y)));
            let rows = || (y0..y1).filter(|&y| (x0..x1).any(|x| open(x, y)));
            let ends = |first: Option<usize>, last: Option<usize>, was: (usize, usize)| {
                (first.unwrap_or(was.0) as f32, last.map_or(was.1, |v| v + 1) as f32)
            };
            let (left, right) = ends(columns().next(), columns().next_back(), (x0, x1));
            let (top, bottom) = ends(rows().next(), rows().next_back(), (y0, y1));
            instance.bbox = Some(RotBox::from_corners(left, top, right, bottom));
        }
        true
    });
}
