//! The sum of two tensors of one shape, and a rectifier, in one pass.

use crate::batch_norm::Then;
use crate::fresh;
use crate::host::{Host, Real, for_float, tensor};
use crate::relu::rectify;
use candle_core::{Result, Tensor};
use pleach_simd::lanes;

/// Elements per task.
const PIECE: usize = 1 << 14;

lanes! {
    fn add<T: Real>(a: &[T], b: &[T], y: &mut [T]) {
        for (y, (&a, &b)) in y.iter_mut().zip(a.iter().zip(b)) {
            *y = a + b;
        }
    }
}

/// `then(a + b)`, number by number.
pub(crate) fn sums<T: Real>(a: &[T], b: &[T], then: Then) -> Vec<T> {
    fresh::blocks(a.len(), PIECE, |i, y| {
        add(&a[i * PIECE..], &b[i * PIECE..], y);
        if then == Then::Relu {
            rectify(y);
        }
    })
}

/// `a + b` of two gradients, which have no graph; those kept in 16 bits as candle adds them.
pub(crate) fn sum(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    const NAME: &str = "sum";
    if crate::halves::is_half(a.dtype()) || !a.is_contiguous() || !b.is_contiguous() {
        return a + b;
    }
    let (ha, hb) = (Host::read(NAME, a), Host::read(NAME, b));
    for_float!(NAME, a.dtype(), T => tensor(sums::<T>(ha.slice()?, hb.slice()?, Then::Identity), a.shape()))
}
