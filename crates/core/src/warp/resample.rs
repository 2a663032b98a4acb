//! Samples a grid of pixels through a matrix.
//!
//! Maps that keep the axes go by a table per axis, which makes crops beyond the edge and right angles exact copies;
//! antialiased shrinking goes by two passes, and 8 bits are stretched along rows and then between them. For the rest a
//! row of places is made, one for each pixel, and 8-bit samples and whatever takes the nearest pixel are gathered there
//! in vector lanes.

use super::axes::{Columns, axes, blend, copies, transpose};
use super::edge::{Edge, OUTSIDE, border, four};
use super::matrix::exchanges_axes;
use super::sample::Sample;
use super::way::{Places, Way, nearest, split};
use super::{Interpolation, antialias, between, beyond, wide};
use pleach_simd::{Grid, Outside, sample_nearest};

/// What is sampled, and how.
struct Sampling<'a, T> {
    from: &'a Grid<'a, T>,
    way: &'a Way<'a>,
    size: (usize, usize),
    how: Interpolation,
    edge: Edge<T>,
}

/// A row of pixels that are the border's, or any that will be written over.
fn blank<T: Sample>(from: &Grid<'_, T>, edge: &Edge<T>, pixels: usize) -> Vec<T> {
    let Some(fill) = edge.fill().or_else(|| from.data.first().map(|v| [*v; 4])) else { return Vec::new() };
    let pixel: Vec<T> = (0..from.channels).map(|k| fill[k.min(3)]).collect();
    pixel.repeat(pixels)
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
    let mut out = Vec::with_capacity(blank.len() * size.1);
    if edge.fill().is_some() && beyond::shown(from, way, size, &blank, &mut out) {
        return out;
    }
    if matches!(how, Interpolation::Bicubic | Interpolation::Area | Interpolation::Lanczos4) {
        wide::sample(from, way, size, how, &edge, &mut out);
        return out;
    }
    let all = Sampling { from, way, size, how, edge };
    if !way.keeps_axes() {
        if !all.in_vectors(&mut out) {
            all.pixel_by_pixel(blank, &mut out);
        }
        return out;
    }
    let (cols, rows) = axes(from, way);
    if how == Interpolation::Antialias && (cols.scale.abs() > 1.0 || rows.scale.abs() > 1.0) {
        let mut out = blank.repeat(size.1);
        antialias::shrink(from, &cols, &rows, &edge, size, &mut out);
        return out;
    }
    let across = cols.stride > channels;
    let (cols, rows) = (cols.taps(size.0, how, &edge), rows.taps(size.1, how, &edge));
    let exact = cols.iter().chain(&rows).all(|t| t.by == 0.0);
    if !exact && all.in_vectors(&mut out) {
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
    if !matches!(edge, Edge::Faded(_)) {
        between::stretched(from.data, &rows, &cols, &blank, &mut out);
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

impl<T: Sample> Sampling<'_, T> {
    /// Samples at fixed-point places; false, and nothing done, where there is no such way for the type, the border or
    /// the size.
    fn in_vectors(&self, out: &mut Vec<T>) -> bool {
        self.edge.outside().is_some_and(|outside| self.crossing(outside, out) || self.in_rows(outside, out))
    }

    /// The same at places in rows and columns.
    fn crossing(&self, outside: Outside<T>, out: &mut Vec<T>) -> bool {
        let apart = self.way.keeps_axes() && !exchanges_axes(&self.way.matrix);
        if self.how == Interpolation::Nearest || !apart {
            return false;
        }
        self.way.crossing(self.size).is_some_and(|at| T::stretched(self.from, &at, outside, out))
    }

    /// The same row by row.
    fn in_rows(&self, outside: Outside<T>, out: &mut Vec<T>) -> bool {
        let (from, nearest) = (self.from, self.how == Interpolation::Nearest);
        if !from.addressable() || !nearest && (!T::BETWEEN || from.channels > 4) {
            return false;
        }
        let (Some(rows), Some(empty)) = (self.way.rows(self.size), from.data.first()) else { return false };
        let mut row = vec![*empty; self.size.0 * from.channels];
        let mut at = Places { x: vec![0; self.size.0], y: vec![0; self.size.0] };
        for y in 0..self.size.1 {
            rows.row(y, &mut at);
            if nearest {
                sample_nearest(from, &at.x, &at.y, outside, &mut row);
            } else if !T::between(from, &at, outside, &mut row) {
                return false;
            }
            out.extend_from_slice(&row);
        }
        true
    }

    /// The definition.
    fn pixel_by_pixel(&self, blank: Vec<T>, out: &mut Vec<T>) {
        let mut row = blank.clone();
        let (mut places, mut outside) = (vec![[0.0; 2]; self.size.0], Vec::new());
        let channels = self.from.channels;
        let rows = match channels {
            1 => Some(between::row::<T, 1> as fn(&Grid<'_, T>, &[[f64; 2]], &mut [T], &mut Vec<usize>)),
            3 => Some(between::row::<T, 3> as _),
            4 => Some(between::row::<T, 4> as _),
            _ => None,
        };
        if let Some(make) = rows.filter(|_| self.how != Interpolation::Nearest) {
            for y in 0..self.size.1 {
                self.way.places(y, &mut places);
                make(self.from, &places, &mut row, &mut outside);
                for pixel in outside.drain(..) {
                    self.between(places[pixel], &mut row[pixel * channels..(pixel + 1) * channels], channels);
                }
                out.extend_from_slice(&row);
            }
            return;
        }
        for y in 0..self.size.1 {
            row.copy_from_slice(&blank);
            match self.from.channels {
                1 => self.row(y, &mut row, 1),
                3 => self.row(y, &mut row, 3),
                c => self.row(y, &mut row, c),
            }
            out.extend_from_slice(&row);
        }
    }

    /// One row through any map.
    #[inline(always)]
    fn row(&self, y: usize, out: &mut [T], channels: usize) {
        let from = self.from;
        let stride = from.width * channels;
        for (x, out) in out.chunks_exact_mut(channels).enumerate() {
            let [sx, sy] = self.way.place(x as f64, y as f64);
            if self.how == Interpolation::Nearest {
                let (col, row) = (nearest(sx), nearest(sy));
                let (col, row) = (self.offset(col, from.width, channels), self.offset(row, from.height, stride));
                if row != OUTSIDE && col != OUTSIDE {
                    out.copy_from_slice(&from.data[row + col..][..channels]);
                }
                continue;
            }
            self.between([sx, sy], out, channels);
        }
    }

    /// One pixel between others.
    #[inline(always)]
    fn between(&self, [x, y]: [f64; 2], out: &mut [T], channels: usize) {
        let (from, edge) = (self.from, &self.edge);
        let (width, height, stride) = (from.width as i64, from.height as i64, from.width * channels);
        let ((x0, wx), (y0, wy)) = (split(x), split(y));
        if x0 >= 0 && y0 >= 0 && x0 + 1 < width && y0 + 1 < height {
            let start = y0 as usize * stride + x0 as usize * channels;
            let at = |o: usize| &from.data[o..o + channels];
            let corners = [start, start + channels, start + stride, start + stride + channels].map(at);
            four(out, corners, wx, wy);
        } else {
            let cols = [x0, x0 + 1].map(|i| self.offset(i, from.width, channels));
            let rows = [y0, y0 + 1].map(|i| self.offset(i, from.height, stride));
            border(from.data, [rows, cols], out, edge, wx, wy);
        }
    }

    /// Where a pixel of an axis begins.
    fn offset(&self, i: i64, n: usize, stride: usize) -> usize {
        match self.edge.index(i, n) {
            OUTSIDE => OUTSIDE,
            i => i * stride,
        }
    }
}
