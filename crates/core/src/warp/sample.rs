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
    #[inline(always)]
    fn of(x: f32) -> Self {
        (x + 0.5) as Self
    }
}

impl Sample for f32 {
    #[inline(always)]
    fn of(x: f32) -> Self {
        x
    }
}
