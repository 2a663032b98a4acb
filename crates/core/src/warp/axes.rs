//! Samples a grid where its rows become rows or columns: a table for each axis says which pixels are read.

use super::Interpolation;
use super::edge::{Edge, OUTSIDE, border, four};
use super::matrix::exchanges_axes;
use super::sample::Sample;
use super::way::{Way, nearest, split};
use pleach_simd::{Grid, Picks};

/// Rows that become columns: a few rows of the result at a time, along each row of the source.
#[inline(always)]
pub(super) fn transpose<T: Copy>(
    data: &[T],
    rows: &[Tap],
    cols: &[Tap],
    blank: &[T],
    out: &mut Vec<T>,
    channels: usize,
) {
    const TOGETHER: usize = 16;
    let mut lines = blank.repeat(TOGETHER);
    for rows in rows.chunks(TOGETHER) {
        for (j, col) in cols.iter().enumerate() {
            for (row, line) in rows.iter().zip(lines.chunks_exact_mut(blank.len())) {
                line[j * channels..(j + 1) * channels].copy_from_slice(&data[row.a + col.a..][..channels]);
            }
        }
        out.extend_from_slice(&lines[..rows.len() * blank.len()]);
    }
}

/// How places along one axis of the result become places along one axis of the source.
pub(super) struct Axis {
    pub(super) scale: f64,
    pub(super) shift: f64,
    /// Pixels along the source's axis.
    pub(super) len: usize,
    /// Samples from one of them to the next.
    pub(super) stride: usize,
    /// Places along the result's axis are brought within these before.
    pub(super) bounds: [f64; 2],
}

/// Two pixels of a source, as offsets of samples, and how far to go from the first to the second.
pub(super) struct Tap {
    pub(super) a: usize,
    pub(super) b: usize,
    pub(super) by: f32,
}

/// The axes of the source that columns and rows of the result go along.
pub(super) fn axes<T>(from: &Grid<'_, T>, way: &Way<'_>) -> (Axis, Axis) {
    let m = &way.matrix;
    let x = |scale, of| Axis { scale, shift: m[0][2], len: from.width, stride: from.channels, bounds: way.bounds(of) };
    let y = |scale, of| Axis {
        scale,
        shift: m[1][2],
        len: from.height,
        stride: from.width * from.channels,
        bounds: way.bounds(of),
    };
    if exchanges_axes(m) { (y(m[1][0], 0), x(m[0][1], 1)) } else { (x(m[0][0], 0), y(m[1][1], 1)) }
}

impl Axis {
    /// The place of pixel i of the result, as if there were no bounds.
    pub(super) fn centre(&self, i: usize) -> f64 {
        self.scale * i as f64 + self.shift
    }

    /// The first and the last pixel of the source that the bounds let in.
    pub(super) fn window(&self) -> [i64; 2] {
        let [a, b] = self.bounds.map(|i| self.scale * i + self.shift);
        // Without the dust of rounding, and far from any overflow.
        let whole = |v: f64| v.clamp(-1e12, 1e12) as i64;
        [whole((a.min(b) + 1e-6).floor()), whole((a.max(b) - 1e-6).ceil())]
    }

    pub(super) fn taps<T: Copy>(&self, count: usize, how: Interpolation, edge: &Edge<T>) -> Vec<Tap> {
        let offset = |i: i64| match edge.index(i, self.len) {
            OUTSIDE => OUTSIDE,
            i => i * self.stride,
        };
        let mut places = vec![(0, 0.0); count];
        match how {
            Interpolation::Nearest => nearest_along::<f64>(self, &mut places),
            _ => split_along::<f64>(self, &mut places),
        }
        let tap = |(i, by): (i64, f32)| {
            let a = offset(i);
            Tap { a, b: if by == 0.0 { a } else { offset(i + 1) }, by }
        };
        places.into_iter().map(tap).collect()
    }
}

impl Axis {
    #[inline(always)]
    fn bounded(&self, i: usize) -> f64 {
        self.scale * (i as f64).max(self.bounds[0]).min(self.bounds[1]) + self.shift
    }
}

pleach_simd::lanes! {
    /// The nearest pixels.
    fn nearest_along<T: Copy>(axis: &Axis, out: &mut [(i64, f32)]) {
        for (i, out) in out.iter_mut().enumerate() {
            *out = (nearest(axis.bounded(i)), 0.0);
        }
    }
}

pleach_simd::lanes! {
    /// The pixels before places, and how far these lie beyond.
    fn split_along<T: Copy>(axis: &Axis, out: &mut [(i64, f32)]) {
        for (i, out) in out.iter_mut().enumerate() {
            *out = split(axis.bounded(i));
        }
    }
}

/// The columns of a copy: how many are outside before the first and behind the last one inside, and where those inside
/// are.
pub(super) struct Columns {
    before: usize,
    behind: usize,
    at: Inside,
}

/// Offsets in a row of the source.
enum Inside {
    /// Side by side, from the first one on.
    Along(usize),
    /// Side by side and in the opposite order, from the last one on.
    Back(usize),
    /// Anywhere, of one channel.
    Picked(Picks),
    Each(Vec<usize>),
}

impl Columns {
    pub(super) fn new(cols: &[Tap], channels: usize) -> Self {
        let before = cols.iter().take_while(|c| c.a == OUTSIDE).count();
        let behind = cols[before..].iter().rev().take_while(|c| c.a == OUTSIDE).count();
        let inside: Vec<usize> = cols[before..cols.len() - behind].iter().map(|c| c.a).collect();
        let all = |next: fn(usize, usize, usize) -> bool| inside.windows(2).all(|c| next(c[0], c[1], channels));
        let at = match (inside.first(), inside.last()) {
            (Some(first), _) if all(|a, b, n| b == a + n) => Inside::Along(*first),
            (_, Some(last)) if all(|a, b, n| a == b + n) => Inside::Back(*last),
            _ if channels == 1 => Inside::Picked(Picks::new(inside.into_iter())),
            _ => Inside::Each(inside),
        };
        Self { before, behind, at }
    }
}

/// Rows of pixels as they are; `blank` is what stands outside.
#[inline(always)]
pub(super) fn copies<T: Sample>(
    data: &[T],
    rows: &[Tap],
    cols: &Columns,
    blank: &[T],
    out: &mut Vec<T>,
    channels: usize,
) {
    let [before, behind] = [cols.before, cols.behind].map(|n| n * channels);
    let inside = blank.len() - before - behind;
    let mut above = OUTSIDE;
    for row in rows {
        if row.a == OUTSIDE {
            out.extend_from_slice(blank);
        } else if row.a == above {
            // Enlarged: the same pixels once more.
            out.extend_from_within(out.len() - blank.len()..);
        } else {
            out.extend_from_slice(&blank[..before]);
            match &cols.at {
                Inside::Along(first) => out.extend_from_slice(&data[row.a + first..][..inside]),
                Inside::Back(last) => {
                    out.extend_from_slice(&data[row.a + last..][..inside]);
                    let start = out.len() - inside;
                    T::mirror(&mut out[start..], channels);
                }
                Inside::Picked(at) => at.append(&data[row.a..], out),
                Inside::Each(at) => {
                    let start = out.len();
                    out.extend_from_slice(&blank[before..before + inside]);
                    for (at, out) in at.iter().zip(out[start..].chunks_exact_mut(channels)) {
                        out.copy_from_slice(&data[row.a + at..][..channels]);
                    }
                }
            }
            out.extend_from_slice(&blank[before + inside..]);
        }
        above = row.a;
    }
}

/// One row between pixels.
#[inline(always)]
pub(super) fn blend<T: Sample>(data: &[T], row: &Tap, cols: &[Tap], out: &mut [T], channels: usize, edge: &Edge<T>) {
    let rows_inside = row.a != OUTSIDE && row.b != OUTSIDE;
    for (col, out) in cols.iter().zip(out.chunks_exact_mut(channels)) {
        if rows_inside && col.a != OUTSIDE && col.b != OUTSIDE {
            let at = |o: usize| &data[o..o + channels];
            let corners = [row.a + col.a, row.a + col.b, row.b + col.a, row.b + col.b].map(at);
            four(out, corners, col.by, row.by);
        } else {
            border(data, [[row.a, row.b], [col.a, col.b]], out, edge, col.by, row.by);
        }
    }
}
