//! Cuts out a window of random height and stretches it to a fixed size.

use crate::Sides;
use crate::geometry::region::Region;
use crate::geometry::shorter::AreaFor;
use pleach_core::read::Rules;
use pleach_core::warp::Interpolation;
use pleach_core::{Augmentation, Result, Rng, RowView, Warp, plugin};

/// Cuts out a window whose height is a uniform whole number, at any place, and stretches it to `size`.
///
/// Follows `RandomSizedCrop` of Albumentations 2.0.8: a window is no larger than the frame.
#[plugin(augmentation, cite = "Albumentations 2.0.8, RandomSizedCrop", check = Self::check)]
pub struct RandomSizedCrop {
    /// Least and greatest height of the window in pixels.
    #[plugin(example = (32, 64), range = 1..)]
    pub min_max_height: (usize, usize),
    /// Height and width of the result; one number for both.
    #[plugin(example = Sides(64, 64), range = 1..)]
    pub size: Sides,
    /// Width of the window by its height.
    #[plugin(default = 1.0, above = 0.0)]
    pub w2h_ratio: f64,
    /// How pixels between pixels are made; maps and masks always take the nearest.
    #[plugin(default = Interpolation::Bilinear)]
    pub interpolation: Interpolation,
    /// Albumentations' way to ask for `area` where it shrinks.
    pub area_for_downscale: Option<AreaFor>,
    /// Albumentations' choice for masks; without effect here, where they take the nearest.
    #[plugin(idle)]
    pub mask_interpolation: Option<Interpolation>,
}

impl RandomSizedCrop {
    fn check(&self, rules: &mut Rules) {
        if self.min_max_height.0 > self.min_max_height.1 {
            rules.refuse("min_max_height", "the smaller one comes first");
        }
    }
}

impl Augmentation for RandomSizedCrop {
    type Draw = Region;

    fn draw(&self, rng: &mut Rng, row: &RowView<'_>) -> Result<Option<Region>> {
        let (low, high) = self.min_max_height;
        let height = low + rng.below((high - low) as u64 + 1) as usize;
        let width = (height as f64 * self.w2h_ratio) as usize;
        let (y, x) = (rng.uniform(), rng.uniform());
        Ok(Some(Region::placed(row.size, (width, height), (x, y))))
    }

    fn warp(&self, draw: &Region, _: (usize, usize)) -> Option<Warp> {
        let (from, to) = ((draw.width, draw.height), (self.size.1, self.size.0));
        Some(draw.stretched(to, AreaFor::or(self.area_for_downscale, self.interpolation, from, to)))
    }

    fn looks(&self) -> bool {
        false
    }

    fn edits(&self) -> bool {
        false
    }
}
