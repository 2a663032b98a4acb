//! The Gaussian error linear unit.

use crate::{host::Real, pointwise};
use candle_core::{Result, Tensor};

/// `x Phi(x)` with the exact normal distribution function, any shape.
///
/// In place of candle's `gelu_erf`, whose gradient has a constant of six digits.
pub fn gelu(x: &Tensor) -> Result<Tensor> {
    pointwise::apply::<Gelu>(x)
}

struct Gelu;

/// The normal distribution function.
#[inline(always)]
fn phi<T: Real>(x: T) -> T {
    T::of(0.5) * (x * T::of(-std::f64::consts::FRAC_1_SQRT_2)).erfc()
}

impl pointwise::Pointwise for Gelu {
    const NAME: &'static str = "gelu";

    #[inline(always)]
    fn value<T: Real>(x: T) -> T {
        x * phi(x)
    }

    #[inline(always)]
    fn grad<T: Real>(x: T, dy: T) -> T {
        // 1 / sqrt(2 pi)
        let density = T::of(0.398_942_280_401_432_7) * (x * x * T::of(-0.5)).exp();
        dy * (phi(x) + x * density)
    }
}
