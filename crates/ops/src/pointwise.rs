//! Applies a function of one number to every element, in one pass each way.

use crate::host::{Host, Real, dtype, for_float, output, slice, tensor};
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use pleach_simd::made_by_rows;
use std::marker::PhantomData;

/// A function of one number and its gradient. Both methods want `#[inline(always)]`.
pub(crate) trait Pointwise: Send + Sync + 'static {
    const NAME: &'static str;
    fn value<T: Real>(x: T) -> T;
    /// The gradient of `x`, given that of the value.
    fn grad<T: Real>(x: T, dy: T) -> T;
}

pub(crate) fn apply<P: Pointwise>(x: &Tensor) -> Result<Tensor> {
    x.contiguous()?.apply_op1(Op::<P>(PhantomData))
}

struct Op<P>(PhantomData<P>);

/// Elements per task.
const PIECE: usize = 1 << 14;

pleach_simd::lanes! {
    fn values<T: Real, P: Pointwise>(_of: PhantomData<P>, x: &[T], y: &mut [T]) {
        for (y, &x) in y.iter_mut().zip(x) {
            *y = P::value(x);
        }
    }
}

pleach_simd::lanes! {
    fn grads<T: Real, P: Pointwise>(_of: PhantomData<P>, x: &[T], dy: &[T], dx: &mut [T]) {
        for (dx, (&x, &dy)) in dx.iter_mut().zip(x.iter().zip(dy)) {
            *dx = P::grad(x, dy);
        }
    }
}

impl<P: Pointwise> CustomOp1 for Op<P> {
    fn name(&self) -> &'static str {
        P::NAME
    }

    fn cpu_fwd(&self, s: &CpuStorage, l: &Layout) -> Result<(CpuStorage, Shape)> {
        for_float!(P::NAME, dtype(s), T => {
            let x = slice::<T>(P::NAME, s, l)?;
            let y = made_by_rows(x.len(), PIECE, |i, y| values(self.0, &x[i * PIECE..], y));
            Ok(output::<T>(y, l.shape()))
        })
    }

    fn bwd(&self, x: &Tensor, _y: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        let dy = dy.contiguous()?;
        for_float!(P::NAME, x.dtype(), T => {
            let (hx, hdy) = (Host::read(P::NAME, x), Host::read(P::NAME, &dy));
            let (xs, dys) = (hx.slice::<T>()?, hdy.slice::<T>()?);
            let dx = made_by_rows(xs.len(), PIECE, |i, dx| {
                grads(self.0, &xs[i * PIECE..], &dys[i * PIECE..], dx);
            });
            tensor::<T>(dx, x.shape()).map(Some)
        })
    }
}
