//! What losses of overlap share: one minus a quotient of sums over the whole batch.

use crate::binary::{self, Piece};
use crate::reduction::sum;
use pleach_core::kinds::backend::FusedInput;
use pleach_core::{DType, FusedLoss, LossInput, Result, Tensor};
use pleach_simd::Float;
use std::sync::Arc;

/// `(1 - (both B + smooth) / (predicted P + there T + smooth))^gamma`, where p is the logistic function of the
/// logits, t the mask, and B, P and T are the sums of p t, p and t over all elements of the batch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Overlap {
    pub both: f64,
    pub predicted: f64,
    pub there: f64,
    pub smooth: f64,
    pub gamma: f64,
}

/// A denominator below this is that of a batch without an object, in which none was found either: both count as
/// right, the loss is 0, and so is its gradient. A billion f32 probabilities that are all but 0 add up to less,
/// so that it does not matter how the exponential of a saturated logit is rounded.
const NOTHING: f64 = 1e-20;
/// A loss below this is 0: a power below 1 has an infinite slope there.
const PERFECT: f64 = 1e-12;

impl Overlap {
    /// The definition.
    pub(crate) fn forward(&self, x: &LossInput<'_>) -> Result<Tensor> {
        let (logits, t) = binary::inputs(x)?;
        let p = pleach_ops::sigmoid(&logits)?;
        let quotient_of = ((sum(&(&p * &t)?)? * self.both)? + self.smooth)?;
        let denominator = (((sum(&p)? * self.predicted)? + (sum(&t)? * self.there)?)? + self.smooth)?;
        let nothing = denominator.lt(NOTHING)?.to_dtype(DType::F64)?;
        let quotient = ((quotient_of + &nothing)? / (denominator + nothing)?)?;
        let loss = (1.0 - quotient)?;
        if self.gamma == 1.0 {
            return Ok(loss.to_dtype(logits.dtype())?);
        }
        let perfect = loss.lt(PERFECT)?.to_dtype(DType::F64)?;
        let loss = ((loss * (1.0 - &perfect)?)? + &perfect)?;
        Ok((loss.powf(self.gamma)? - perfect)?.to_dtype(logits.dtype())?)
    }

    /// Value and gradient over slices.
    pub(crate) fn fused(self, name: &'static str) -> FusedLoss {
        FusedLoss { name, cpu: Arc::new(move |input| self.both_passes(input)) }
    }

    fn both_passes(&self, input: &mut FusedInput<'_>) -> Result<f64> {
        let mut pieces = binary::pieces::<3>(input)?;
        let [b, p, t] = binary::pass(&mut pieces, |piece| piece.sums = sums(piece.x, piece.t, piece.g));
        let (value, by_p, by_pt) = self.value_and_slopes(b, p, t);
        let (by_p, by_pt) = (by_p as f32, by_pt as f32);
        binary::pass(&mut pieces, |piece: &mut Piece<'_, 3>| gradient(piece.t, piece.g, by_p, by_pt));
        Ok(value)
    }

    /// The value, and its derivatives by p and by p t of one element.
    fn value_and_slopes(&self, b: f64, p: f64, t: f64) -> (f64, f64, f64) {
        let numerator = self.both * b + self.smooth;
        let denominator = self.predicted * p + self.there * t + self.smooth;
        if denominator < NOTHING {
            return (0.0, 0.0, 0.0);
        }
        let quotient = numerator / denominator;
        let loss = 1.0 - quotient;
        let (value, slope) = match self.gamma == 1.0 {
            true => (loss, 1.0),
            false if loss < PERFECT => (0.0, 0.0),
            false => (loss.powf(self.gamma), self.gamma * loss.powf(self.gamma - 1.0)),
        };
        (value, slope * quotient * self.predicted / denominator, -slope * self.both / denominator)
    }
}

/// Sums kept side by side, in f64.
const LANES: usize = 8;

pleach_simd::lanes! {
    // The type is that of all slices.
    fn sums_of<T: Float>(x: &[T], t: &[T], slope: &mut [T]) -> [f64; 3] {
        let (mut b, mut p, mut m) = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
        for ((x, t), slope) in x.chunks(LANES).zip(t.chunks(LANES)).zip(slope.chunks_mut(LANES)) {
            for (i, ((&x, &t), slope)) in x.iter().zip(t).zip(slope).enumerate() {
                // exp(-|x|) cannot overflow, and gives the function on both sides of 0.
                let e = (-x.abs()).exp();
                let above = T::ONE / (T::ONE + e);
                let y = if x < T::ZERO { e * above } else { above };
                *slope = e * above * above;
                let (y, t) = (y.wide(), t.wide());
                b[i] += y * t;
                p[i] += y;
                m[i] += t;
            }
        }
        [b.iter().sum(), p.iter().sum(), m.iter().sum()]
    }
}

/// The sums of p t, p and t; leaves the slope of p by the logit in place of the gradient.
fn sums(x: &[f32], t: &[f32], slope: &mut [f32]) -> [f64; 3] {
    sums_of(x, t, slope)
}

/// Turns slopes of p into the gradient.
fn gradient(t: &[f32], slope: &mut [f32], by_p: f32, by_pt: f32) {
    for (g, &t) in slope.iter_mut().zip(t) {
        *g *= by_p + by_pt * t;
    }
}
