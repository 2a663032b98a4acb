//! As if stamped into the picture.

use super::filter::{correlate, taps};
use super::grid::by_type;
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

    fn touches(&self) -> bool {
        true
    }

    fn default_p(&self) -> f64 {
        0.5
    }
}
