//! Moves, scales and turns, by limits.

use crate::geometry::affine::{Affined, affine};
use crate::{BorderMode, Limit, PerChannel};
use pleach_core::warp::{Corners, Interpolation};
use pleach_core::{Augmentation, Result, Rng, RowView, Warp, plugin};

/// Scales, turns counterclockwise and moves a sample about its centre, with probability 0.5 unless `p` says otherwise.
///
/// Follows `ShiftScaleRotate` of Albumentations 2.0.8: the scale is 1 plus what is drawn from `scale_limit`.
#[plugin(augmentation, cite = "Albumentations 2.0.8, ShiftScaleRotate")]
pub struct ShiftScaleRotate {
    /// Moves in shares of width and height.
    #[plugin(default = Limit(-0.0625, 0.0625))]
    pub shift_limit: Limit,
    /// What is added to a scale of 1.
    #[plugin(default = Limit(-0.1, 0.1), above = -1.0)]
    pub scale_limit: Limit,
    /// The angle in degrees.
    #[plugin(default = Limit(-45.0, 45.0), range = -360.0..=360.0)]
    pub rotate_limit: Limit,
    /// Moves along x, in place of `shift_limit`.
    pub shift_limit_x: Option<Limit>,
    /// Moves along y, in place of `shift_limit`.
    pub shift_limit_y: Option<Limit>,
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
}

impl Augmentation for ShiftScaleRotate {
    type Draw = Affined;

    fn draw(&self, rng: &mut Rng, row: &RowView<'_>) -> Result<Option<Affined>> {
        let mut one = |limit: Limit| rng.range(limit.0, limit.1);
        let share =
            [one(self.shift_limit_x.unwrap_or(self.shift_limit)), one(self.shift_limit_y.unwrap_or(self.shift_limit))];
        let scale = 1.0 + one(self.scale_limit);
        let rotate = one(self.rotate_limit);
        let translate = [(share[0] * row.size.0 as f64).trunc(), (share[1] * row.size.1 as f64).trunc()];
        Ok(Some(Affined { scale: [scale, scale], translate, rotate, shear: [0.0, 0.0] }))
    }

    fn warp(&self, draw: &Affined, size: (usize, usize)) -> Option<Warp> {
        Some(
            affine(draw, size)
                .with_interpolation(self.interpolation)
                .with_border(self.border_mode.border(&self.fill, self.fill_mask))
                .with_corners(self.rotate_method),
        )
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
