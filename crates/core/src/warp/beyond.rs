//! Windows as they are that reach beyond a source with a constant border: rows of its pixels with border between them.

use super::matrix::exchanges_axes;
use super::sample::Sample;
use super::way::Way;
use pleach_simd::Grid;
use std::ops::Range;

/// Pixels of a result along an axis that show those of the source, of which there are `len`, and the first of these; none
/// where they lie between pixels.
fn own(scale: f64, shift: f64, len: usize, count: usize) -> Option<(Range<usize>, usize)> {
    // Farther than this no image reaches.
    if scale != 1.0 || shift.fract() != 0.0 || shift.abs() > 1e12 {
        return None;
    }
    let shift = shift as i64;
    let within = |at: i64| at.clamp(0, count as i64) as usize;
    Some((within(-shift)..within(len as i64 - shift), shift.max(0) as usize))
}

/// Puts the pixels of a window behind `out`, with the row `blank` where it reaches outside; false, and nothing done, where
/// the map shows no such window.
pub(super) fn shown<T: Sample>(
    from: &Grid<'_, T>,
    way: &Way<'_>,
    size: (usize, usize),
    blank: &[T],
    out: &mut Vec<T>,
) -> bool {
    if !way.keeps_axes() || way.within.is_some() || exchanges_axes(&way.matrix) {
        return false;
    }
    let [x, y, _] = way.matrix;
    let cols = own(x[0], x[2], from.width, size.0);
    let (Some((cols, left)), Some((rows, top))) = (cols, own(y[1], y[2], from.height, size.1)) else { return false };
    let channels = from.channels;
    let alike = blank.first().filter(|first| blank.iter().take(channels).all(|v| v == *first));
    let border = |mut pixels: usize, out: &mut Vec<T>| match alike {
        Some(value) => value.repeat(pixels * channels, out),
        None => {
            while pixels > 0 {
                let n = pixels.min(size.0);
                out.extend_from_slice(&blank[..n * channels]);
                pixels -= n;
            }
        }
    };
    if cols.is_empty() || rows.is_empty() {
        border(size.0 * size.1, out);
        return true;
    }
    // What follows a row and what comes before the next one are one piece.
    let mut pixels = rows.start * size.0 + cols.start;
    for y in top..top + rows.len() {
        border(pixels, out);
        out.extend_from_slice(&from.data[(y * from.width + left) * channels..][..cols.len() * channels]);
        pixels = size.0 - cols.len();
    }
    border((size.1 - rows.end) * size.0 + size.0 - cols.end, out);
    true
}

#[cfg(test)]
mod tests {
    use super::super::edge::Edge;
    use super::super::matrix::shift;
    use super::super::wide::tests::noise;
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_window_has_the_pixels_that_stand_there(
            (w, h) in (1usize..20, 1usize..20), (n, m) in (1usize..40, 1usize..40), channels in 1usize..=5,
            left in -50i64..50, top in -50i64..50, fill in prop::array::uniform4(0u8..3), seed: u32,
        ) {
            let data = noise(w * h * channels, seed);
            let from = Grid { data: &data, width: w, height: h, channels };
            let way = Way { matrix: shift(left as f64, top as f64), field: None, within: None };
            let blank: Vec<u8> = (0..n).flat_map(|_| (0..channels).map(|k| fill[k.min(3)])).collect();
            let mut out = vec![1, 2];
            prop_assert!(shown(&from, &way, (n, m), &blank, &mut out));
            prop_assert_eq!(out.len(), 2 + n * m * channels);
            let edge = Edge::Constant(fill);
            for (i, v) in out[2..].iter().enumerate() {
                let (x, y, k) = ((i / channels % n) as i64 + left, (i / channels / n) as i64 + top, i % channels);
                let (col, row) = (edge.index(x, w), edge.index(y, h));
                let want = if col < w && row < h { data[(row * w + col) * channels + k] } else { fill[k.min(3)] };
                prop_assert_eq!(*v, want);
            }
        }
    }
}
