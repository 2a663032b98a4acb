//! Cuts off random stripes at the four sides.

use crate::geometry::region::Region;
use pleach_core::{Augmentation, Result, Rng, RowView, Warp, plugin};

/// Cuts off at each side a stripe of at most a share of the frame.
///
/// Follows `RandomCropFromBorders` of Albumentations 2.0.8.
#[plugin(augmentation, cite = "Albumentations 2.0.8, RandomCropFromBorders")]
pub struct RandomCropFromBorders {
    /// Greatest share of the width that is cut off on the left.
    #[plugin(default = 0.1, range = 0.0..=1.0)]
    pub crop_left: f64,
    /// Greatest share of the width that is cut off on the right.
    #[plugin(default = 0.1, range = 0.0..=1.0)]
    pub crop_right: f64,
    /// Greatest share of the height that is cut off at the top.
    #[plugin(default = 0.1, range = 0.0..=1.0)]
    pub crop_top: f64,
    /// Greatest share of the height that is cut off at the bottom.
    #[plugin(default = 0.1, range = 0.0..=1.0)]
    pub crop_bottom: f64,
}

impl Augmentation for RandomCropFromBorders {
    type Draw = Region;

    fn draw(&self, rng: &mut Rng, row: &RowView<'_>) -> Result<Option<Region>> {
        let mut along = |side: usize, before: f64, after: f64| {
            let first = rng.below((before * side as f64) as u64 + 1).min(side as u64 - 1);
            let least = (first + 1).max(((1.0 - after) * side as f64) as u64);
            (first as i64, (least + rng.below(side as u64 - least + 1)) as i64)
        };
        let (x0, x1) = along(row.size.0, self.crop_left, self.crop_right);
        let (y0, y1) = along(row.size.1, self.crop_top, self.crop_bottom);
        Ok(Some(Region::between(x0, y0, x1, y1)))
    }

    fn warp(&self, draw: &Region, _: (usize, usize)) -> Option<Warp> {
        Some(draw.cut())
    }

    fn looks(&self) -> bool {
        false
    }

    fn edits(&self) -> bool {
        false
    }
}
