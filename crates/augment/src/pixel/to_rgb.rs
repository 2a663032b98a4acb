//! Gray images in three channels.

use super::grid::{Done, by_type, gray_or_rgb};
use pleach_core::image::Image;
use pleach_core::{Augmentation, Result, Rng, RowView, plugin};

/// Repeats the channel of a gray image; an RGB image stays as it is. It is done in `eval` and `predict` too.
///
/// Follows `ToRGB` of Albumentations 2.0.8.
#[plugin(augmentation, cite = "Albumentations 2.0.8, ToRGB")]
pub struct ToRGB {
    /// Channels of the result.
    #[plugin(default = 3, range = 1..=16)]
    pub num_output_channels: usize,
}

impl Augmentation for ToRGB {
    type Draw = Done;

    fn draw(&self, _: &mut Rng, _: &RowView<'_>) -> Result<Option<Done>> {
        Ok(Some(Done {}))
    }

    fn touch(&self, _: &Done, image: &mut Image) -> Result<()> {
        gray_or_rgb("ToRGB", image.channels)?;
        if image.channels == 3 {
            return Ok(());
        }
        let n = self.num_output_channels;
        by_type(image, |grid| grid.mixed(n, |p| p[0]), |grid| grid.mixed(n, |p| p[0]))
    }

    fn touches(&self) -> bool {
        true
    }

    fn is_random(&self) -> bool {
        false
    }
}
