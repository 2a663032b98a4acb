//! Pads frames that are too small.

use crate::geometry::position::Position;
use crate::geometry::region::Region;
use crate::{BorderMode, PerChannel};
use pleach_core::read::Rules;
use pleach_core::{Augmentation, Result, Rng, RowView, Warp, plugin};

/// Pads frames up to a least size, or up to a multiple of a number.
///
/// Follows `PadIfNeeded` of Albumentations 2.0.8. For each side either the least size or the divisor is given;
/// a divisor takes the place of the default size.
#[plugin(augmentation, cite = "Albumentations 2.0.8, PadIfNeeded", check = Self::check)]
pub struct PadIfNeeded {
    /// Least height in pixels; "none" where `pad_height_divisor` is given.
    #[plugin(default = Some(1024), range = 1..)]
    pub min_height: Option<usize>,
    /// Least width in pixels; "none" where `pad_width_divisor` is given.
    #[plugin(default = Some(1024), range = 1..)]
    pub min_width: Option<usize>,
    /// What the height becomes a multiple of.
    #[plugin(range = 1..)]
    pub pad_height_divisor: Option<usize>,
    /// What the width becomes a multiple of.
    #[plugin(range = 1..)]
    pub pad_width_divisor: Option<usize>,
    /// Where the image lies in the padded frame.
    #[plugin(default = Position::Center)]
    pub position: Position,
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

impl PadIfNeeded {
    fn check(&self, rules: &mut Rules) {
        if self.min_height.is_some() == self.pad_height_divisor.is_some() {
            rules.refuse("min_height", "give either it or `pad_height_divisor`; \"none\" turns it off");
        }
        if self.min_width.is_some() == self.pad_width_divisor.is_some() {
            rules.refuse("min_width", "give either it or `pad_width_divisor`; \"none\" turns it off");
        }
    }
}

impl Augmentation for PadIfNeeded {
    type Draw = Region;

    fn draw(&self, rng: &mut Rng, row: &RowView<'_>) -> Result<Option<Region>> {
        let side = |now: usize, least: Option<usize>, divisor: Option<usize>| match divisor {
            Some(d) => now.next_multiple_of(d),
            None => now.max(least.unwrap_or(now)),
        };
        let width = side(row.size.0, self.min_width, self.pad_width_divisor);
        let height = side(row.size.1, self.min_height, self.pad_height_divisor);
        let (left, top) = self.position.before(rng, (width - row.size.0) as i64, (height - row.size.1) as i64);
        Ok(Some(Region { x: -left, y: -top, width, height }))
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
        self.position == Position::Random
    }
}
