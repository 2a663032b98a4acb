//! Edges made stronger.

use super::filter::{correlate, gaussian, mirror_ends, reflect, symmetric_floats, taps};
use super::grid::{Grid, by_type};
use super::rounding::{byte, cut};
use pleach_core::image::Image;
use pleach_core::read::Rules;
use pleach_core::{Augmentation, Result, Rng, RowView, config, plugin, state};

/// Adds what differs from the neighbourhood.
///
/// Follows `Sharpen` of Albumentations 2.0.8. `kernel`: `(1 - alpha) x + alpha ((8 + lightness) x - sum of the 8
/// neighbours)`; `gaussian`: `x + alpha (x - blurred)`, whose fraction is dropped. The border is mirrored without
/// repeating the edge. 8 bits are within 1 level; with `gaussian` their differences are signed, where Albumentations' wrap
/// around at 0.
#[plugin(augmentation, cite = "Albumentations 2.0.8, Sharpen", check = Self::check)]
pub struct Sharpen {
    /// Least and greatest share of the sharpened image.
    #[plugin(default = (0.2, 0.5), range = 0.0..=1.0)]
    pub alpha: (f64, f64),
    /// Least and greatest brightness that `kernel` adds.
    #[plugin(default = (0.5, 1.0), range = 0.0..)]
    pub lightness: (f64, f64),
    /// By which formula.
    #[plugin(default = SharpenMethod::Kernel)]
    pub method: SharpenMethod,
    /// Width of `gaussian`'s kernel in pixels; an even one is the next odd one.
    #[plugin(default = 5, range = 3..=255)]
    pub kernel_size: usize,
    /// Standard deviation of `gaussian`'s kernel in pixels.
    #[plugin(default = 1.0, above = 0.0)]
    pub sigma: f64,
}

/// How edges are made stronger.
#[config]
pub enum SharpenMethod {
    /// By a kernel of 3 by 3.
    Kernel,
    /// By the difference to a blurred image.
    Gaussian,
}

/// What was decided.
#[state]
pub struct Sharpened {
    /// The share of the sharpened image.
    pub alpha: f64,
    /// The brightness.
    pub lightness: f64,
}

impl Sharpen {
    fn check(&self, rules: &mut Rules) {
        for (key, (low, high)) in [("alpha", self.alpha), ("lightness", self.lightness)] {
            if low > high {
                rules.refuse(key, "the smaller number comes first");
            }
        }
    }
}

/// Weighs each sample, and the exact sum of its eight neighbours.
fn against_neighbours(grid: &mut Grid<u8>, centre: f32, around: f32) {
    let (c, n) = (grid.channels, grid.row_len());
    let mut out = vec![0; grid.samples.len()];
    let mut columns = vec![0_u16; n + 2 * c];
    for (y, out) in out.chunks_exact_mut(n).enumerate() {
        let row = |by: isize| &grid.samples[reflect(y as isize + by, grid.height) * n..][..n];
        sum_rows::<u8>([row(-1), row(0), row(1)], &mut columns[c..c + n]);
        mirror_ends(&mut columns, 1, c);
        weigh::<u8>([&columns, &columns[c..], &columns[2 * c..]], row(0), (centre, around), out);
    }
    grid.samples = out;
}

pleach_simd::lanes! {
    fn sum_rows<T: Copy>(rows: [&[u8]; 3], sums: &mut [u16]) {
        let [a, b, c] = rows;
        for (((sum, a), b), c) in sums.iter_mut().zip(a).zip(b).zip(c) {
            *sum = u16::from(*a) + u16::from(*b) + u16::from(*c);
        }
    }
}

pleach_simd::lanes! {
    fn weigh<T: Copy>(columns: [&[u16]; 3], row: &[u8], weights: (f32, f32), out: &mut [u8]) {
        let [a, b, c] = columns;
        for ((((out, x), a), b), c) in out.iter_mut().zip(row).zip(a).zip(b).zip(c) {
            let x = u16::from(*x);
            let sum = f32::from(x) * weights.0 + f32::from(a + b + c - x) * weights.1;
            *out = byte(sum.clamp(0.0, 255.0));
        }
    }
}

impl Augmentation for Sharpen {
    type Draw = Sharpened;

    fn draw(&self, rng: &mut Rng, _: &RowView<'_>) -> Result<Option<Sharpened>> {
        let alpha = rng.range(self.alpha.0, self.alpha.1);
        Ok(Some(Sharpened { alpha, lightness: rng.range(self.lightness.0, self.lightness.1) }))
    }

    fn touch(&self, draw: &Sharpened, image: &mut Image) -> Result<()> {
        let alpha = draw.alpha as f32;
        match self.method {
            SharpenMethod::Kernel => {
                let centre = (1.0 - alpha) + alpha * (8.0 + draw.lightness as f32);
                by_type(
                    image,
                    |grid| {
                        against_neighbours(grid, centre, -alpha);
                        Ok(())
                    },
                    |grid| {
                        let mut kernel = [-alpha; 9];
                        kernel[4] = centre;
                        correlate(grid, &taps(&kernel, 3));
                        Ok(())
                    },
                )
            }
            SharpenMethod::Gaussian => {
                let kernel = gaussian(self.kernel_size | 1, self.sigma);
                by_type(
                    image,
                    |grid| {
                        let mut blurred = grid.clone();
                        super::filter::symmetric_bytes(&mut blurred, &kernel);
                        for (x, b) in grid.samples.iter_mut().zip(&blurred.samples) {
                            let (now, b) = (f32::from(*x), f32::from(*b));
                            *x = cut((now + alpha * (now - b)).clamp(0.0, 255.0));
                        }
                        Ok(())
                    },
                    |grid| {
                        let mut blurred = grid.clone();
                        symmetric_floats(&mut blurred, &kernel);
                        for (x, b) in grid.samples.iter_mut().zip(&blurred.samples) {
                            *x = (*x + alpha * (*x - b)).clamp(0.0, 1.0);
                        }
                        Ok(())
                    },
                )
            }
        }
    }

    fn touches(&self) -> bool {
        true
    }

    fn default_p(&self) -> f64 {
        0.5
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn each_sample_is_the_nearest_to_its_weighted_sum(
            width in 1_usize..80, height in 1_usize..6, channels in 1_usize..6, alpha in 0.0_f32..1.0, seed: u32,
        ) {
            let sample = |i: usize| (i as u32 + 1).wrapping_mul(seed | 1).wrapping_mul(2_654_435_761) >> 24;
            let samples: Vec<u8> = (0..width * height * channels).map(|i| sample(i) as u8).collect();
            let mut grid = Grid { width, height, channels, samples: samples.clone() };
            let centre = 1.0 + 7.5 * alpha;
            against_neighbours(&mut grid, centre, -alpha);
            for (i, got) in grid.samples.into_iter().enumerate() {
                let (y, x, c) = (i / channels / width, i / channels % width, i % channels);
                let mut sum = f64::from(samples[i]) * f64::from(centre + alpha);
                for (dy, dx) in (-1..2).flat_map(|dy| (-1..2).map(move |dx| (dy, dx))) {
                    let (y, x) = (reflect(y as isize + dy, height), reflect(x as isize + dx, width));
                    sum -= f64::from(samples[(y * width + x) * channels + c]) * f64::from(alpha);
                }
                prop_assert!((sum.clamp(0.0, 255.0) - f64::from(got)).abs() < 0.5 + 2e-3, "{sum} {got}");
            }
        }
    }
}
