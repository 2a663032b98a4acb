//! Elementary functions of f32 without branches or calls, so that a loop over them runs in vector lanes.
//!
//! Integers wrap, so that no overflow check of a dev build stands in the way. Reduction and polynomials are those
//! of Moshier's Cephes library; two units in the last place at worst.

const LN_2_HIGH: f32 = 0.693_359_4;
const LN_2_LOW: f32 = -2.121_944_4e-4;
/// Adding it rounds to an integer and leaves that integer in the low bits.
const ROUND: f32 = 12_582_912.0;

#[inline(always)]
fn power_of_two(n: i32) -> f32 {
    f32::from_bits((n.wrapping_add(127) as u32) << 23)
}

#[inline(always)]
fn polynomial<const N: usize>(x: f32, coefficients: [f32; N]) -> f32 {
    coefficients.iter().fold(0.0, |sum, c| sum * x + c)
}

/// The exponential.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    // Beyond these, the result is infinite or rounds to 0; a NaN stays one.
    let x = if x > 89.0 { 89.0 } else { x };
    let x = if x < -104.0 { -104.0 } else { x };
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = (shifted.to_bits() as i32).wrapping_sub(ROUND.to_bits() as i32);
    let whole = shifted - ROUND;
    let r = x - whole * LN_2_HIGH - whole * LN_2_LOW;
    let tail = polynomial(r, [1.987_569_1e-4, 1.398_2e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5]);
    let y = tail * (r * r) + r + 1.0;
    // In two steps, as 2^n itself may be out of range; a NaN makes any n, which must not overflow.
    let n = n.clamp(-160, 160);
    let half = n >> 1;
    y * power_of_two(half) * power_of_two(n.wrapping_sub(half))
}

/// The natural logarithm.
#[inline(always)]
pub(crate) fn ln(x: f32) -> f32 {
    let small = x < f32::MIN_POSITIVE;
    let scaled = if small { x * 8_388_608.0 } else { x };
    let bits = scaled.to_bits();
    // The mantissa in [1/2, 1), or twice that where it is below sqrt(1/2).
    let mantissa = f32::from_bits((bits & 0x007f_ffff) | 0x3f00_0000);
    let low = mantissa < std::f32::consts::FRAC_1_SQRT_2;
    let below = if low { 1.0 } else { 0.0 } + if small { 23.0 } else { 0.0 };
    let e = (bits >> 23) as i32 as f32 - 126.0 - below;
    let m = if low { mantissa + mantissa } else { mantissa } - 1.0;
    let z = m * m;
    let tail = polynomial(
        m,
        [
            7.037_683_6e-2,
            -1.151_461e-1,
            1.167_699_8e-1,
            -1.242_014_1e-1,
            1.424_932_3e-1,
            -1.666_805_7e-1,
            2.000_071_4e-1,
            -2.499_999_4e-1,
            3.333_333e-1,
        ],
    );
    let y = m + (tail * m * z + e * LN_2_LOW - 0.5 * z) + e * LN_2_HIGH;
    let y = if x < f32::INFINITY { y } else { x };
    let y = if x == 0.0 { f32::NEG_INFINITY } else { y };
    if x < 0.0 { f32::NAN } else { y }
}

/// `ln(1 + x)`, exact for small `x`.
#[inline(always)]
pub(crate) fn ln_1p(x: f32) -> f32 {
    let w = 1.0 + x;
    // What the addition rounded away, to first order.
    let lost = x - (w - 1.0);
    let y = ln(w) + lost / w;
    if x > -1.0 && x < f32::INFINITY { y } else { ln(w) }
}

#[cfg(test)]
mod tests {
    /// The error in units in the last place of the exact result.
    fn ulps(got: f32, exact: f64) -> f64 {
        let nearest = exact as f32;
        let unit = f64::from(f32::from_bits(nearest.abs().to_bits() + 1)) - f64::from(nearest.abs());
        (f64::from(got) - exact).abs() / unit
    }

    #[test]
    fn two_units_at_worst() {
        for i in -1_030_000..880_000 {
            let x = i as f32 * 1e-4;
            assert!(ulps(super::exp(x), f64::from(x).exp()) < 2.0, "exp {x}");
        }
        for i in 1..2_000_000u32 {
            let x = f32::from_bits(i * 1000);
            assert!(ulps(super::ln(x), f64::from(x).ln()) < 2.0, "ln {x:e}");
            if x < 1e30 {
                assert!(ulps(super::ln_1p(x), f64::from(x).ln_1p()) < 2.0, "ln_1p {x:e}");
            }
        }
        for i in 1..10_000 {
            let x = i as f32 * -0.9999e-4;
            assert!(ulps(super::ln_1p(x), f64::from(x).ln_1p()) < 2.0, "ln_1p {x:e}");
        }
    }

    #[test]
    fn at_the_ends() {
        let inf = f32::INFINITY;
        assert_eq!((super::exp(-inf), super::exp(0.0), super::exp(inf)), (0.0, 1.0, inf));
        assert_eq!((super::exp(100.0), super::exp(-110.0)), (inf, 0.0));
        assert_eq!((super::ln(0.0), super::ln(1.0), super::ln(inf)), (-inf, 0.0, inf));
        assert_eq!((super::ln_1p(-1.0), super::ln_1p(0.0), super::ln_1p(inf)), (-inf, 0.0, inf));
        for nan in [super::exp(f32::NAN), super::ln(f32::NAN), super::ln(-1.0), super::ln_1p(f32::NAN)] {
            assert!(nan.is_nan());
        }
    }
}
