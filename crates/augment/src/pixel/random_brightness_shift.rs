//! Brightness by a factor of the value.

use super::grid::{as_bytes, channels, gray_or_rgb};
use super::{hsv, table};
use pleach_core::image::Image;
use pleach_core::{Augmentation, Result, Rng, RowView, plugin, state};

/// Multiplies the value of each pixel, in HSV of 8 bits, with a factor that is uniform from `factor` to `factor + 1`.
///
/// Follows the augmentation of PolypNextLSTM: a table of 256 entries whose fractions are dropped, white at most. The
/// conversion is OpenCV's (hue in half degrees), where the reference has Pillow's: some levels from that one at strong
/// colours. A gray image is multiplied itself.
#[plugin(augmentation, cite = "https://github.com/KonradReuter/PVS")]
pub struct RandomBrightnessShift {
    /// The least factor.
    #[plugin(default = 0.5, range = 0.0..)]
    pub factor: f64,
}

/// What was decided.
#[state]
pub struct Brightness {
    /// What the value is multiplied with.
    pub factor: f64,
}

fn values(factor: f64) -> [u8; 256] {
    std::array::from_fn(|v| (v as f64 * factor).min(255.0) as u8)
}

impl Augmentation for RandomBrightnessShift {
    type Draw = Brightness;

    fn draw(&self, rng: &mut Rng, row: &RowView<'_>) -> Result<Option<Brightness>> {
        gray_or_rgb("RandomBrightnessShift", channels(row))?;
        Ok(Some(Brightness { factor: self.factor + rng.uniform() }))
    }

    fn touch(&self, draw: &Brightness, image: &mut Image) -> Result<()> {
        gray_or_rgb("RandomBrightnessShift", image.channels)?;
        let same = std::array::from_fn(|v| v as u8);
        as_bytes(image, |grid| {
            match grid.channels {
                1 => table::look_up(grid, &[values(draw.factor)]),
                _ => hsv::change(grid, &same, &same, &values(draw.factor)),
            }
            Ok(())
        })
    }

    fn touches(&self) -> bool {
        true
    }

    fn table(&self, draw: &Brightness, channels: usize) -> Option<Vec<[u8; 256]>> {
        (channels == 1).then(|| vec![values(draw.factor)])
    }
}
