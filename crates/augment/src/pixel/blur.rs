//! The mean of a square.

use super::filter::{box_bytes, symmetric_floats};
use super::grid::by_type;
use super::limits::KernelSizes;
use pleach_core::image::Image;
use pleach_core::{Augmentation, Result, Rng, RowView, plugin, state};

/// Each sample becomes the mean of a square around it.
///
/// Follows `Blur` of Albumentations 2.0.8 (OpenCV's `blur`), to the bit for 8 bits: whole sums, rounded once. The
/// border is mirrored without repeating the edge.
#[plugin(augmentation, cite = "Albumentations 2.0.8, Blur")]
pub struct Blur {
    /// Least and greatest width of the square in pixels, odd; one number `x` stands for `[3, x]`.
    #[plugin(default = KernelSizes(3.0, 7.0), range = ..=255.0)]
    pub blur_limit: KernelSizes,
}

/// What was decided.
#[state]
pub struct Width {
    /// The width of the kernel in pixels.
    pub size: usize,
}

impl Augmentation for Blur {
    type Draw = Width;

    fn draw(&self, rng: &mut Rng, _: &RowView<'_>) -> Result<Option<Width>> {
        Ok(Some(Width { size: self.blur_limit.draw(rng) }))
    }

    fn touch(&self, draw: &Width, image: &mut Image) -> Result<()> {
        let size = (draw.size | 1).min(255);
        by_type(
            image,
            |grid| {
                box_bytes(grid, size);
                Ok(())
            },
            |grid| {
                symmetric_floats(grid, &vec![1.0 / size as f64; size]);
                Ok(())
            },
        )
    }

    fn touches(&self) -> bool {
        true
    }

    fn default_p(&self) -> f64 {
        0.5
    }
}
