//! Softmax over one dimension.

use crate::apply;
use crate::host::{Host, Real, dtype, for_float, output, slice, tensor};
use crate::sizes;
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, shape::Dim};
use pleach_simd::{Float, par_columns, par_rows};

const NAME: &str = "softmax";

/// `exp(x) / sum exp(x)` over dimension `dim`, in the shape of `x`.
///
/// In place of candle-nn's `softmax_last_dim`, which cuts the graph without a word.
pub fn softmax(x: &Tensor, dim: impl Dim) -> Result<Tensor> {
    let over = Over::of(x, dim, NAME)?;
    apply::one(x, Softmax { over })
}

/// A tensor seen as slabs of `len` rows and `inner` columns; the columns are what is normalised.
#[derive(Clone, Copy)]
pub(crate) struct Over {
    pub len: usize,
    pub inner: usize,
}

impl Over {
    pub fn of(x: &Tensor, dim: impl Dim, op: &'static str) -> Result<Self> {
        let dim = dim.to_index(x.shape(), op)?;
        sizes::total(op, x.dims())?;
        Ok(Self { len: x.dims()[dim], inner: x.dims()[dim + 1..].iter().product() })
    }

    /// Calls `row` for each row where columns are single elements, else `block` for blocks of columns: the
    /// index of the block's first element in the tensor and the block's rows.
    pub fn each<T: Real>(
        self,
        out: &mut [T],
        row: impl Fn(usize, &mut [T]) + Sync + Send,
        block: impl Fn(usize, &mut [&mut [T]]) + Sync + Send,
    ) {
        if self.inner == 1 {
            par_rows(out, self.len, |r, y| row(r * self.len, y));
        } else {
            par_columns(out, self.len, self.inner, |slab, col, rows| {
                block(slab * self.len * self.inner + col, rows);
            });
        }
    }
}

struct Softmax {
    over: Over,
}

pleach_simd::lanes! {
    fn row<T: Real>(x: &[T], y: &mut [T]) {
        let top = pleach_simd::largest(x);
        for (y, &x) in y.iter_mut().zip(x) {
            *y = (x - top).exp();
        }
        let sum = T::of(pleach_simd::sum(y));
        for y in y {
            *y /= sum;
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
        let mut sum = vec![T::ZERO; n];
        for (d, y) in y.iter_mut().enumerate() {
            let x = &x[d * inner..][..n];
            for (((y, sum), &x), &top) in y.iter_mut().zip(&mut sum).zip(x).zip(&top) {
                *y = (x - top).exp();
                *sum += *y;
            }
        }
        for y in y {
            for (y, &s) in y.iter_mut().zip(&sum) {
                *y /= s;
            }
        }
    }
}

pleach_simd::lanes! {
    fn row_grad<T: Real>(y: &[T], dy: &[T], dx: &mut [T]) {
        let along = T::of(pleach_simd::dot(&y[..dx.len()], dy));
        for (dx, (&y, &dy)) in dx.iter_mut().zip(y.iter().zip(dy)) {
            *dx = y * (dy - along);
        }
    }
}

pleach_simd::lanes! {
    fn block_grad<T: Real>(y: &[T], dy: &[T], inner: usize, dx: &mut [&mut [T]]) {
        let mut along = vec![T::ZERO; dx[0].len()];
        for d in 0..dx.len() {
            for (a, (&y, &dy)) in along.iter_mut().zip(y[d * inner..].iter().zip(&dy[d * inner..])) {
                *a += y * dy;
            }
        }
        for (d, dx) in dx.iter_mut().enumerate() {
            for (i, dx) in dx.iter_mut().enumerate() {
                *dx = y[d * inner + i] * (dy[d * inner + i] - along[i]);
            }
        }
    }
}

impl CustomOp1 for Softmax {
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
