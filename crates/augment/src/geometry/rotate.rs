//! Turns by a random angle.

use crate::geometry::turn::inner;
use crate::{BorderMode, Limit, PerChannel};
use pleach_core::warp::{Corners, Interpolation};
use pleach_core::{Augmentation, Result, Rng, RowView, Warp, plugin, state};

/// Turns a sample about its centre by an angle that is uniform in `limit`, with probability 0.5 unless
/// `p` says otherwise; the size stays, unless `crop_border` cuts the corners off.
///
/// Follows `Rotate` of Albumentations 2.0.8: positive angles are counterclockwise. An axis box of an instance with a
/// mask or polygon is drawn anew around that. At a replicating or mirroring border instances are not repeated,
/// though pixels and maps are.
#[plugin(augmentation, cite = "Albumentations 2.0.8, Rotate")]
pub struct Rotate {
    /// Least and greatest angle in degrees; one number `x` stands for `[-x, x]`.
    #[plugin(default = Limit(-90.0, 90.0), range = -360.0..=360.0)]
    pub limit: Limit,
    /// How pixels between pixels are made; maps and masks always take the nearest.
    #[plugin(default = Interpolation::Bilinear)]
    pub interpolation: Interpolation,
    /// Albumentations' choice for masks; without effect here, where they take the nearest.
    #[plugin(idle)]
    pub mask_interpolation: Option<Interpolation>,
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
    /// How an axis box moves: around its four corners, or around the ellipse in it.
    #[plugin(default = Corners::LargestBox)]
    pub rotate_method: Corners,
    /// Whether the largest upright window without a corner of the border is cut out.
    #[plugin(default = false)]
    pub crop_border: bool,
}

/// What was decided.
#[state]
pub struct Rotated {
    /// The angle in degrees.
    pub degrees: f64,
}

impl Augmentation for Rotate {
    type Draw = Rotated;

    fn draw(&self, rng: &mut Rng, _: &RowView<'_>) -> Result<Option<Rotated>> {
        Ok(Some(Rotated { degrees: rng.range(self.limit.0, self.limit.1) }))
    }

    fn warp(&self, draw: &Rotated, size: (usize, usize)) -> Option<Warp> {
        let warp = Warp::rotate(size, draw.degrees)
            .with_interpolation(self.interpolation)
            .with_border(self.border_mode.border(&self.fill, self.fill_mask))
            .with_corners(self.rotate_method);
        Some(if self.crop_border { warp.then(&inner(size, draw.degrees)) } else { warp })
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
