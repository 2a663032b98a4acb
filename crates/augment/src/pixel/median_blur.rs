//! The middle of a square.

use super::blur::Width;
use super::filter::{Outside, padded};
use super::grid::{Grid, as_bytes};
use super::limits::KernelSizes;
use pleach_core::image::Image;
use pleach_core::{Augmentation, Result, Rng, RowView, plugin};

/// Each sample becomes the median of a square around it.
///
/// Follows `MedianBlur` of Albumentations 2.0.8 (OpenCV's `medianBlur`), to the bit; other types become 8 bits first.
/// The edge is repeated beyond the border. Squares of up to 7 pixels are sorted many samples at a time, greater ones
/// counted.
#[plugin(augmentation, cite = "Albumentations 2.0.8, MedianBlur")]
pub struct MedianBlur {
    /// Least and greatest width of the square in pixels, odd; one number `x` stands for `[3, x]`.
    #[plugin(default = KernelSizes(3.0, 7.0), range = ..=255.0)]
    pub blur_limit: KernelSizes,
}

/// Samples that are sorted side by side.
const LANES: usize = 32;

type Lane = [u8; LANES];

/// Brings two lanes into order.
#[inline(always)]
fn order(lanes: &mut [Lane], i: usize, j: usize) {
    let (a, b) = (lanes[i], lanes[j]);
    (lanes[i], lanes[j]) = (std::array::from_fn(|k| a[k].min(b[k])), std::array::from_fn(|k| a[k].max(b[k])));
}

/// Sorts `N` lanes by neighbours in turn.
#[inline(always)]
fn sort<const N: usize>(lanes: &mut [Lane]) {
    for round in 0..N {
        let mut i = round % 2;
        while i + 1 < N {
            order(lanes, i, i + 1);
            i += 2;
        }
    }
}

/// The median of `N` by `N` lanes, columns first. Columns and then rows are sorted; a lane in row `i` and column `j` is
/// then no less than `(i + 1)(j + 1)` others and no greater than `(N - i)(N - j)`, so most cannot be the middle one.
#[inline(always)]
fn median<const N: usize>(source: &[u8], places: &[usize], from: usize) -> Lane {
    let mut square = [[[0; LANES]; N]; N];
    for (x, column) in square.iter_mut().enumerate() {
        for (y, lane) in column.iter_mut().enumerate() {
            lane.copy_from_slice(&source[from + places[y * N + x]..][..LANES]);
        }
        sort::<N>(column);
    }
    #[allow(clippy::needless_range_loop, reason = "a row is one element of each column")]
    for y in 0..N {
        let mut row = [[0; LANES]; N];
        (0..N).for_each(|x| row[x] = square[x][y]);
        sort::<N>(&mut row);
        (0..N).for_each(|x| square[x][y] = row[x]);
    }
    // As many lanes were left out below the middle as above it.
    let half = N * N / 2 + 1;
    let mut left = [[0; LANES]; 32];
    let mut n = 0;
    for (x, column) in square.iter().enumerate() {
        for (y, lane) in column.iter().enumerate() {
            if (x + 1) * (y + 1) <= half && (N - x) * (N - y) <= half {
                left[n] = *lane;
                n += 1;
            }
        }
    }
    // The least and the greatest go, again and again.
    let left = &mut left[..n];
    let (mut first, mut last) = (0, n - 1);
    while first < last {
        let mut i = first + 1;
        while i <= last {
            order(left, first, i);
            i += 1;
        }
        let mut i = first + 1;
        while i < last {
            order(left, i, last);
            i += 1;
        }
        first += 1;
        last -= 1;
    }
    left[first]
}

pleach_simd::lanes! {
    fn sorted<T: Copy>(source: &[u8], places: &[usize], size: usize, out: &mut [u8]) {
        let n = out.len();
        for i in 0..n.div_ceil(LANES) {
            let from = (i * LANES).min(n.saturating_sub(LANES));
            let lane = match size {
                5 => median::<5>(source, places, from),
                _ => median::<7>(source, places, from),
            };
            let to = n.min(from + LANES);
            out[from..to].copy_from_slice(&lane[..to - from]);
        }
    }
}

#[inline(always)]
fn sorted3(a: u8, b: u8, c: u8) -> [u8; 3] {
    let (low, high) = (a.min(b), a.max(b));
    [low.min(c), low.max(high.min(c)), high.max(c)]
}

#[inline(always)]
fn middle(a: u8, b: u8, c: u8) -> u8 {
    a.min(b).max(a.max(b).min(c))
}

pleach_simd::lanes! {
    /// The median of the nine samples around each: the middle one of the greatest of the least of the three columns, of
    /// the middle of their middles, and of the least of their greatest.
    fn nine<T: Copy>(rows: [&[u8]; 3], channels: usize, out: &mut [u8]) {
        let n = out.len();
        let [a, b, c] = rows.map(|row| &row[..n]);
        let [d, e, f] = rows.map(|row| &row[channels..][..n]);
        let [g, h, i] = rows.map(|row| &row[2 * channels..][..n]);
        for (k, out) in out.iter_mut().enumerate() {
            let (x, y, z) = (sorted3(a[k], b[k], c[k]), sorted3(d[k], e[k], f[k]), sorted3(g[k], h[k], i[k]));
            *out = middle(x[0].max(y[0]).max(z[0]), middle(x[1], y[1], z[1]), x[2].min(y[2]).min(z[2]));
        }
    }
}

fn by_sorting(grid: &mut Grid<u8>, size: usize) {
    let mut source = padded(grid, size / 2, Outside::Nearest);
    let (n, wide, c) = (grid.row_len(), source.row_len(), grid.channels);
    // Short rows are read as far as a lane goes.
    source.samples.resize(source.samples.len() + LANES, 0);
    let places: Vec<usize> = (0..size * size).map(|i| i / size * wide + i % size * c).collect();
    for (y, out) in grid.samples.chunks_exact_mut(n).enumerate() {
        let rows = [0, 1, 2].map(|k| &source.samples[(y + k) * wide..]);
        match size {
            3 => nine::<u8>(rows, c, out),
            _ => sorted::<u8>(rows[0], &places, size, out),
        }
    }
}

/// By counts of the square's levels that follow it along the row (Huang, Yang and Tang, 1979).
fn by_counting(grid: &mut Grid<u8>, size: usize) {
    let source = padded(grid, size / 2, Outside::Nearest);
    let (w, c, wide) = (grid.width, grid.channels, source.row_len());
    let middle = (size * size / 2) as u32;
    for (y, out) in grid.samples.chunks_exact_mut(w * c).enumerate() {
        for channel in 0..c {
            let mut counts = [0_u32; 256];
            let at = |x: usize, dy: usize| usize::from(source.samples[(y + dy) * wide + x * c + channel]);
            for dy in 0..size {
                (0..size - 1).for_each(|x| counts[at(x, dy)] += 1);
            }
            // `below` samples are less than `level`.
            let (mut level, mut below) = (0_usize, 0_u32);
            for x in 0..w {
                for dy in 0..size {
                    let enters = at(x + size - 1, dy);
                    counts[enters] += 1;
                    below += u32::from(enters < level);
                }
                while below > middle {
                    level -= 1;
                    below -= counts[level];
                }
                while below + counts[level] <= middle {
                    below += counts[level];
                    level += 1;
                }
                out[x * c + channel] = level as u8;
                for dy in 0..size {
                    let leaves = at(x, dy);
                    counts[leaves] -= 1;
                    below -= u32::from(leaves < level);
                }
            }
        }
    }
}

impl Augmentation for MedianBlur {
    type Draw = Width;

    fn draw(&self, rng: &mut Rng, _: &RowView<'_>) -> Result<Option<Width>> {
        Ok(Some(Width { size: self.blur_limit.draw(rng) }))
    }

    fn touch(&self, draw: &Width, image: &mut Image) -> Result<()> {
        let size = (draw.size | 1).clamp(3, 255);
        as_bytes(image, |grid| {
            if size <= 7 {
                by_sorting(grid, size)
            } else {
                by_counting(grid, size)
            }
            Ok(())
        })
    }

    fn touches(&self) -> bool {
        true
    }

    fn default_p(&self) -> f64 {
        0.5
    }
}
