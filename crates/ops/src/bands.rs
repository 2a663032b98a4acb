//! What each position along a resized axis takes from the old one: a few neighbours, each with a weight.

use crate::host::Real;
use crate::{Corners, Interpolation};
use std::ops::Range;

/// The rows of a matrix, each made as long as the longest: positions and weights, `width` for each row.
pub(crate) struct Even<T> {
    pub width: usize,
    pub taps: Vec<(u32, T)>,
}

/// A matrix whose rows are zero but for one run of neighbours.
pub(crate) struct Bands {
    /// Columns of the matrix: positions along the old axis.
    source: usize,
    /// For each row, where its run begins, and where its weights end.
    starts: Vec<usize>,
    ends: Vec<usize>,
    weights: Vec<f64>,
}

impl Bands {
    /// From `from` positions to `to`, perhaps by a factor that is not their quotient.
    pub fn new(how: Interpolation, from: usize, to: usize, factor: Option<f64>) -> Self {
        let mut bands = Self::empty(from, to);
        let axis = Axis { from, scale: scale(how, from, to, factor) };
        let mut run = Vec::new();
        for i in 0..to {
            run.clear();
            let start = match how {
                // Whatever the factor, as PyTorch's values are (its gradients do not all agree with them).
                _ if from == to && !matches!(how, Interpolation::Bicubic(_)) => axis.one(i, &mut run),
                Interpolation::Nearest if to == 2 * from => axis.one(i / 2, &mut run),
                Interpolation::Nearest | Interpolation::NearestExact => axis.nearest(how, i, &mut run),
                Interpolation::Bilinear(corners) => axis.linear(corners, i, &mut run),
                Interpolation::Bicubic(corners) => axis.cubic(corners, i, &mut run),
                Interpolation::SmoothBilinear(_) => axis.smooth(i, 1.0, |x| (1.0 - x).max(0.0), &mut run),
                Interpolation::SmoothBicubic(_) => axis.smooth(i, 2.0, |x| keys(-0.5, x), &mut run),
                Interpolation::Area => axis.mean(i, to, &mut run),
            };
            bands.push(start, &run);
        }
        bands
    }

    fn empty(source: usize, len: usize) -> Self {
        Self {
            source,
            starts: Vec::with_capacity(len),
            ends: Vec::with_capacity(len),
            weights: Vec::with_capacity(len),
        }
    }

    fn push(&mut self, start: usize, run: &[f64]) {
        self.starts.push(start);
        self.weights.extend_from_slice(run);
        self.ends.push(self.weights.len());
    }

    /// Rows: positions along the new axis.
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Positions along the old axis.
    pub fn source(&self) -> usize {
        self.source
    }

    /// The first position that row `i` takes from, and where its weights are.
    #[inline(always)]
    pub fn at(&self, i: usize) -> (usize, Range<usize>) {
        let from = if i == 0 { 0 } else { self.ends[i - 1] };
        (self.starts[i], from..self.ends[i])
    }

    /// The weights in the precision of the images.
    pub fn parts<T: Real>(&self) -> Vec<T> {
        self.weights.iter().map(|&w| T::of(w)).collect()
    }

    /// All rows with the same number of taps, 1, 2, 4 or 8; nothing if they are longer. A short row takes its last
    /// position again for half the weight each: a weight of 0 elsewhere would let infinities in, or make them NaN.
    pub fn even<T: Real>(&self) -> Option<Even<T>> {
        let lengths = || (0..self.len()).map(|i| self.at(i).1.len());
        let longest = lengths().max()?;
        let width = [1, 2, 4, 8].into_iter().find(|&width| longest <= width)?;
        if lengths().any(|length| length == 0) || u32::try_from(self.source).is_err() {
            return None;
        }
        let mut taps: Vec<(u32, T)> = Vec::with_capacity(self.len() * width);
        for i in 0..self.len() {
            let (start, span) = self.at(i);
            let row = taps.len();
            taps.extend(self.weights[span].iter().enumerate().map(|(j, &w)| ((start + j) as u32, T::of(w))));
            for _ in taps.len()..row + width {
                if let Some((at, weight)) = taps.pop() {
                    taps.extend([(at, weight / T::of(2.0)); 2]);
                }
            }
        }
        Some(Even { width, taps })
    }

    /// The transposed matrix: what each old position gives to the new ones, which are neighbours too, as runs only move
    /// forward.
    pub fn transposed(&self) -> Self {
        let mut reach = vec![0..0; self.source];
        for i in 0..self.len() {
            let (start, span) = self.at(i);
            for reach in &mut reach[start..start + span.len()] {
                let first = if reach.start == reach.end { i } else { reach.start };
                *reach = first..i + 1;
            }
        }
        let mut bands = Self::empty(self.len(), self.source);
        let mut run = Vec::new();
        for (at, reach) in reach.into_iter().enumerate() {
            run.clear();
            let start = reach.start;
            run.extend(reach.map(|i| {
                let (start, span) = self.at(i);
                let inside = (start..start + span.len()).contains(&at);
                if inside { self.weights[span.start + at - start] } else { 0.0 }
            }));
            bands.push(start, &run);
        }
        bands
    }
}

/// How far apart, along the old axis, neighbours on the new one lie.
fn scale(how: Interpolation, from: usize, to: usize, factor: Option<f64>) -> f64 {
    match how {
        Interpolation::Bilinear(Corners::Centres)
        | Interpolation::Bicubic(Corners::Centres)
        | Interpolation::SmoothBilinear(Corners::Centres)
        | Interpolation::SmoothBicubic(Corners::Centres) => {
            if to > 1 {
                (from - 1) as f64 / (to - 1) as f64
            } else {
                0.0
            }
        }
        _ => factor.map_or(from as f64 / to as f64, |f| 1.0 / f),
    }
}

struct Axis {
    from: usize,
    scale: f64,
}

/// The cubic convolution kernel at distance `x`.
fn keys(a: f64, x: f64) -> f64 {
    match x {
        x if x < 1.0 => ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0,
        x if x < 2.0 => (((x - 5.0) * x + 8.0) * x - 4.0) * a,
        _ => 0.0,
    }
}

impl Axis {
    fn one(&self, at: usize, run: &mut Vec<f64>) -> usize {
        run.push(1.0);
        at
    }

    /// In `f32` as PyTorch, whose choice at a tie is the rounding's.
    fn nearest(&self, how: Interpolation, i: usize, run: &mut Vec<f64>) -> usize {
        let scale = self.scale as f32;
        let at = match how {
            Interpolation::NearestExact => ((i as f64 + 0.5) * f64::from(scale)) as f32,
            _ => i as f32 * scale,
        };
        self.one((at as usize).min(self.from - 1), run)
    }

    /// All that the position covers, in whole positions.
    fn mean(&self, i: usize, to: usize, run: &mut Vec<f64>) -> usize {
        let (start, end) = (i * self.from / to, ((i + 1) * self.from).div_ceil(to));
        run.resize(end - start, 1.0 / (end - start) as f64);
        start
    }

    fn source(&self, corners: Corners, i: usize) -> f64 {
        match corners {
            Corners::Edges => self.scale * (i as f64 + 0.5) - 0.5,
            Corners::Centres => self.scale * i as f64,
        }
    }

    fn linear(&self, corners: Corners, i: usize, run: &mut Vec<f64>) -> usize {
        let source = self.source(corners, i).clamp(0.0, (self.from - 1) as f64);
        let first = source as usize;
        let second = source - first as f64;
        run.push(1.0 - second);
        if first + 1 < self.from {
            run.push(second);
        }
        first
    }

    /// Neighbours beyond the ends count as the ends.
    fn cubic(&self, corners: Corners, i: usize, run: &mut Vec<f64>) -> usize {
        let last = (self.from - 1) as f64;
        let source = self.source(corners, i);
        let before = source.floor().min(last);
        let beyond = (source - before).clamp(0.0, 1.0);
        let start = (before - 1.0).clamp(0.0, last) as usize;
        for tap in -1..=2 {
            let at = (before + f64::from(tap)).clamp(0.0, last) as usize;
            let weight = keys(-0.75, (f64::from(tap) - beyond).abs());
            match run.get_mut(at - start) {
                Some(sum) => *sum += weight,
                None => run.push(weight),
            }
        }
        start
    }

    /// A kernel of half-width `reach`, as wide as the scale if that is above 1, and its weights made to sum to 1.
    fn smooth(&self, i: usize, reach: f64, kernel: impl Fn(f64) -> f64, run: &mut Vec<f64>) -> usize {
        let wide = self.scale.max(1.0);
        let support = reach * wide;
        let centre = self.scale * (i as f64 + 0.5);
        let start = ((centre - support + 0.5).max(0.0) as usize).min(self.from - 1);
        let end = ((centre + support + 0.5) as usize).clamp(start + 1, self.from);
        run.extend((start..end).map(|at| kernel(((at as f64 - centre + 0.5) / wide).abs())));
        let sum: f64 = run.iter().sum();
        if sum != 0.0 {
            run.iter_mut().for_each(|w| *w /= sum);
        }
        start
    }
}
