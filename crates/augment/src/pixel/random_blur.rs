//! Blur of a fixed radius.

use super::gaussian_blur::{Gaussian, blurred};
use pleach_core::image::Image;
use pleach_core::{Augmentation, Result, Rng, RowView, plugin};

/// Blurs by the normal curve with a standard deviation of `radius` pixels.
///
/// Follows the augmentation of PolypNextLSTM, which calls Pillow's `GaussianBlur`; that one comes near the curve by boxes
/// in a row, this one is the curve. The border is mirrored without repeating the edge.
#[plugin(augmentation, cite = "https://github.com/KonradReuter/PVS")]
pub struct RandomBlur {
    /// The standard deviation in pixels.
    #[plugin(default = 2.0, range = 0.0..=36.0)]
    pub radius: f64,
}

impl Augmentation for RandomBlur {
    type Draw = Gaussian;

    fn draw(&self, _: &mut Rng, _: &RowView<'_>) -> Result<Option<Gaussian>> {
        Ok(Some(Gaussian { sigma: self.radius, size: 0 }))
    }

    fn touch(&self, draw: &Gaussian, image: &mut Image) -> Result<()> {
        blurred(draw, image)
    }

    fn touches(&self) -> bool {
        true
    }
}
