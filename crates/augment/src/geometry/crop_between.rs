//! Cuts out a given window.

use crate::geometry::position::Position;
use crate::geometry::region::Region;
use crate::{BorderMode, PerChannel};
use pleach_core::read::Rules;
use pleach_core::{Augmentation, Error, Result, Rng, RowView, Warp, plugin};

/// Cuts out the window between two corners.
///
/// Follows `Crop` of Albumentations 2.0.8; a frame that the window reaches beyond is an error unless it is padded.
#[plugin(augmentation, cite = "Albumentations 2.0.8, Crop", check = Self::check)]
pub struct Crop {
    /// The first column.
    #[plugin(default = 0, range = 0..)]
    pub x_min: i64,
    /// The first row.
    #[plugin(default = 0, range = 0..)]
    pub y_min: i64,
    /// The column behind the last.
    #[plugin(default = 1024, sample = 64, range = 1..)]
    pub x_max: i64,
    /// The row below the last.
    #[plugin(default = 1024, sample = 64, range = 1..)]
    pub y_max: i64,
    /// Whether a frame that is smaller than the window is padded; an error otherwise.
    #[plugin(default = false)]
    pub pad_if_needed: bool,
    /// Where the image lies in a padded frame.
    #[plugin(default = Position::Center)]
    pub pad_position: Position,
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

impl Crop {
    fn check(&self, rules: &mut Rules) {
        if self.x_max <= self.x_min {
            rules.refuse("x_max", "it must be greater than `x_min`");
        }
        if self.y_max <= self.y_min {
            rules.refuse("y_max", "it must be greater than `y_min`");
        }
    }
}

impl Augmentation for Crop {
    type Draw = Region;

    fn draw(&self, rng: &mut Rng, row: &RowView<'_>) -> Result<Option<Region>> {
        let (w, h) = (row.size.0 as i64, row.size.1 as i64);
        let (columns, rows) = ((self.x_max - w).max(0), (self.y_max - h).max(0));
        if !self.pad_if_needed && (columns > 0 || rows > 0) {
            let (x, y) = (self.x_max, self.y_max);
            let message = format!("{}: a window up to ({x}, {y}) is not within {w}x{h} pixels", row.row.id.key);
            return Err(Error::new("PL0341", message).hint("resize first, crop less, or set `pad_if_needed = true`"));
        }
        let (left, top) = self.pad_position.before(rng, columns, rows);
        Ok(Some(Region::between(self.x_min - left, self.y_min - top, self.x_max - left, self.y_max - top)))
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
        self.pad_if_needed && self.pad_position == Position::Random
    }
}
