//! The types of samples, and what each does in whole numbers.

use super::way::Places;
use pleach_simd::{Grid, Outside, Repeat, mirror, mirror_rgb, sample_bilinear, stretch_bilinear};

/// A type of samples.
pub(super) trait Sample: Copy + PartialEq + Into<f32> + Repeat {
    /// Whether [`between`](Self::between) does anything.
    const BETWEEN: bool = false;
    #[inline(always)]
    fn wide(self) -> f32 {
        self.into()
    }
    /// The nearest value of the type.
    fn of(x: f32) -> Self;
    /// The samples as bytes, where they are.
    fn bytes(_: &[Self]) -> Option<&[u8]> {
        None
    }
    /// The same to be written.
    fn bytes_mut(_: &mut [Self]) -> Option<&mut [u8]> {
        None
    }
    /// Samples a row between pixels in whole numbers; false where there is no such way for the type.
    fn between(_: &Grid<'_, Self>, _: &Places, _: Outside<Self>, _: &mut [Self]) -> bool {
        false
    }
    /// Samples at places in rows and columns in whole numbers, behind what `out` has; false where there is no such way.
    fn stretched(_: &Grid<'_, Self>, _: &Places, _: Outside<Self>, _: &mut Vec<Self>) -> bool {
        false
    }
    /// Whether all are numbers and none is infinite.
    fn finite(_: &[Self]) -> bool {
        true
    }
    /// Puts pixels into the opposite order.
    fn mirror(row: &mut [Self], channels: usize) {
        mirror(row, channels);
    }
}

impl Sample for u8 {
    const BETWEEN: bool = true;
    fn bytes(data: &[Self]) -> Option<&[u8]> {
        Some(data)
    }
    fn bytes_mut(data: &mut [Self]) -> Option<&mut [u8]> {
        Some(data)
    }
    fn between(from: &Grid<'_, Self>, at: &Places, outside: Outside<Self>, out: &mut [Self]) -> bool {
        sample_bilinear(from, &at.x, &at.y, outside, out);
        true
    }
    fn stretched(from: &Grid<'_, Self>, at: &Places, outside: Outside<Self>, out: &mut Vec<Self>) -> bool {
        stretch_bilinear(from, &at.x, &at.y, outside, out)
    }
    fn mirror(row: &mut [Self], channels: usize) {
        if channels == 3 { mirror_rgb(row) } else { mirror(row, channels) }
    }
    #[inline(always)]
    fn of(x: f32) -> Self {
        (x + 0.5) as Self
    }
}

impl Sample for u16 {
    /// Without conversions that look for what does not fit, number by number: from here on, the last bits of a float are a
    /// whole number.
    #[inline(always)]
    fn of(x: f32) -> Self {
        const WHOLE: f32 = 8_388_608.0;
        let most = f32::from(Self::MAX);
        // What is no number becomes 0.
        let v = (x + 0.5).max(0.0).min(most);
        let nearest = v + WHOLE;
        nearest.to_bits().wrapping_sub(u32::from(nearest - WHOLE > v)) as Self
    }
}

impl Sample for f32 {
    fn finite(data: &[Self]) -> bool {
        finite::<f32>(data)
    }
    #[inline(always)]
    fn of(x: f32) -> Self {
        x
    }
}

pleach_simd::lanes! {
    fn finite<T: Copy>(data: &[f32]) -> bool {
        data.chunks(1024).all(|data| data.iter().fold(true, |all, v| all & v.is_finite()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn words_are_the_nearest_whole_numbers(x in -70_000f32..140_000.0, whole in 0u16..=65535, above in -1f32..1.0) {
            for x in [x, f32::from(whole) + above, f32::from(whole) + 0.5, f32::from(whole) - 0.5] {
                prop_assert_eq!(u16::of(x), (x + 0.5) as u16);
            }
        }
    }

    #[test]
    fn what_no_word_holds_is_the_nearest_one() {
        assert_eq!([f32::NAN, f32::INFINITY, -f32::INFINITY, 1e9].map(u16::of), [0, 65535, 0, 65535]);
    }
}
