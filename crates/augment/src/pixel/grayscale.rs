//! Colours taken away from every sample.

use super::grid::{Done, Grid, by_type, only_rgb};
use super::random_photometric_distort::{LUMA, luma};
use pleach_core::image::Image;
use pleach_core::{Augmentation, Result, Rng, RowView, plugin};
use pleach_simd::{shade_rgb, shaded_rgb};

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

fn bytes(grid: &mut Grid<u8>, channels: usize) -> Result<()> {
    match (grid.channels, channels) {
        (3, 3) => shade_rgb(grid.samples.as_chunks_mut::<3>().0, LUMA),
        (3, n) => {
            let mut grays = vec![0; grid.samples.len() / 3];
            shaded_rgb(grid.samples.as_chunks::<3>().0, LUMA, &mut grays);
            (grid.samples, grid.channels) = (grays, 1);
            if n != 1 {
                grid.mixed(n, |p| p[0])?;
            }
        }
        (_, n) => grid.mixed(n, |p| p[0])?,
    }
    Ok(())
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
        let floats = |p: &[f32]| if let [r, g, b] = *p { luma([r, g, b]) } else { p[0] };
        by_type(image, |grid| bytes(grid, n), |grid| grid.mixed(n, floats))
    }

    fn touches(&self) -> bool {
        true
    }

    fn is_random(&self) -> bool {
        false
    }
}
