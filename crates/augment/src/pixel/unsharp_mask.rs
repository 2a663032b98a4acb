//! Edges made stronger where they are strong already.

use super::filter::{gaussian, symmetric_floats};
use super::grid::as_floats;
use super::limits::{FromZero, KernelSizes};
use pleach_core::image::Image;
use pleach_core::{Augmentation, Result, Rng, RowView, plugin, state};

/// `x + alpha (x - blurred)` where the difference exceeds `threshold`, faded by the blurred mask of those places.
///
/// Follows `UnsharpMask` of Albumentations 2.0.8, in single precision with white at 1; 8 bits are rounded at the end
/// and within 1 level. `sigma` 0 is OpenCV's choice for the width, `0.3 ((k - 1) / 2 - 1) + 0.8`.
#[plugin(augmentation, cite = "Albumentations 2.0.8, UnsharpMask")]
pub struct UnsharpMask {
    /// Least and greatest width of the kernel in pixels, odd; one number `x` stands for `[3, x]`.
    #[plugin(default = KernelSizes(3.0, 7.0), range = ..=255.0)]
    pub blur_limit: KernelSizes,
    /// Least and greatest standard deviation in pixels; one number `x` stands for `[0, x]`.
    #[plugin(default = FromZero(0.0, 0.0), range = 0.0..)]
    pub sigma_limit: FromZero,
    /// Least and greatest strength; one number `x` stands for `[0, x]`.
    #[plugin(default = FromZero(0.2, 0.5), range = 0.0..=1.0)]
    pub alpha: FromZero,
    /// The least difference in levels of 255.
    #[plugin(default = 10)]
    pub threshold: u8,
}

/// What was decided.
#[state]
pub struct Unsharp {
    /// The width of the kernel in pixels.
    pub size: usize,
    /// The standard deviation in pixels; 0 where the width decides.
    pub sigma: f64,
    /// The strength.
    pub alpha: f64,
}

impl Augmentation for UnsharpMask {
    type Draw = Unsharp;

    fn draw(&self, rng: &mut Rng, _: &RowView<'_>) -> Result<Option<Unsharp>> {
        let size = self.blur_limit.draw(rng);
        let sigma = rng.range(self.sigma_limit.0, self.sigma_limit.1);
        Ok(Some(Unsharp { size, sigma, alpha: rng.range(self.alpha.0, self.alpha.1) }))
    }

    fn touch(&self, draw: &Unsharp, image: &mut Image) -> Result<()> {
        let kernel = gaussian((draw.size | 1).min(255), draw.sigma);
        let (alpha, threshold) = (draw.alpha as f32, f32::from(self.threshold));
        as_floats(image, |grid| {
            let mut blurred = grid.clone();
            symmetric_floats(&mut blurred, &kernel);
            let strong = |(x, b): (&f32, &f32)| if (x - b).abs() * 255.0 > threshold { 1.0 } else { 0.0 };
            let mut mask = grid.with(grid.samples.iter().zip(&blurred.samples).map(strong).collect());
            symmetric_floats(&mut mask, &kernel);
            for ((x, b), soft) in grid.samples.iter_mut().zip(&blurred.samples).zip(&mask.samples) {
                let sharp = (*x + alpha * (*x - b)).clamp(0.0, 1.0);
                *x = (sharp * soft + *x * (1.0 - soft)).clamp(0.0, 1.0);
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
