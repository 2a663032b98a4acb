//! What mixing augmentations share: partners that fit, pixels that are pasted, and chances.

use pleach_core::image::{Image, Pixels};
use pleach_core::warp::Interpolation;
use pleach_core::{Error, Instance, Mask, Polygon, Result, Rng, RotBox, Row, Warp};

/// A window of a frame: x0, y0, x1, y1.
pub(crate) type Window = [usize; 4];

/// A partner with as many frames as the row, of the same kind of pixels, and with tracks of its own.
pub(crate) fn matched(row: &Row, mut partner: Row) -> Result<Row> {
    let (mine, theirs) = (row.frames.len(), partner.frames.len());
    if theirs < mine {
        let message = format!("{} has {theirs} frames where {} has {mine}", partner.id.key, row.id.key);
        return Err(Error::new("PL0348", message).hint("clips that are mixed need the same number of frames"));
    }
    for (a, b) in row.frames.iter().zip(&partner.frames) {
        let (a, b) = (&a.image, &b.image);
        if a.channels != b.channels || std::mem::discriminant(&a.pixels) != std::mem::discriminant(&b.pixels) {
            let message = format!("{} has pixels of another kind than {}", partner.id.key, row.id.key);
            return Err(Error::new("PL0348", message).hint("samples that are mixed need the same channels and depth"));
        }
    }
    partner.frames.truncate(mine);
    partner.instances.retain(|i| (i.frame as usize) < mine);
    partner.maps.retain(|m| (m.frame as usize) < mine);
    let free = row.instances.iter().filter_map(|i| i.track).max().map_or(0, |t| t.saturating_add(1));
    for i in &mut partner.instances {
        i.track = i.track.map(|t| t.saturating_add(free));
    }
    Ok(partner)
}

/// [`matched`], stretched to the size of the row.
pub(crate) fn fitted(row: &Row, partner: Row) -> Result<Row> {
    let mut partner = matched(row, partner)?;
    let (mine, theirs) = (row.size().unwrap_or_default(), partner.size().unwrap_or_default());
    if mine != theirs {
        Warp::resize(theirs, mine).with_interpolation(Interpolation::Bilinear).apply(&mut partner)?;
    }
    Ok(partner)
}

/// Calls `f` with the samples of both images, whatever their type.
macro_rules! both {
    ($to:expr, $from:expr, $f:expr) => {
        match (&mut $to.pixels, &$from.pixels) {
            (Pixels::U8(to), Pixels::U8(from)) => $f(to, from),
            (Pixels::U16(to), Pixels::U16(from)) => $f(to, from),
            (Pixels::F32(to), Pixels::F32(from)) => $f(to, from),
            _ => {}
        }
    };
}

fn copy_window<T: Copy>(to: &mut [T], from: &[T], width: usize, channels: usize, [x0, y0, x1, y1]: Window) {
    let stride = width * channels;
    let rows = to.chunks_exact_mut(stride).zip(from.chunks_exact(stride)).take(y1).skip(y0);
    for (to, from) in rows {
        to[x0 * channels..x1 * channels].copy_from_slice(&from[x0 * channels..x1 * channels]);
    }
}

/// Copies a window from one image into another of the same size and kind.
pub(crate) fn paste(to: &mut Image, from: &Image, window: Window) {
    let (w, c) = (to.width, to.channels);
    both!(to, from, |to: &mut Vec<_>, from: &Vec<_>| copy_window(to, from, w, c, window));
}

/// Copies the pixels where `inside` is not 0.
pub(crate) fn paste_inside(to: &mut Image, from: &Image, inside: &[u8]) {
    fn copy<T: Copy>(to: &mut [T], from: &[T], inside: &[u8], channels: usize) {
        let pixels = to.chunks_exact_mut(channels).zip(from.chunks_exact(channels)).zip(inside);
        pixels.filter(|(_, inside)| **inside != 0).for_each(|((to, from), _)| to.copy_from_slice(from));
    }
    let c = to.channels;
    both!(to, from, |to: &mut Vec<_>, from: &Vec<_>| copy(to, from, inside, c));
}

/// Copies the windows of all frames and maps.
pub(crate) fn paste_all(row: &mut Row, partner: &Row, window: Window) {
    for (to, from) in row.frames.iter_mut().zip(&partner.frames) {
        paste(&mut to.image, &from.image, window);
    }
    for to in &mut row.maps {
        if let Some(from) = partner.maps.iter().find(|m| m.frame == to.frame) {
            copy_window(&mut to.classes, &from.classes, to.width, 1, window);
        }
    }
}

/// What `lambda` of one image and the rest of another give; whole numbers are rounded to the nearest.
pub(crate) fn blend(to: &mut Image, from: &Image, lambda: f32) {
    let mix = |a: f32, b: f32| a * lambda + b * (1.0 - lambda);
    match (&mut to.pixels, &from.pixels) {
        (Pixels::U8(to), Pixels::U8(from)) => {
            let pairs = to.iter_mut().zip(from);
            pairs.for_each(|(a, b)| *a = (mix(f32::from(*a), f32::from(*b)) + 0.5) as u8);
        }
        (Pixels::U16(to), Pixels::U16(from)) => {
            let pairs = to.iter_mut().zip(from);
            pairs.for_each(|(a, b)| *a = (mix(f32::from(*a), f32::from(*b)) + 0.5) as u16);
        }
        (Pixels::F32(to), Pixels::F32(from)) => to.iter_mut().zip(from).for_each(|(a, b)| *a = mix(*a, *b)),
        _ => {}
    }
}

/// The labels of `lambda` of one sample and the rest of another: `scores` has the share of each class, and `class` the
/// class of the greater share.
pub(crate) fn labels(row: &mut Row, partner: &Row, lambda: f64) {
    let (Some(a), Some(b)) = (row.labels.class, partner.labels.class) else { return };
    let classes = [row.labels.scores.len(), partner.labels.scores.len(), a as usize + 1, b as usize + 1];
    let mut shares = vec![0f32; classes.into_iter().max().unwrap_or(0)];
    for (of, class, share) in [(&row.labels, a, lambda), (&partner.labels, b, 1.0 - lambda)] {
        if of.scores.is_empty() {
            shares[class as usize] += share as f32;
        } else {
            shares.iter_mut().zip(&of.scores).for_each(|(s, x)| *s += share as f32 * x);
        }
    }
    row.labels.class = Some(if lambda >= 0.5 { a } else { b });
    row.labels.scores = shares;
    for (a, b) in row.values.iter_mut().zip(&partner.values) {
        *a = (f64::from(*a) * lambda + f64::from(*b) * (1.0 - lambda)) as f32;
    }
}

/// Takes pixels that something covers off an instance: its mask loses them, and its box, polygon and area go by what is
/// left. `None` where less than `least` of it is left, or where it has no mask and the middle of its box is covered.
pub(crate) fn uncovered(mut i: Instance, covered: impl Fn(usize, usize) -> bool, least: f64) -> Option<Instance> {
    let Some(mask) = &mut i.mask else {
        let middle = i.bbox.map(|b| (b.cx, b.cy)).or_else(|| i.points.first().map(|p| (p.x, p.y)))?;
        let hidden = middle.0 >= 0.0 && middle.1 >= 0.0 && covered(middle.0 as usize, middle.1 as usize);
        return (!hidden).then_some(i);
    };
    let before = mask.inside.iter().filter(|v| **v != 0).count();
    let width = mask.width.max(1);
    for (at, v) in mask.inside.iter_mut().enumerate().filter(|(_, v)| **v != 0) {
        if covered(at % width, at / width) {
            *v = 0;
        }
    }
    let left = mask.inside.iter().filter(|v| **v != 0).count();
    if left == 0 || (left as f64) < least * before as f64 {
        return None;
    }
    if left < before {
        let tight = bounds(mask)?;
        i.bbox = i.bbox.map(|b| if b.angle == 0.0 { tight } else { b });
        i.polygon = i.polygon.map(|_| outlined(mask));
        i.area = i.area.map(|a| a * left as f32 / before as f32);
        for p in &mut i.points {
            p.visible &= !(p.x >= 0.0 && p.y >= 0.0 && covered(p.x as usize, p.y as usize));
        }
    }
    Some(i)
}

/// A mask's pixels as rings: one for each stretch of a row, together with the same stretch of the rows below it.
fn outlined(mask: &Mask) -> Polygon {
    let mut done: Vec<[usize; 4]> = Vec::new();
    for (y, row) in mask.inside.chunks_exact(mask.width.max(1)).enumerate() {
        let mut x = 0;
        for stretch in row.chunk_by(|a, b| (*a != 0) == (*b != 0)) {
            let (first, end) = (x, x + stretch.len());
            x = end;
            if stretch[0] == 0 {
                continue;
            }
            match done.iter_mut().find(|[x0, x1, _, below]| (*x0, *x1, *below) == (first, end, y)) {
                Some([.., below]) => *below = y + 1,
                None => done.push([first, end, y, y + 1]),
            }
        }
    }
    let ring = |[x0, x1, y0, y1]: [usize; 4]| {
        let [x0, x1, y0, y1] = [x0, x1, y0, y1].map(|v| v as f32);
        vec![[x0, y0], [x1, y0], [x1, y1], [x0, y1]]
    };
    Polygon(done.into_iter().map(ring).collect())
}

/// The box around a mask.
fn bounds(mask: &Mask) -> Option<RotBox> {
    let rows: Vec<_> = mask.inside.chunks_exact(mask.width.max(1)).collect();
    let filled = |row: &&[u8]| row.iter().any(|v| *v != 0);
    let (top, bottom) = (rows.iter().position(&filled)?, rows.iter().rposition(filled)?);
    let left = rows.iter().filter_map(|r| r.iter().position(|v| *v != 0)).min()?;
    let right = rows.iter().filter_map(|r| r.iter().rposition(|v| *v != 0)).max()?;
    Some(RotBox::from_corners(left as f32, top as f32, right as f32 + 1.0, bottom as f32 + 1.0))
}

/// A number by the beta distribution of two equal parameters, from two gamma numbers.
pub(crate) fn beta(rng: &mut Rng, alpha: f64) -> f64 {
    let (a, b) = (gamma(rng, alpha), gamma(rng, alpha));
    if a + b > 0.0 { a / (a + b) } else { 0.5 }
}

/// A number by the gamma distribution (Marsaglia and Tsang, "A simple method for generating gamma variables", 2000).
fn gamma(rng: &mut Rng, shape: f64) -> f64 {
    if shape < 1.0 {
        let power = rng.uniform().powf(1.0 / shape);
        return gamma(rng, shape + 1.0) * power;
    }
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let x = rng.normal();
        let v = (1.0 + c * x).powi(3);
        if v > 0.0 && (1.0 - rng.uniform()).ln() < 0.5 * x * x + d - d * v + d * v.ln() {
            return d * v;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rings_have_the_area_of_the_mask() {
        let inside = vec![1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1];
        let Polygon(rings) = outlined(&Mask { width: 4, height: 3, inside });
        let area = |r: &Vec<[f32; 2]>| (r[1][0] - r[0][0]) * (r[2][1] - r[1][1]);
        assert_eq!((rings.len(), rings.iter().map(area).sum::<f32>()), (3, 8.0));
    }
    use pleach_core::{Purpose, rng::Stream};

    #[test]
    fn beta_has_the_moments_of_its_distribution() {
        let mut rng = Rng::new(3, Purpose::Other, Stream::default());
        for alpha in [0.2, 1.0, 4.0] {
            let all: Vec<f64> = (0..20_000).map(|_| beta(&mut rng, alpha)).collect();
            let mean = all.iter().sum::<f64>() / all.len() as f64;
            let variance = all.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / all.len() as f64;
            let want = 0.25 / (2.0 * alpha + 1.0);
            assert!((mean - 0.5).abs() < 0.01 && (variance - want).abs() < 0.05 * want, "{alpha}: {mean} {variance}");
        }
    }
}
