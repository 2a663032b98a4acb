//! The logistic function.

use crate::{host::Real, pointwise};
use candle_core::{Result, Tensor};

/// `1 / (1 + exp(-x))`, any shape.
///
/// Candle's core has none; composed of its operations it is four passes and as many gradients.
pub fn sigmoid(x: &Tensor) -> Result<Tensor> {
    pointwise::apply::<Sigmoid>(x)
}

/// The logistic function of one number; no infinity on the way turns into NaN.
#[inline(always)]
pub(crate) fn logistic<T: Real>(x: T) -> T {
    T::ONE / (T::ONE + (-x).exp())
}

struct Sigmoid;

impl pointwise::Pointwise for Sigmoid {
    const NAME: &'static str = "sigmoid";

    #[inline(always)]
    fn value<T: Real>(x: T) -> T {
        logistic(x)
    }

    #[inline(always)]
    fn grad<T: Real>(x: T, dy: T) -> T {
        dy * logistic(x) * logistic(-x)
    }
}
