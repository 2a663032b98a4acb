//! Smooths a field of floats.

use pleach_simd::{Float, lanes};

/// A Gaussian over rows and columns, cut off at `radius`; the edge goes on outside.
pub(crate) fn gaussian(field: &mut [f32], (w, h): (usize, usize), sigma: f64, radius: usize) {
    let raw: Vec<f64> = (0..=radius).map(|i| (-0.5 * (i as f64 / sigma).powi(2)).exp()).collect();
    let sum = 2.0 * raw.iter().sum::<f64>() - raw.first().copied().unwrap_or(1.0);
    let half: Vec<f32> = raw.iter().map(|v| (v / sum) as f32).collect();
    let mut padded = vec![0f32; w + 2 * radius];
    for row in field.chunks_exact_mut(w) {
        padded[..radius].fill(row[0]);
        padded[radius..radius + w].copy_from_slice(row);
        padded[radius + w..].fill(row[w - 1]);
        row.fill(0.0);
        for (i, &by) in half.iter().enumerate() {
            let (before, after) = (&padded[radius - i..][..w], &padded[radius + i..][..w]);
            add(before, after, if i == 0 { 0.5 * by } else { by }, row);
        }
    }
    let source = field.to_vec();
    let row_at = |y: i64| &source[y.clamp(0, h as i64 - 1) as usize * w..][..w];
    for (y, out) in field.chunks_exact_mut(w).enumerate() {
        out.fill(0.0);
        for (i, &by) in half.iter().enumerate() {
            let (above, below) = (row_at(y as i64 - i as i64), row_at(y as i64 + i as i64));
            add(above, below, if i == 0 { 0.5 * by } else { by }, out);
        }
    }
}

lanes! {
    fn add<T: Float>(a: &[T], b: &[T], by: T, out: &mut [T]) {
        for ((o, a), b) in out.iter_mut().zip(a).zip(b) {
            *o += (*a + *b) * by;
        }
    }
}
