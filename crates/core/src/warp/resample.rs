//! Samples a grid of pixels through a matrix.
//!
//! Three ways lead to the same values: maps that keep the axes go by a table per axis (which makes
//! flips, crops and right angles exact copies), antialiased shrinking by two passes, and the rest by
//! one matrix product per pixel.

use super::matrix::{Matrix, affine, apply, exchanges_axes, keeps_axes};
use super::{Interpolation, antialias};

/// A type of samples.
pub(super) trait Sample: Copy {
    fn wide(self) -> f32;
    /// The nearest value of the type.
    fn of(x: f32) -> Self;
}

impl Sample for u8 {
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

/// Pixels to be sampled, channels interleaved.
pub(super) struct Grid<'a, T> {
    pub(super) data: &'a [T],
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) channels: usize,
}

/// What lies outside.
#[derive(Clone, Copy)]
pub(super) enum Edge<T> {
    Constant(T),
    Replicate,
    Reflect101,
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
            Self::Reflect101 if last == 0 => 0,
            Self::Reflect101 => {
                let i = i.rem_euclid(2 * last);
                i.min(2 * last - i) as usize
            }
        }
    }

    fn fill(&self) -> Option<T> {
        match self {
            Self::Constant(value) => Some(*value),
            _ => None,
        }
    }
}

/// The pixel at or before x, and how far x lies beyond it, 0 up to 1; rounding dust is 0.
#[inline(always)]
fn split(x: f64) -> (i64, f32) {
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

/// A grid of the given size, sampled from another through `m`, result to source.
pub(super) fn resample<T: Sample>(
    from: &Grid<'_, T>,
    m: &Matrix,
    size: (usize, usize),
    how: Interpolation,
    edge: Edge<T>,
) -> Vec<T> {
    // Every border is some colour, or the pixels of an image, which has at least one.
    let Some(start) = edge.fill().or_else(|| from.data.first().copied()) else { return Vec::new() };
    let mut out = vec![start; size.0 * size.1 * from.channels];
    let channels = from.channels;
    if keeps_axes(m) {
        let (cols, rows) = axes(from, m);
        if how == Interpolation::Antialias && (cols.scale.abs() > 1.0 || rows.scale.abs() > 1.0) {
            antialias::shrink(from, &cols, &rows, &edge, size, &mut out);
            return out;
        }
        let (cols, rows) = (cols.taps(size.0, how, &edge), rows.taps(size.1, how, &edge));
        let exact = cols.iter().chain(&rows).all(|t| t.by == 0.0);
        for (row, out) in rows.iter().zip(out.chunks_exact_mut(size.0 * channels)) {
            match (exact, channels) {
                (true, 1) => copy(from.data, row, &cols, out, 1),
                (true, 3) => copy(from.data, row, &cols, out, 3),
                (true, c) => copy(from.data, row, &cols, out, c),
                (false, 1) => blend(from.data, row, &cols, out, 1, &edge),
                (false, 3) => blend(from.data, row, &cols, out, 3, &edge),
                (false, c) => blend(from.data, row, &cols, out, c, &edge),
            }
        }
    } else {
        for (y, out) in out.chunks_exact_mut(size.0 * channels).enumerate() {
            match channels {
                1 => skew(from, m, y, how, &edge, out, 1),
                3 => skew(from, m, y, how, &edge, out, 3),
                c => skew(from, m, y, how, &edge, out, c),
            }
        }
    }
    out
}

/// How places along one axis of the result become places along one axis of the source.
pub(super) struct Axis {
    pub(super) scale: f64,
    pub(super) shift: f64,
    /// Pixels along the source's axis.
    pub(super) len: usize,
    /// Samples from one of them to the next.
    pub(super) stride: usize,
}

/// Two pixels of a source, as offsets of samples, and how far to go from the first to the second.
struct Tap {
    a: usize,
    b: usize,
    by: f32,
}

fn axes<T>(from: &Grid<'_, T>, m: &Matrix) -> (Axis, Axis) {
    let x = |scale| Axis { scale, shift: m[0][2], len: from.width, stride: from.channels };
    let y = |scale| Axis { scale, shift: m[1][2], len: from.height, stride: from.width * from.channels };
    if exchanges_axes(m) { (y(m[1][0]), x(m[0][1])) } else { (x(m[0][0]), y(m[1][1])) }
}

impl Axis {
    fn taps<T: Copy>(&self, count: usize, how: Interpolation, edge: &Edge<T>) -> Vec<Tap> {
        let offset = |i: i64| match edge.index(i, self.len) {
            OUTSIDE => OUTSIDE,
            i => i * self.stride,
        };
        let tap = |i: usize| {
            let at = self.scale * i as f64 + self.shift;
            if how == Interpolation::Nearest {
                let a = offset(nearest(at));
                return Tap { a, b: a, by: 0.0 };
            }
            let (i, by) = split(at);
            let a = offset(i);
            Tap { a, b: if by == 0.0 { a } else { offset(i + 1) }, by }
        };
        (0..count).map(tap).collect()
    }
}

/// One row of pixels as they are; `out` holds what stands outside.
#[inline(always)]
fn copy<T: Copy>(data: &[T], row: &Tap, cols: &[Tap], out: &mut [T], channels: usize) {
    if row.a == OUTSIDE {
        return;
    }
    let first = cols.iter().position(|c| c.a != OUTSIDE).unwrap_or(cols.len());
    let inside = cols.len() - first - cols.iter().rev().take_while(|c| c.a == OUTSIDE).count().min(cols.len() - first);
    let cols = &cols[first..first + inside];
    let out = &mut out[first * channels..][..inside * channels];
    if let (Some(start), true) = (cols.first(), cols.windows(2).all(|c| c[1].a == c[0].a + channels)) {
        out.copy_from_slice(&data[row.a + start.a..][..out.len()]);
        return;
    }
    for (col, out) in cols.iter().zip(out.chunks_exact_mut(channels)) {
        out.copy_from_slice(&data[row.a + col.a..][..channels]);
    }
}

/// One row between pixels.
#[inline(always)]
fn blend<T: Sample>(data: &[T], row: &Tap, cols: &[Tap], out: &mut [T], channels: usize, edge: &Edge<T>) {
    let Some(empty) = edge.fill().or_else(|| data.first().copied()) else { return };
    let rows_inside = row.a != OUTSIDE && row.b != OUTSIDE;
    for (col, out) in cols.iter().zip(out.chunks_exact_mut(channels)) {
        if rows_inside && col.a != OUTSIDE && col.b != OUTSIDE {
            let at = |o: usize| &data[o..o + channels];
            let corners = [row.a + col.a, row.a + col.b, row.b + col.a, row.b + col.b].map(at);
            four(out, corners, col.by, row.by);
        } else {
            border(data, [[row.a, row.b], [col.a, col.b]], out, empty, col.by, row.by);
        }
    }
}

/// Between four pixels, channel by channel.
#[inline(always)]
fn four<T: Sample>(out: &mut [T], [a, b, c, d]: [&[T]; 4], x: f32, y: f32) {
    for (k, out) in out.iter_mut().enumerate() {
        let top = mix(a[k].wide(), b[k].wide(), x);
        let bottom = mix(c[k].wide(), d[k].wide(), x);
        *out = T::of(mix(top, bottom, y));
    }
}

/// Between four pixels some of which may be outside.
fn border<T: Sample>(data: &[T], [rows, cols]: [[usize; 2]; 2], out: &mut [T], empty: T, x: f32, y: f32) {
    for (k, out) in out.iter_mut().enumerate() {
        let at = |row: usize, col: usize| {
            let inside = row != OUTSIDE && col != OUTSIDE;
            if inside { data[row + col + k].wide() } else { empty.wide() }
        };
        let top = mix(at(rows[0], cols[0]), at(rows[0], cols[1]), x);
        let bottom = mix(at(rows[1], cols[0]), at(rows[1], cols[1]), x);
        *out = T::of(mix(top, bottom, y));
    }
}

/// One row through any matrix.
#[inline(always)]
fn skew<T: Sample>(
    from: &Grid<'_, T>,
    m: &Matrix,
    y: usize,
    how: Interpolation,
    edge: &Edge<T>,
    out: &mut [T],
    channels: usize,
) {
    let Some(empty) = edge.fill().or_else(|| from.data.first().copied()) else { return };
    let (width, height, stride) = (from.width as i64, from.height as i64, from.width * channels);
    let [bx, by, bz] = apply(m, [0.0, y as f64, 1.0]);
    let flat = affine(m);
    let offset = |i: i64, n: usize, stride: usize| match edge.index(i, n) {
        OUTSIDE => OUTSIDE,
        i => i * stride,
    };
    for (x, out) in out.chunks_exact_mut(channels).enumerate() {
        let x = x as f64;
        let (mut sx, mut sy) = (bx + m[0][0] * x, by + m[1][0] * x);
        if !flat {
            let z = bz + m[2][0] * x;
            // Behind the horizon there is nothing: far outside.
            (sx, sy) = if z > 1e-9 { (sx / z, sy / z) } else { (-FAR, -FAR) };
        }
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
        assert_eq!(at(Edge::Replicate), [0, 0, 0, 0, 0, 0, 1, 2, 3, 3, 3, 3, 3, 3]);
        assert_eq!(at(Edge::Constant(0))[3..10], [OUTSIDE, OUTSIDE, 0, 1, 2, 3, OUTSIDE]);
        assert!((-3..4).all(|i| Edge::<u8>::Reflect101.index(i, 1) == 0));
    }
}
