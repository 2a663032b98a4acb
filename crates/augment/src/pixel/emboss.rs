//! As if stamped into the picture.

use super::filter::{Outside, correlate, padded, taps};
use super::grid::{Grid, by_type};
use super::rounding::byte;
use pleach_core::image::Image;
use pleach_core::read::Rules;
use pleach_core::{Augmentation, Result, Rng, RowView, plugin, state};

/// Adds the slope from the upper left to the lower right.
///
/// Follows `Emboss` of Albumentations 2.0.8: with `s = strength`, `(1 - alpha) x` and `alpha` times the kernel
/// `[[-1-s, -s, 0], [-s, 1, s], [0, s, 1+s]]`. The border is mirrored without repeating the edge. 8 bits are within
/// 1 level.
#[plugin(augmentation, cite = "Albumentations 2.0.8, Emboss", check = Self::check)]
pub struct Emboss {
    /// Least and greatest share of the embossed image.
    #[plugin(default = (0.2, 0.5), range = 0.0..=1.0)]
    pub alpha: (f64, f64),
    /// Least and greatest strength of the slope.
    #[plugin(default = (0.2, 0.7), range = 0.0..)]
    pub strength: (f64, f64),
}

/// What was decided.
#[state]
pub struct Embossed {
    /// The share of the embossed image.
    pub alpha: f64,
    /// The strength of the slope.
    pub strength: f64,
}

impl Emboss {
    fn check(&self, rules: &mut Rules) {
        for (key, (low, high)) in [("alpha", self.alpha), ("strength", self.strength)] {
            if low > high {
                rules.refuse(key, "the smaller number comes first");
            }
        }
    }
}

/// Adds the exact difference along the diagonal and those along row and column, each with its weight.
fn slopes(grid: &mut Grid<u8>, along_diagonal: f32, along_sides: f32) {
    let source = padded(grid, 1, Outside::Mirror);
    let (n, wide, c) = (grid.row_len(), source.row_len(), grid.channels);
    for (y, out) in grid.samples.chunks_exact_mut(n).enumerate() {
        let row = |k: usize| &source.samples[(y + k) * wide..][..wide];
        add_slopes::<u8>([row(0), row(1), row(2)], c, (along_diagonal, along_sides), out);
    }
}

pleach_simd::lanes! {
    fn add_slopes<T: Copy>(rows: [&[u8]; 3], channels: usize, weights: (f32, f32), out: &mut [u8]) {
        let [above, here, below] = rows;
        let n = out.len();
        let (first, up, left) = (&above[..n], &above[channels..][..n], &here[..n]);
        let (last, down, right) = (&below[2 * channels..][..n], &below[channels..][..n], &here[2 * channels..][..n]);
        // The middle is what `out` has still.
        let pairs = first.iter().zip(last).zip(up.iter().zip(down)).zip(left.iter().zip(right));
        for (x, (((first, last), (up, down)), (left, right))) in out.iter_mut().zip(pairs) {
            let [first, last, up, down, left, right] = [first, last, up, down, left, right].map(|x| i16::from(*x));
            let slope = f32::from(last - first) * weights.0 + f32::from(down - up + right - left) * weights.1;
            *x = byte((f32::from(*x) + slope).clamp(0.0, 255.0));
        }
    }
}

impl Augmentation for Emboss {
    type Draw = Embossed;

    fn draw(&self, rng: &mut Rng, _: &RowView<'_>) -> Result<Option<Embossed>> {
        let alpha = rng.range(self.alpha.0, self.alpha.1);
        Ok(Some(Embossed { alpha, strength: rng.range(self.strength.0, self.strength.1) }))
    }

    fn touch(&self, draw: &Embossed, image: &mut Image) -> Result<()> {
        let (a, s) = (draw.alpha as f32, draw.strength as f32);
        let kernel = [
            a * (-1.0 - s),
            a * -s,
            0.0, //
            a * -s,
            (1.0 - a) + a,
            a * s, //
            0.0,
            a * s,
            a * (1.0 + s),
        ];
        by_type(
            image,
            |grid| {
                slopes(grid, a * (1.0 + s), a * s);
                Ok(())
            },
            |grid| {
                correlate(grid, &taps(&kernel, 3));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixel::filter::reflect;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn each_sample_is_the_nearest_to_its_weighted_sum(
            width in 1_usize..80, height in 1_usize..6, channels in 1_usize..6, a in 0.0_f32..1.0, s in 0.0_f32..2.0,
            seed: u32,
        ) {
            let sample = |i: usize| (i as u32 + 1).wrapping_mul(seed | 1).wrapping_mul(2_654_435_761) >> 24;
            let samples: Vec<u8> = (0..width * height * channels).map(|i| sample(i) as u8).collect();
            let mut grid = Grid { width, height, channels, samples: samples.clone() };
            slopes(&mut grid, a * (1.0 + s), a * s);
            let (a, s) = (f64::from(a), f64::from(s));
            let kernel = [-1.0 - s, -s, 0.0, -s, 1.0, s, 0.0, s, 1.0 + s];
            for (i, got) in grid.samples.into_iter().enumerate() {
                let (y, x, c) = (i / channels / width, i / channels % width, i % channels);
                let mut sum = (1.0 - a) * f64::from(samples[i]);
                for (k, weight) in kernel.iter().enumerate() {
                    let (dy, dx) = (k as isize / 3 - 1, k as isize % 3 - 1);
                    let (y, x) = (reflect(y as isize + dy, height), reflect(x as isize + dx, width));
                    sum += f64::from(samples[(y * width + x) * channels + c]) * a * weight;
                }
                prop_assert!((sum.clamp(0.0, 255.0) - f64::from(got)).abs() < 0.5 + 2e-3, "{sum} {got}");
            }
        }
    }
}
