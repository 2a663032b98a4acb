//! Inverts what is bright.

use super::grid::by_type;
use super::limits::Exactly;
use super::table::look_up;
use pleach_core::image::Image;
use pleach_core::{Augmentation, Result, Rng, RowView, plugin, state};

/// Inverts samples of `threshold` and more, white being 1: `x >= t ? white - x : x`.
///
/// Follows `Solarize` of Albumentations 2.0.8. torchvision's `RandomSolarize`, whose threshold counts in
/// levels, stands beside it.
#[plugin(augmentation, cite = "Albumentations 2.0.8, Solarize")]
pub struct Solarize {
    /// Least and greatest threshold, white being 1; one number `x` stands for `[x, x]`.
    #[plugin(default = Exactly(0.5, 0.5), range = 0.0..=1.0)]
    pub threshold_range: Exactly,
}

/// Inverts samples of `threshold` and more, which counts in levels of the image's type.
///
/// Follows `RandomSolarize` of torchvision's v2 transforms.
#[plugin(augmentation, cite = "torchvision 0.29, v2.RandomSolarize")]
pub struct RandomSolarize {
    /// From which sample on; 255 is white in 8 bits, 1 in floats.
    #[plugin(example = 128.0, range = 0.0..=65535.0)]
    pub threshold: f64,
}

/// What was decided.
#[state]
pub struct Solarized {
    /// The threshold.
    pub threshold: f64,
}

fn entries(threshold: f64) -> [u8; 256] {
    std::array::from_fn(|i| if i as f64 >= threshold { 255 - i as u8 } else { i as u8 })
}

fn solarize(threshold: f64, white: f64, image: &mut Image) -> Result<()> {
    by_type(
        image,
        |grid| {
            look_up(grid, &[entries(threshold * 255.0 / white)]);
            Ok(())
        },
        |grid| {
            let threshold = (threshold / white) as f32;
            let one = |x: f32| if x >= threshold { 1.0 - x } else { x };
            grid.samples.iter_mut().for_each(|x| *x = one(*x).clamp(0.0, 1.0));
            Ok(())
        },
    )
}

impl Augmentation for Solarize {
    type Draw = Solarized;

    fn draw(&self, rng: &mut Rng, _: &RowView<'_>) -> Result<Option<Solarized>> {
        Ok(Some(Solarized { threshold: rng.range(self.threshold_range.0, self.threshold_range.1) }))
    }

    fn touch(&self, draw: &Solarized, image: &mut Image) -> Result<()> {
        solarize(draw.threshold, 1.0, image)
    }

    fn touches(&self) -> bool {
        true
    }

    fn table(&self, draw: &Solarized, _: usize) -> Option<Vec<[u8; 256]>> {
        Some(vec![entries(draw.threshold * 255.0)])
    }

    fn default_p(&self) -> f64 {
        0.5
    }
}

impl Augmentation for RandomSolarize {
    type Draw = Solarized;

    fn draw(&self, _: &mut Rng, _: &RowView<'_>) -> Result<Option<Solarized>> {
        Ok(Some(Solarized { threshold: self.threshold }))
    }

    fn touch(&self, draw: &Solarized, image: &mut Image) -> Result<()> {
        let white = f64::from(image.pixels.white());
        solarize(draw.threshold, white, image)
    }

    fn touches(&self) -> bool {
        true
    }

    fn table(&self, draw: &Solarized, _: usize) -> Option<Vec<[u8; 256]>> {
        Some(vec![entries(draw.threshold)])
    }

    fn default_p(&self) -> f64 {
        0.5
    }
}
