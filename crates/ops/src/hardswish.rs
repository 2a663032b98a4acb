//! The piecewise swish.

use crate::{host::Real, pointwise};
use candle_core::{Result, Tensor};

/// `x min(max(x + 3, 0), 6) / 6`, any shape. Candle has none.
pub fn hardswish(x: &Tensor) -> Result<Tensor> {
    pointwise::apply::<Hardswish>(x)
}

struct Hardswish;

impl pointwise::Pointwise for Hardswish {
    const NAME: &'static str = "hardswish";

    #[inline(always)]
    fn value<T: Real>(x: T) -> T {
        let gate = (x + T::of(3.0)).larger(T::ZERO).smaller(T::of(6.0));
        x * gate / T::of(6.0)
    }

    #[inline(always)]
    fn grad<T: Real>(x: T, dy: T) -> T {
        if x <= T::of(-3.0) {
            T::ZERO
        } else if x >= T::of(3.0) {
            dy
        } else {
            dy * (x / T::of(3.0) + T::of(0.5))
        }
    }
}
