//! Turns, and keeps the whole picture in the frame.

use crate::geometry::matrices::linear;
use crate::geometry::rotate::Rotated;
use crate::{BorderMode, Limit, PerChannel};
use pleach_core::warp::{Corners, Interpolation};
use pleach_core::{Augmentation, Result, Rng, RowView, Warp, plugin};

/// Turns a sample by an angle that is uniform in `limit` and stretches the result into the frame, so that nothing is
/// cut off; with probability 0.5 unless `p` says otherwise.
///
/// Follows `SafeRotate` of Albumentations 2.0.8, the rounding of the size of the turned picture to whole pixels
/// included. Boxes move with the image, which lies half a pixel beside the middle; Albumentations leaves that half
/// pixel out for boxes.
#[plugin(augmentation, cite = "Albumentations 2.0.8, SafeRotate")]
pub struct SafeRotate {
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
}

impl Augmentation for SafeRotate {
    type Draw = Rotated;

    fn draw(&self, rng: &mut Rng, _: &RowView<'_>) -> Result<Option<Rotated>> {
        Ok(Some(Rotated { degrees: rng.range(self.limit.0, self.limit.1) }))
    }

    fn warp(&self, draw: &Rotated, size: (usize, usize)) -> Option<Warp> {
        let (w, h) = (size.0 as f64, size.1 as f64);
        let (sin, cos) = draw.degrees.to_radians().sin_cos();
        let new_w = (h * sin.abs() + w * cos.abs()).trunc().max(1.0);
        let new_h = (h * cos.abs() + w * sin.abs()).trunc().max(1.0);
        let (sx, sy) = (w / new_w, h / new_h);
        // Turned about the centre, moved to the middle of the new size, stretched from the first pixel.
        let about = [w / 2.0 - 0.5, h / 2.0 - 0.5];
        let middle = [sx * new_w / 2.0 - about[0], sy * new_h / 2.0 - about[1]];
        let warp = linear(size, [[sx * cos, sx * sin], [-sy * sin, sy * cos]], about, middle);
        Some(
            warp.with_interpolation(self.interpolation)
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
