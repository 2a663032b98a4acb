//! The numbers that kernels are written for: `f32` and `f64`.

use crate::elementary;
use std::fmt::Debug;
use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

/// `f32` or `f64`, with the elementary functions that kernels need.
pub trait Float:
    Copy
    + Debug
    + Default
    + PartialOrd
    + Send
    + Sync
    + 'static
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
    + DivAssign
{
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
    /// The number nearest to `v`.
    fn of(v: f64) -> Self;
    /// As `f64`, exactly.
    fn wide(self) -> f64;
    /// The exponential.
    fn exp(self) -> Self;
    /// The natural logarithm.
    fn ln(self) -> Self;
    /// `ln(1 + x)`, exact for small `x`.
    fn ln_1p(self) -> Self;
    /// The exponential of a number that is not above 0: quicker than [`exp`](Self::exp), and in `f32` 0 below -87.
    fn exp_falling(self) -> Self;
    /// `ln(1 + x)` for `x` from 0 to 1: quicker than [`ln_1p`](Self::ln_1p).
    fn ln_1p_unit(self) -> Self;
    /// `self * by + plus`, rounded once: an instruction where the machine has it (each level of [`lanes!`](crate::lanes)
    /// above the portable one does), a slow call elsewhere.
    fn mul_add(self, by: Self, plus: Self) -> Self;
    /// The square root.
    fn sqrt(self) -> Self;
    /// The absolute value.
    fn abs(self) -> Self;
    /// Whether this is not a number.
    fn is_nan(self) -> bool;
    /// The larger of two; `other` where `self` is not a number.
    #[inline(always)]
    fn larger(self, other: Self) -> Self {
        if self > other { self } else { other }
    }
    /// The smaller of two; `other` where `self` is not a number.
    #[inline(always)]
    fn smaller(self, other: Self) -> Self {
        if self < other { self } else { other }
    }
}

macro_rules! float {
    ($t:ident, $exp:path, $ln:path, $ln_1p:path, $exp_falling:path, $ln_1p_unit:path) => {
        impl Float for $t {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            #[inline(always)]
            fn of(v: f64) -> Self {
                v as $t
            }
            #[inline(always)]
            fn wide(self) -> f64 {
                f64::from(self)
            }
            #[inline(always)]
            fn exp(self) -> Self {
                $exp(self)
            }
            #[inline(always)]
            fn ln(self) -> Self {
                $ln(self)
            }
            #[inline(always)]
            fn ln_1p(self) -> Self {
                $ln_1p(self)
            }
            #[inline(always)]
            fn exp_falling(self) -> Self {
                $exp_falling(self)
            }
            #[inline(always)]
            fn ln_1p_unit(self) -> Self {
                $ln_1p_unit(self)
            }
            #[inline(always)]
            fn mul_add(self, by: Self, plus: Self) -> Self {
                $t::mul_add(self, by, plus)
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                $t::sqrt(self)
            }
            #[inline(always)]
            fn abs(self) -> Self {
                $t::abs(self)
            }
            #[inline(always)]
            fn is_nan(self) -> bool {
                $t::is_nan(self)
            }
        }
    };
}
float!(f32, elementary::exp, elementary::ln, elementary::ln_1p, elementary::exp_falling, elementary::ln_1p_unit);
float!(f64, f64::exp, f64::ln, f64::ln_1p, f64::exp, f64::ln_1p);
