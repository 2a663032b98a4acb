//! Samples from more than four pixels in rows and columns: along rows first, and then between them.

use super::Interpolation;
use super::axes::Axis;
use super::between::{Sums, sums_down};
use super::edge::{Edge, OUTSIDE};
use super::kernel::{before, fixed, taps, weights};
use super::sample::Sample;
use super::way::{nearest, split};
use pleach_simd::{FRACTION, Grid, MARGIN, Weights, weigh_down};

/// Pixels along one axis that make one pixel of the result, each with its weight: as many for each.
pub(super) struct Taps {
    count: usize,
    /// Where the first ones lie, as if there were no edge.
    starts: Vec<i64>,
    weights: Vec<f64>,
    /// The pixels that the window lets in.
    window: [i64; 2],
    len: usize,
    stride: usize,
}

impl Taps {
    pub(super) fn new(axis: &Axis, n: usize, how: Interpolation) -> Self {
        let window = axis.window();
        let count = match how {
            // No more than the window has, and one more for a part of a pixel.
            Interpolation::Area => (axis.scale.abs().min(axis.len as f64).ceil() as usize + 1).max(1),
            _ => taps(how),
        };
        let mut all = vec![0.0; n * count];
        let start = |(i, out): (usize, &mut [f64])| match how {
            Interpolation::Area => covered(axis.centre(i), axis, window, out),
            _ => {
                let (start, beyond) = split(axis.centre(i));
                weights(how, f64::from(beyond), out);
                start - before(count)
            }
        };
        let starts = all.chunks_exact_mut(count).enumerate().map(start).collect();
        Self { count, starts, weights: all, window, len: axis.len, stride: axis.stride }
    }

    /// The pixel of the source that stands at a place.
    fn pixel<T: Copy>(&self, at: i64, edge: &Edge<T>) -> usize {
        edge.index(at.max(self.window[0]).min(self.window[1]), self.len)
    }

    /// The pixels that make pixel i, with their weights; those of no weight are left out.
    fn of<'a, T: Copy>(&'a self, i: usize, edge: &'a Edge<T>) -> impl Iterator<Item = (usize, f64)> + 'a {
        let weights = self.weights[i * self.count..][..self.count].iter();
        let all = (self.starts[i]..).zip(weights).filter(|(_, w)| **w != 0.0);
        all.map(|(at, w)| (self.pixel(at, edge), *w))
    }

    /// Where pixels of the result lie between two of the source, in 65536ths of a pixel; none where one is made of more, or
    /// of what is outside.
    pub(super) fn places(&self) -> Option<Vec<i32>> {
        let one = |(start, weights): (&i64, &[f64])| {
            let (first, rest) = weights.split_first()?;
            let (second, rest) = rest.split_first().unwrap_or((&0.0, rest));
            let last = start + i64::from(*second != 0.0);
            let inside = *start >= self.window[0].max(0) && last <= self.window[1].min(self.len as i64 - 1);
            let two = inside && rest.iter().all(|w| *w == 0.0) && (first + second - 1.0).abs() < 1e-9;
            i32::try_from((start << 16) + (second * 65536.0).round() as i64).ok().filter(|_| two)
        };
        self.starts.iter().zip(self.weights.chunks_exact(self.count)).map(one).collect()
    }

    fn magnitude(&self) -> f64 {
        let sums = self.weights.chunks_exact(self.count).map(|w| w.iter().map(|w| w.abs()).sum());
        sums.fold(0.0, f64::max)
    }

    /// The weights in whole numbers of as many bits as they and sums of samples up to `most` have room for, and how many
    /// those are; none where that is not exact enough.
    fn fixed(&self, most: f64) -> Option<(Vec<i16>, u32)> {
        let greatest = self.weights.iter().fold(0.0, |most: f64, w| most.max(w.abs()));
        let fits = |unit: f64| greatest * unit < f64::from(i16::MAX) && self.magnitude() * most * unit <= SUMS;
        let bits = (FRACTION..24).rev().find(|bits| fits(f64::from(1 << bits)))?;
        // A weight is at most one unit beside its own.
        let beside = 255.0 * self.count as f64 / f64::from(1 << bits);
        let all = self.weights.chunks_exact(self.count).flat_map(|w| fixed(w, bits));
        (beside <= BESIDE).then(|| (all.collect(), bits))
    }
}

/// The greatest sum of products in 32 bits, with room for what rounding adds.
const SUMS: f64 = 2_130_000_000.0;

/// By how many levels of 8 bits a sum may miss the exact one along each axis, besides its rounding.
const BESIDE: f64 = 0.2;

/// The mean of what a pixel of the result covers: the weights, which were 0, and the first pixel.
fn covered(centre: f64, axis: &Axis, window: [i64; 2], out: &mut [f64]) -> i64 {
    let half = axis.scale.abs() / 2.0;
    let [low, high] = [window[0].max(0) as f64, (window[1] + 1).min(axis.len as i64) as f64];
    let (first, last) = ((centre + 0.5 - half).max(low), (centre + 0.5 + half).min(high));
    if last - first < 1e-9 {
        out[0] = 1.0;
        return nearest(centre);
    }
    let share = |j: usize| (last.min(j as f64 + 1.0) - first.max(j as f64)) / (last - first);
    let start = first as usize;
    let all = out.iter_mut().zip(start..last.ceil() as usize);
    all.for_each(|(out, j)| *out = Some(share(j)).filter(|w| *w > 1e-9).unwrap_or(0.0));
    start as i64
}

/// A result whose columns and rows are made of columns and rows of a source.
pub(super) struct Crossed<'a, T> {
    from: &'a Grid<'a, T>,
    cols: Taps,
    rows: Taps,
    edge: &'a Edge<T>,
    /// What stands outside.
    empty: [T; 4],
}

impl<'a, T: Sample> Crossed<'a, T> {
    pub(super) fn new(from: &'a Grid<'a, T>, cols: Taps, rows: Taps, edge: &'a Edge<T>, empty: [T; 4]) -> Self {
        Self { from, cols, rows, edge, empty }
    }

    /// One sample between others along a row of the source: the definition.
    fn along(&self, row: usize, i: usize, k: usize) -> f64 {
        let value = |col: usize| match col {
            OUTSIDE => self.empty[k.min(3)],
            col => self.from.data[row * self.rows.stride + col * self.cols.stride + k],
        };
        self.cols.of(i, self.edge).map(|(col, w)| w * f64::from(value(col).wide())).sum()
    }

    /// All of it, row by row.
    pub(super) fn all(&self, out: &mut [T]) {
        if let (Some(bytes), Some(made)) = (T::bytes(self.from.data), T::bytes_mut(out))
            && self.in_vectors(bytes, made)
        {
            return;
        }
        let (channels, n) = (self.from.channels, self.cols.starts.len());
        let mut half = Lines::new(self.rows.count, n * channels);
        let sums = self.sums();
        let mut sum = vec![0.0; n * channels];
        for (j, out) in out.chunks_exact_mut(n * channels).enumerate() {
            let rows: Vec<(usize, f64)> = self.rows.of(j, self.edge).collect();
            half.make(rows.iter().map(|(row, _)| *row), |row, line: &mut [f64]| {
                if let Some(sums) = sums.as_ref().filter(|_| row != OUTSIDE) {
                    return sums.along(&self.from.data[row * self.rows.stride..], channels, line);
                }
                for (at, v) in line.iter_mut().take(n * channels).enumerate() {
                    *v = match row {
                        OUTSIDE => f64::from(self.empty[(at % channels).min(3)].wide()),
                        row => self.along(row, at / channels, at % channels),
                    };
                }
            });
            let lines: Vec<(&[f64], f64)> = rows.iter().map(|(row, w)| (half.line(*row), *w)).collect();
            sums_down::<T>(&lines, &mut sum, out);
        }
    }

    /// What each pixel of a row is made of; none where something is outside, or not finite, so that no weight of 0 takes
    /// it away.
    fn sums(&self) -> Option<Sums> {
        let count = self.cols.count;
        let weights = self.cols.weights.chunks_exact(count);
        let all = self.cols.starts.iter().zip(weights).flat_map(|(start, weights)| (*start..).zip(weights));
        let one = |(at, w): (i64, &f64)| match self.cols.pixel(at, self.edge) {
            OUTSIDE if *w == 0.0 => Some((0, 0.0)),
            OUTSIDE => None,
            col => Some((col * self.cols.stride, *w)),
        };
        let of = all.map(one).collect::<Option<_>>()?;
        T::finite(self.from.data).then_some(Sums { count, of })
    }

    /// All of it in whole numbers, many samples at a time; false, and nothing done, where columns of the source do not lie
    /// side by side or are too many.
    fn in_vectors(&self, data: &[u8], out: &mut [u8]) -> bool {
        let (channels, n) = (self.from.channels, self.cols.starts.len());
        let (Some(&low), Some(&high)) = (self.cols.starts.iter().min(), self.cols.starts.iter().max()) else {
            return false;
        };
        // A row as it goes on outside, as far as any pixel looks.
        let pixels = (high - low) as usize + self.cols.count;
        if self.cols.stride != channels || pixels > 8 * (self.cols.len + n) {
            return false;
        }
        let white = 255.0 * self.cols.magnitude() * f64::from(1 << FRACTION);
        let (Some((across, bits)), Some((down, down_bits))) = (self.cols.fixed(255.0), self.rows.fixed(white)) else {
            return false;
        };
        let starts: Vec<usize> = self.cols.starts.iter().map(|s| (s - low) as usize * channels).collect();
        let along = Weights::new(channels, self.cols.count, &starts, &across, bits);
        let seen = Seen::new(&self.cols, low, pixels, self.edge);
        let fill = self.empty.map(|v| T::bytes(&[v]).map_or(0, |v| v[0]));
        let mut line = vec![0; (pixels + 4) * channels + MARGIN];
        let mut half = Lines::new(self.rows.count, n * channels);
        for (j, out) in out.chunks_exact_mut(n * channels).enumerate() {
            let weights = &down[j * self.rows.count..][..self.rows.count];
            let all = (self.rows.starts[j]..).zip(weights).filter(|(_, w)| **w != 0);
            let rows: Vec<(usize, i16)> = all.map(|(at, w)| (self.rows.pixel(at, self.edge), *w)).collect();
            half.make(rows.iter().map(|(row, _)| *row), |row, made: &mut [i16]| {
                if row == OUTSIDE {
                    let value = |at: usize| i16::from(fill[(at % channels).min(3)]) << FRACTION;
                    made.iter_mut().enumerate().for_each(|(at, v)| *v = value(at));
                    return;
                }
                let row = &data[row * self.rows.stride..];
                along.along(seen.row(row, self.cols.len * channels, channels, fill, &mut line), made);
            });
            let (lines, weights): (Vec<&[i16]>, Vec<i16>) = rows.iter().map(|(row, w)| (half.line(*row), *w)).unzip();
            weigh_down(&lines, &weights, down_bits, out);
        }
        true
    }
}

/// Which pixels of a row stand side by side, as far as it is looked at: those before the row's own, how many of its own,
/// and those behind.
struct Seen {
    before: Vec<usize>,
    own: std::ops::Range<usize>,
    behind: Vec<usize>,
}

impl Seen {
    fn new<T: Copy>(cols: &Taps, low: i64, pixels: usize, edge: &Edge<T>) -> Self {
        let all: Vec<usize> = (low..).take(pixels).map(|at| cols.pixel(at, edge)).collect();
        // The longest run from the first pixel that is followed by its neighbour.
        let start = all.windows(2).position(|p| p[0] != OUTSIDE && p[1] == p[0] + 1).unwrap_or(all.len());
        let run = all[start..].windows(2).take_while(|p| p[0] != OUTSIDE && p[1] == p[0] + 1).count();
        let end = if run == 0 { start } else { start + run + 1 };
        let first = all.get(start).copied().unwrap_or(0);
        Self { before: all[..start].to_vec(), own: first..first + (end - start), behind: all[end..].to_vec() }
    }

    /// A row of so many samples as it is seen; `data` goes on behind it.
    fn row<'a>(&self, data: &'a [u8], len: usize, channels: usize, fill: [u8; 4], line: &'a mut [u8]) -> &'a [u8] {
        let own = self.own.start * channels..self.own.end * channels;
        if self.before.is_empty() && self.behind.is_empty() && data.len() >= own.start + line.len() {
            return &data[own.start..];
        }
        let row = &data[..len];
        let (before, rest) = line.split_at_mut(self.before.len() * channels);
        let (inside, behind) = rest.split_at_mut(own.len());
        inside.copy_from_slice(&row[own]);
        let each = |pixels: &[usize], out: &mut [u8]| {
            for (pixel, out) in pixels.iter().zip(out.chunks_exact_mut(channels)) {
                for (k, v) in out.iter_mut().enumerate() {
                    *v = match *pixel {
                        OUTSIDE => fill[k.min(3)],
                        pixel => row[pixel * channels + k],
                    };
                }
            }
        };
        each(&self.before, before);
        each(&self.behind, behind);
        line
    }
}

/// Rows of a source that have been sampled along and may be wanted again.
struct Lines<F> {
    lines: Vec<(Option<usize>, Vec<F>)>,
}

impl<F: Copy + Default> Lines<F> {
    /// For so many at a time.
    fn new(count: usize, len: usize) -> Self {
        Self { lines: (0..count.max(1)).map(|_| (None, vec![F::default(); len + MARGIN])).collect() }
    }

    /// Sees to it that rows are there, by making those that are not in place of others.
    fn make(&mut self, rows: impl Iterator<Item = usize> + Clone, mut fill: impl FnMut(usize, &mut [F])) {
        for row in rows.clone() {
            if self.lines.iter().any(|(of, _)| *of == Some(row)) {
                continue;
            }
            let unused = |of: Option<usize>| of.is_none_or(|of| rows.clone().all(|row| row != of));
            if let Some((of, line)) = self.lines.iter_mut().find(|(of, _)| unused(*of)) {
                fill(row, line);
                *of = Some(row);
            }
        }
    }

    fn line(&self, row: usize) -> &[F] {
        self.lines.iter().find(|(of, _)| *of == Some(row)).map_or(&[], |(_, line)| line)
    }
}

#[cfg(test)]
mod tests {
    use super::super::wide::tests::noise;
    use super::*;
    use proptest::prelude::*;

    /// One sample of the result, before it is rounded: the definition.
    fn exact(all: &Crossed<'_, u8>, i: usize, j: usize, k: usize) -> f64 {
        let value = |row: usize| match row {
            OUTSIDE => f64::from(all.empty[k.min(3)].wide()),
            row => all.along(row, i, k),
        };
        all.rows.of(j, all.edge).map(|(row, w)| w * value(row)).sum()
    }

    #[test]
    fn a_mean_over_three_halves_of_a_pixel_takes_a_half_of_the_second() {
        let bounds = [f64::NEG_INFINITY, f64::INFINITY];
        let axis = Axis { scale: 1.5, shift: 0.25, len: 6, stride: 1, bounds };
        let taps = Taps::new(&axis, 4, Interpolation::Area);
        let edge: Edge<u8> = Edge::Replicate;
        let close = |i: usize, want: &[(usize, f64)]| {
            let taps: Vec<_> = taps.of(i, &edge).collect();
            taps.len() == want.len() && taps.iter().zip(want).all(|(a, b)| a.0 == b.0 && (a.1 - b.1).abs() < 1e-9)
        };
        let third = 1.0 / 3.0;
        assert!(close(0, &[(0, 2.0 * third), (1, third)]));
        assert!(close(1, &[(1, third), (2, 2.0 * third)]));
    }

    #[test]
    fn two_pixels_have_a_place_between_them() {
        let bounds = [f64::NEG_INFINITY, f64::INFINITY];
        let places = |scale: f64, shift: f64, n: usize| {
            Taps::new(&Axis { scale, shift, len: 6, stride: 1, bounds }, n, Interpolation::Area).places()
        };
        assert_eq!(places(2.0, 0.5, 3), Some(vec![0x8000, 0x2_8000, 0x4_8000]));
        // Three pixels of the result for two of the source: each covers one, and the middle one half of either.
        assert_eq!(places(2.0 / 3.0, -1.0 / 6.0, 3), Some(vec![0, 0x8000, 0x1_0000]));
        assert_eq!(places(2.0 / 3.0, -7.0 / 6.0, 3), None);
        assert_eq!(places(2.5, 0.75, 2), None);
    }

    proptest! {
        #[test]
        fn whole_numbers_are_as_near_to_the_definition_as_their_weights(
            (w, h) in (1usize..30, 1usize..20), (n, m) in (1usize..40, 1usize..30), channels in 1usize..=5, seed: u32,
            how in 0usize..3, kind in 0usize..5, mirrored: bool, bounded: bool, shift in -9.0..9.0f64, even: bool,
        ) {
            let how = [Interpolation::Bicubic, Interpolation::Lanczos4, Interpolation::Area][how];
            let data = noise(w * h * channels, seed);
            let from = Grid { data: &data, width: w, height: h, channels };
            let fill = [200, 3, 77, 9];
            let edge = [Edge::Constant(fill), Edge::Replicate, Edge::Reflect, Edge::Reflect101, Edge::Wrap][kind];
            // A factor of two has its sums in the middle of two numbers.
            let axis = |len: usize, n: usize, stride: usize, shift: f64| {
                let scale = if even { 2.0 } else { len as f64 / n as f64 };
                let bounds = if bounded { [1.0, n as f64 - 2.0] } else { [f64::NEG_INFINITY, f64::INFINITY] };
                let (scale, shift) = if even { (scale, 0.5) } else { (scale, 0.5 * scale - 0.5 + shift) };
                let (scale, shift) = if mirrored { (-scale, shift + scale * (n as f64 - 1.0)) } else { (scale, shift) };
                Axis { scale, shift, len, stride, bounds }
            };
            let cols = Taps::new(&axis(w, n, channels, shift), n, how);
            let rows = Taps::new(&axis(h, m, w * channels, -shift), m, how);
            let all = Crossed::new(&from, cols, rows, &edge, edge.fill().unwrap_or([data[0]; 4]));
            let mut out = vec![0; n * m * channels];
            if all.in_vectors(&data, &mut out) {
                // What a weight of each axis is beside its own at most, with the others of the other one; the rounding between
                // the passes; and the last one.
                let beside = |taps: &Taps, of: f64| 255.0 * taps.count as f64 / f64::from(1 << taps.fixed(of).unwrap().1);
                let (across, down) = (all.cols.magnitude(), all.rows.magnitude());
                let near = beside(&all.cols, 255.0) * down + beside(&all.rows, 255.0 * 64.0 * across) * across;
                let near = 0.5 + near + down / 128.0 + 1e-9;
                prop_assert!(near < 1.0);
                for (at, byte) in out.iter().enumerate() {
                    let (j, i, k) = (at / (n * channels), at / channels % n, at % channels);
                    let want = exact(&all, i, j, k).clamp(0.0, 255.0);
                    prop_assert!((f64::from(*byte) - want).abs() <= near, "{byte} {want} {near}");
                }
            }
        }
    }
}
