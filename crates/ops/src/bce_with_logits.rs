//! Binary cross-entropy of logits, element by element.

use crate::host::{Host, Real, dtype, for_float, output, slice, tensor};
use crate::optional::{Input, WithOptional, apply};
use crate::sigmoid::logistic;
use candle_core::{CpuStorage, Result, Shape, Tensor, bail};
use pleach_simd::{lanes, par_rows};

const NAME: &str = "bce_with_logits";

/// `-(pos_weight t ln s(x) + (1 - t) ln(1 - s(x)))` for each logit x and target t of one shape, s the logistic
/// function: computed as `(1 - t) x + (1 + (pos_weight - 1) t) (ln(1 + exp(-|x|)) + max(-x, 0))`, finite for any finite x.
/// `pos_weight` broadcasts to that shape. How to reduce is the caller's.
///
/// All three inputs have gradients. In place of candle-nn's, whose loss is infinite and whose gradient is NaN
/// at logit 100 and target 0.
pub fn bce_with_logits(logits: &Tensor, targets: &Tensor, pos_weight: Option<&Tensor>) -> Result<Tensor> {
    if logits.dims() != targets.dims() {
        bail!("{NAME}: logits {:?} and targets {:?} differ in shape", logits.dims(), targets.dims());
    }
    let weight = match pos_weight {
        None => None,
        Some(w) => match w.broadcast_as(logits.shape()) {
            Ok(w) => Some(w),
            Err(_) => bail!("{NAME}: pos_weight {:?} does not broadcast to logits {:?}", w.dims(), logits.dims()),
        },
    };
    apply(Op, logits, targets, weight.as_ref())
}

struct Op;

/// Elements per task.
const PIECE: usize = 1 << 14;

/// `ln(1 + exp(-x))`.
#[inline(always)]
fn softplus_neg<T: Real>(x: T) -> T {
    (-x.abs()).exp().ln_1p() + (-x).larger(T::ZERO)
}

lanes! {
    /// `out = f(x, t, w)` for each element; `w` is 1 where not given.
    fn map<T: Real, F: Fn(T, T, T) -> T>(x: &[T], t: &[T], w: Option<&[T]>, out: &mut [T], f: F) {
        match w {
            None => {
                for (out, (&x, &t)) in out.iter_mut().zip(x.iter().zip(t)) {
                    *out = f(x, t, T::ONE);
                }
            }
            Some(w) => {
                for (out, ((&x, &t), &w)) in out.iter_mut().zip(x.iter().zip(t).zip(w)) {
                    *out = f(x, t, w);
                }
            }
        }
    }
}

impl Op {
    fn each<T: Real>(
        x: &[T],
        t: &[T],
        w: Option<&[T]>,
        dy: Option<&[T]>,
        f: impl Fn(T, T, T) -> T + Copy + Send + Sync,
    ) -> Vec<T> {
        let mut out = vec![T::ZERO; x.len()];
        par_rows(&mut out, PIECE, |i, out| {
            let at = i * PIECE;
            map(&x[at..], &t[at..], w.map(|w| &w[at..]), out, f);
            if let Some(dy) = dy {
                for (out, &dy) in out.iter_mut().zip(&dy[at..]) {
                    *out *= dy;
                }
            }
        });
        out
    }
}

impl WithOptional for Op {
    const NAME: &'static str = NAME;

    fn forward(&self, x: Input<'_>, t: Input<'_>, w: Option<Input<'_>>) -> Result<(CpuStorage, Shape)> {
        for_float!(NAME, dtype(x.0), T => {
            let shape = x.1.shape();
            let (x, t) = (slice::<T>(NAME, x.0, x.1)?, slice(NAME, t.0, t.1)?);
            let w = w.map(|(s, l)| slice(NAME, s, l)).transpose()?;
            let loss = |x: T, t, w| (1.0 - t) * x + (1.0 + (w - 1.0) * t) * softplus_neg(x);
            Ok(output(Self::each(x, t, w, None, loss), shape))
        })
    }

    fn backward(
        &self,
        x: &Tensor,
        t: &Tensor,
        w: Option<&Tensor>,
        _: &Tensor,
        dy: &Tensor,
    ) -> Result<[Option<Tensor>; 3]> {
        let dy = dy.contiguous()?;
        for_float!(NAME, x.dtype(), T => {
            let (hx, ht, hdy) = (Host::read(NAME, x), Host::read(NAME, t), Host::read(NAME, &dy));
            let hw = w.map(|w| Host::read(NAME, w));
            let (xs, ts, dys) = (hx.slice::<T>()?, ht.slice::<T>()?, Some(hdy.slice::<T>()?));
            let ws = hw.as_ref().map(Host::slice::<T>).transpose()?;
            let dx = x.track_op().then(|| {
                Self::each(xs, ts, ws, dys, |x, t, w| {
                    (1.0 - t) - (1.0 + (w - 1.0) * t) * logistic(-x)
                })
            });
            let dt = t.track_op().then(|| {
                Self::each(xs, ts, ws, dys, |x, _, w| (w - 1.0) * softplus_neg(x) - x)
            });
            let dw = w.is_some_and(Tensor::track_op).then(|| {
                Self::each(xs, ts, ws, dys, |x, t, _| t * softplus_neg(x))
            });
            let shaped = |v: Option<Vec<T>>| v.map(|v| tensor(v, x.shape())).transpose();
            Ok([shaped(dx)?, shaped(dt)?, shaped(dw)?])
        })
    }
}
