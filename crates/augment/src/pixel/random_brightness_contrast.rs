//! Brighter or darker, with more contrast or less.

use super::grid::by_type;
use super::table::{look_up, truncated};
use crate::Limit;
use pleach_core::image::{Image, Pixels};
use pleach_core::{Augmentation, Result, Rng, RowView, plugin, state};

/// `alpha x + beta`, with `alpha = 1 + U(contrast_limit)` and `beta = U(brightness_limit)` times white or the
/// mean of the image.
///
/// Follows `RandomBrightnessContrast` of Albumentations 2.0.8: 8 bits by a table in single precision whose
/// fractions are dropped. With `ensure_safe_range`, `beta` is bounded to 0 and white, and `alpha` to what is
/// left above it.
#[plugin(augmentation, cite = "Albumentations 2.0.8, RandomBrightnessContrast")]
pub struct RandomBrightnessContrast {
    /// Least and greatest change of brightness, 1 being white; one number `x` stands for `[-x, x]`.
    #[plugin(default = Limit(-0.2, 0.2))]
    pub brightness_limit: Limit,
    /// Least and greatest change of the contrast's factor from 1; one number `x` stands for `[-x, x]`.
    #[plugin(default = Limit(-0.2, 0.2))]
    pub contrast_limit: Limit,
    /// Whether brightness counts in whites (true) or in means of the image (false).
    #[plugin(default = true)]
    pub brightness_by_max: bool,
    /// Whether factor and sum are bounded so that little is cut off.
    #[plugin(default = false)]
    pub ensure_safe_range: bool,
}

/// What was decided.
#[state]
pub struct BrightnessContrast {
    /// What samples are multiplied with.
    pub alpha: f64,
    /// What is added, in whites or means.
    pub beta: f64,
}

impl RandomBrightnessContrast {
    /// Factor and sum, the sum in whites.
    fn bounded(&self, draw: &BrightnessContrast, beta: f64) -> (f64, f64) {
        let alpha = draw.alpha;
        match self.ensure_safe_range {
            false => (alpha, beta),
            true if alpha > 0.0 => {
                let beta = beta.clamp(0.0, 1.0);
                (alpha.min(1.0 - beta), beta)
            }
            true => (alpha.max(-beta.min(1.0)), beta.min(1.0)),
        }
    }

    fn entries(&self, draw: &BrightnessContrast, beta: f64) -> [u8; 256] {
        let (alpha, beta) = self.bounded(draw, beta);
        let (alpha, beta) = (alpha as f32, (beta * 255.0) as f32);
        truncated(|x| x * alpha + beta)
    }

    fn beta(&self, draw: &BrightnessContrast, image: &Image) -> f64 {
        if self.brightness_by_max {
            return draw.beta;
        }
        let sum = match &image.pixels {
            Pixels::U8(v) => v.iter().map(|&x| u64::from(x)).sum::<u64>() as f64,
            Pixels::U16(v) => v.iter().map(|&x| u64::from(x)).sum::<u64>() as f64,
            Pixels::F32(v) => v.iter().map(|&x| f64::from(x)).sum(),
        };
        draw.beta * sum / image.pixels.len() as f64 / f64::from(image.pixels.white())
    }
}

impl Augmentation for RandomBrightnessContrast {
    type Draw = BrightnessContrast;

    fn draw(&self, rng: &mut Rng, _: &RowView<'_>) -> Result<Option<BrightnessContrast>> {
        let alpha = 1.0 + rng.range(self.contrast_limit.0, self.contrast_limit.1);
        Ok(Some(BrightnessContrast { alpha, beta: rng.range(self.brightness_limit.0, self.brightness_limit.1) }))
    }

    fn touch(&self, draw: &BrightnessContrast, image: &mut Image) -> Result<()> {
        let beta = self.beta(draw, image);
        by_type(
            image,
            |grid| {
                look_up(grid, &[self.entries(draw, beta)]);
                Ok(())
            },
            |grid| {
                let (alpha, beta) = self.bounded(draw, beta);
                let (alpha, beta) = (f64::from(alpha as f32), f64::from(beta as f32));
                for x in &mut grid.samples {
                    *x = (f64::from(*x) * alpha + beta).clamp(0.0, 1.0) as f32;
                }
                Ok(())
            },
        )
    }

    fn reduces(&self) -> bool {
        !self.brightness_by_max
    }

    fn touches(&self) -> bool {
        true
    }

    fn table(&self, draw: &BrightnessContrast, _: usize) -> Option<Vec<[u8; 256]>> {
        self.brightness_by_max.then(|| vec![self.entries(draw, draw.beta)])
    }

    fn default_p(&self) -> f64 {
        0.5
    }
}
