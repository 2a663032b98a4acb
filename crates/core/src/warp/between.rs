//! Samples of any type between others, row by row in lanes: what [`four`] and weighted sums say, to the bit.

use super::axes::Tap;
use super::edge::{OUTSIDE, four, mix};
use super::sample::Sample;
use pleach_simd::Grid;

/// Pixels whose places are made together.
const BLOCK: usize = 64;

/// The pixel before a place, and how far that lies beyond, as [`split`](super::way::split) has it; what is far outside is
/// somewhere outside.
#[inline(always)]
fn near(x: f64) -> (i32, f32) {
    let floor = (x + 1e-9).floor();
    let beyond = x - floor;
    // From here on, the last bits of a float are a whole number.
    const WHOLE: f64 = 6_755_399_441_055_744.0;
    let most = 1e9;
    let whole = (floor.max(-most).min(most) + WHOLE).to_bits() as i32;
    (whole, if beyond < 1e-9 { 0.0 } else { beyond as f32 })
}

pleach_simd::lanes! {
    /// The pixels of a row between four others each; behind `outside` come those of which one of the four is not there.
    pub(super) fn row<T: Sample; const N: usize>(
        from: &Grid<'_, T>, places: &[[f64; 2]], out: &mut [T], outside: &mut Vec<usize>,
    ) {
        let stride = from.width * N;
        let (right, bottom) = (from.width as i64 - 1, from.height as i64 - 1);
        let mut at = [[(0, 0.0); 2]; BLOCK];
        for (block, (places, out)) in places.chunks(BLOCK).zip(out.chunks_mut(BLOCK * N)).enumerate() {
            for (at, place) in at.iter_mut().zip(places) {
                *at = [near(place[0]), near(place[1])];
            }
            let n = places.len();
            for (i, [(x, wx), (y, wy)]) in at[..n].iter().enumerate() {
                if *x < 0 || *y < 0 || i64::from(*x) >= right || i64::from(*y) >= bottom {
                    outside.push(block * BLOCK + i);
                    continue;
                }
                let start = *y as usize * stride + *x as usize * N;
                // Three in a register of four; what is written too much the next pixel writes over.
                if let (3, Some(out), Some(top), Some(bottom)) = (
                    N,
                    out[i * N..].first_chunk_mut::<4>(),
                    from.data[start..].first_chunk::<7>(),
                    from.data[start + stride..].first_chunk::<7>(),
                ) {
                    four(out, [&top[..4], &top[3..], &bottom[..4], &bottom[3..]], *wx, *wy);
                    continue;
                }
                let (a, b) = from.data[start..start + 2 * N].split_at(N);
                let (c, d) = from.data[start + stride..start + stride + 2 * N].split_at(N);
                four(&mut out[i * N..(i + 1) * N], [a, b, c, d], *wx, *wy);
            }
        }
    }
}

/// A row of the source that was sampled along.
struct Made {
    of: Option<usize>,
    samples: Vec<f32>,
}

/// Rows between rows of the source, each of which is sampled along once; `blank` is a row of what is outside.
pub(super) fn stretched<T: Sample>(data: &[T], rows: &[Tap], cols: &[Tap], blank: &[T], out: &mut Vec<T>) {
    let (n, channels) = (blank.len(), blank.len() / cols.len().max(1));
    let mut made = [(); 2].map(|()| Made { of: None, samples: vec![0.0; n + 4] });
    let (mut line, fill) = (blank.to_vec(), &blank[..channels]);
    for row in rows {
        if made[1].of == Some(row.a) || made[0].of == Some(row.b) {
            made.swap(0, 1);
        }
        for (made, of) in made.iter_mut().zip([row.a, row.b]) {
            if made.of == Some(of) {
                continue;
            }
            made.of = Some(of);
            let out = &mut made.samples;
            let Some(data) = data.get(of..) else {
                out.iter_mut().zip(blank).for_each(|(out, v)| *out = v.wide());
                continue;
            };
            match channels {
                1 => along::<T, 1>(data, cols, fill, out),
                3 => along::<T, 3>(data, cols, fill, out),
                4 => along::<T, 4>(data, cols, fill, out),
                _ => along_any(data, cols, fill, out),
            }
        }
        down::<T>(&made[0].samples, &made[1].samples, row.by, &mut line);
        out.extend_from_slice(&line);
    }
}

#[inline(always)]
fn along_any<T: Sample>(data: &[T], cols: &[Tap], fill: &[T], out: &mut [f32]) {
    let pixel = |at: usize| if at == OUTSIDE { fill } else { &data[at..][..fill.len()] };
    for (col, out) in cols.iter().zip(out.chunks_exact_mut(fill.len())) {
        let (a, b) = (pixel(col.a), pixel(col.b));
        for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
            *out = mix(a.wide(), b.wide(), col.by);
        }
    }
}

pleach_simd::lanes! {
    /// `out` has four samples more than is made.
    fn along<T: Sample; const N: usize>(data: &[T], cols: &[Tap], fill: &[T], out: &mut [f32]) {
        if N == 1 {
            return along_any(data, cols, fill, out);
        }
        // Whole registers of four; what is written too much the next pixel writes over.
        for (i, col) in cols.iter().enumerate() {
            let four = |at: usize| data.get(at..).and_then(|data| data.first_chunk::<4>());
            let (Some(a), Some(b), Some(out)) = (four(col.a), four(col.b), out[i * N..].first_chunk_mut::<4>()) else {
                along_any(data, &cols[i..=i], fill, &mut out[i * N..(i + 1) * N]);
                continue;
            };
            for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
                *out = mix(a.wide(), b.wide(), col.by);
            }
        }
    }
}

pleach_simd::lanes! {
    fn down<T: Sample>(top: &[f32], bottom: &[f32], by: f32, out: &mut [T]) {
        for ((out, top), bottom) in out.iter_mut().zip(top).zip(bottom) {
            *out = T::of(mix(*top, *bottom, by));
        }
    }
}

/// Which samples of a row make each pixel of the result, with their weights: as many for each.
pub(super) struct Sums {
    pub(super) count: usize,
    pub(super) of: Vec<(usize, f64)>,
}

impl Sums {
    /// The sums of a row into `out`, which has four samples more.
    pub(super) fn along<T: Sample>(&self, data: &[T], channels: usize, out: &mut [f64]) {
        match channels {
            1 => sums::<T, 1>(self, data, out),
            3 => sums::<T, 3>(self, data, out),
            4 => sums::<T, 4>(self, data, out),
            _ => sums_any(self, data, channels, out),
        }
    }
}

#[inline(always)]
fn sums_any<T: Sample>(all: &Sums, data: &[T], channels: usize, out: &mut [f64]) {
    for (of, out) in all.of.chunks_exact(all.count).zip(out.chunks_exact_mut(channels)) {
        for (k, out) in out.iter_mut().enumerate() {
            *out = of.iter().map(|(at, w)| w * f64::from(data[at + k].wide())).sum();
        }
    }
}

pleach_simd::lanes! {
    fn sums<T: Sample; const N: usize>(all: &Sums, data: &[T], out: &mut [f64]) {
        if N == 1 {
            return sums_any(all, data, N, out);
        }
        for (i, of) in all.of.chunks_exact(all.count).enumerate() {
            let mut sum = [0.0; 4];
            for (at, w) in of {
                let add = |(sum, v): (&mut f64, &T)| *sum += w * f64::from(v.wide());
                match data[*at..].first_chunk::<4>() {
                    Some(four) => sum.iter_mut().zip(four).for_each(add),
                    None => sum.iter_mut().zip(&data[*at..at + N]).for_each(add),
                }
            }
            if let Some(out) = out[i * N..].first_chunk_mut() {
                *out = sum;
            }
        }
    }
}

pleach_simd::lanes! {
    /// The sums of lines, each by its weight, into `out`; `sum` is as long.
    pub(super) fn sums_down<T: Sample>(lines: &[(&[f64], f64)], sum: &mut [f64], out: &mut [T]) {
        sum.fill(0.0);
        for (line, w) in lines {
            for (sum, v) in sum.iter_mut().zip(*line) {
                *sum += w * v;
            }
        }
        for (out, sum) in out.iter_mut().zip(sum) {
            *out = T::of(*sum as f32);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Interpolation;
    use super::super::axes::{Axis, blend};
    use super::super::edge::Edge;
    use super::super::way::split;
    use super::super::wide::tests::noise;
    use super::*;
    use proptest::prelude::*;

    /// Floats of all sizes by chance.
    fn floats(n: usize, seed: u32) -> Vec<f32> {
        noise(2 * n, seed).chunks(2).map(|b| (f32::from(b[0]) - 99.0) / (f32::from(b[1]) + 0.5)).collect()
    }

    proptest! {
        #[test]
        fn rows_sampled_once_are_those_of_the_definition(
            (w, h) in (1usize..20, 1usize..20), (n, m) in (1usize..30, 1usize..30), channels in 1usize..=5, seed: u32,
            kind in 0usize..4, shift in -9.0..9.0f64, mirrored: bool,
        ) {
            let data = floats(w * h * channels, seed);
            let edge = [Edge::Constant([0.5, -3.0, 7.0, 9.0]), Edge::Replicate, Edge::Reflect, Edge::Wrap][kind];
            let axis = |len: usize, n: usize, stride: usize| {
                let scale = len as f64 / n as f64 * if mirrored { -1.0 } else { 1.0 };
                Axis { scale, shift, len, stride, bounds: [f64::NEG_INFINITY, f64::INFINITY] }
            };
            let cols = axis(w, n, channels).taps(n, Interpolation::Bilinear, &edge);
            let rows = axis(h, m, w * channels).taps(m, Interpolation::Bilinear, &edge);
            let fill = edge.fill().unwrap_or_default();
            let blank: Vec<f32> = (0..n).flat_map(|_| (0..channels).map(|k| fill[k.min(3)])).collect();
            let mut out = vec![1.0];
            stretched(&data, &rows, &cols, &blank, &mut out);
            prop_assert_eq!(out.len(), 1 + n * m * channels);
            let mut line = blank;
            for (row, out) in rows.iter().zip(out[1..].chunks(n * channels)) {
                blend(&data, row, &cols, &mut line, channels, &edge);
                prop_assert_eq!(out, &line);
            }
        }

        #[test]
        fn a_row_anywhere_is_that_of_the_definition(
            (w, h) in (1usize..20, 1usize..20), n in 1usize..150, start in prop::array::uniform2(-5.0..20.0f64),
            step in prop::array::uniform2(-1.0..1.0f64), seed: u32, far: bool,
        ) {
            fn check<const N: usize>(
                data: &[f32], (w, h): (usize, usize), places: &[[f64; 2]],
            ) -> Result<(), TestCaseError> {
                let from = Grid { data: &data[..w * h * N], width: w, height: h, channels: N };
                let (mut out, mut outside) = (vec![-7.0; places.len() * N], Vec::new());
                row::<f32, N>(&from, places, &mut out, &mut outside);
                for (i, [x, y]) in places.iter().enumerate() {
                    let ((x, wx), (y, wy)) = (split(*x), split(*y));
                    let inside = x >= 0 && y >= 0 && x + 1 < w as i64 && y + 1 < h as i64;
                    prop_assert_eq!(!inside, outside.contains(&i));
                    if inside {
                        let at = |col: usize, row: usize| &from.data[((y as usize + row) * w + x as usize + col) * N..][..N];
                        let mut want = [0.0; N];
                        four(&mut want, [at(0, 0), at(1, 0), at(0, 1), at(1, 1)], wx, wy);
                        prop_assert_eq!(&out[i * N..(i + 1) * N], &want);
                    }
                }
                Ok(())
            }
            let data = floats(w * h * 4, seed);
            let mut places: Vec<[f64; 2]> = (0..n).map(|i| [0, 1].map(|k| start[k] + step[k] * i as f64)).collect();
            if far {
                places[n / 2] = [1e300, -1e300];
                places[n - 1] = [f64::from(1u32 << 31), 4_294_967_297.0];
            }
            check::<1>(&data, (w, h), &places)?;
            check::<3>(&data, (w, h), &places)?;
            check::<4>(&data, (w, h), &places)?;
        }

        #[test]
        fn weighted_sums_are_those_of_their_samples(
            w in 1usize..30, n in 1usize..30, count in 1usize..9, channels in 1usize..=5, seed: u32,
        ) {
            let (data, weights) = (floats(w * channels, seed), floats(n * count, seed ^ 1));
            let of: Vec<(usize, f64)> =
                weights.iter().enumerate().map(|(i, v)| (i * 7 % w * channels, f64::from(*v))).collect();
            let all = Sums { count, of };
            let mut out = vec![0.0; n * channels + 4];
            all.along(&data, channels, &mut out);
            for (i, out) in out[..n * channels].iter().enumerate() {
                let of = &all.of[i / channels * count..][..count];
                let want: f64 = of.iter().map(|(at, w)| w * f64::from(data[at + i % channels])).sum();
                prop_assert_eq!(*out, want);
            }
            let lines: Vec<(&[f64], f64)> = all.of[..count].iter().map(|(_, w)| (&out[..n], *w)).collect();
            let (mut sum, mut made) = (vec![9.0; n], vec![0f32; n]);
            sums_down::<f32>(&lines, &mut sum, &mut made);
            for (i, made) in made.iter().enumerate() {
                prop_assert_eq!(*made, lines.iter().map(|(line, w)| w * line[i]).sum::<f64>() as f32);
            }
        }
    }
}
