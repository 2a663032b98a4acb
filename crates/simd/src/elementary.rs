//! Elementary functions of f32 without branches or calls, so that a loop over them runs in vector lanes.
//!
//! Integers wrap, so that no overflow check of a dev build stands in the way. Reduction and polynomials are those
//! of Moshier's Cephes library; two units in the last place at worst. Those for a part of the numbers alone are of the
//! least error for their degree, summed in pairs and with fused products, as their loops wait for results and not for
//! units; they keep to the same two units.

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

/// The exponential of a number that is not above 0; 0 below -87, where it leaves the normal numbers.
#[inline(always)]
pub(crate) fn exp_falling(x: f32) -> f32 {
    /// Rounds as [`ROUND`] does and leaves the exponent of the power of two, with its bias, in the low bits.
    const SHIFT: f32 = ROUND + 127.0;
    let shifted = x.mul_add(std::f32::consts::LOG2_E, SHIFT);
    let whole = shifted - SHIFT;
    let r = (-whole).mul_add(LN_2_LOW, (-whole).mul_add(LN_2_HIGH, x));
    let r2 = r * r;
    let low = r.mul_add(0.166_665_2, 0.499_999_93);
    let high = r2.mul_add(1.381_456_5e-3, r.mul_add(8.368_738e-3, 4.166_839e-2));
    let y = r2.mul_add(r2.mul_add(high, low), 1.0 + r);
    // A product, so that a NaN stays one.
    let y = y * f32::from_bits(shifted.to_bits() << 23);
    if x < -87.0 { 0.0 } else { y }
}

/// `ln(1 + x)` for `x` from 0 to 1, as twice the inverse hyperbolic tangent of `s = x / (2 + x)`, which is
/// `x - s (x - 2 s^2 (1/3 + s^2/5 + ...))`: the errors of what comes after x are small beside it.
#[inline(always)]
pub(crate) fn ln_1p_unit(x: f32) -> f32 {
    let s = x / (2.0 + x);
    let z = s * s;
    let low = z.mul_add(0.200_107_64, 0.333_332_1);
    let high = z.mul_add(0.140_060_71, 0.140_008_88);
    let rest = (z * z).mul_add(high, low) * (z + z);
    s.mul_add(rest - x, x)
}

#[cfg(test)]
mod tests {
    /// The error in units in the last place of the exact result.
    fn ulps(got: f32, exact: f64) -> f64 {
        let nearest = exact as f32;
        let unit = f64::from(f32::from_bits(nearest.abs().to_bits() + 1)) - f64::from(nearest.abs());
        (f64::from(got) - exact).abs() / unit
    }

    /// Few of them where each is interpreted.
    const STEP: usize = if cfg!(miri) { 20_011 } else { 1 };

    #[test]
    fn two_units_at_worst() {
        for i in (-1_030_000..880_000).step_by(STEP) {
            let x = i as f32 * 1e-4;
            assert!(ulps(super::exp(x), f64::from(x).exp()) < 2.0, "exp {x}");
        }
        for i in (1..2_000_000u32).step_by(STEP) {
            let x = f32::from_bits(i * 1000);
            assert!(ulps(super::ln(x), f64::from(x).ln()) < 2.0, "ln {x:e}");
            if x < 1e30 {
                assert!(ulps(super::ln_1p(x), f64::from(x).ln_1p()) < 2.0, "ln_1p {x:e}");
            }
        }
        for i in (1..10_000).step_by(STEP.min(100)) {
            let x = i as f32 * -0.9999e-4;
            assert!(ulps(super::ln_1p(x), f64::from(x).ln_1p()) < 2.0, "ln_1p {x:e}");
        }
    }

    #[test]
    fn those_for_a_part_of_the_numbers_err_by_two_units_at_worst_there() {
        for i in 0..870_000 {
            let x = i as f32 * -1e-4;
            assert!(ulps(super::exp_falling(x), f64::from(x).exp()) < 2.0, "exp_falling {x}");
        }
        assert_eq!(super::exp_falling(0.0), 1.0);
        for x in [-87.5, -1e30, f32::NEG_INFINITY] {
            assert_eq!(super::exp_falling(x), 0.0);
        }
        for i in 0..1_065_353_u32 {
            let x = f32::from_bits(i * 1000);
            assert!(ulps(super::ln_1p_unit(x), f64::from(x).ln_1p()) < 2.0, "ln_1p_unit {x:e}");
        }
        assert_eq!((super::ln_1p_unit(0.0), super::ln_1p_unit(1.0)), (0.0, std::f32::consts::LN_2));
        for bits in [0x7fc0_0000, 0x7fc0_0001, 0xffc0_01ff] {
            let nan = f32::from_bits(bits);
            assert!(super::exp_falling(nan).is_nan() && super::ln_1p_unit(nan).is_nan());
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
