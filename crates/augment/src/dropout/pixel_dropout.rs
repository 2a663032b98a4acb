//! Single pixels left out.

use crate::PerChannel;
use crate::pixel::grid::{Grid, by_type};
use crate::pixel::noise::Noise;
use pleach_core::image::Image;
use pleach_core::{Augmentation, Result, Rng, RowView, plugin, state};

/// Gives pixels, or single samples, another value with a probability.
///
/// Follows `PixelDropout` of Albumentations 2.0.8 for frames; maps and instances stay as they are. Which pixels it is, is
/// a function of the draw's seed and their place.
#[plugin(augmentation, cite = "Albumentations 2.0.8, PixelDropout")]
pub struct PixelDropout {
    /// The probability of each pixel.
    #[plugin(default = 0.01, range = 0.0..=1.0)]
    pub dropout_prob: f64,
    /// Whether each sample is drawn for by itself.
    #[plugin(default = false)]
    pub per_channel: bool,
    /// The value, in the image's own levels: a number, or a list of one for each channel.
    #[plugin(default = PerChannel(vec![0.0]))]
    pub drop_value: PerChannel,
}

/// What was decided.
#[state]
pub struct DroppedPixels {
    /// What the places are made from.
    pub seed: u64,
}

impl PixelDropout {
    fn drop<T: Copy>(&self, draw: &DroppedPixels, grid: &mut Grid<T>, value: impl Fn(f64) -> T) {
        let c = grid.channels;
        let values: Vec<T> = (0..c).map(|i| value(self.drop_value.of(i, c).unwrap_or(0.0))).collect();
        let bound = (self.dropout_prob * 65536.0).round() as u32;
        let noise = Noise { seed: draw.seed, kind: 0 };
        let step = if self.per_channel { 1 } else { c };
        noise.each(grid.samples.len() / step, |first, bits| {
            for (i, _) in bits.iter().enumerate().filter(|(_, bits)| u32::from(**bits) < bound) {
                let at = (first + i) * step;
                for (k, x) in grid.samples[at..at + step].iter_mut().enumerate() {
                    *x = values[(at + k) % c];
                }
            }
        });
    }
}

impl Augmentation for PixelDropout {
    type Draw = DroppedPixels;

    fn draw(&self, rng: &mut Rng, _: &RowView<'_>) -> Result<Option<DroppedPixels>> {
        Ok(Some(DroppedPixels { seed: rng.next_u64() }))
    }

    fn touch(&self, draw: &DroppedPixels, image: &mut Image) -> Result<()> {
        let white = f64::from(image.pixels.white());
        by_type(
            image,
            |grid| {
                self.drop(draw, grid, |v| v.clamp(0.0, 255.0) as u8);
                Ok(())
            },
            |grid| {
                self.drop(draw, grid, |v| (v / white) as f32);
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
