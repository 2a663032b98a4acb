//! The passes of losses of regions over logits and masks.

use super::{Beside, Region, Terms};
use crate::batch::not_empty;
use crate::binary::{self, Piece};
use crate::reduce::Reduce;
use pleach_core::Result;
use pleach_core::kinds::backend::FusedInput;
use pleach_simd::Float;

/// Sums in the first pass, gradients in the second.
pub(super) fn passes(region: &Region, beside: &Beside, input: &mut FusedInput<'_>) -> Result<f64> {
    not_empty(input.shape)?;
    let samples = input.shape.first().copied().unwrap_or(1);
    let channels = input.shape.get(1).copied().unwrap_or(1);
    let all = input.prediction.len();
    let inner = all / (samples * channels);
    let (reduce, squared) = (region.reduce, region.terms == Terms::Squared);
    // Elements that follow each other and belong to one group.
    let run = match reduce {
        Reduce::Batch => all,
        Reduce::Sample => inner * channels,
        Reduce::Class | Reduce::SampleClass => inner,
    };
    let group = move |at: usize| {
        let plane = at / inner;
        reduce.group(channels, plane / channels, plane % channels)
    };
    let with_bce = matches!(beside, Beside::Bce);
    let mut pieces = binary::runs::<4>(input, run)?;
    binary::pass(&mut pieces, |Piece { x, t, g, sums, .. }| {
        let [b, p, m] = if squared { sums_of_squares(x, t, g) } else { sums_of(x, t, g) };
        *sums = [b, p, m, if with_bce { cross_entropy(x, t) } else { 0.0 }];
    });
    let shape = reduce.groups(samples, channels);
    let mut sums = [0, 1, 2].map(|_| vec![0.0; shape[0] * shape[1]]);
    let mut bce = 0.0;
    for piece in &pieces {
        for (sums, sum) in sums.iter_mut().zip(piece.sums) {
            sums[group(piece.at)] += sum;
        }
        bce += piece.sums[3];
    }
    let slopes = region.slopes(shape, sums)?;
    let share = 1.0 / all as f64;
    binary::pass(&mut pieces, |Piece { x, t, g, at, .. }| {
        let group = group(*at);
        let (by_p, by_pt) = (slopes.predicted[group], slopes.both[group]);
        match squared {
            true => gradient_of_squares(x, t, g, by_p + by_p, by_pt),
            false => gradient(t, g, by_p, by_pt),
        }
        if with_bce {
            add_cross_entropy(x, t, g, share as f32);
        }
    });
    Ok(slopes.value + bce * share)
}

/// Sums kept side by side, in f64.
const LANES: usize = 8;

/// The logistic function of a logit, and its slope.
#[inline(always)]
fn logistic<T: Float>(x: T) -> (T, T) {
    // exp(-|x|) cannot overflow, and gives the function on both sides of 0.
    let e = (-x.abs()).exp();
    let above = T::ONE / (T::ONE + e);
    (if x < T::ZERO { e * above } else { above }, e * above * above)
}

pleach_simd::lanes! {
    /// The sums of p t, p and t; leaves the slope of p by the logit in place of the gradient.
    fn sums_of<T: Float>(x: &[T], t: &[T], slope: &mut [T]) -> [f64; 3] {
        let (mut b, mut p, mut m) = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
        for ((x, t), slope) in x.chunks(LANES).zip(t.chunks(LANES)).zip(slope.chunks_mut(LANES)) {
            for (i, ((&x, &t), slope)) in x.iter().zip(t).zip(slope).enumerate() {
                let (y, dy) = logistic(x);
                *slope = dy;
                let (y, t) = (y.wide(), t.wide());
                b[i] += y * t;
                p[i] += y;
                m[i] += t;
            }
        }
        [b.iter().sum(), p.iter().sum(), m.iter().sum()]
    }
}

pleach_simd::lanes! {
    /// The sums of p t and of the squares of p and of t; leaves the slope of p.
    fn sums_of_squares<T: Float>(x: &[T], t: &[T], slope: &mut [T]) -> [f64; 3] {
        let (mut b, mut p, mut m) = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
        for ((x, t), slope) in x.chunks(LANES).zip(t.chunks(LANES)).zip(slope.chunks_mut(LANES)) {
            for (i, ((&x, &t), slope)) in x.iter().zip(t).zip(slope).enumerate() {
                let (y, dy) = logistic(x);
                *slope = dy;
                let (y, t) = (y.wide(), t.wide());
                b[i] += y * t;
                p[i] += y * y;
                m[i] += t * t;
            }
        }
        [b.iter().sum(), p.iter().sum(), m.iter().sum()]
    }
}

/// Turns slopes of p into the gradient.
fn gradient(t: &[f32], slope: &mut [f32], by_p: f32, by_pt: f32) {
    for (g, &t) in slope.iter_mut().zip(t) {
        *g *= by_p + by_pt * t;
    }
}

pleach_simd::lanes! {
    /// Turns slopes of p into the gradient, where the sum is of squares of p.
    fn gradient_of_squares<T: Float>(x: &[T], t: &[T], slope: &mut [T], by_p: T, by_pt: T) {
        for ((g, &t), &x) in slope.iter_mut().zip(t).zip(x) {
            *g *= by_p * logistic(x).0 + by_pt * t;
        }
    }
}

pleach_simd::lanes! {
    /// The sum of binary cross-entropies.
    fn cross_entropy<T: Float>(x: &[T], t: &[T]) -> f64 {
        let mut sums = [0.0; LANES];
        for (x, t) in x.chunks(LANES).zip(t.chunks(LANES)) {
            for (i, (&x, &t)) in x.iter().zip(t).enumerate() {
                sums[i] += ((T::ONE - t) * x + (-x.abs()).exp().ln_1p() + (-x).larger(T::ZERO)).wide();
            }
        }
        sums.iter().sum()
    }
}

pleach_simd::lanes! {
    /// Adds their gradients, p - t, times a share.
    fn add_cross_entropy<T: Float>(x: &[T], t: &[T], g: &mut [T], share: T) {
        for ((g, &t), &x) in g.iter_mut().zip(t).zip(x) {
            // As (1 - t) p - t (1 - p), which loses nothing where p is nearly t.
            *g += share * ((T::ONE - t) * logistic(x).0 - t * logistic(-x).0);
        }
    }
}
