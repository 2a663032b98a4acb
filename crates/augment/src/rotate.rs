//! Turns by a random angle.

use crate::{BorderMode, Limit};
use pleach_core::warp::Interpolation;
use pleach_core::{Augmentation, Result, Rng, RowView, Warp, plugin, state};

/// Turns a sample about its centre by an angle that is uniform in `limit`, with probability 0.5 unless
/// `p` says otherwise; the size stays.
///
/// Follows `Rotate` of Albumentations 2.0.8 with `crop_border=False`: positive angles are
/// counterclockwise, an axis box becomes the axis box around its four turned corners
/// (`rotate_method="largest_box"`) or, where the instance has a mask or polygon, around that. At a
/// replicating or mirroring border instances are not repeated, though pixels and maps are.
#[plugin(augmentation, cite = "Albumentations 2.0.8, Rotate")]
pub struct Rotate {
    /// Least and greatest angle in degrees; one number `x` stands for `[-x, x]`.
    #[plugin(default = Limit(-90.0, 90.0), range = -360.0..=360.0)]
    pub limit: Limit,
    /// How pixels between pixels are made; maps and masks always take the nearest.
    #[plugin(default = Interpolation::Bilinear)]
    pub interpolation: Interpolation,
    /// What is put into the corners.
    #[plugin(default = BorderMode::Constant)]
    pub border_mode: BorderMode,
    /// Brightness of the corners with a constant border: 0 to 255, which is white in images of every type.
    #[plugin(default = 0.0, range = 0.0..=255.0)]
    pub fill: f64,
    /// Class of the corners of maps with a constant border.
    #[plugin(default = 0)]
    pub fill_mask: u16,
    /// An instance of which less than this share stays inside is dropped, 0 to 1.
    #[plugin(default = 0.0, range = 0.0..=1.0)]
    pub min_visibility: f32,
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
            .with_border(self.border_mode.border(self.fill, self.fill_mask))
            .with_min_visibility(self.min_visibility);
        Some(warp)
    }

    fn default_p(&self) -> f64 {
        0.5
    }
}
