//! Samples a grid of pixels through a matrix.
//!
//! Maps that keep the axes go by a table per axis, which makes crops beyond the edge and right angles exact copies;
//! antialiased shrinking goes by two passes, and 8 bits are stretched along rows and then between them. For the rest a
//! row of places is made, one for each pixel, and 8-bit samples and whatever takes the nearest pixel are gathered there
//! in vector lanes.

use super::axes::{Columns, axes, blend, copies, transpose};
use super::field::{Field, project};
use super::matrix::{Matrix, affine, exchanges_axes, keeps_axes};
use super::{Interpolation, antialias, wide};
use pleach_simd::{
    FARTHEST, Outside, fixed_row, mirror, mirror_rgb, project_row, sample_bilinear, sample_nearest, stretch_bilinear,
};

pub(super) use pleach_simd::Grid;

/// A type of samples.
pub(super) trait Sample: Copy {
    /// Whether [`between`](Self::between) does anything.
    const BETWEEN: bool = false;
    fn wide(self) -> f32;
    /// The nearest value of the type.
    fn of(x: f32) -> Self;
    /// Samples a row between pixels in whole numbers; false where there is no such way for the type.
    fn between(_: &Grid<'_, Self>, _: &Places, _: Outside<Self>, _: &mut [Self]) -> bool {
        false
    }
    /// Samples at places in rows and columns in whole numbers, behind what `out` has; false where there is no such way.
    fn stretched(_: &Grid<'_, Self>, _: &Places, _: Outside<Self>, _: &mut Vec<Self>) -> bool {
        false
    }
    /// Puts pixels into the opposite order.
    fn mirror(row: &mut [Self], channels: usize) {
        mirror(row, channels);
    }
}

impl Sample for u8 {
    const BETWEEN: bool = true;
    fn between(from: &Grid<'_, Self>, at: &Places, outside: Outside<Self>, out: &mut [Self]) -> bool {
        sample_bilinear(from, &at.x, &at.y, outside, out);
        true
    }
    fn stretched(from: &Grid<'_, Self>, at: &Places, outside: Outside<Self>, out: &mut Vec<Self>) -> bool {
        stretch_bilinear(from, &at.x, &at.y, outside, out)
    }
    fn mirror(row: &mut [Self], channels: usize) {
        if channels == 3 { mirror_rgb(row) } else { mirror(row, channels) }
    }
    #[inline(always)]
    fn wide(self) -> f32 {
        f32::from(self)
    }
    #[inline(always)]
    fn of(x: f32) -> Self {
        (x + 0.5) as Self
    }
}

impl Sample for u16 {
    #[inline(always)]
    fn wide(self) -> f32 {
        f32::from(self)
    }
    #[inline(always)]
    fn of(x: f32) -> Self {
        (x + 0.5) as Self
    }
}

impl Sample for f32 {
    #[inline(always)]
    fn wide(self) -> f32 {
        self
    }
    #[inline(always)]
    fn of(x: f32) -> Self {
        x
    }
}

/// What lies outside.
#[derive(Clone, Copy)]
pub(super) enum Edge<T> {
    /// A value for each of the first four channels.
    Constant([T; 4]),
    Replicate,
    Reflect,
    Reflect101,
    Wrap,
}

/// How pixels of the result find their places in the source: through a matrix, and then through a field.
pub(super) struct Way<'a> {
    pub(super) matrix: Matrix,
    pub(super) field: Option<&'a Field>,
}

impl Way<'_> {
    pub(super) fn keeps_axes(&self) -> bool {
        self.field.is_none() && keeps_axes(&self.matrix)
    }

    pub(super) fn place(&self, x: f64, y: f64) -> [f64; 2] {
        let [x, y] = project(&self.matrix, [x, y]);
        self.field.map_or([x, y], |f| f.at(x, y))
    }
}

/// The places of a row of pixels, or of all rows and columns, in 65536ths of a pixel.
pub(super) struct Places {
    x: Vec<i32>,
    y: Vec<i32>,
}

/// A number of pixels in fixed point.
fn fixed(v: f64) -> i32 {
    (v.clamp(-FARTHEST, FARTHEST) * 65536.0 + 0.5).floor() as i32
}

/// Stands for a pixel outside.
pub(super) const OUTSIDE: usize = usize::MAX;

/// Farther than this no image reaches.
const FAR: f64 = 1e12;

impl<T: Copy> Edge<T> {
    /// The pixel that stands at place i of n.
    pub(super) fn index(&self, i: i64, n: usize) -> usize {
        let last = n as i64 - 1;
        if (0..=last).contains(&i) {
            return i as usize;
        }
        match self {
            Self::Constant(_) => OUTSIDE,
            Self::Replicate => i.clamp(0, last) as usize,
            Self::Reflect => {
                let i = i.rem_euclid(2 * n as i64);
                i.min(2 * n as i64 - 1 - i) as usize
            }
            Self::Wrap => i.rem_euclid(n as i64) as usize,
            Self::Reflect101 if last == 0 => 0,
            Self::Reflect101 => {
                let i = i.rem_euclid(2 * last);
                i.min(2 * last - i) as usize
            }
        }
    }

    pub(super) fn fill(&self) -> Option<[T; 4]> {
        match self {
            Self::Constant(value) => Some(*value),
            _ => None,
        }
    }

    /// The same for sampling in vector lanes, where it knows such a border.
    fn outside(&self) -> Option<Outside<T>> {
        match self {
            Self::Constant(value) => Some(Outside::Is(*value)),
            Self::Replicate => Some(Outside::Nearest),
            Self::Reflect101 => Some(Outside::Mirrored),
            Self::Reflect | Self::Wrap => None,
        }
    }
}

/// A row of pixels that are the border's, or any that will be written over.
fn blank<T: Sample>(from: &Grid<'_, T>, edge: &Edge<T>, pixels: usize) -> Vec<T> {
    let Some(fill) = edge.fill().or_else(|| from.data.first().map(|v| [*v; 4])) else { return Vec::new() };
    let pixel: Vec<T> = (0..from.channels).map(|k| fill[k.min(3)]).collect();
    pixel.repeat(pixels)
}

/// The pixel at or before x, and how far x lies beyond it, 0 up to 1; rounding dust is 0.
#[inline(always)]
pub(super) fn split(x: f64) -> (i64, f32) {
    let x = x.clamp(-FAR, FAR);
    let floor = (x + 1e-9).floor();
    let beyond = x - floor;
    (floor as i64, if beyond < 1e-9 { 0.0 } else { beyond as f32 })
}

#[inline(always)]
pub(super) fn nearest(x: f64) -> i64 {
    // Ties go up, whatever rounding did to them.
    (x.clamp(-FAR, FAR) + 0.5 + 1e-9).floor() as i64
}

#[inline(always)]
fn mix(a: f32, b: f32, t: f32) -> f32 {
    a + (b - a) * t
}

/// A grid of the given size, sampled from another, result to source.
pub(super) fn resample<T: Sample>(
    from: &Grid<'_, T>,
    way: &Way<'_>,
    size: (usize, usize),
    how: Interpolation,
    edge: Edge<T>,
) -> Vec<T> {
    let channels = from.channels;
    // Rows are made here, while they are in the cache, and put behind each other: nothing is written twice.
    let blank = blank(from, &edge, size.0);
    if blank.is_empty() || size.1 == 0 {
        return Vec::new();
    }
    if matches!(how, Interpolation::Bicubic | Interpolation::Area | Interpolation::Lanczos4) {
        let mut out = blank.repeat(size.1);
        wide::sample(from, way, size, how, &edge, &mut out);
        return out;
    }
    let mut out = Vec::with_capacity(blank.len() * size.1);
    if !way.keeps_axes() {
        if !in_lanes(from, way, size, how, &edge, &mut out) {
            let mut row = blank.clone();
            for y in 0..size.1 {
                row.copy_from_slice(&blank);
                match channels {
                    1 => skew(from, way, y, how, &edge, &mut row, 1),
                    3 => skew(from, way, y, how, &edge, &mut row, 3),
                    c => skew(from, way, y, how, &edge, &mut row, c),
                }
                out.extend_from_slice(&row);
            }
        }
        return out;
    }
    let (cols, rows) = axes(from, &way.matrix);
    if how == Interpolation::Antialias && (cols.scale.abs() > 1.0 || rows.scale.abs() > 1.0) {
        let mut out = blank.repeat(size.1);
        antialias::shrink(from, &cols, &rows, &edge, size, &mut out);
        return out;
    }
    let across = cols.stride > channels;
    let (cols, rows) = (cols.taps(size.0, how, &edge), rows.taps(size.1, how, &edge));
    let exact = cols.iter().chain(&rows).all(|t| t.by == 0.0);
    if !exact && (in_rows(from, way, size, how, &edge, &mut out) || in_lanes(from, way, size, how, &edge, &mut out)) {
        return out;
    }
    if exact && across && cols.iter().chain(&rows).all(|t| t.a != OUTSIDE) {
        match channels {
            1 => transpose(from.data, &rows, &cols, &blank, &mut out, 1),
            3 => transpose(from.data, &rows, &cols, &blank, &mut out, 3),
            c => transpose(from.data, &rows, &cols, &blank, &mut out, c),
        }
        return out;
    }
    if exact {
        match channels {
            1 => copies(from.data, &rows, &Columns::new(&cols, 1), &blank, &mut out, 1),
            3 => copies(from.data, &rows, &Columns::new(&cols, 3), &blank, &mut out, 3),
            c => copies(from.data, &rows, &Columns::new(&cols, c), &blank, &mut out, c),
        }
        return out;
    }
    let mut line = blank;
    for row in &rows {
        match channels {
            1 => blend(from.data, row, &cols, &mut line, 1, &edge),
            3 => blend(from.data, row, &cols, &mut line, 3, &edge),
            c => blend(from.data, row, &cols, &mut line, c, &edge),
        }
        out.extend_from_slice(&line);
    }
    out
}

/// Samples at fixed-point places in rows and columns; false, and nothing done, where there is no such way.
fn in_rows<T: Sample>(
    from: &Grid<'_, T>,
    way: &Way<'_>,
    size: (usize, usize),
    how: Interpolation,
    edge: &Edge<T>,
    out: &mut Vec<T>,
) -> bool {
    let Some(outside) = edge.outside() else { return false };
    if how == Interpolation::Nearest || exchanges_axes(&way.matrix) || out_of_reach(&way.matrix, size) {
        return false;
    }
    let [[sx, _, dx], [_, sy, dy], _] = way.matrix;
    let x = (0..size.0).map(|i| fixed(dx).wrapping_add(fixed(sx * i as f64))).collect();
    let y = (0..size.1).map(|i| fixed(sy * i as f64 + dy)).collect();
    T::stretched(from, &Places { x, y }, outside, out)
}

/// Whether fixed-point places do not reach all that an affine map shows.
fn out_of_reach(m: &Matrix, size: (usize, usize)) -> bool {
    let last = [size.0 as f64 - 1.0, size.1 as f64 - 1.0];
    let corners = [[0.0, 0.0], [last[0], 0.0], [0.0, last[1]], last];
    corners.iter().flat_map(|p| project(m, *p)).any(|v| v.abs() > FARTHEST)
}

/// Samples row by row at fixed-point places; false, and nothing done, where there is no such way for the type, the
/// border or the size.
fn in_lanes<T: Sample>(
    from: &Grid<'_, T>,
    way: &Way<'_>,
    size: (usize, usize),
    how: Interpolation,
    edge: &Edge<T>,
    out: &mut Vec<T>,
) -> bool {
    let Some(outside) = edge.outside() else { return false };
    let nearest = how == Interpolation::Nearest;
    if !from.addressable() || !nearest && (!T::BETWEEN || from.channels > 4) {
        return false;
    }
    let (m, flat) = (&way.matrix, way.field.is_none() && affine(&way.matrix));
    if flat && out_of_reach(m, size) {
        return false;
    }
    let Some(empty) = from.data.first() else { return false };
    let mut row = vec![*empty; size.0 * from.channels];
    // In rounding, steps from column to column are added to a row's start: no error adds up.
    let step = |by: f64| (0..size.0).map(|x| fixed(by * x as f64)).collect::<Vec<_>>();
    let (dx, dy) = if flat { (step(m[0][0]), step(m[1][0])) } else { (Vec::new(), Vec::new()) };
    let mut at = Places { x: vec![0; size.0], y: vec![0; size.0] };
    let direct = way.field.filter(|f| *m == super::matrix::IDENTITY && f.size() == size);
    for y in 0..size.1 {
        if let Some(field) = direct {
            fixed_row::<f32>(field.row(y), &mut at.x, &mut at.y);
        } else if flat {
            let [x0, y0] = project(m, [0.0, y as f64]).map(fixed);
            at.x.iter_mut().zip(&dx).for_each(|(x, dx)| *x = x0.wrapping_add(*dx));
            at.y.iter_mut().zip(&dy).for_each(|(y, dy)| *y = y0.wrapping_add(*dy));
        } else if way.field.is_none() {
            tilted(m, y as f64, &mut at);
        } else {
            for (i, (x, py)) in at.x.iter_mut().zip(&mut at.y).enumerate() {
                [*x, *py] = way.place(i as f64, y as f64).map(fixed);
            }
        }
        if nearest {
            sample_nearest(from, &at.x, &at.y, outside, &mut row);
        } else if !T::between(from, &at, outside, &mut row) {
            return false;
        }
        out.extend_from_slice(&row);
    }
    true
}

/// The places of a row under a projective map.
fn tilted(m: &Matrix, y: f64, at: &mut Places) {
    let row = super::matrix::apply(m, [0.0, y, 1.0]);
    project_row::<f64>(row, [m[0][0], m[1][0], m[2][0]], &mut at.x, &mut at.y);
}

/// Between four pixels, channel by channel.
#[inline(always)]
pub(super) fn four<T: Sample>(out: &mut [T], [a, b, c, d]: [&[T]; 4], x: f32, y: f32) {
    for (k, out) in out.iter_mut().enumerate() {
        let top = mix(a[k].wide(), b[k].wide(), x);
        let bottom = mix(c[k].wide(), d[k].wide(), x);
        *out = T::of(mix(top, bottom, y));
    }
}

/// Between four pixels some of which may be outside.
pub(super) fn border<T: Sample>(
    data: &[T],
    [rows, cols]: [[usize; 2]; 2],
    out: &mut [T],
    empty: [T; 4],
    x: f32,
    y: f32,
) {
    for (k, out) in out.iter_mut().enumerate() {
        let empty = empty[k.min(3)];
        let at = |row: usize, col: usize| {
            let inside = row != OUTSIDE && col != OUTSIDE;
            if inside { data[row + col + k].wide() } else { empty.wide() }
        };
        let top = mix(at(rows[0], cols[0]), at(rows[0], cols[1]), x);
        let bottom = mix(at(rows[1], cols[0]), at(rows[1], cols[1]), x);
        *out = T::of(mix(top, bottom, y));
    }
}

/// One row through any map.
#[inline(always)]
fn skew<T: Sample>(
    from: &Grid<'_, T>,
    way: &Way<'_>,
    y: usize,
    how: Interpolation,
    edge: &Edge<T>,
    out: &mut [T],
    channels: usize,
) {
    let Some(empty) = edge.fill().or_else(|| from.data.first().map(|v| [*v; 4])) else { return };
    let (width, height, stride) = (from.width as i64, from.height as i64, from.width * channels);
    let offset = |i: i64, n: usize, stride: usize| match edge.index(i, n) {
        OUTSIDE => OUTSIDE,
        i => i * stride,
    };
    for (x, out) in out.chunks_exact_mut(channels).enumerate() {
        let [sx, sy] = way.place(x as f64, y as f64);
        if how == Interpolation::Nearest {
            let (col, row) = (offset(nearest(sx), from.width, channels), offset(nearest(sy), from.height, stride));
            if row != OUTSIDE && col != OUTSIDE {
                out.copy_from_slice(&from.data[row + col..][..channels]);
            }
            continue;
        }
        let ((x0, wx), (y0, wy)) = (split(sx), split(sy));
        if x0 >= 0 && y0 >= 0 && x0 + 1 < width && y0 + 1 < height {
            let start = y0 as usize * stride + x0 as usize * channels;
            let at = |o: usize| &from.data[o..o + channels];
            let corners = [start, start + channels, start + stride, start + stride + channels].map(at);
            four(out, corners, wx, wy);
        } else {
            let cols = [x0, x0 + 1].map(|i| offset(i, from.width, channels));
            let rows = [y0, y0 + 1].map(|i| offset(i, from.height, stride));
            border(from.data, [rows, cols], out, empty, wx, wy);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn borders_follow_their_pictures() {
        let at = |edge: Edge<u8>| (-5..9).map(|i| edge.index(i, 4)).collect::<Vec<_>>();
        assert_eq!(at(Edge::Reflect101), [1, 2, 3, 2, 1, 0, 1, 2, 3, 2, 1, 0, 1, 2]);
        assert_eq!(at(Edge::Reflect), [3, 3, 2, 1, 0, 0, 1, 2, 3, 3, 2, 1, 0, 0]);
        assert_eq!(at(Edge::Wrap), [3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0]);
        assert_eq!(at(Edge::Replicate), [0, 0, 0, 0, 0, 0, 1, 2, 3, 3, 3, 3, 3, 3]);
        assert_eq!(at(Edge::Constant([0; 4]))[3..10], [OUTSIDE, OUTSIDE, 0, 1, 2, 3, OUTSIDE]);
        assert!((-3..4).all(|i| Edge::<u8>::Reflect101.index(i, 1) == 0));
    }
}
