//! Cuts off the same stripe on opposite sides, and stretches what is left to the frame.

use crate::geometry::region::Region;
use pleach_core::warp::Interpolation;
use pleach_core::{Augmentation, Result, Rng, RowView, Warp, plugin};

/// Cuts off up to `size` whole pixels on the left and as many on the right, and of its own up to `size` at the top and as
/// many at the bottom, and stretches the rest to the frame's size.
///
/// Follows the augmentation of the video polyp segmentation network PolypNextLSTM, whose `random_crop_size` this is: both
/// numbers are uniform, 0 and `size` included. A frame of which nothing would be left is an error.
#[plugin(augmentation, cite = "https://github.com/KonradReuter/PVS")]
pub struct RandomCropResize {
    /// Most pixels that are cut off on each side.
    #[plugin(default = 20)]
    pub size: u64,
    /// How pixels between pixels are made; maps and masks always take the nearest.
    #[plugin(default = Interpolation::Antialias)]
    pub interpolation: Interpolation,
}

impl Augmentation for RandomCropResize {
    type Draw = Region;

    fn draw(&self, rng: &mut Rng, row: &RowView<'_>) -> Result<Option<Region>> {
        let (x, y) = (rng.below(self.size + 1) as usize, rng.below(self.size + 1) as usize);
        let rest = |side: usize, cut: usize| side.checked_sub(2 * cut).filter(|n| *n > 0);
        let (Some(width), Some(height)) = (rest(row.size.0, x), rest(row.size.1, y)) else {
            let message = format!("{}: nothing is left of {}x{} pixels", row.row.id.key, row.size.0, row.size.1);
            return Err(pleach_core::Error::new("PL0341", message).hint("resize first, or crop less"));
        };
        Ok(Some(Region { x: x as i64, y: y as i64, width, height }))
    }

    fn warp(&self, draw: &Region, size: (usize, usize)) -> Option<Warp> {
        Some(draw.stretched(size, self.interpolation))
    }

    fn looks(&self) -> bool {
        false
    }

    fn edits(&self) -> bool {
        false
    }
}
