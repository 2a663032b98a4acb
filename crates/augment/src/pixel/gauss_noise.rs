//! Normal noise.

use super::grid::{Grid, by_type};
use super::noise::{Noise, normal, quantiles};
use super::resample::{Kernel, resized};
use super::rounding::cut;
use pleach_core::image::Image;
use pleach_core::read::Rules;
use pleach_core::{Augmentation, Result, Rng, RowView, plugin, state};

/// Adds normal noise, white being 1: `x + mean + std z`.
///
/// Follows `GaussNoise` of Albumentations 2.0.8; sums of 8 bits drop their fraction, as there. The numbers are others:
/// a function of the draw's seed and the sample's place, from Philox and a table of the normal distribution's 65536
/// quantiles (none beyond 4.2 deviations), so that all of it is whole numbers. All frames of a clip have the same noise.
#[plugin(augmentation, cite = "Albumentations 2.0.8, GaussNoise", check = Self::check)]
pub struct GaussNoise {
    /// Least and greatest standard deviation, white being 1.
    #[plugin(default = (0.2, 0.44), range = 0.0..=1.0)]
    pub std_range: (f64, f64),
    /// Least and greatest mean, white being 1.
    #[plugin(default = (0.0, 0.0), range = -1.0..=1.0)]
    pub mean_range: (f64, f64),
    /// Whether each channel has its own noise, or all the same.
    #[plugin(default = true)]
    pub per_channel: bool,
    /// The noise is made for an image smaller by this factor and stretched.
    #[plugin(default = 1.0, above = 0.0, range = ..=1.0)]
    pub noise_scale_factor: f64,
}

/// What was decided.
#[state]
pub struct Noisy {
    /// The standard deviation, white being 1.
    pub std: f64,
    /// The mean, white being 1.
    pub mean: f64,
    /// What the noise is made from.
    pub seed: u64,
}

impl GaussNoise {
    fn check(&self, rules: &mut Rules) {
        for (key, (low, high)) in [("std_range", self.std_range), ("mean_range", self.mean_range)] {
            if low > high {
                rules.refuse(key, "the smaller number comes first");
            }
        }
    }

    /// The noise of each sample, white being 1.
    fn map(&self, draw: &Noisy, shape: &Grid<impl Sized>) -> Vec<f32> {
        let small = |side: usize| ((side as f64 * self.noise_scale_factor) as usize).max(1);
        let (w, h) = (small(shape.width), small(shape.height));
        let channels = if self.per_channel { shape.channels } else { 1 };
        let mut samples = vec![0.0; w * h * channels];
        let (std, mean) = (draw.std as f32 / 4096.0, draw.mean as f32);
        let table = quantiles();
        Noise { seed: draw.seed, kind: 0 }.each(samples.len(), |first, bits| {
            for (out, &bits) in samples[first..].iter_mut().zip(bits) {
                *out = normal(bits, table) as f32 * std + mean;
            }
        });
        let mut map = Grid { width: w, height: h, channels, samples };
        if (w, h) != (shape.width, shape.height) {
            map = resized(&map, (shape.width, shape.height), Kernel::Linear);
        }
        if channels == shape.channels {
            return map.samples;
        }
        map.samples.iter().flat_map(|&x| std::iter::repeat_n(x, shape.channels)).collect()
    }
}

/// Adds noise to each sample of 8 bits, in whole numbers with 20 bits of fraction.
fn add(draw: &Noisy, samples: &mut [u8]) {
    let std = (draw.std * 65280.0).round() as i32;
    let mean = (draw.mean * 255.0 * f64::from(1 << 20)).round() as i32;
    let table = quantiles();
    Noise { seed: draw.seed, kind: 0 }.each(samples.len(), |first, bits| {
        for (x, &bits) in samples[first..].iter_mut().zip(bits) {
            let sum = (i32::from(*x) << 20) + mean + normal(bits, table) * std;
            *x = (sum >> 20).clamp(0, 255) as u8;
        }
    });
}

impl Augmentation for GaussNoise {
    type Draw = Noisy;

    fn draw(&self, rng: &mut Rng, _: &RowView<'_>) -> Result<Option<Noisy>> {
        let std = rng.range(self.std_range.0, self.std_range.1);
        let mean = rng.range(self.mean_range.0, self.mean_range.1);
        Ok(Some(Noisy { std, mean, seed: rng.next_u64() }))
    }

    fn touch(&self, draw: &Noisy, image: &mut Image) -> Result<()> {
        by_type(
            image,
            |grid| {
                if self.per_channel && self.noise_scale_factor == 1.0 {
                    add(draw, &mut grid.samples);
                } else {
                    let map = self.map(draw, grid);
                    for (x, noise) in grid.samples.iter_mut().zip(map) {
                        *x = cut((f32::from(*x) + noise * 255.0).clamp(0.0, 255.0));
                    }
                }
                Ok(())
            },
            |grid| {
                let map = self.map(draw, grid);
                grid.samples.iter_mut().zip(map).for_each(|(x, noise)| *x = (*x + noise).clamp(0.0, 1.0));
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
