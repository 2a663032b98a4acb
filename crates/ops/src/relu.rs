//! The rectifier.

use crate::{host::Real, pointwise};
use candle_core::{Result, Tensor};

/// `max(x, 0)`, any shape.
///
/// The gradient at 0 is 0, as in PyTorch; candle's `relu` has 1 there, and takes three passes for it.
pub fn relu(x: &Tensor) -> Result<Tensor> {
    pointwise::apply::<Relu>(x)
}

struct Relu;

impl pointwise::Pointwise for Relu {
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
