//! Normalises over the last dimensions by the root of the mean square.

use crate::apply;
use crate::host::{Host, Real, dtype, for_float, output, slice, tensor};
use crate::sizes;
use candle_core::{CpuStorage, CustomOp2, DType, Layout, Result, Shape, Tensor, bail};
use pleach_simd::{dot, lanes, par_rows, par_rows2, reduce, sum_of};
use std::sync::OnceLock;

const NAME: &str = "rms_norm";

/// `x / sqrt(mean(x^2) + eps) * weight`, the mean over the last `dims` dimensions together; `weight` has the shape of
/// those dimensions and is 1 where not given, `eps` is the machine's for the element type (for 16 bits, that of `f32`)
/// where not given.
///
/// In place of candle-nn's `rms_norm`, which cuts the graph without a word.
pub fn rms_norm(x: &Tensor, dims: usize, weight: Option<&Tensor>, eps: Option<f64>) -> Result<Tensor> {
    if dims == 0 || dims > x.rank() {
        bail!("{NAME}: {dims} last dimensions of x {:?}", x.dims());
    }
    sizes::total(NAME, x.dims())?;
    let shape = &x.dims()[x.rank() - dims..];
    let len = shape.iter().product();
    if len == 0 {
        bail!("{NAME}: nothing to normalise in x {:?}", x.dims());
    }
    let weight = match weight {
        None => Tensor::ones(shape, x.dtype(), x.device())?,
        Some(w) if w.dims() == shape => w.contiguous()?,
        Some(w) => bail!("{NAME}: weight of shape {shape:?} expected for x {:?}, got {:?}", x.dims(), w.dims()),
    };
    let least = if x.dtype() == DType::F64 { f64::EPSILON } else { f64::from(f32::EPSILON) };
    let op = Op { len, eps: eps.unwrap_or(least), inverse: OnceLock::new() };
    apply::two(x, &weight, op)
}

struct Op {
    len: usize,
    eps: f64,
    /// 1 / sqrt(mean square + eps) of each row.
    inverse: OnceLock<Vec<f64>>,
}

lanes! {
    fn normalise<T: Real>(x: &[T], weight: &[T], inv: T, y: &mut [T]) {
        for (y, (&x, &w)) in y.iter_mut().zip(x.iter().zip(weight)) {
            *y = x * inv * w;
        }
    }
}

lanes! {
    /// `g = (g weight - x along) inv`.
    fn through_mean<T: Real>(x: &[T], weight: &[T], along: T, inv: T, g: &mut [T]) {
        for (g, (&x, &w)) in g.iter_mut().zip(x.iter().zip(weight)) {
            *g = (*g * w - x * along) * inv;
        }
    }
}

lanes! {
    fn add_row<T: Real>(x: &[T], dy: &[T], inv: T, dw: &mut [T]) {
        for (dw, (&x, &dy)) in dw.iter_mut().zip(x.iter().zip(dy)) {
            *dw += dy * x * inv;
        }
    }
}

impl Op {
    fn forward<T: Real>(&self, x: &[T], weight: &[T]) -> Vec<T> {
        let mut y = vec![T::ZERO; x.len()];
        let mut inverse = vec![0.0; x.len() / self.len];
        par_rows2(&mut y, self.len, &mut inverse, 1, |r, y, inverse| {
            let x = &x[r * self.len..][..self.len];
            let inv = 1.0 / (sum_of(x, |v| v * v) / self.len as f64 + self.eps).sqrt();
            inverse[0] = inv;
            normalise(x, weight, T::of(inv), y);
        });
        // The op runs once; were it run again, the numbers would be the same.
        let _ = self.inverse.set(inverse);
        y
    }

    fn input_grad<T: Real>(&self, inverse: &[f64], x: &[T], weight: &[T], dy: &[T]) -> Vec<T> {
        let mut dx = dy.to_vec();
        par_rows(&mut dx, self.len, |r, g| {
            let x = &x[r * self.len..][..self.len];
            let scaled: Vec<T> = x.iter().zip(weight).map(|(&x, &w)| x * w).collect();
            let along = dot(&scaled, g) / self.len as f64 * inverse[r] * inverse[r];
            through_mean(x, weight, T::of(along), T::of(inverse[r]), g);
        });
        dx
    }

    fn weight_grad<T: Real>(&self, inverse: &[f64], x: &[T], dy: &[T]) -> Vec<T> {
        /// Rows whose sums are kept together.
        const ROWS: usize = 64;
        let len = self.len;
        reduce(
            inverse.len().div_ceil(ROWS),
            |block| {
                let mut dw = vec![T::ZERO; len];
                for r in block * ROWS..inverse.len().min((block + 1) * ROWS) {
                    add_row(&x[r * len..][..len], &dy[r * len..][..len], T::of(inverse[r]), &mut dw);
                }
                dw
            },
            |mut total, part| {
                total.iter_mut().zip(part).for_each(|(t, v)| *t += v);
                total
            },
        )
        .unwrap_or_else(|| vec![T::ZERO; len])
    }
}

impl CustomOp2 for Op {
    fn name(&self) -> &'static str {
        NAME
    }

    fn cpu_fwd(&self, s1: &CpuStorage, l1: &Layout, s2: &CpuStorage, l2: &Layout) -> Result<(CpuStorage, Shape)> {
        for_float!(NAME, dtype(s1), T => {
            let (x, weight) = (slice::<T>(NAME, s1, l1)?, slice(NAME, s2, l2)?);
            Ok(output(self.forward(x, weight), l1.shape()))
        })
    }

    fn bwd(&self, x: &Tensor, weight: &Tensor, _y: &Tensor, dy: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let Some(inverse) = self.inverse.get() else {
            bail!("{NAME}: backward without a forward");
        };
        let dy = dy.contiguous()?;
        for_float!(NAME, x.dtype(), T => {
            let (hx, hw, hdy) = (Host::read(NAME, x), Host::read(NAME, weight), Host::read(NAME, &dy));
            let (xs, ws, dys) = (hx.slice::<T>()?, hw.slice::<T>()?, hdy.slice::<T>()?);
            let dx = x.track_op().then(|| tensor(self.input_grad(inverse, xs, ws, dys), x.shape()));
            let dw = weight.track_op().then(|| tensor(self.weight_grad(inverse, xs, dys), weight.shape()));
            Ok((dx.transpose()?, dw.transpose()?))
        })
    }
}
