//! Takes rows of pixels out of a grid of 8-bit samples at places between its pixels.
//!
//! Places are fixed-point numbers with 16 bits after the point, counted from the centre of the first pixel. The
//! arithmetic is that of whole numbers: every machine gives the same bytes.

mod edge;
#[cfg(target_arch = "x86_64")]
mod vectors;

use crate::lanes;
pub(crate) use edge::fold_far;
use edge::{at_the_edge, fold, outside_of};

/// Pixels that are worked on together: their tables stay in the first cache.
const BLOCK: usize = 64;
/// Half of the last place that is kept, and what two divisions that round down have taken off on average.
const ROUND: i16 = 33;
/// The longest side that fixed-point places reach.
const LONGEST: usize = 32_000;

/// Samples row by row, channels interleaved.
#[derive(Clone, Copy, Debug)]
pub struct Grid<'a, T> {
    /// The samples.
    pub data: &'a [T],
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Samples in a pixel.
    pub channels: usize,
}

impl<T> Grid<'_, T> {
    /// Whether fixed-point places can address it; [`sample_bilinear`] and [`sample_nearest`] need that.
    pub fn addressable(&self) -> bool {
        let side = |n: usize| (2..=LONGEST).contains(&n);
        side(self.width)
            && side(self.height)
            && self.data.len() == self.width * self.height * self.channels
            && i32::try_from(self.data.len()).is_ok()
    }
}

/// What lies outside a grid.
#[derive(Clone, Copy, Debug)]
pub enum Outside<T> {
    /// A value for each of the first four channels; the last of them also stands for further ones.
    Is([T; 4]),
    /// Such a value into which the grid fades along its edge (PyTorch's `grid_sample` of samples and of ones with zeros
    /// around, `mask * (sample - value) + value`).
    Faded([T; 4]),
    /// The nearest pixel of the edge.
    Nearest,
    /// The grid mirrored, without repeating its edge.
    Mirrored,
}

impl<T: Copy> Outside<T> {
    /// The value that it is, if it is one.
    pub(crate) fn value(&self) -> Option<[T; 4]> {
        match self {
            Self::Is(value) | Self::Faded(value) => Some(*value),
            Self::Nearest | Self::Mirrored => None,
        }
    }
}

/// The greatest magnitude of a place, in pixels, that fixed-point numbers reach.
pub const FARTHEST: f64 = 16_000.0;

/// A number of channels that is known when the loops are compiled.
pub(crate) trait Channels {
    const N: usize;
}

macro_rules! channels {
    ($($name:ident = $n:literal),*) => { $(
        pub(crate) struct $name;
        impl Channels for $name {
            const N: usize = $n;
        }
    )* };
}
channels!(One = 1, Two = 2, Three = 3, Four = 4);

/// The two pixels side by side that begin at a sample, as bytes from the lowest up.
#[inline(always)]
fn pair<C: Channels>(data: &[u8], at: usize) -> u64 {
    match C::N {
        1 => data.get(at..at + 2).map_or(0, |s| u64::from(s[0]) | u64::from(s[1]) << 8),
        2 => data.get(at..at + 4).and_then(|s| s.try_into().ok()).map_or(0, |s| u64::from(u32::from_le_bytes(s))),
        _ => match data.get(at..at + 8).and_then(|s| s.try_into().ok()) {
            Some(s) => u64::from_le_bytes(s),
            // The last pixels of an image of three channels are six bytes.
            None => data.get(at..).unwrap_or(&[]).iter().rev().fold(0, |all, &b| all << 8 | u64::from(b)),
        },
    }
}

#[inline(always)]
pub(crate) fn high(a: i16, b: i16) -> i16 {
    ((i32::from(a) * i32::from(b)) >> 16) as i16
}

/// Between two samples, with six bits after the point; weights have 15 bits.
#[inline(always)]
fn between(a: i16, b: i16, weight: i16) -> i16 {
    (a << 6).wrapping_add(high(b.wrapping_sub(a) << 7, weight))
}

/// Without the six bits after the point.
#[inline(always)]
pub(crate) fn rounded(all: i16) -> u8 {
    (all.wrapping_add(ROUND) >> 6) as u8
}

/// Between four samples.
#[inline(always)]
fn blend([a, b, c, d]: [u8; 4], x: i16, y: i16) -> u8 {
    let [a, b, c, d] = [a, b, c, d].map(i16::from);
    let (top, bottom) = (between(a, b, x), between(c, d, x));
    rounded(top.wrapping_add(high(bottom.wrapping_sub(top) << 1, y)))
}

/// The pixels of a block without gaps, and what a register writes too much.
type Pixels = [u8; 4 * BLOCK + 8];

/// The pixels of a block, one by one.
#[inline(always)]
fn one_by_one<C: Channels>(
    data: &[u8],
    stride: usize,
    at: &[i32; BLOCK],
    wx: &[i32; BLOCK],
    wy: &[i32; BLOCK],
    out: &mut Pixels,
) {
    for (i, out) in out.chunks_exact_mut(C::N).take(BLOCK).enumerate() {
        let (top, bottom) = (pair::<C>(data, at[i] as usize), pair::<C>(data, at[i] as usize + stride));
        let bytes = |pair: u64| [pair.to_le_bytes(), (pair >> (8 * C::N)).to_le_bytes()];
        let ([a, b], [c, d]) = (bytes(top), bytes(bottom));
        for (k, out) in out.iter_mut().enumerate() {
            *out = blend([a[k], b[k], c[k], d[k]], wx[i] as i16, wy[i] as i16);
        }
    }
}

/// The pixels of a block: of the two side by side at each place, and of those a row below.
#[inline(always)]
fn gather<C: Channels>(
    data: &[u8],
    stride: usize,
    at: &[i32; BLOCK],
    wx: &[i32; BLOCK],
    wy: &[i32; BLOCK],
    out: &mut Pixels,
) {
    #[cfg(target_arch = "x86_64")]
    if crate::level() != crate::Level::Portable {
        #[allow(unsafe_code)]
        // SAFETY: every level but the portable one has AVX2.
        let done = unsafe { vectors::block::<C>(data, stride, at, wx, wy, out) };
        if done {
            return;
        }
    }
    one_by_one::<C>(data, stride, at, wx, wy, out);
}

/// A row between its own pixels, with six bits after the point: pixel i is between the two that begin at sample
/// `at[i]`, without gaps. `row` has eight bytes and `out` eight samples more than that takes; what is written there
/// means nothing.
pub(crate) fn blend_along<C: Channels>(row: &[u8], at: &[i32], weights: &[i32], out: &mut [i16]) {
    #[cfg(target_arch = "x86_64")]
    if crate::level() != crate::Level::Portable {
        #[allow(unsafe_code)]
        // SAFETY: every level but the portable one has AVX2.
        let done = unsafe { vectors::along::<C>(row, at, weights, out) };
        if done {
            return;
        }
    }
    for ((&at, &weight), out) in at.iter().zip(weights).zip(out.chunks_exact_mut(C::N)) {
        let (a, b) = row[at as usize..at as usize + 2 * C::N].split_at(C::N);
        for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
            *out = between(i16::from(a), i16::from(b), weight as i16);
        }
    }
}

lanes! {
    fn bilinear<C: Channels>(
        from: &Grid<'_, u8>, x: &[i32], y: &[i32], outside: Outside<u8>, out: &mut [u8],
    ) {
        let (right, bottom) = (((from.width - 1) as i32) << 16, ((from.height - 1) as i32) << 16);
        let stride = from.width * C::N;
        let (step, pixel) = (stride as i32, C::N as i32);
        // Every loop over a block has one simple body over arrays of one width, so that it runs in vectors.
        let (mut xs, mut ys, mut offsets) = ([0i32; BLOCK], [0i32; BLOCK], [0i32; BLOCK]);
        let (mut wx, mut wy) = ([0i32; BLOCK], [0i32; BLOCK]);
        let mut done: Pixels = [0; 4 * BLOCK + 8];
        for ((x, y), out) in x.chunks(BLOCK).zip(y.chunks(BLOCK)).zip(out.chunks_mut(BLOCK * C::N)) {
            let n = x.len().min(y.len()).min(out.len() / C::N);
            xs[..n].copy_from_slice(&x[..n]);
            ys[..n].copy_from_slice(&y[..n]);
            fold(&mut xs, right, &outside);
            fold(&mut ys, bottom, &outside);
            let beyond = outside_of(&xs, &ys, right, bottom);
            let out_of_reach: i32 = beyond[..n].iter().sum();
            let (any, whole) = (out_of_reach > 0, out_of_reach == n as i32);
            if any && matches!(outside, Outside::Mirrored) {
                for i in 0..n {
                    (xs[i], ys[i]) = (fold_far(x[i], right), fold_far(y[i], bottom));
                }
            }
            // The last place has its pixel as the second of a pair, with the whole weight.
            xs.iter_mut().for_each(|v| *v = (*v).clamp(0, right - 2));
            ys.iter_mut().for_each(|v| *v = (*v).clamp(0, bottom - 2));
            for i in 0..BLOCK {
                offsets[i] = (ys[i] >> 16).wrapping_mul(step).wrapping_add((xs[i] >> 16).wrapping_mul(pixel));
                (wx[i], wy[i]) = ((xs[i] & 0xffff) >> 1, (ys[i] & 0xffff) >> 1);
            }
            let fill = outside.value().filter(|_| any);
            if fill.is_none() || !whole {
                gather::<C>(from.data, stride, &offsets, &wx, &wy, &mut done);
                out[..n * C::N].copy_from_slice(&done[..n * C::N]);
            }
            if let Some(fill) = fill {
                for (i, out) in out.chunks_exact_mut(C::N).enumerate() {
                    let far = |at: i32, last: i32| at <= -0x1_0000 || at >= last + 0x1_0000;
                    if beyond[i] == 0 {
                        continue;
                    }
                    if far(x[i], right) || far(y[i], bottom) {
                        out.copy_from_slice(&fill[..C::N]);
                    } else {
                        at_the_edge(from, (x[i], y[i]), outside, out);
                    }
                }
            }
        }
    }
}

/// A row of pixels between the pixels of a grid of at most four channels; pixel i lies at `(x[i], y[i])`.
///
/// Each is within 1/40 of the exact value before it is rounded. Without effect where the grid is not
/// [`addressable`](Grid::addressable) or has more channels.
pub fn sample_bilinear(from: &Grid<'_, u8>, x: &[i32], y: &[i32], outside: Outside<u8>, out: &mut [u8]) {
    if !from.addressable() {
        return;
    }
    match from.channels {
        1 => bilinear::<One>(from, x, y, outside, out),
        2 => bilinear::<Two>(from, x, y, outside, out),
        3 => bilinear::<Three>(from, x, y, outside, out),
        4 => bilinear::<Four>(from, x, y, outside, out),
        _ => {}
    }
}

lanes! {
    /// A row of pixels of a grid, each the nearest to its place `(x[i], y[i])`; ties go up. Without effect where the
    /// grid is not [`addressable`](Grid::addressable).
    pub fn sample_nearest<T: Copy>(
        from: &Grid<'_, T>, x: &[i32], y: &[i32], outside: Outside<T>, out: &mut [T],
    ) {
        if !from.addressable() {
            return;
        }
        let (right, bottom) = (from.width as i32 - 1, from.height as i32 - 1);
        let channels = from.channels;
        let (mut xs, mut ys, mut offsets) = ([0i32; BLOCK], [0i32; BLOCK], [0i32; BLOCK]);
        let (step, pixel) = ((from.width * channels) as i32, channels as i32);
        for ((x, y), out) in x.chunks(BLOCK).zip(y.chunks(BLOCK)).zip(out.chunks_mut(BLOCK * channels)) {
            let n = x.len().min(y.len()).min(out.len() / channels);
            xs[..n].copy_from_slice(&x[..n]);
            ys[..n].copy_from_slice(&y[..n]);
            // One unit more than a half, for what the rounding of places may have taken off.
            let near = |at: i32| at.wrapping_add(0x8001) >> 16;
            xs.iter_mut().for_each(|v| *v = near(*v));
            ys.iter_mut().for_each(|v| *v = near(*v));
            fold(&mut xs, right, &outside);
            fold(&mut ys, bottom, &outside);
            let beyond = outside_of(&xs, &ys, right, bottom);
            let mut any = beyond[..n].iter().sum::<i32>() > 0;
            if any && matches!(outside, Outside::Mirrored) {
                for i in 0..n {
                    (xs[i], ys[i]) = (fold_far(near(x[i]), right), fold_far(near(y[i]), bottom));
                }
                any = false;
            }
            for i in 0..BLOCK {
                let (px, py) = (xs[i].clamp(0, right), ys[i].clamp(0, bottom));
                offsets[i] = py.wrapping_mul(step).wrapping_add(px.wrapping_mul(pixel));
            }
            if channels == 1 {
                for (out, at) in out.iter_mut().zip(&offsets[..n]) {
                    #[allow(unsafe_code)]
                    // SAFETY: columns and rows are bounded to the grid, and an addressable one has all its samples.
                    let sample = unsafe { *from.data.get_unchecked(*at as usize) };
                    *out = sample;
                }
            } else {
                for (out, at) in out.chunks_exact_mut(channels).zip(&offsets[..n]) {
                    for (out, v) in out.iter_mut().zip(&from.data[*at as usize..]) {
                        *out = *v;
                    }
                }
            }
            if let Some(fill) = outside.value().filter(|_| any) {
                for (out, _) in out.chunks_exact_mut(channels).zip(&beyond).filter(|(_, b)| **b != 0) {
                    for (k, out) in out.iter_mut().enumerate() {
                        *out = fill[k.min(3)];
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::bytes;
    use proptest::prelude::*;

    /// What a place has by the definition, in f64.
    fn exact(from: &Grid<'_, u8>, (x, y): (i32, i32), k: usize, outside: Outside<u8>) -> f64 {
        let index = |i: i64, n: usize| {
            let last = n as i64 - 1;
            match outside {
                Outside::Is(_) | Outside::Faded(_) => i,
                Outside::Nearest => i.clamp(0, last),
                Outside::Mirrored => i.rem_euclid(2 * last).min(2 * last - i.rem_euclid(2 * last)),
            }
        };
        let within =
            |row: i64, col: i64| (0..from.height as i64).contains(&row) && (0..from.width as i64).contains(&col);
        let at = |row: i64, col: i64| {
            let (row, col) = (index(row, from.height), index(col, from.width));
            match outside {
                Outside::Is(fill) if !within(row, col) => f64::from(fill[k.min(3)]),
                Outside::Faded(_) if !within(row, col) => 0.0,
                _ => f64::from(from.data[(row as usize * from.width + col as usize) * from.channels + k]),
            }
        };
        let here = |row: i64, col: i64| f64::from(u8::from(within(row, col)));
        let (x, y) = (f64::from(x) / 65536.0, f64::from(y) / 65536.0);
        let (col, row) = (x.floor() as i64, y.floor() as i64);
        let (fx, fy) = (x - x.floor(), y - y.floor());
        let four = |at: &dyn Fn(i64, i64) -> f64| {
            let top = at(row, col) * (1.0 - fx) + at(row, col + 1) * fx;
            let bottom = at(row + 1, col) * (1.0 - fx) + at(row + 1, col + 1) * fx;
            top * (1.0 - fy) + bottom * fy
        };
        match outside {
            Outside::Faded(fill) => {
                let fill = f64::from(fill[k.min(3)]);
                four(&here) * (four(&at) - fill) + fill
            }
            _ => four(&at),
        }
    }

    proptest! {
        #[test]
        fn samples_are_those_of_the_definition_wherever_the_place_is(
            w in 2usize..40, h in 2usize..40, channels in 1usize..=4, seed: u32, n in 1usize..150, kind in 0usize..4,
            span in 1i32..4,
        ) {
            let data = bytes(w * h * channels, seed);
            let from = Grid { data: &data, width: w, height: h, channels };
            let outside = [
                Outside::Is([77, 3, 255, 0]), Outside::Nearest, Outside::Mirrored, Outside::Faded([77, 3, 255, 0]),
            ][kind];
            let places: Vec<(i32, i32)> = bytes(8 * n, seed ^ 99).chunks(8).map(|c| {
                let far = |at: &[u8], side: usize| {
                    let at = i64::from(u32::from_le_bytes([at[0], at[1], at[2], at[3]]));
                    let reach = (i64::from(span) * side as i64) << 16;
                    (at % (2 * reach) - reach / 2) as i32
                };
                (far(&c[..4], w), far(&c[4..], h))
            }).collect();
            let (x, y): (Vec<i32>, Vec<i32>) = places.iter().copied().unzip();
            let mut out = vec![0; n * channels];
            sample_bilinear(&from, &x, &y, outside, &mut out);
            for (i, pixel) in out.chunks(channels).enumerate() {
                for (k, v) in pixel.iter().enumerate() {
                    let want = exact(&from, places[i], k, outside);
                    prop_assert!((f64::from(*v) - want).abs() < 0.53, "{:?}: {v} for {want}", places[i]);
                }
            }
            // Whole places are exact copies, and the nearest pixel is the pixel there.
            let (x, y): (Vec<i32>, Vec<i32>) = places.iter().map(|(x, y)| (x & !0xffff, y & !0xffff)).unzip();
            let (mut between, mut nearest) = (out.clone(), out);
            sample_bilinear(&from, &x, &y, outside, &mut between);
            sample_nearest(&from, &x, &y, outside, &mut nearest);
            prop_assert_eq!(between, nearest);
        }

        #[test]
        fn places_in_rows_and_columns_are_sampled_alike_by_both_ways(
            w in 2usize..40, h in 2usize..20, channels in 1usize..=4, seed: u32, across in 1usize..150,
            down in 1usize..30, kind in 0usize..3, whole: bool,
        ) {
            let data = bytes(w * h * channels, seed);
            let from = Grid { data: &data, width: w, height: h, channels };
            let outside = [Outside::Is([9; 4]), Outside::Nearest, Outside::Mirrored][kind];
            // Also far outside, and at pixels, where that has an end.
            let places = |n: usize, side: usize, seed: u32| -> Vec<i32> {
                let side = (side as i64 - 1) << 16;
                let (reach, mask) = (5 * side, if whole { !0xffff } else { !0 });
                let at = |c: &[u8]| i64::from(u32::from_le_bytes([c[0], c[1], c[2], c[3]])) % (reach + 1);
                bytes(4 * n, seed).chunks(4).map(|c| (at(c) - (reach - side) / 2) as i32 & mask).collect()
            };
            let (x, y) = (places(across, w, seed ^ 1), places(down, h, seed ^ 2));
            let mut stretched = vec![5];
            prop_assert!(crate::stretch_bilinear(&from, &x, &y, outside, &mut stretched));
            for (y, row) in y.iter().zip(stretched[1..].chunks(across * channels)) {
                let mut want = vec![0; across * channels];
                sample_bilinear(&from, &x, &vec![*y; across], outside, &mut want);
                prop_assert_eq!(row, &want);
            }
            prop_assert_eq!(stretched.len(), 1 + across * down * channels);
        }

        #[test]
        fn a_block_is_that_of_its_pixels_one_by_one(w in 2usize..40, h in 2usize..9, seed: u32) {
            fn check<C: Channels>(w: usize, h: usize, seed: u32) -> Result<(), TestCaseError> {
                let data = bytes(w * h * C::N, seed);
                let stride = w * C::N;
                let random = bytes(4 * BLOCK, seed ^ 3);
                let at: [i32; BLOCK] = std::array::from_fn(|i| {
                    let (col, row) = (usize::from(random[4 * i]) % (w - 1), usize::from(random[4 * i + 1]) % (h - 1));
                    (row * stride + col * C::N) as i32
                });
                let weight = |k: usize| std::array::from_fn(|i| (i32::from(random[4 * i + k]) * 32767) / 255);
                let (wx, wy): ([i32; BLOCK], [i32; BLOCK]) = (weight(2), weight(3));
                let (mut plain, mut quick): (Pixels, Pixels) = ([0; _], [0; _]);
                one_by_one::<C>(&data, stride, &at, &wx, &wy, &mut plain);
                gather::<C>(&data, stride, &at, &wx, &wy, &mut quick);
                prop_assert_eq!(&plain[..BLOCK * C::N], &quick[..BLOCK * C::N]);
                // Where no pair is near to the end, registers do it.
                let longer = [data.as_slice(), &[0; 8]].concat();
                gather::<C>(&longer, stride, &at, &wx, &wy, &mut quick);
                prop_assert_eq!(&plain[..BLOCK * C::N], &quick[..BLOCK * C::N]);
                Ok(())
            }
            check::<One>(w, h, seed)?;
            check::<Two>(w, h, seed)?;
            check::<Three>(w, h, seed)?;
            check::<Four>(w, h, seed)?;
        }
    }
}
