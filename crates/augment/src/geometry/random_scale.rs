//! Stretches by a random factor.

use crate::Limit;
use crate::geometry::resize::Resized;
use crate::geometry::shorter::AreaFor;
use pleach_core::warp::Interpolation;
use pleach_core::{Augmentation, Result, Rng, RowView, Warp, plugin};

/// Stretches a sample, and its frame, by 1 plus what is drawn from `scale_limit`; with probability 0.5 unless `p` says
/// otherwise.
///
/// Follows `RandomScale` of Albumentations 2.0.8: sizes are rounded down.
#[plugin(augmentation, cite = "Albumentations 2.0.8, RandomScale")]
pub struct RandomScale {
    /// What is added to a factor of 1.
    #[plugin(default = Limit(-0.1, 0.1), above = -1.0)]
    pub scale_limit: Limit,
    /// How pixels between pixels are made; maps and masks always take the nearest.
    #[plugin(default = Interpolation::Bilinear)]
    pub interpolation: Interpolation,
    /// Albumentations' way to ask for `area` where it shrinks.
    pub area_for_downscale: Option<AreaFor>,
    /// Albumentations' choice for masks; without effect here, where they take the nearest.
    #[plugin(idle)]
    pub mask_interpolation: Option<Interpolation>,
}

impl Augmentation for RandomScale {
    type Draw = Resized;

    fn draw(&self, rng: &mut Rng, row: &RowView<'_>) -> Result<Option<Resized>> {
        let scale = 1.0 + rng.range(self.scale_limit.0, self.scale_limit.1);
        let side = |n: usize| ((n as f64 * scale) as usize).max(1);
        Ok(Some(Resized { width: side(row.size.0), height: side(row.size.1) }))
    }

    fn warp(&self, draw: &Resized, size: (usize, usize)) -> Option<Warp> {
        let to = (draw.width, draw.height);
        let how = AreaFor::or(self.area_for_downscale, self.interpolation, size, to);
        Some(Warp::resize(size, to).with_interpolation(how))
    }

    fn looks(&self) -> bool {
        false
    }

    fn edits(&self) -> bool {
        false
    }

    fn default_p(&self) -> f64 {
        0.5
    }
}
