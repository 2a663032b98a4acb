//! Samples from more than the four pixels around: cubics, Lanczos windows, and means over what a pixel covers.

use super::Interpolation;
use super::axes::{Axis, axes};
use super::resample::{Edge, Grid, OUTSIDE, Sample, Way, nearest, split};

/// Pixels along one axis that make one pixel of the result, each with its weight.
type Taps = Vec<(usize, f64)>;

/// Where OpenCV rounds places under a turn to.
const STEPS: f64 = 32.0;

/// Samples all of a grid; `out` comes filled with the border.
pub(super) fn sample<T: Sample>(
    from: &Grid<'_, T>,
    way: &Way<'_>,
    size: (usize, usize),
    how: Interpolation,
    edge: &Edge<T>,
    out: &mut [T],
) {
    let Some(empty) = edge.fill().or_else(|| from.data.first().map(|v| [*v; 4])) else { return };
    if way.keeps_axes() {
        let (x, y) = axes(from, &way.matrix);
        let along = |axis: &Axis, n: usize| (0..n).map(|i| taps_of(axis, i, how, edge)).collect::<Vec<_>>();
        in_two(from, (&x, &along(&x, size.0)), (&y, &along(&y, size.1)), empty, out);
        return;
    }
    let channels = from.channels;
    let mut sums = vec![0.0; channels];
    for (i, out) in out.chunks_exact_mut(channels).enumerate() {
        let place = way.place((i % size.0) as f64, (i / size.0) as f64).map(|v| (v * STEPS).round() / STEPS);
        let [cols, rows] = [0, 1].map(|axis| taps_at(place[axis], [from.width, from.height][axis], how, edge));
        sums.fill(0.0);
        for (row, wy) in &rows {
            for (col, wx) in &cols {
                let inside = *row != OUTSIDE && *col != OUTSIDE;
                let start = if inside { (row * from.width + col) * channels } else { 0 };
                for (k, sum) in sums.iter_mut().enumerate() {
                    let v = if inside { from.data[start + k] } else { empty[k.min(3)] };
                    *sum += wx * wy * f64::from(v.wide());
                }
            }
        }
        out.iter_mut().zip(&sums).for_each(|(o, s)| *o = T::of(*s as f32));
    }
}

/// Columns first, then rows.
fn in_two<T: Sample>(
    from: &Grid<'_, T>,
    (x, cols): (&Axis, &[Taps]),
    (y, rows): (&Axis, &[Taps]),
    empty: [T; 4],
    out: &mut [T],
) {
    let channels = from.channels;
    let width = cols.len() * channels;
    let mut half = vec![0.0; y.len * width];
    for (j, half) in half.chunks_exact_mut(width).enumerate() {
        for (taps, half) in cols.iter().zip(half.chunks_exact_mut(channels)) {
            for (k, sum) in half.iter_mut().enumerate() {
                let value = |i: usize| match i {
                    OUTSIDE => empty[k.min(3)],
                    i => from.data[j * y.stride + i * x.stride + k],
                };
                *sum = taps.iter().map(|(i, w)| w * f64::from(value(*i).wide())).sum();
            }
        }
    }
    for (taps, out) in rows.iter().zip(out.chunks_exact_mut(width)) {
        for (at, out) in out.iter_mut().enumerate() {
            let value = |j: usize| match j {
                OUTSIDE => f64::from(empty[(at % channels).min(3)].wide()),
                j => half[j * width + at],
            };
            *out = T::of(taps.iter().map(|(j, w)| w * value(*j)).sum::<f64>() as f32);
        }
    }
}

fn taps_of<T: Copy>(axis: &Axis, i: usize, how: Interpolation, edge: &Edge<T>) -> Taps {
    let centre = axis.scale * i as f64 + axis.shift;
    if how != Interpolation::Area {
        return taps_at(centre, axis.len, how, edge);
    }
    let (first, last) = (centre + 0.5 - axis.scale.abs() / 2.0, centre + 0.5 + axis.scale.abs() / 2.0);
    let (first, last) = (first.max(0.0), last.min(axis.len as f64));
    if last - first < 1e-9 {
        return vec![(edge.index(nearest(centre), axis.len), 1.0)];
    }
    let covered = |j: usize| (last.min(j as f64 + 1.0) - first.max(j as f64)) / (last - first);
    let pixels = first as usize..(last.ceil() as usize).min(axis.len);
    pixels.map(|j| (j, covered(j))).filter(|(_, w)| *w > 1e-9).collect()
}

fn taps_at<T: Copy>(place: f64, len: usize, how: Interpolation, edge: &Edge<T>) -> Taps {
    let (start, beyond) = split(place);
    let x = f64::from(beyond);
    let weights = match how {
        Interpolation::Bicubic => cubic(x).to_vec(),
        Interpolation::Lanczos4 => lanczos(x).to_vec(),
        _ => vec![1.0 - x, x],
    };
    let before = weights.len() as i64 / 2 - 1;
    (start - before..).map(|i| edge.index(i, len)).zip(weights).filter(|(_, w)| *w != 0.0).collect()
}

/// Keys, "Cubic convolution interpolation for digital image processing", 1981.
fn cubic(x: f64) -> [f64; 4] {
    const A: f64 = -0.75;
    let near = |x: f64| ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0;
    let far = |x: f64| ((A * x - 5.0 * A) * x + 8.0 * A) * x - 4.0 * A;
    [far(x + 1.0), near(x), near(1.0 - x), far(2.0 - x)]
}

fn lanczos(x: f64) -> [f64; 8] {
    let sinc = |x: f64| if x == 0.0 { 1.0 } else { (std::f64::consts::PI * x).sin() / (std::f64::consts::PI * x) };
    let raw = [3.0, 2.0, 1.0, 0.0, -1.0, -2.0, -3.0, -4.0].map(|i| sinc(x + i) * sinc((x + i) / 4.0));
    let sum: f64 = raw.iter().sum();
    raw.map(|w| w / sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_sum_to_one_and_a_pixel_is_itself() {
        for x in [0.0, 0.25, 0.5, 0.9] {
            assert!((cubic(x).iter().sum::<f64>() - 1.0).abs() < 1e-12);
            assert!((lanczos(x).iter().sum::<f64>() - 1.0).abs() < 1e-12);
        }
        assert_eq!(cubic(0.0), [0.0, 1.0, 0.0, 0.0]);
        assert!(lanczos(0.0).iter().enumerate().all(|(i, w)| (w - f64::from(u8::from(i == 3))).abs() < 1e-12));
    }

    #[test]
    fn a_mean_over_three_halves_of_a_pixel_takes_a_half_of_the_second() {
        let axis = Axis { scale: 1.5, shift: 0.25, len: 6, stride: 1 };
        let edge: Edge<u8> = Edge::Replicate;
        let close = |taps: Taps, want: &[(usize, f64)]| {
            taps.len() == want.len() && taps.iter().zip(want).all(|(a, b)| a.0 == b.0 && (a.1 - b.1).abs() < 1e-9)
        };
        let third = 1.0 / 3.0;
        assert!(close(taps_of(&axis, 0, Interpolation::Area, &edge), &[(0, 2.0 * third), (1, third)]));
        assert!(close(taps_of(&axis, 1, Interpolation::Area, &edge), &[(1, third), (2, 2.0 * third)]));
    }
}
