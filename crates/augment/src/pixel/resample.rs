//! Another size by weights along rows and columns, as OpenCV's `resize` has them.

use super::grid::Grid;
use pleach_core::config;

/// How pixels between pixels are made.
#[config]
#[derive(Default)]
pub enum Kernel {
    /// The nearest pixel, by its corner (`INTER_NEAREST`).
    #[default]
    #[config(also = ["0"])]
    Nearest,
    /// The nearest pixel, by its centre (`INTER_NEAREST_EXACT`).
    #[config(also = ["6"])]
    NearestExact,
    /// The two around (`INTER_LINEAR`).
    #[config(also = ["bilinear", "1"])]
    Linear,
    /// The mean of those that are covered (`INTER_AREA`).
    #[config(also = ["3"])]
    Area,
    /// The four around, by a cubic (`INTER_CUBIC`).
    #[config(also = ["bicubic", "2"])]
    Cubic,
    /// The eight around, by a windowed sinc (`INTER_LANCZOS4`).
    #[config(also = ["4"])]
    Lanczos4,
}

/// The first source sample and the weights of each sample of an axis; samples outside are the nearest inside.
fn weights(from: usize, to: usize, kernel: Kernel, ratio: f64) -> Vec<(isize, Vec<f32>)> {
    let around = |i: usize, n: usize, f: &dyn Fn(f64) -> Vec<f64>| {
        let at = (i as f64 + 0.5) * ratio - 0.5;
        let first = at.floor();
        let all = f(at - first);
        let sum: f64 = all.iter().sum();
        (first as isize - (n as isize / 2 - 1), all.iter().map(|w| (w / sum) as f32).collect())
    };
    let one = |i: usize| match kernel {
        Kernel::Nearest => (((i as f64 * ratio) as usize).min(from - 1) as isize, vec![1.0]),
        Kernel::NearestExact => ((((i as f64 + 0.5) * ratio) as usize).min(from - 1) as isize, vec![1.0]),
        Kernel::Area if ratio > 1.0 => {
            let (start, end) = (i as f64 * ratio, ((i + 1) as f64 * ratio).min(from as f64));
            let first = start.floor();
            let share = |k: usize| {
                let at = first + k as f64;
                (end.min(at + 1.0) - start.max(at)).max(0.0)
            };
            let all: Vec<f64> = (0..(end.ceil() - first) as usize).map(share).collect();
            let sum: f64 = all.iter().sum();
            (first as isize, all.iter().map(|w| (w / sum) as f32).collect())
        }
        // An image that grows has, by area, a linear blend within one source pixel's reach of each border.
        Kernel::Area => {
            let first = (i as f64 * ratio).floor();
            let part = (i + 1) as f64 - (first + 1.0) / ratio;
            let part = if part <= 0.0 { 0.0 } else { part - part.floor() };
            (first as isize, vec![1.0 - part as f32, part as f32])
        }
        Kernel::Linear => around(i, 2, &|t| vec![1.0 - t, t]),
        Kernel::Cubic => around(i, 4, &|t| {
            const A: f64 = -0.75;
            let near = |x: f64| ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0;
            let far = |x: f64| ((A * x - 5.0 * A) * x + 8.0 * A) * x - 4.0 * A;
            vec![far(t + 1.0), near(t), near(1.0 - t), far(2.0 - t)]
        }),
        Kernel::Lanczos4 => around(i, 8, &|t| {
            let sinc = |x: f64| {
                if x.abs() < 1e-9 { 1.0 } else { (std::f64::consts::PI * x).sin() / (std::f64::consts::PI * x) }
            };
            (0..8).map(|k| t + 3.0 - f64::from(k)).map(|x| sinc(x) * sinc(x / 4.0)).collect()
        }),
    };
    (0..to).map(one).collect()
}

/// The image in another size.
pub(crate) fn resized(grid: &Grid<f32>, (width, height): (usize, usize), kernel: Kernel) -> Grid<f32> {
    let (fx, fy) = (grid.width as f64 / width as f64, grid.height as f64 / height as f64);
    scaled(grid, (width, height), kernel, (fx, fy))
}

/// The image in another size, with so many source pixels for each.
pub(crate) fn scaled(grid: &Grid<f32>, (width, height): (usize, usize), kernel: Kernel, by: (f64, f64)) -> Grid<f32> {
    let (c, n) = (grid.channels, width * grid.channels);
    let columns = weights(grid.width, width, kernel, by.0);
    let inside = |i: isize, n: usize| i.clamp(0, n as isize - 1) as usize;
    let mut narrow = vec![0.0; n * grid.height];
    for (row, out) in grid.samples.chunks_exact(grid.row_len()).zip(narrow.chunks_exact_mut(n)) {
        for (out, (first, weights)) in out.chunks_exact_mut(c).zip(&columns) {
            for (k, weight) in weights.iter().enumerate() {
                let from = &row[inside(first + k as isize, grid.width) * c..][..c];
                out.iter_mut().zip(from).for_each(|(out, x)| *out += x * weight);
            }
        }
    }
    let mut samples = vec![0.0; n * height];
    for (out, (first, weights)) in samples.chunks_exact_mut(n).zip(weights(grid.height, height, kernel, by.1)) {
        for (k, weight) in weights.iter().enumerate() {
            let from = &narrow[inside(first + k as isize, grid.height) * n..][..n];
            out.iter_mut().zip(from).for_each(|(out, x)| *out += x * weight);
        }
    }
    Grid { width, height, channels: c, samples }
}

/// Which source sample each sample of an axis is, where there are no pixels between pixels.
pub(crate) fn nearest(from: usize, to: usize, kernel: Kernel, ratio: f64) -> Vec<usize> {
    weights(from, to, kernel, ratio).into_iter().map(|(first, _)| first as usize).collect()
}
