//! Shrinking without aliasing: every pixel of the result is a mean of all the pixels under a triangle
//! twice as wide as itself, as Pillow's `resize` with `BILINEAR` does it.

use super::axes::Axis;
use super::edge::{Edge, OUTSIDE};
use super::sample::Sample;
use super::way::nearest;
use pleach_simd::Grid;

/// The pixels of the source that make one pixel of the result along one axis.
struct Span {
    first: usize,
    weights: Vec<f32>,
}

/// The spans along an axis; pixels outside the source or its window have no weight. A pixel of the result that lies
/// outside is the one that the border puts there, or has no span.
fn spans<T: Copy>(axis: &Axis, count: usize, edge: &Edge<T>) -> Vec<Span> {
    let wide = axis.scale.abs().max(1.0);
    let window = axis.window();
    let [low, high] = [window[0].max(0) as f64, window[1].min(axis.len as i64 - 1) as f64];
    let span = |i: usize| {
        let centre = axis.centre(i);
        let first = (centre - wide).ceil().max(low);
        let last = (centre + wide).floor().min(high);
        let inside = (low - 0.5..=high + 0.5).contains(&centre) && first <= last;
        if !inside {
            return match edge.index(nearest(centre).max(window[0]).min(window[1]), axis.len) {
                OUTSIDE => Span { first: 0, weights: Vec::new() },
                first => Span { first, weights: vec![1.0] },
            };
        }
        let raw: Vec<f64> =
            (first as usize..=last as usize).map(|j| (1.0 - (j as f64 - centre).abs() / wide).max(0.0)).collect();
        let sum: f64 = raw.iter().sum();
        Span { first: first as usize, weights: raw.iter().map(|w| (w / sum) as f32).collect() }
    };
    (0..count).map(span).collect()
}

/// Samples `from` into `out`, columns first; pixels outside the source are left as they are.
pub(super) fn shrink<T: Sample>(
    from: &Grid<'_, T>,
    x: &Axis,
    y: &Axis,
    edge: &Edge<T>,
    size: (usize, usize),
    out: &mut [T],
) {
    let channels = from.channels;
    let width = size.0 * channels;
    let (cols, rows) = (spans(x, size.0, edge), spans(y, size.1, edge));
    let mut half = vec![0f32; y.len * width];
    for (j, half) in half.chunks_exact_mut(width).enumerate() {
        for (span, half) in cols.iter().zip(half.chunks_exact_mut(channels)) {
            for (i, w) in (span.first..).zip(&span.weights) {
                let pixel = &from.data[j * y.stride + i * x.stride..][..channels];
                half.iter_mut().zip(pixel).for_each(|(h, p)| *h += w * p.wide());
            }
        }
    }
    let mut sums = vec![0f32; width];
    for (span, out) in rows.iter().zip(out.chunks_exact_mut(width)) {
        if span.weights.is_empty() {
            continue;
        }
        sums.fill(0.0);
        for (j, w) in (span.first..).zip(&span.weights) {
            sums.iter_mut().zip(&half[j * width..][..width]).for_each(|(s, h)| *s += w * h);
        }
        let pixels = out.chunks_exact_mut(channels).zip(sums.chunks_exact(channels));
        for ((out, sum), _) in pixels.zip(&cols).filter(|(_, col)| !col.weights.is_empty()) {
            out.iter_mut().zip(sum).for_each(|(o, &s)| *o = T::of(s));
        }
    }
}
