//! Colours taken away from every sample.

use super::grid::{Done, by_type, only_rgb};
use super::random_photometric_distort::luma;
use pleach_core::image::Image;
use pleach_core::{Augmentation, Result, Rng, RowView, plugin};

/// Makes one gray channel of three, or three alike.
///
/// Follows `Grayscale` of torchvision's v2 transforms: `0.2989 r + 0.587 g + 0.114 b`, whose fraction is dropped in 8
/// bits. It is done in `eval` and `predict` too.
#[plugin(augmentation, cite = "torchvision 0.29, v2.Grayscale")]
pub struct Grayscale {
    /// Channels of the result: 1 or 3.
    #[plugin(default = 1, range = 1..=3)]
    pub num_output_channels: usize,
}

impl Augmentation for Grayscale {
    type Draw = Done;

    fn draw(&self, _: &mut Rng, _: &RowView<'_>) -> Result<Option<Done>> {
        Ok(Some(Done {}))
    }

    fn touch(&self, _: &Done, image: &mut Image) -> Result<()> {
        let n = self.num_output_channels;
        if image.channels != 1 {
            only_rgb("Grayscale", image.channels)?;
        }
        let bytes = |p: &[u8]| if let [r, g, b] = *p { luma([r, g, b].map(f32::from)) as u8 } else { p[0] };
        let floats = |p: &[f32]| if let [r, g, b] = *p { luma([r, g, b]) } else { p[0] };
        by_type(image, |grid| grid.mixed(n, bytes), |grid| grid.mixed(n, floats))
    }

    fn touches(&self) -> bool {
        true
    }

    fn is_random(&self) -> bool {
        false
    }
}
