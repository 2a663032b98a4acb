//! Cuts out a window around all objects, at a fixed size.

use crate::geometry::bbox_safe_random_crop::safe;
use crate::geometry::region::Region;
use pleach_core::warp::Interpolation;
use pleach_core::{Augmentation, Result, Rng, RowView, Warp, plugin};

/// Cuts out a random window that holds every box of the sample, and stretches it to `height` and `width`.
///
/// Follows `RandomSizedBBoxSafeCrop` of Albumentations 2.0.8; the window is that of `BBoxSafeRandomCrop`.
#[plugin(augmentation, cite = "Albumentations 2.0.8, RandomSizedBBoxSafeCrop")]
pub struct RandomSizedBBoxSafeCrop {
    /// Height of the result in pixels.
    #[plugin(example = 64, range = 1..)]
    pub height: usize,
    /// Width of the result in pixels.
    #[plugin(example = 64, range = 1..)]
    pub width: usize,
    /// By which share of its size each box may be cut on each side, 0 to 1.
    #[plugin(default = 0.0, range = 0.0..=1.0)]
    pub erosion_rate: f64,
    /// How pixels between pixels are made; maps and masks always take the nearest.
    #[plugin(default = Interpolation::Bilinear)]
    pub interpolation: Interpolation,
    /// Albumentations' choice for masks; without effect here, where they take the nearest.
    #[plugin(idle)]
    pub mask_interpolation: Option<Interpolation>,
}

impl Augmentation for RandomSizedBBoxSafeCrop {
    type Draw = Region;

    fn draw(&self, rng: &mut Rng, row: &RowView<'_>) -> Result<Option<Region>> {
        Ok(Some(safe(rng, row, self.erosion_rate)))
    }

    fn warp(&self, draw: &Region, _: (usize, usize)) -> Option<Warp> {
        Some(draw.stretched((self.width, self.height), self.interpolation))
    }

    fn edits(&self) -> bool {
        false
    }
}
