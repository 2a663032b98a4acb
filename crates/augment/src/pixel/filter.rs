//! Sums over neighbourhoods: what the blurs and the sharpeners are made of. The border is mirrored without
//! repeating the edge (OpenCV's `BORDER_REFLECT_101`).

use super::grid::Grid;
use super::rounding::byte;
use pleach_simd::{convolve_along, convolve_down};

/// Samples that are worked on side by side.
const LANES: usize = 64;

/// Where a place outside `0..n` is mirrored to.
pub(crate) fn reflect(i: isize, n: usize) -> usize {
    if n == 1 {
        return 0;
    }
    let period = 2 * (n as isize - 1);
    let i = i.rem_euclid(period);
    (if i >= n as isize { period - i } else { i }) as usize
}

/// What a border shows.
#[derive(Clone, Copy)]
pub(crate) enum Outside {
    /// The image, mirrored.
    Mirror,
    /// The nearest pixel.
    Nearest,
}

/// The image with `margin` pixels more on each side.
pub(crate) fn padded<T: Copy>(grid: &Grid<T>, margin: usize, outside: Outside) -> Grid<T> {
    let (w, h, c) = (grid.width, grid.height, grid.channels);
    let at = |i: usize, n: usize| {
        let i = i as isize - margin as isize;
        match outside {
            Outside::Mirror => reflect(i, n),
            Outside::Nearest => i.clamp(0, n as isize - 1) as usize,
        }
    };
    let left: Vec<usize> = (0..margin).map(|x| at(x, w)).collect();
    let right: Vec<usize> = (0..margin).map(|x| at(w + margin + x, w)).collect();
    let mut samples = Vec::with_capacity((w + 2 * margin) * (h + 2 * margin) * c);
    for y in 0..h + 2 * margin {
        let row = &grid.samples[at(y, h) * w * c..][..w * c];
        left.iter().for_each(|x| samples.extend_from_slice(&row[x * c..][..c]));
        samples.extend_from_slice(row);
        right.iter().for_each(|x| samples.extend_from_slice(&row[x * c..][..c]));
    }
    Grid { width: w + 2 * margin, height: h + 2 * margin, channels: c, samples }
}

/// Mirrors the ends of a row that lies between margins of `margin` pixels.
pub(crate) fn mirror_ends<T: Copy>(row: &mut [T], margin: usize, channels: usize) {
    let width = row.len() / channels - 2 * margin;
    for p in 1..=margin {
        for (to, from) in [(margin - p, -(p as isize)), (margin + width - 1 + p, (width - 1 + p) as isize)] {
            let from = (margin + reflect(from, width)) * channels;
            row.copy_within(from..from + channels, to * channels);
        }
    }
}

/// Makes samples of a row side by side: no closure, which would not be compiled for the lanes of its caller.
trait Make<T> {
    /// `N` samples from the given one on.
    fn make<const N: usize>(&self, from: usize) -> [T; N];
}

/// Fills a row by pieces of [`LANES`], the last of them overlapping the one before, or by single samples where the row
/// is shorter.
#[inline(always)]
fn pieces<T: Copy>(out: &mut [T], by: &impl Make<T>) {
    let n = out.len();
    if n < LANES {
        for (i, x) in out.iter_mut().enumerate() {
            [*x] = by.make(i);
        }
        return;
    }
    for (i, block) in out.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
        *block = by.make(i * LANES);
    }
    if let Some(last) = out.last_chunk_mut::<LANES>().filter(|_| !n.is_multiple_of(LANES)) {
        *last = by.make(n - LANES);
    }
}

#[inline(always)]
fn piece<const N: usize, T: Copy + Default>(row: &[T], from: usize) -> [T; N] {
    let mut out = [T::default(); N];
    if let Some(there) = row.get(from..from + N) {
        out.copy_from_slice(there);
    }
    out
}

/// A function of each; `map` of arrays is not compiled into vectors.
#[inline(always)]
fn each<const N: usize, T: Copy, U: Copy + Default>(all: &[T; N], f: impl Fn(T) -> U) -> [U; N] {
    let mut out = [U::default(); N];
    for (out, &x) in out.iter_mut().zip(all) {
        *out = f(x);
    }
    out
}

/// `round(a b / 2^15)`.
#[inline(always)]
fn scaled(a: i16, b: i16) -> i16 {
    ((i32::from(a) * i32::from(b) + (1 << 14)) >> 15) as i16
}

/// The upper half of a symmetric kernel, centre first: half the centre's weight, then the weight of each pair, with
/// 16 bits of fraction.
fn fixed(kernel: &[f64]) -> Vec<i16> {
    let weight = |w: f64| (w * 65536.0).round().clamp(0.0, 32767.0) as i16;
    let half = &kernel[kernel.len() / 2..];
    half.iter().enumerate().map(|(k, &w)| weight(if k == 0 { w / 2.0 } else { w })).collect()
}

/// Convolves with a symmetric kernel whose weights are not negative and sum to 1, down the columns and along the
/// rows. Between the two a sample has 6 bits of fraction.
pub(crate) fn symmetric_bytes(grid: &mut Grid<u8>, kernel: &[f64]) {
    let (half, c, n) = (kernel.len() / 2, grid.channels, grid.row_len());
    let weights = fixed(kernel);
    let mut out = Vec::with_capacity(grid.samples.len());
    let mut middle = vec![0_i16; n + 2 * half * c];
    let mut line = vec![0; n];
    for y in 0..grid.height {
        let row = |y: isize| &grid.samples[reflect(y, grid.height) * n..][..n];
        let pairs: Vec<(&[u8], &[u8])> =
            (0..=half as isize).map(|k| (row(y as isize - k), row(y as isize + k))).collect();
        convolve_down(&pairs, &weights, &mut middle[half * c..][..n]);
        mirror_ends(&mut middle, half, c);
        convolve_along(&middle, &weights, c, &mut line);
        out.extend_from_slice(&line);
    }
    grid.samples = out;
}

/// Convolves with a symmetric kernel, down the columns and along the rows.
pub(crate) fn symmetric_floats(grid: &mut Grid<f32>, kernel: &[f64]) {
    let (half, c, n) = (kernel.len() / 2, grid.channels, grid.row_len());
    let weights: Vec<f32> = kernel[half..].iter().map(|&w| w as f32).collect();
    let mut out = vec![0.0; grid.samples.len()];
    let mut middle = vec![0.0; n + 2 * half * c];
    for (y, out) in out.chunks_exact_mut(n).enumerate() {
        let row = |y: isize| &grid.samples[reflect(y, grid.height) * n..][..n];
        let inner = &mut middle[half * c..][..n];
        inner.fill(0.0);
        for (k, &weight) in weights.iter().enumerate() {
            let k = k as isize;
            add_pair::<f32>(
                inner,
                row(y as isize - k),
                row(y as isize + k),
                if k == 0 { weight / 2.0 } else { weight },
            );
        }
        mirror_ends(&mut middle, half, c);
        for (k, &weight) in weights.iter().enumerate() {
            let (a, b) = (&middle[(half - k) * c..][..n], &middle[(half + k) * c..][..n]);
            add_pair::<f32>(out, a, b, if k == 0 { weight / 2.0 } else { weight });
        }
    }
    grid.samples = out;
}

pleach_simd::lanes! {
    fn add_pair<T: Copy>(sum: &mut [f32], a: &[f32], b: &[f32], weight: f32) {
        for ((sum, a), b) in sum.iter_mut().zip(a).zip(b) {
            *sum += (a + b) * weight;
        }
    }
}

/// The weights of OpenCV's `getGaussianKernel`, and of `GaussianBlur` where `sigma` is 0.
pub(crate) fn gaussian(size: usize, sigma: f64) -> Vec<f64> {
    if sigma <= 0.0 {
        match size {
            1 => return vec![1.0],
            3 => return vec![0.25, 0.5, 0.25],
            5 => return vec![0.0625, 0.25, 0.375, 0.25, 0.0625],
            7 => return vec![0.03125, 0.109375, 0.21875, 0.28125, 0.21875, 0.109375, 0.03125],
            _ => {}
        }
    }
    let sigma = if sigma > 0.0 { sigma } else { 0.3 * ((size as f64 - 1.0) * 0.5 - 1.0) + 0.8 };
    let half = (size / 2) as f64;
    let raw: Vec<f64> = (0..size).map(|i| (-0.5 * ((i as f64 - half) / sigma).powi(2)).exp()).collect();
    let sum: f64 = raw.iter().sum();
    raw.into_iter().map(|w| w / sum).collect()
}

/// A weight of a kernel and where it lies from the centre.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tap {
    /// Pixels to the right.
    pub x: isize,
    /// Pixels down.
    pub y: isize,
    /// The weight.
    pub weight: f32,
}

/// The taps of a square kernel whose weight is not 0.
pub(crate) fn taps(kernel: &[f32], size: usize) -> Vec<Tap> {
    let half = (size / 2) as isize;
    let tap =
        |(i, &weight): (usize, &f32)| Tap { x: (i % size) as isize - half, y: (i / size) as isize - half, weight };
    kernel.iter().enumerate().filter(|(_, w)| **w != 0.0).map(tap).collect()
}

/// A sample that sums of weighted samples are made of.
pub(crate) trait Weighed: Copy + Default {
    /// As a float.
    fn wide(self) -> f32;
    /// The nearest sample.
    fn nearest(sum: f32) -> Self;
}

impl Weighed for u8 {
    #[inline(always)]
    fn wide(self) -> f32 {
        f32::from(self)
    }
    #[inline(always)]
    fn nearest(sum: f32) -> Self {
        byte(sum.clamp(0.0, 255.0))
    }
}

impl Weighed for f32 {
    #[inline(always)]
    fn wide(self) -> f32 {
        self
    }
    #[inline(always)]
    fn nearest(sum: f32) -> Self {
        sum.clamp(0.0, 1.0)
    }
}

/// Correlates with a kernel of any weights (OpenCV's `filter2D`), in single precision.
pub(crate) fn correlate<T: Weighed>(grid: &mut Grid<T>, taps: &[Tap]) {
    let margin = taps.iter().map(|t| t.x.unsigned_abs().max(t.y.unsigned_abs())).max().unwrap_or(0);
    let source = padded(grid, margin, Outside::Mirror);
    let (n, wide, c) = (grid.row_len(), source.row_len(), grid.channels as isize);
    let places: Vec<(usize, f32)> = taps
        .iter()
        .map(|t| {
            let (x, y) = (margin as isize + t.x, margin as isize + t.y);
            ((y * wide as isize + x * c) as usize, t.weight)
        })
        .collect();
    for (y, out) in grid.samples.chunks_exact_mut(n).enumerate() {
        weigh::<T>(&source.samples[y * wide..], &places, out);
    }
}

pleach_simd::lanes! {
    fn weigh<T: Weighed>(source: &[T], places: &[(usize, f32)], out: &mut [T]) {
        #[inline(always)]
        fn run<const N: usize, T: Weighed>(source: &[T], places: &[(usize, f32)], from: usize) -> [T; N] {
            let mut sum = [0_f32; N];
            for &(place, weight) in places {
                for (sum, x) in sum.iter_mut().zip(piece::<N, T>(source, from + place)) {
                    *sum += x.wide() * weight;
                }
            }
            each(&sum, T::nearest)
        }
        let (blocks, rest) = out.as_chunks_mut::<32>();
        let done = blocks.len() * 32;
        for (i, block) in blocks.iter_mut().enumerate() {
            *block = run::<32, T>(source, places, i * 32);
        }
        for (i, x) in rest.iter_mut().enumerate() {
            *x = run::<1, T>(source, places, done + i)[0];
        }
    }
}

/// The mean of the samples at the given places around each, rounded to the nearest.
pub(crate) fn mean_of_bytes(grid: &mut Grid<u8>, taps: &[Tap]) {
    let margin = taps.iter().map(|t| t.x.unsigned_abs().max(t.y.unsigned_abs())).max().unwrap_or(0);
    let source = padded(grid, margin, Outside::Mirror);
    let (n, wide, c) = (grid.row_len(), source.row_len(), grid.channels as isize);
    let place = |t: &Tap| ((margin as isize + t.y) * wide as isize + (margin as isize + t.x) * c) as usize;
    let places: Vec<usize> = taps.iter().map(place).collect();
    for (y, out) in grid.samples.chunks_exact_mut(n).enumerate() {
        mean::<u8>(&source.samples[y * wide..], &places, out);
    }
}

/// Places whose samples are summed up.
struct Mean<'a> {
    source: &'a [u8],
    places: &'a [usize],
}

impl Make<u8> for Mean<'_> {
    #[inline(always)]
    fn make<const N: usize>(&self, from: usize) -> [u8; N] {
        let mut sum = [0_u16; N];
        for &place in self.places {
            for (sum, x) in sum.iter_mut().zip(&piece::<N, u8>(self.source, from + place)) {
                *sum += u16::from(*x);
            }
        }
        let share = 1.0 / self.places.len() as f32;
        each(&sum, |sum| divided(sum, self.places.len(), share))
    }
}

pleach_simd::lanes! {
    fn mean<T: Copy>(source: &[u8], places: &[usize], out: &mut [u8]) {
        pieces(out, &Mean { source, places });
    }
}

/// `sum / n`, rounded; `share` is `1 / n`. The quarter keeps whole quotients whole in single precision.
#[inline(always)]
fn divided(sum: u16, n: usize, share: f32) -> u8 {
    let exact = (f32::from(sum) + (n / 2) as f32 + 0.25) * share;
    byte(exact - 0.5)
}

/// The mean of squares of `size` pixels, by running sums down the columns.
pub(crate) fn box_bytes(grid: &mut Grid<u8>, size: usize) {
    let (half, c, n) = (size / 2, grid.channels, grid.row_len());
    let mut out = Vec::with_capacity(grid.samples.len());
    let mut line = vec![0; n];
    let mut columns = vec![0_u16; n + 2 * half * c];
    let row = |y: isize| &grid.samples[reflect(y, grid.height) * n..][..n];
    for y in -(half as isize)..half as isize {
        let inner = &mut columns[half * c..][..n];
        inner.iter_mut().zip(row(y)).for_each(|(sum, &x)| *sum += u16::from(x));
    }
    let mut before: Option<usize> = None;
    for y in 0..grid.height {
        let y = y as isize;
        let inner = &mut columns[half * c..][..n];
        slide::<u8>(inner, row(y + half as isize), before.map(|_| row(y - half as isize - 1)).unwrap_or(&[]));
        before = Some(0);
        mirror_ends(&mut columns, half, c);
        if size <= 15 {
            sum_along::<u8>(&columns, size, c, &mut line);
        } else {
            run_along(&columns, size, c, &mut line);
        }
        out.extend_from_slice(&line);
    }
    grid.samples = out;
}

pleach_simd::lanes! {
    fn slide<T: Copy>(sums: &mut [u16], enters: &[u8], leaves: &[u8]) {
        for (sum, &x) in sums.iter_mut().zip(enters) {
            *sum += u16::from(x);
        }
        for (sum, &x) in sums.iter_mut().zip(leaves) {
            *sum -= u16::from(x);
        }
    }
}

/// Sums of columns, so many of which are summed up again.
struct Side<'a> {
    columns: &'a [u16],
    size: usize,
    channels: usize,
}

impl Make<u8> for Side<'_> {
    #[inline(always)]
    fn make<const N: usize>(&self, from: usize) -> [u8; N] {
        let mut sum = [0_u16; N];
        for k in 0..self.size {
            for (sum, x) in sum.iter_mut().zip(&piece::<N, u16>(self.columns, from + k * self.channels)) {
                *sum += x;
            }
        }
        let area = self.size * self.size;
        let share = 1.0 / area as f32;
        each(&sum, |sum| divided(sum, area, share))
    }
}

pleach_simd::lanes! {
    fn sum_along<T: Copy>(columns: &[u16], size: usize, channels: usize, out: &mut [u8]) {
        pieces(out, &Side { columns, size, channels });
    }
}

/// Wide squares, by running sums along the row.
fn run_along(columns: &[u16], size: usize, channels: usize, out: &mut [u8]) {
    let area = (size * size) as u64;
    for c in 0..channels {
        let of_channel = || columns.iter().skip(c).step_by(channels).map(|&x| u64::from(x));
        let mut sum: u64 = of_channel().take(size - 1).sum();
        let sides = of_channel().zip(of_channel().skip(size - 1));
        for (out, (leaves, enters)) in out.iter_mut().skip(c).step_by(channels).zip(sides) {
            sum += enters;
            *out = ((sum + area / 2) / area) as u8;
            sum -= leaves;
        }
    }
}

/// [`symmetric_bytes`] of samples with 6 bits of fraction.
pub(crate) fn symmetric_wide(source: &Grid<u16>, kernel: &[f64], out: &mut Grid<u8>) {
    let (half, c, n) = (kernel.len() / 2, source.channels, source.row_len());
    let weights = fixed(kernel);
    let mut middle = vec![0_i16; n + 2 * half * c];
    for (y, out) in out.samples.chunks_exact_mut(n).enumerate() {
        let row = |y: isize| &source.samples[reflect(y, source.height) * n..][..n];
        let inner = &mut middle[half * c..][..n];
        inner.fill(0);
        for (k, &weight) in weights.iter().enumerate() {
            let k = k as isize;
            add_wide::<u16>(inner, row(y as isize - k), row(y as isize + k), weight);
        }
        mirror_ends(&mut middle, half, c);
        convolve_along(&middle, &weights, c, out);
    }
}

pleach_simd::lanes! {
    fn add_wide<T: Copy>(sum: &mut [i16], a: &[u16], b: &[u16], weight: i16) {
        for ((sum, &a), &b) in sum.iter_mut().zip(a).zip(b) {
            // The weight has 16 bits of fraction; the product is brought back to 6 from 7.
            *sum += scaled(((a + b) >> 1) as i16, weight);
        }
    }
}
