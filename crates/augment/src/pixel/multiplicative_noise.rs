//! Samples times random factors.

use super::grid::{Grid, by_type, channels};
use super::limits::Exactly;
use super::noise::Noise;
use super::table::{look_up, truncated};
use pleach_core::image::Image;
use pleach_core::{Augmentation, Result, Rng, RowView, plugin, state};

/// Multiplies the image, each channel, or each sample with a factor.
///
/// Follows `MultiplicativeNoise` of Albumentations 2.0.8: products of 8 bits drop their fraction. With `elementwise` the
/// factors are a function of the draw's seed and the sample's place, with 16 random bits each.
#[plugin(augmentation, cite = "Albumentations 2.0.8, MultiplicativeNoise")]
pub struct MultiplicativeNoise {
    /// Least and greatest factor; one number `x` stands for `[x, x]`.
    #[plugin(default = Exactly(0.9, 1.1), range = 0.0..=255.0)]
    pub multiplier: Exactly,
    /// Whether channels have factors of their own.
    #[plugin(default = false)]
    pub per_channel: bool,
    /// Whether pixels have factors of their own.
    #[plugin(default = false)]
    pub elementwise: bool,
}

/// What was decided.
#[state]
pub struct Multiplied {
    /// The factor of all channels or of each; none where each pixel has its own.
    pub factors: Vec<f64>,
    /// What the pixels' factors are made from.
    pub seed: u64,
}

fn tables(draw: &Multiplied) -> Vec<[u8; 256]> {
    draw.factors.iter().map(|&f| truncated(|x| x * f as f32)).collect()
}

impl MultiplicativeNoise {
    /// Calls `change(sample, factor with 16 bits of fraction)` for each sample.
    fn each<T>(&self, draw: &Multiplied, grid: &mut Grid<T>, mut change: impl FnMut(&mut T, u32)) {
        let low = (self.multiplier.0 * 65536.0) as u64;
        let range = ((self.multiplier.1 - self.multiplier.0) * 65536.0) as u64;
        let noise = Noise { seed: draw.seed, kind: 0 };
        let factor = |bits: u16| (low + ((u64::from(bits) * range) >> 16)) as u32;
        if self.per_channel {
            let samples = &mut grid.samples;
            noise.each(samples.len(), |first, bits| {
                samples[first..].iter_mut().zip(bits).for_each(|(x, &bits)| change(x, factor(bits)));
            });
        } else {
            let (channels, samples) = (grid.channels, &mut grid.samples);
            noise.each(samples.len() / channels, |first, bits| {
                for (pixel, &bits) in samples[first * channels..].chunks_exact_mut(channels).zip(bits) {
                    let factor = factor(bits);
                    pixel.iter_mut().for_each(|x| change(x, factor));
                }
            });
        }
    }
}

impl Augmentation for MultiplicativeNoise {
    type Draw = Multiplied;

    fn draw(&self, rng: &mut Rng, row: &RowView<'_>) -> Result<Option<Multiplied>> {
        let count = match (self.elementwise, self.per_channel) {
            (true, _) => 0,
            (false, true) => channels(row),
            (false, false) => 1,
        };
        let factors = (0..count).map(|_| rng.range(self.multiplier.0, self.multiplier.1)).collect();
        Ok(Some(Multiplied { factors, seed: rng.next_u64() }))
    }

    fn touch(&self, draw: &Multiplied, image: &mut Image) -> Result<()> {
        by_type(
            image,
            |grid| {
                if self.elementwise {
                    self.each(draw, grid, |x, factor| {
                        *x = ((u64::from(*x) * u64::from(factor)) >> 16).min(255) as u8;
                    });
                } else {
                    look_up(grid, &tables(draw));
                }
                Ok(())
            },
            |grid| {
                if self.elementwise {
                    self.each(draw, grid, |x, factor| *x = (*x * factor as f32 / 65536.0).clamp(0.0, 1.0));
                } else {
                    for pixel in grid.samples.chunks_exact_mut(grid.channels) {
                        for (x, factor) in pixel.iter_mut().zip(draw.factors.iter().cycle()) {
                            *x = (*x * *factor as f32).clamp(0.0, 1.0);
                        }
                    }
                }
                Ok(())
            },
        )
    }

    fn touches(&self) -> bool {
        true
    }

    fn table(&self, draw: &Multiplied, channels: usize) -> Option<Vec<[u8; 256]>> {
        let fits = draw.factors.len() == 1 || draw.factors.len() == channels;
        (!self.elementwise && fits).then(|| tables(draw))
    }

    fn default_p(&self) -> f64 {
        0.5
    }
}
