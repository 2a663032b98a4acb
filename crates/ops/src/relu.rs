//! The rectifier.

use crate::fresh;
use crate::host::Real;
use crate::pointwise::{self, Pointwise};
use candle_core::{Result, Tensor};
use pleach_simd::lanes;

/// `max(x, 0)`, any shape.
///
/// The gradient at 0 is 0, as in PyTorch; candle's `relu` has 1 there, and takes three passes for it.
pub fn relu(x: &Tensor) -> Result<Tensor> {
    pointwise::apply::<Relu>(x)
}

pub(crate) struct Relu;

impl Pointwise for Relu {
    const NAME: &'static str = "relu";

    // Written so that NaN goes through, both ways.
    #[inline(always)]
    fn value<T: Real>(x: T) -> T {
        if x <= T::ZERO { T::ZERO } else { x }
    }

    #[inline(always)]
    fn grad<T: Real>(x: T, dy: T) -> T {
        if x <= T::ZERO { T::ZERO } else { dy }
    }
}

lanes! {
    /// `y = max(y, 0)`; NaN goes through.
    pub(crate) fn rectify<T: Real>(y: &mut [T]) {
        for y in y {
            *y = Relu::value(*y);
        }
    }
}

/// The gradient before the rectifier, from that behind it and its values.
pub(crate) fn behind_rectifier<T: Real>(y: &[T], dy: &[T]) -> Vec<T> {
    const PIECE: usize = 1 << 14;
    fresh::blocks(y.len(), PIECE, |i, out| through_rectifier(&dy[i * PIECE..], &y[i * PIECE..], out))
}

lanes! {
    /// The gradient before the rectifier, whose output `y` tells where it let it through.
    pub(crate) fn through_rectifier<T: Real>(dy: &[T], y: &[T], g: &mut [T]) {
        for (g, (&dy, &y)) in g.iter_mut().zip(dy.iter().zip(y)) {
            *g = Relu::grad(y, dy);
        }
    }
}
