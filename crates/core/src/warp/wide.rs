//! Samples from more than the four pixels around: cubics, Lanczos windows, and means over what a pixel covers.

use super::Interpolation;
use super::axes::axes;
use super::crossed::{Crossed, Taps};
use super::edge::{Edge, OUTSIDE};
use super::kernel::{self, before, fixed};
use super::sample::Sample;
use super::way::{Places, Way};
use pleach_simd::{Around, Grid, Outside, PARTS, Parted, Place, Spots};

/// Samples all of a grid.
pub(super) fn sample<T: Sample>(
    from: &Grid<'_, T>,
    way: &Way<'_>,
    size: (usize, usize),
    how: Interpolation,
    edge: &Edge<T>,
    out: &mut Vec<T>,
) {
    let Some(empty) = edge.fill().or_else(|| from.data.first().map(|v| [*v; 4])) else { return };
    let samples = size.0 * size.1 * from.channels;
    if !way.keeps_axes() {
        out.resize(samples, empty[0]);
        Turned::new(from, way, how, edge, empty).all(size.0, out);
        return;
    }
    let (mut x, mut y) = axes(from, way);
    let turned;
    let mut from = Grid { ..*from };
    if x.stride != from.channels {
        // Columns become rows before, so that rows are read along.
        turned = transposed(&from);
        from = Grid { data: &turned, width: from.height, height: from.width, ..from };
        (x.stride, y.stride) = (from.channels, from.width * from.channels);
    }
    let (cols, rows) = (Taps::new(&x, size.0, how), Taps::new(&y, size.1, how));
    if how == Interpolation::Area && enlarged(&from, &cols, &rows, out) {
        return;
    }
    out.resize(samples, empty[0]);
    Crossed::new(&from, cols, rows, edge, empty).all(out);
}

/// Means of no more than two pixels along either axis lie between those, wherever their shares say; false, and nothing
/// done, where there are more, or no such way for the type.
fn enlarged<T: Sample>(from: &Grid<'_, T>, cols: &Taps, rows: &Taps, out: &mut Vec<T>) -> bool {
    let (Some(x), Some(y)) = (cols.places(), rows.places()) else { return false };
    T::stretched(from, &Places { x, y }, Outside::Nearest, out)
}

fn transposed<T: Copy>(from: &Grid<'_, T>) -> Vec<T> {
    let pixel = |x: usize, y: usize| &from.data[(y * from.width + x) * from.channels..][..from.channels];
    let column = |x: usize| (0..from.height).flat_map(move |y| pixel(x, y));
    (0..from.width).flat_map(column).copied().collect()
}

/// The most neighbours along an axis.
const MOST: usize = 8;

/// The first of the neighbours of a place, of which so many lie before it, and its part of a pixel.
#[inline(always)]
fn neighbours(at: f64, before: i32) -> Place {
    // Farther than this no image reaches.
    let whole = (at * PARTS as f64).round().clamp(-3e8, 3e8) as i32;
    let part = whole & (PARTS as i32 - 1);
    ((whole - part) / PARTS as i32 - before, part as u8)
}

pleach_simd::lanes! {
    fn round<T: Copy>(places: &[[f64; 2]], before: i32, out: &mut [(Place, Place)]) {
        for (out, [x, y]) in out.iter_mut().zip(places) {
            *out = (neighbours(*x, before), neighbours(*y, before));
        }
    }
}

pleach_simd::lanes! {
    /// Lower and higher ends of places, x and y.
    fn extremes<T: Copy>(places: &[[f64; 2]], far: &mut [[f64; 2]; 2]) {
        let mut ends = *far;
        for place in places {
            for (end, at) in ends.iter_mut().zip(place) {
                *end = [end[0].min(*at), end[1].max(*at)];
            }
        }
        *far = ends;
    }
}

/// A source with a part of what lies outside around it.
struct Framed {
    data: Vec<u8>,
    width: usize,
    height: usize,
    /// How much of it is before the source's first column and row.
    left: i32,
    top: i32,
}

impl Framed {
    /// The last column and row at which so many neighbours begin.
    fn last(&self, taps: usize) -> [i32; 2] {
        [self.width as i32 - taps as i32, self.height as i32 - 2 - taps as i32]
    }
}

/// A result whose pixels lie anywhere between those of a source, at whole parts of a pixel, as OpenCV rounds them.
struct Turned<'a, T> {
    from: &'a Grid<'a, T>,
    way: &'a Way<'a>,
    edge: &'a Edge<T>,
    empty: [T; 4],
    taps: usize,
    /// For each part of a pixel the weights of all neighbours.
    weights: Vec<f64>,
    /// The same in whole numbers, for 8 bits.
    around: Option<Around>,
}

/// Bits of a weight in whole numbers; the greatest is 1.
const BITS: u32 = 14;

impl<'a, T: Sample> Turned<'a, T> {
    fn new(from: &'a Grid<'a, T>, way: &'a Way<'a>, how: Interpolation, edge: &'a Edge<T>, empty: [T; 4]) -> Self {
        let taps = kernel::taps(how);
        let mut weights = vec![0.0; PARTS * taps];
        let parts = weights.chunks_exact_mut(taps).enumerate();
        parts.for_each(|(part, out)| kernel::weights(how, part as f64 / PARTS as f64, out));
        let whole: Vec<i16> = weights.chunks_exact(taps).flat_map(|w| fixed(w, BITS)).collect();
        let around = T::bytes(from.data).and_then(|_| Around::new(from.channels, taps, &whole, BITS));
        Self { from, way, edge, empty, taps, weights, around }
    }

    /// A pixel by itself: in whole numbers where there are such weights, and else the definition.
    fn pixel(&self, (x, y): (Place, Place), out: &mut [T]) {
        let along = |(start, part): Place, n: usize, stride: usize| {
            let mut all = [(OUTSIDE, 0.0); MOST];
            let weights = &self.weights[usize::from(part) * self.taps..][..self.taps];
            let found = all.iter_mut().zip((i64::from(start)..).zip(weights));
            found.for_each(|(tap, (at, w))| {
                let at = self.edge.index(at, n);
                *tap = (if at == OUTSIDE { OUTSIDE } else { at * stride }, *w);
            });
            all
        };
        let (width, channels) = (self.from.width, self.from.channels);
        let (cols, rows) = (along(x, width, channels), along(y, self.from.height, width * channels));
        let outside = |all: &[(usize, f64)]| all.iter().all(|(at, _)| *at == OUTSIDE);
        if outside(&cols) || outside(&rows) {
            out.iter_mut().enumerate().for_each(|(k, out)| *out = self.empty[k.min(3)]);
            return;
        }
        for (k, out) in out.iter_mut().enumerate() {
            let empty = self.empty[k.min(3)];
            if let Some(around) = &self.around {
                let at = |x: usize, y: usize| match (rows[y].0, cols[x].0) {
                    (OUTSIDE, _) | (_, OUTSIDE) => empty,
                    (row, col) => self.from.data[row + col + k],
                };
                *out = T::of(f32::from(around.sum((x.1, y.1), |x, y| T::bytes(&[at(x, y)]).map_or(0, |v| v[0]))));
                continue;
            }
            let mut sum = 0.0;
            for (row, wy) in rows.iter().filter(|(_, w)| *w != 0.0) {
                for (col, wx) in cols.iter().filter(|(_, w)| *w != 0.0) {
                    let inside = *row != OUTSIDE && *col != OUTSIDE;
                    let value = if inside { self.from.data[row + col + k] } else { empty };
                    sum += wx * wy * f64::from(value.wide());
                }
            }
            *out = T::of(sum as f32);
        }
    }

    /// How far neighbours of places reach before the first and behind the last pixel of either axis: those of places
    /// farther out see the same as these. None where the outside is mirrored or repeated, and far is looked.
    fn reach(&self, size: (usize, usize)) -> Option<[[i64; 2]; 2]> {
        let taps = self.taps as i64;
        if matches!(self.edge, Edge::Constant(_) | Edge::Faded(_) | Edge::Replicate) {
            return Some([[taps; 2]; 2]);
        }
        let mut exact = vec![[0.0; 2]; size.0];
        let mut far = [[0.0_f64; 2]; 2];
        // An affine map is farthest in its corners.
        let rows = if self.way.is_straight() { vec![0, size.1.saturating_sub(1)] } else { (0..size.1).collect() };
        for y in rows {
            self.way.places(y, &mut exact);
            extremes::<f64>(&exact, &mut far);
        }
        let side =
            |[low, high]: [f64; 2], n: usize| [taps - (low as i64).min(0), (high as i64 + taps + 1 - n as i64).max(0)];
        let all = [side(far[0], self.from.width), side(far[1], self.from.height)];
        let (w, h) = (self.from.width as i64, self.from.height as i64);
        let pixels = (w + all[0][0] + all[0][1]).checked_mul(h + all[1][0] + all[1][1])?;
        (pixels <= 4 * (w * h + (size.0 * size.1) as i64) + 4096).then_some(all)
    }

    /// Bytes of the source with as much of what lies outside as any neighbours see.
    fn framed(&self, data: &[u8], [x, y]: [[i64; 2]; 2]) -> Option<Framed> {
        let channels = self.from.channels;
        let (w, h) = (self.from.width as i64, self.from.height as i64);
        let empty: Vec<u8> = T::bytes(&self.empty)?.iter().cycle().take(channels).copied().collect();
        let blank = empty.repeat((x[0] + w + x[1]) as usize);
        // Two rows more, since more than neighbours is read.
        let mut all = Vec::with_capacity(blank.len() * (y[0] + h + y[1] + 2) as usize);
        for row in -y[0]..h + y[1] + 2 {
            let row = self.edge.index(row, h as usize);
            if row == OUTSIDE {
                all.extend_from_slice(&blank);
                continue;
            }
            let row = &data[row * w as usize * channels..][..w as usize * channels];
            let pixel = |x: i64| match self.edge.index(x, w as usize) {
                OUTSIDE => &empty[..],
                x => &row[x * channels..][..channels],
            };
            (-x[0]..0).for_each(|x| all.extend_from_slice(pixel(x)));
            all.extend_from_slice(row);
            (w..w + x[1]).for_each(|x| all.extend_from_slice(pixel(x)));
        }
        let (width, height) = ((x[0] + w + x[1]) as usize, (y[0] + h + y[1] + 2) as usize);
        Some(Framed { data: all, width, height, left: x[0] as i32, top: y[0] as i32 })
    }

    /// All of it under an affine map, in a frame that has all neighbours; false where that is not so.
    fn straight(&self, around: &Around, framed: &Framed, width: usize, out: &mut [T]) -> bool {
        let Some(out) = T::bytes_mut(out).filter(|_| self.way.is_straight()) else { return false };
        let channels = self.from.channels;
        let [across, down, _] = self.way.matrix;
        let map = Parted {
            matrix: [across, down],
            bounds: self.way.bounds(0),
            add: [framed.left, framed.top].map(|n| n - before(self.taps) as i32),
            last: framed.last(self.taps),
            width: framed.width as i32,
            channels: channels as i32,
        };
        let from = Grid { data: framed.data.as_slice(), width: framed.width, height: framed.height, channels };
        let mut spots = Spots::new(width);
        out.chunks_exact_mut(width * channels).enumerate().all(|(y, out)| {
            map.row(self.way.bound([0.0, y as f64])[1], &mut spots);
            around.row_within(&from, &spots, out)
        })
    }

    /// All of it, row by row.
    fn all(&self, width: usize, out: &mut [T]) {
        let channels = self.from.channels;
        let size = (width, out.len() / (width * channels).max(1));
        let framed = self.around.as_ref().and_then(|_| self.framed(T::bytes(self.from.data)?, self.reach(size)?));
        if let (Some(around), Some(framed)) = (&self.around, &framed)
            && self.straight(around, framed, width, out)
        {
            return;
        }
        let (mut alone, mut seen) = (Vec::new(), Vec::new());
        let mut exact = vec![[0.0; 2]; width];
        let mut places = vec![((0, 0), (0, 0)); width];
        for (y, out) in out.chunks_exact_mut(width * channels).enumerate() {
            self.way.places(y, &mut exact);
            round::<f64>(&exact, before(self.taps) as i32, &mut places);
            match (&self.around, &framed, T::bytes(self.from.data), T::bytes_mut(out)) {
                (Some(around), Some(framed), _, Some(out)) => {
                    let Framed { data, width, height, left, top } = framed;
                    let last = framed.last(self.taps);
                    seen.clear();
                    let shown = |(x, y): &(Place, Place)| {
                        let (col, row) = (x.0.saturating_add(*left), y.0.saturating_add(*top));
                        ((col.clamp(0, last[0]), x.1), (row.clamp(0, last[1]), y.1))
                    };
                    seen.extend(places.iter().map(shown));
                    let from = Grid { data: data.as_slice(), width: *width, height: *height, channels };
                    around.row(&from, &seen, out, &mut alone);
                }
                (Some(around), None, Some(data), Some(out)) => {
                    let Grid { width, height, .. } = *self.from;
                    around.row(&Grid { data, width, height, channels }, &places, out, &mut alone);
                }
                _ => alone.extend(0..width),
            }
            for pixel in alone.drain(..) {
                self.pixel(places[pixel], &mut out[pixel * channels..(pixel + 1) * channels]);
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::matrix::mul;
    use super::*;
    use crate::rng::{Purpose, Rng, Stream};
    use proptest::prelude::*;

    /// Bytes by chance.
    pub(in super::super) fn noise(n: usize, seed: u32) -> Vec<u8> {
        let mut rng = Rng::new(seed.into(), Purpose::Augment, Stream::default());
        (0..n).map(|_| rng.next_u32() as u8).collect()
    }

    proptest! {
        #[test]
        fn turned_whole_numbers_are_as_near_to_the_definition_as_their_weights(
            (w, h) in (1usize..30, 1usize..30), channels in 1usize..=5, seed: u32, lanczos: bool, kind in 0usize..3,
            degrees in 1.0..89.0f64, tilt in -0.004..0.004f64,
        ) {
            let how = if lanczos { Interpolation::Lanczos4 } else { Interpolation::Bicubic };
            let bytes = noise(w * h * channels, seed);
            let (edge, exact) = match kind {
                0 => (Edge::Constant([200, 3, 77, 9]), Edge::Constant([200.0, 3.0, 77.0, 9.0])),
                1 => (Edge::Replicate, Edge::Replicate),
                _ => (Edge::Reflect101, Edge::Reflect101),
            };
            let turn = crate::Warp::rotate((w, h), degrees).matrix;
            let matrix = mul(&turn, &[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [tilt, 0.0, 1.0]]);
            let way = Way { matrix, field: None, within: None };
            let from = Grid { data: &bytes, width: w, height: h, channels };
            let turned = Turned::new(&from, &way, how, &edge, edge.fill().unwrap_or([bytes[0]; 4]));
            let mut out = vec![0; w * h * channels];
            turned.all(w, &mut out);
            let floats: Vec<f32> = bytes.iter().map(|v| f32::from(*v)).collect();
            let from = Grid { data: &floats, width: w, height: h, channels };
            let defined = Turned::new(&from, &way, how, &exact, exact.fill().unwrap_or([floats[0]; 4]));
            let mut want = vec![0.0; w * h * channels];
            defined.all(w, &mut want);
            let magnitude = defined.weights.chunks_exact(defined.taps).map(|w| w.iter().map(|w| w.abs()).sum());
            let magnitude: f64 = magnitude.fold(0.0, f64::max);
            // Weights of both axes are at most one unit beside their own; the rounding between the passes; the last one.
            let beside = 255.0 * defined.taps as f64 / f64::from(1 << BITS);
            let near = 0.5 + 2.0 * beside * magnitude + magnitude / 128.0 + 1e-3;
            prop_assert!(near < 1.0);
            for (byte, want) in out.iter().zip(&want) {
                let want = f64::from(want.clamp(0.0, 255.0));
                prop_assert!((f64::from(*byte) - want).abs() <= near, "{byte} {want} {near}");
            }
        }
    }
}
