//! Pads by given numbers of pixels.

use crate::geometry::region::Region;
use crate::{BorderMode, PerChannel};
use pleach_core::read::Rules;
use pleach_core::{Augmentation, Result, Rng, RowView, Warp, plugin};

/// Pads all four sides, left and right and top and bottom, or each side by its own number.
///
/// Follows `Pad` of Albumentations 2.0.8 and of torchvision.
#[plugin(augmentation, cite = "Albumentations 2.0.8, Pad", check = Self::check)]
pub struct Pad {
    /// Pixels: one number for all sides, two for `[left and right, top and bottom]`, or four for
    /// `[left, top, right, bottom]`.
    #[plugin(default = PerChannel(vec![0.0]), range = 0.0..=100_000.0)]
    pub padding: PerChannel,
    /// What is put where the image has no pixels.
    #[plugin(default = BorderMode::Constant)]
    pub border_mode: BorderMode,
    /// Brightness of a constant border, one number or one for each channel: 0 to 255, which is white in images of every
    /// type.
    #[plugin(default = PerChannel(vec![0.0]), range = 0.0..=255.0)]
    pub fill: PerChannel,
    /// Class of a constant border in maps.
    #[plugin(default = 0)]
    pub fill_mask: u16,
}

impl Pad {
    fn check(&self, rules: &mut Rules) {
        if !matches!(self.padding.0.len(), 1 | 2 | 4) {
            rules.refuse("padding", "it takes one number, two or four");
        }
    }
}

impl Augmentation for Pad {
    type Draw = Region;

    fn draw(&self, _: &mut Rng, row: &RowView<'_>) -> Result<Option<Region>> {
        let all: Vec<i64> = self.padding.0.iter().map(|p| *p as i64).collect();
        let [left, top, right, bottom] = match *all.as_slice() {
            [a] => [a; 4],
            [x, y] => [x, y, x, y],
            [left, top, right, bottom] => [left, top, right, bottom],
            _ => [0; 4],
        };
        Ok(Some(Region::between(-left, -top, row.size.0 as i64 + right, row.size.1 as i64 + bottom)))
    }

    fn warp(&self, draw: &Region, _: (usize, usize)) -> Option<Warp> {
        Some(draw.cut().with_border(self.border_mode.border(&self.fill, self.fill_mask)))
    }

    fn looks(&self) -> bool {
        false
    }

    fn edits(&self) -> bool {
        false
    }

    fn is_random(&self) -> bool {
        false
    }
}
