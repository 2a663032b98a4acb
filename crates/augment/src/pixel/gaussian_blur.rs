//! Blur by the normal curve.

use super::filter::{symmetric_bytes, symmetric_floats};
use super::grid::by_type;
use super::limits::{Exactly, whole};
use pleach_core::image::Image;
use pleach_core::read::Rules;
use pleach_core::{Augmentation, Result, Rng, RowView, plugin, state};

/// Convolves with `exp(-x^2 / (2 sigma^2))`, normalised, along rows and columns.
///
/// Follows `GaussianBlur` of Albumentations 2.0.8: the width is drawn from `blur_limit`, an even one is the next odd
/// one, and 0 stands for `2 int(3.5 sigma) + 1`. 8 bits are within 1 level. With `kernel_size` it is torchvision's
/// `GaussianBlur`: that width, `sigma` from 0.1 to 2, and always (`p` 1). The border is mirrored without repeating
/// the edge.
#[plugin(augmentation, cite = ["Albumentations 2.0.8, GaussianBlur", "torchvision 0.29, v2.GaussianBlur"], check = Self::check)]
pub struct GaussianBlur {
    /// Least and greatest width of the kernel in pixels; one number `x` stands for `[0, x]`.
    #[plugin(default = super::limits::FromZero(0.0, 0.0), range = 0.0..=255.0)]
    pub blur_limit: super::limits::FromZero,
    /// Least and greatest standard deviation in pixels; one number `x` stands for `[0, x]`.
    #[plugin(default = super::limits::FromZero(0.5, 3.0), range = 0.0..=36.0)]
    pub sigma_limit: super::limits::FromZero,
    /// The width, always; torchvision's name.
    #[plugin(range = 1..=255)]
    pub kernel_size: Option<usize>,
    /// The standard deviation with `kernel_size`: a number, or a least and a greatest; by default 0.1 to 2.
    #[plugin(above = 0.0)]
    pub sigma: Option<Exactly>,
}

/// What was decided.
#[state]
pub struct Gaussian {
    /// The standard deviation in pixels.
    pub sigma: f64,
    /// The width of the kernel in pixels; 0 where `sigma` decides.
    pub size: usize,
}

impl GaussianBlur {
    fn check(&self, rules: &mut Rules) {
        if self.kernel_size.is_some_and(|n| n % 2 == 0) {
            rules.refuse("kernel_size", "an odd number is wanted");
        }
        if self.sigma.is_some() && self.kernel_size.is_none() {
            rules.refuse("sigma", "it goes with `kernel_size`; `sigma_limit` goes with `blur_limit`");
        }
    }
}

/// The weights of a draw.
fn kernel(draw: &Gaussian) -> Vec<f64> {
    let size = if draw.size == 0 { (draw.sigma * 3.5) as usize * 2 + 1 } else { draw.size } | 1;
    let half = (size / 2) as f64;
    if size == 1 || draw.sigma <= 0.0 {
        return vec![1.0];
    }
    let raw: Vec<f64> = (0..size).map(|i| (-0.5 * ((i as f64 - half) / draw.sigma).powi(2)).exp()).collect();
    let sum: f64 = raw.iter().sum();
    raw.into_iter().map(|w| w / sum).collect()
}

/// Blurs an image by a draw.
pub(super) fn blurred(draw: &Gaussian, image: &mut Image) -> Result<()> {
    let kernel = kernel(draw);
    by_type(
        image,
        |grid| {
            symmetric_bytes(grid, &kernel);
            Ok(())
        },
        |grid| {
            symmetric_floats(grid, &kernel);
            grid.samples.iter_mut().for_each(|x| *x = x.clamp(0.0, 1.0));
            Ok(())
        },
    )
}

impl Augmentation for GaussianBlur {
    type Draw = Gaussian;

    fn draw(&self, rng: &mut Rng, _: &RowView<'_>) -> Result<Option<Gaussian>> {
        if let Some(size) = self.kernel_size {
            let Exactly(low, high) = self.sigma.unwrap_or(Exactly(0.1, 2.0));
            return Ok(Some(Gaussian { sigma: rng.range(low, high), size }));
        }
        let sigma = rng.range(self.sigma_limit.0, self.sigma_limit.1);
        let size = whole(rng, self.blur_limit.0 as i64, self.blur_limit.1 as i64);
        Ok(Some(Gaussian { sigma, size: size as usize }))
    }

    fn touch(&self, draw: &Gaussian, image: &mut Image) -> Result<()> {
        blurred(draw, image)
    }

    fn touches(&self) -> bool {
        true
    }

    fn default_p(&self) -> f64 {
        if self.kernel_size.is_some() { 1.0 } else { 0.5 }
    }
}
