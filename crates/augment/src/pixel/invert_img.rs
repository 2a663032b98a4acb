//! Negatives.

use super::grid::{Done, by_type};
use pleach_core::image::Image;
use pleach_core::{Augmentation, Result, Rng, RowView, plugin};

/// White minus each sample.
///
/// Follows `InvertImg` of Albumentations 2.0.8 and `RandomInvert` of torchvision.
#[plugin(augmentation, alias = ["Invert", "RandomInvert"], cite = "Albumentations 2.0.8, InvertImg")]
pub struct InvertImg {}

pleach_simd::lanes! {
    fn negative<T: Sample>(samples: &mut [T]) {
        for x in samples {
            *x = x.inverted();
        }
    }
}

/// What has a white.
trait Sample: Copy {
    fn inverted(self) -> Self;
}

impl Sample for u8 {
    #[inline(always)]
    fn inverted(self) -> Self {
        !self
    }
}

impl Sample for f32 {
    #[inline(always)]
    fn inverted(self) -> Self {
        1.0 - self
    }
}

impl Augmentation for InvertImg {
    type Draw = Done;

    fn draw(&self, _: &mut Rng, _: &RowView<'_>) -> Result<Option<Done>> {
        Ok(Some(Done {}))
    }

    fn touch(&self, _: &Done, image: &mut Image) -> Result<()> {
        by_type(
            image,
            |grid| {
                negative(&mut grid.samples);
                Ok(())
            },
            |grid| {
                negative(&mut grid.samples);
                Ok(())
            },
        )
    }

    fn touches(&self) -> bool {
        true
    }

    fn table(&self, _: &Done, _: usize) -> Option<Vec<[u8; 256]>> {
        Some(vec![std::array::from_fn(|i| 255 - i as u8)])
    }

    fn default_p(&self) -> f64 {
        0.5
    }
}
