//! The logarithm of softmax over one dimension.

use crate::apply;
use crate::host::{Host, Real, dtype, for_float, output, slice, tensor};
use crate::softmax::Over;
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, shape::Dim};
use pleach_simd::Float;

const NAME: &str = "log_softmax";

/// `x - ln sum exp(x)` over dimension `dim`, in the shape of `x`; finite for any finite logits.
///
/// In place of candle-nn's, which composes it of seven passes through strided indexing.
pub fn log_softmax(x: &Tensor, dim: impl Dim) -> Result<Tensor> {
    let over = Over::of(x, dim, NAME)?;
    apply::one(x, LogSoftmax { over })
}

struct LogSoftmax {
    over: Over,
}

pleach_simd::lanes! {
    fn row<T: Real>(x: &[T], y: &mut [T]) {
        let top = pleach_simd::largest(x);
        let log = T::of(pleach_simd::sum_of(x, |v| (v - top).exp()).ln());
        for (y, &x) in y.iter_mut().zip(x) {
            *y = x - top - log;
        }
    }
}

pleach_simd::lanes! {
    fn block<T: Real>(x: &[T], inner: usize, y: &mut [&mut [T]]) {
        let n = y[0].len();
        let mut top = x[..n].to_vec();
        for d in 1..y.len() {
            for (top, &v) in top.iter_mut().zip(&x[d * inner..]) {
                *top = top.larger(v);
            }
        }
        let mut log = vec![T::ZERO; n];
        for d in 0..y.len() {
            for ((s, &x), &top) in log.iter_mut().zip(&x[d * inner..]).zip(&top) {
                *s += (x - top).exp();
            }
        }
        for s in &mut log {
            *s = s.ln();
        }
        for (d, y) in y.iter_mut().enumerate() {
            for (i, y) in y.iter_mut().enumerate() {
                *y = x[d * inner + i] - top[i] - log[i];
            }
        }
    }
}

pleach_simd::lanes! {
    fn row_grad<T: Real>(y: &[T], dy: &[T], dx: &mut [T]) {
        let total = T::of(pleach_simd::sum(&dy[..dx.len()]));
        for (dx, (&y, &dy)) in dx.iter_mut().zip(y.iter().zip(dy)) {
            *dx = dy - y.exp() * total;
        }
    }
}

pleach_simd::lanes! {
    fn block_grad<T: Real>(y: &[T], dy: &[T], inner: usize, dx: &mut [&mut [T]]) {
        let mut total = vec![T::ZERO; dx[0].len()];
        for d in 0..dx.len() {
            for (t, &dy) in total.iter_mut().zip(&dy[d * inner..]) {
                *t += dy;
            }
        }
        for (d, dx) in dx.iter_mut().enumerate() {
            let (y, dy) = (&y[d * inner..], &dy[d * inner..]);
            for (((dx, &y), &dy), &total) in dx.iter_mut().zip(y).zip(dy).zip(&total) {
                *dx = dy - y.exp() * total;
            }
        }
    }
}

impl CustomOp1 for LogSoftmax {
    fn name(&self) -> &'static str {
        NAME
    }

    fn cpu_fwd(&self, s: &CpuStorage, l: &Layout) -> Result<(CpuStorage, Shape)> {
        for_float!(NAME, dtype(s), T => {
            let x = slice::<T>(NAME, s, l)?;
            let mut y = vec![T::ZERO; x.len()];
            self.over.each(
                &mut y,
                |at, y| row(&x[at..at + y.len()], y),
                |at, y| block(&x[at..], self.over.inner, y),
            );
            Ok(output(y, l.shape()))
        })
    }

    fn bwd(&self, x: &Tensor, y: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        let dy = dy.contiguous()?;
        for_float!(NAME, x.dtype(), T => {
            let (hy, hdy) = (Host::read(NAME, y), Host::read(NAME, &dy));
            let (y, dy) = (hy.slice::<T>()?, hdy.slice::<T>()?);
            let mut dx = vec![T::ZERO; y.len()];
            self.over.each(
                &mut dx,
                |at, dx| row_grad(&y[at..], &dy[at..], dx),
                |at, dx| block_grad(&y[at..], &dy[at..], self.over.inner, dx),
            );
            tensor(dx, x.shape()).map(Some)
        })
    }
}
