//! Eight-bit images changed by tables: one look-up a sample.

use super::grid::Grid;
use pleach_simd::{translate, translate_rgb};

/// The table of a function; what it gives is bounded to 0 to 255 and its fraction dropped.
pub(crate) fn truncated(f: impl Fn(f32) -> f32) -> [u8; 256] {
    std::array::from_fn(|i| f(i as f32).clamp(0.0, 255.0) as u8)
}

/// Looks every sample up.
pub(crate) fn look_up(grid: &mut Grid<u8>, tables: &[[u8; 256]]) {
    match tables {
        [] => {}
        [one] => translate(&mut grid.samples, one),
        [r, g, b] if grid.channels == 3 => translate_rgb(&mut grid.samples, [r, g, b]),
        many => {
            for pixel in grid.samples.chunks_exact_mut(grid.channels) {
                for (x, table) in pixel.iter_mut().zip(many) {
                    *x = table[usize::from(*x)];
                }
            }
        }
    }
}

/// How often each value is in each channel.
pub(crate) fn histograms(grid: &Grid<u8>) -> Vec<[u32; 256]> {
    let channels = grid.channels;
    // Pixels go to two counts in turn: neighbours are often equal, and a count that was just written is slow to read.
    let mut counts = vec![[0_u32; 256]; 2 * channels];
    for pair in grid.samples.chunks(2 * channels) {
        for (x, count) in pair.iter().zip(&mut counts) {
            count[usize::from(*x)] += 1;
        }
    }
    let (first, second) = counts.split_at_mut(channels);
    for (a, b) in first.iter_mut().zip(second) {
        for (a, b) in a.iter_mut().zip(b) {
            *a += *b;
        }
    }
    counts.truncate(channels);
    counts
}
