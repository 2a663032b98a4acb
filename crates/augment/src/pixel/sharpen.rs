//! Edges made stronger.

use super::filter::{correlate, gaussian, symmetric_floats, taps};
use super::grid::by_type;
use super::rounding::cut;
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
                let mut kernel = [-alpha; 9];
                kernel[4] = (1.0 - alpha) + alpha * (8.0 + draw.lightness as f32);
                let taps = taps(&kernel, 3);
                by_type(
                    image,
                    |grid| {
                        correlate(grid, &taps);
                        Ok(())
                    },
                    |grid| {
                        correlate(grid, &taps);
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
