//! The passes of losses of regions over logits and masks.

use super::{Beside, Region, Terms};
use crate::batch::not_empty;
use crate::binary::{self, Stretch};
use crate::reduce::Reduce;
use crate::strips::{Made, cross_entropy, logistic, of_logits, rewrite};
use pleach_core::Result;
use pleach_core::kinds::backend::{Fused, FusedInput};

/// Sums in the first pass, gradients in the second.
pub(super) fn passes(region: &Region, beside: &Beside, input: &FusedInput<'_>) -> Result<Fused> {
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
    // Probabilities take the place of the gradient, which can be had of them and of the mask alone.
    let (mut gradient, [.., bce]) = binary::pass(&mut pieces, |Stretch { x, t, .. }, g| match (squared, with_bce) {
        (false, false) => of_logits(x, t, g, |x, t, e| plain(logistic(x, e)[0], t, 0.0)),
        (false, true) => of_logits(x, t, g, |x, t, e| plain(logistic(x, e)[0], t, cross_entropy(x, t, e))),
        (true, false) => of_logits(x, t, g, |x, t, e| squares(logistic(x, e)[0], t, 0.0)),
        (true, true) => of_logits(x, t, g, |x, t, e| squares(logistic(x, e)[0], t, cross_entropy(x, t, e))),
    });
    let shape = reduce.groups(samples, channels);
    let mut sums = [0, 1, 2].map(|_| vec![0.0; shape[0] * shape[1]]);
    for piece in &pieces {
        for (sums, sum) in sums.iter_mut().zip(piece.sums) {
            sums[group(piece.all.at)] += sum;
        }
    }
    let slopes = region.slopes(shape, sums)?;
    let share = 1.0 / all as f64;
    binary::pass_again(&pieces, &mut gradient, |Stretch { t, at, .. }, g| {
        let group = group(*at);
        let (by_p, by_pt) = (slopes.predicted[group], slopes.both[group]);
        let share = if with_bce { share as f32 } else { 0.0 };
        match squared {
            true => rewrite(g, t, |p, t| p * (1.0 - p) * ((by_p + by_p) * p + by_pt * t) + share * (p - t)),
            false => rewrite(g, t, |p, t| p * (1.0 - p) * (by_p + by_pt * t) + share * (p - t)),
        }
    });
    Ok((slopes.value + bce * share, gradient))
}

/// A probability and the terms of the sums of p t, p and t, and of another.
#[inline(always)]
fn plain(p: f32, t: f32, beside: f32) -> Made<f32, 4> {
    (p, [p * t, p, t, beside])
}

/// The same for the sums of squares of p and of t.
#[inline(always)]
fn squares(p: f32, t: f32, beside: f32) -> Made<f32, 4> {
    (p, [p * t, p * p, t * t, beside])
}
