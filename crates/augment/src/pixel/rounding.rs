//! Whole numbers of floats in loops: the language's own conversions also look for what does not fit, and are not compiled
//! into vectors.

/// The nearest whole number to one from 0 to 255, ties to the even one: the last bits of a sum whose unit is 1.
#[inline(always)]
pub(crate) fn byte(x: f32) -> u8 {
    (x + 8_388_608.0).to_bits() as u8
}

/// The nearest whole number, ties to the even one, to one below 2^22 in magnitude.
#[inline(always)]
pub(crate) fn whole(x: f32) -> i32 {
    const MIDDLE: f32 = 12_582_912.0;
    (x + MIDDLE).to_bits().wrapping_sub(MIDDLE.to_bits()) as i32
}

/// The whole part of a number from 0 to 255.
#[inline(always)]
pub(crate) fn cut(x: f32) -> u8 {
    let near = (x + 8_388_608.0) - 8_388_608.0;
    byte(if near > x { near - 1.0 } else { near })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_are_those_of_the_conversions(x in 0.0f32..=255.0, wide in -4_194_303.0f32..4_194_303.0) {
            for x in [x, x.floor(), x.floor() + 0.5_f32.min(255.0 - x.floor())] {
                prop_assert_eq!(byte(x), x.round_ties_even() as u8);
                prop_assert_eq!(cut(x), x as u8);
            }
            for x in [wide, wide.floor(), wide.floor() + 0.5] {
                prop_assert_eq!(whole(x), x.round_ties_even() as i32);
            }
        }
    }
}
