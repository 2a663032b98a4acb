//! Old photographs.

use super::grid::{Done, by_type, gray_or_rgb};
use super::rounding::byte;
use pleach_core::image::Image;
use pleach_core::{Augmentation, Result, Rng, RowView, plugin};

/// Brown tones: a fixed matrix on the channels of each pixel. A gray image stays as it is.
///
/// Follows `ToSepia` of Albumentations 2.0.8; 8 bits are rounded and within 1 level.
#[plugin(augmentation, cite = "Albumentations 2.0.8, ToSepia")]
pub struct ToSepia {}

/// Red, green and blue of the result from those of the image.
const TONES: [[f32; 3]; 3] = [[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]];

#[inline(always)]
fn sepia([r, g, b]: [f32; 3]) -> [f32; 3] {
    TONES.map(|[wr, wg, wb]| r * wr + g * wg + b * wb)
}

pleach_simd::lanes! {
    fn bytes<T: Copy>(pixels: &mut [[u8; 3]]) {
        for pixel in pixels {
            *pixel = sepia(pixel.map(f32::from)).map(|x| byte(x.min(255.0)));
        }
    }
}

impl Augmentation for ToSepia {
    type Draw = Done;

    fn draw(&self, _: &mut Rng, _: &RowView<'_>) -> Result<Option<Done>> {
        Ok(Some(Done {}))
    }

    fn touch(&self, _: &Done, image: &mut Image) -> Result<()> {
        gray_or_rgb("ToSepia", image.channels)?;
        if image.channels == 1 {
            return Ok(());
        }
        by_type(
            image,
            |grid| {
                bytes::<u8>(grid.samples.as_chunks_mut::<3>().0);
                Ok(())
            },
            |grid| {
                for pixel in grid.samples.as_chunks_mut::<3>().0 {
                    *pixel = sepia(*pixel).map(|x| x.clamp(0.0, 1.0));
                }
                Ok(())
            },
        )
    }

    fn touches(&self) -> bool {
        true
    }

    fn default_p(&self) -> f64 {
        0.5
    }
}
