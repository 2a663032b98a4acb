//! Bends the picture like a lens.

use crate::{BorderMode, Limit, PerChannel};
use pleach_core::warp::{Field, Interpolation};
use pleach_core::{Augmentation, Result, Rng, RowView, Warp, config, plugin, state};

/// What bends the picture.
#[config]
#[derive(Default)]
pub enum LensMode {
    /// A camera with radial distortion: radii, in sides of the frame, grow by 1 + k r^2 + k r^4.
    #[default]
    Camera,
    /// A fisheye: radii grow by 1 + k r^2, with r = 1 in the corners.
    Fisheye,
}

/// Barrel and pincushion distortion with a random coefficient, with probability 0.5 unless `p` says otherwise.
///
/// Follows `OpticalDistortion` of Albumentations 2.0.8 and the centres that OpenCV's maps have there, half a pixel beside
/// the middle.
#[plugin(augmentation, cite = "Albumentations 2.0.8, OpticalDistortion")]
pub struct OpticalDistortion {
    /// The coefficient.
    #[plugin(default = Limit(-0.05, 0.05))]
    pub distort_limit: Limit,
    /// How pixels between pixels are made; maps and masks always take the nearest.
    #[plugin(default = Interpolation::Bilinear)]
    pub interpolation: Interpolation,
    /// Albumentations' choice for masks; without effect here, where they take the nearest.
    #[plugin(idle)]
    pub mask_interpolation: Option<Interpolation>,
    /// Albumentations' choice of how key points move; without effect here: they move by the inverse of the field.
    #[plugin(idle)]
    pub keypoint_remapping_method: Option<String>,
    /// What bends the picture.
    #[plugin(default = LensMode::Camera)]
    pub mode: LensMode,
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

/// What was decided.
#[state]
pub struct Bent {
    /// The coefficient.
    pub k: f64,
}

impl Augmentation for OpticalDistortion {
    type Draw = Bent;

    fn draw(&self, rng: &mut Rng, _: &RowView<'_>) -> Result<Option<Bent>> {
        Ok(Some(Bent { k: rng.range(self.distort_limit.0, self.distort_limit.1) }))
    }

    fn warp(&self, draw: &Bent, size: (usize, usize)) -> Option<Warp> {
        let (w, h) = (size.0 as f64, size.1 as f64);
        let (cx, cy) = (w / 2.0, h / 2.0);
        // OpenCV's camera looks from the middle pixel to the half of the sides.
        let eye = if matches!(self.mode, LensMode::Camera) { 0.5 } else { 0.0 };
        let columns: Vec<f64> = (0..size.0).map(|x| x as f64 - cx + eye).collect();
        let shares: Vec<f64> = columns.iter().map(|dx| (dx / w).powi(2)).collect();
        let field = Field::of_rows(size, |y, row| {
            let dy = y as f64 - cy + eye;
            let share = (dy / h).powi(2);
            for ((place, dx), across) in row.iter_mut().zip(&columns).zip(&shares) {
                let grow = match self.mode {
                    LensMode::Camera => {
                        let r2 = across + share;
                        1.0 + draw.k * r2 + draw.k * r2 * r2
                    }
                    LensMode::Fisheye => 1.0 + draw.k * (dx * dx + dy * dy) / (cx * cx + cy * cy),
                };
                *place = [(cx + dx * grow) as f32, (cy + dy * grow) as f32];
            }
        });
        let border = self.border_mode.border(&self.fill, self.fill_mask);
        Some(Warp::field(field.ok()?).with_interpolation(self.interpolation).with_border(border))
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
