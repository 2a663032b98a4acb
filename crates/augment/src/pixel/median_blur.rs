//! The middle of a square.

use super::blur::Width;
use super::filter::{Outside, padded};
use super::grid::{Grid, as_bytes};
use super::limits::KernelSizes;
use pleach_core::image::Image;
use pleach_core::{Augmentation, Result, Rng, RowView, plugin};
use pleach_simd::median_square;

/// Each sample becomes the median of a square around it.
///
/// Follows `MedianBlur` of Albumentations 2.0.8 (OpenCV's `medianBlur`), to the bit; other types become 8 bits first.
/// The edge is repeated beyond the border. Squares of up to 7 pixels are sorted many samples at a time, greater ones
/// counted.
#[plugin(augmentation, cite = "Albumentations 2.0.8, MedianBlur")]
pub struct MedianBlur {
    /// Least and greatest width of the square in pixels, odd; one number `x` stands for `[3, x]`.
    #[plugin(default = KernelSizes(3.0, 7.0), range = ..=255.0)]
    pub blur_limit: KernelSizes,
}

/// By counts of the square's levels that follow it along the row (Huang, Yang and Tang, 1979).
fn by_counting(grid: &mut Grid<u8>, size: usize) {
    let source = padded(grid, size / 2, Outside::Nearest);
    let (w, c, wide) = (grid.width, grid.channels, source.row_len());
    let middle = (size * size / 2) as u32;
    for (y, out) in grid.samples.chunks_exact_mut(w * c).enumerate() {
        for channel in 0..c {
            let mut counts = [0_u32; 256];
            let at = |x: usize, dy: usize| usize::from(source.samples[(y + dy) * wide + x * c + channel]);
            for dy in 0..size {
                (0..size - 1).for_each(|x| counts[at(x, dy)] += 1);
            }
            // `below` samples are less than `level`.
            let (mut level, mut below) = (0_usize, 0_u32);
            for x in 0..w {
                for dy in 0..size {
                    let enters = at(x + size - 1, dy);
                    counts[enters] += 1;
                    below += u32::from(enters < level);
                }
                while below > middle {
                    level -= 1;
                    below -= counts[level];
                }
                while below + counts[level] <= middle {
                    below += counts[level];
                    level += 1;
                }
                out[x * c + channel] = level as u8;
                for dy in 0..size {
                    let leaves = at(x, dy);
                    counts[leaves] -= 1;
                    below -= u32::from(leaves < level);
                }
            }
        }
    }
}

impl Augmentation for MedianBlur {
    type Draw = Width;

    fn draw(&self, rng: &mut Rng, _: &RowView<'_>) -> Result<Option<Width>> {
        Ok(Some(Width { size: self.blur_limit.draw(rng) }))
    }

    fn touch(&self, draw: &Width, image: &mut Image) -> Result<()> {
        let size = (draw.size | 1).clamp(3, 255);
        as_bytes(image, |grid| {
            if !median_square(&mut grid.samples, grid.width, grid.channels, size) {
                by_counting(grid, size);
            }
            Ok(())
        })
    }

    fn touches(&self) -> bool {
        true
    }

    fn default_p(&self) -> f64 {
        0.5
    }
}
