//! The colour distortion of the SSD detector.

use super::channel_shuffle::{permutation, reorder};
use super::grid::{Grid, by_type, channels, gray_or_rgb};
use super::hsv;
use super::rounding::cut;
use super::table::{look_up, truncated};
use pleach_core::image::Image;
use pleach_core::read::Rules;
use pleach_core::{Augmentation, Result, Rng, RowView, plugin, state};

/// Brightness, contrast, saturation, hue and an order of the channels, each with probability one half; contrast comes
/// second or last.
///
/// Follows `RandomPhotometricDistort` of torchvision's v2 transforms: its `p`, the probability of each part, is
/// `part_p` here, because `p` is how often the whole applies. Formulas are those of its functions on tensors: 8 bits
/// drop fractions after each part, luma is `int(0.2989 r + 0.587 g + 0.114 b)`, hue turns in single precision. Within
/// 1 level for each part.
#[plugin(augmentation, cite = ["arXiv:1512.02325", "torchvision 0.29, v2.RandomPhotometricDistort"], check = Self::check)]
pub struct RandomPhotometricDistort {
    /// Least and greatest factor of the brightness.
    #[plugin(default = (0.875, 1.125), range = 0.0..)]
    pub brightness: (f64, f64),
    /// Least and greatest factor of the contrast.
    #[plugin(default = (0.5, 1.5), range = 0.0..)]
    pub contrast: (f64, f64),
    /// Least and greatest factor of the saturation.
    #[plugin(default = (0.5, 1.5), range = 0.0..)]
    pub saturation: (f64, f64),
    /// Least and greatest turn of the hue as a share of the circle.
    #[plugin(default = (-0.05, 0.05), range = -0.5..=0.5)]
    pub hue: (f64, f64),
    /// The probability of each part.
    #[plugin(default = 0.5, range = 0.0..=1.0)]
    pub part_p: f64,
}

/// What was decided.
#[state]
pub struct Distortion {
    /// Factor of the brightness.
    pub brightness: Option<f64>,
    /// Factor of the contrast.
    pub contrast: Option<f64>,
    /// Factor of the saturation.
    pub saturation: Option<f64>,
    /// Turn of the hue.
    pub hue: Option<f64>,
    /// Whether contrast comes before saturation and hue, or after them.
    pub contrast_before: bool,
    /// Which channel each new one is.
    pub order: Option<Vec<usize>>,
}

/// The weights of torchvision's luma.
pub(crate) const LUMA: [f32; 3] = [0.2989, 0.587, 0.114];

/// torchvision's luma.
#[inline(always)]
pub(crate) fn luma([r, g, b]: [f32; 3]) -> f32 {
    r * LUMA[0] + g * LUMA[1] + b * LUMA[2]
}

/// What the parts do to samples of a type.
trait Parts: Copy {
    const WHITE: f32;
    fn wide(self) -> f32;
    fn made(x: f32) -> Self;
    fn whole(gray: f32) -> f32;
}

impl Parts for u8 {
    const WHITE: f32 = 255.0;
    #[inline(always)]
    fn wide(self) -> f32 {
        f32::from(self)
    }
    #[inline(always)]
    fn made(x: f32) -> Self {
        cut(x.clamp(0.0, 255.0))
    }
    #[inline(always)]
    fn whole(gray: f32) -> f32 {
        gray.trunc()
    }
}

impl Parts for f32 {
    const WHITE: f32 = 1.0;
    #[inline(always)]
    fn wide(self) -> f32 {
        self
    }
    #[inline(always)]
    fn made(x: f32) -> Self {
        x.clamp(0.0, 1.0)
    }
    #[inline(always)]
    fn whole(gray: f32) -> f32 {
        gray
    }
}

fn mean<T: Parts>(grid: &Grid<T>) -> f32 {
    let sum: f64 = match grid.channels {
        3 => grid.samples.as_chunks::<3>().0.iter().map(|p| f64::from(T::whole(luma(p.map(T::wide))))).sum(),
        _ => grid.samples.iter().map(|x| f64::from(x.wide())).sum(),
    };
    (sum / (grid.width * grid.height) as f64) as f32
}

pleach_simd::lanes! {
    fn saturate<T: Parts>(pixels: &mut [[T; 3]], factor: f32) {
        for pixel in pixels {
            let wide = pixel.map(T::wide);
            let gray = T::whole(luma(wide)) * (1.0 - factor);
            *pixel = wide.map(|x| T::made(x * factor + gray));
        }
    }
}

fn turn<T: Parts>(pixels: &mut [[T; 3]], by: f32) {
    for pixel in pixels {
        let turned = hsv::turn(pixel.map(|x| x.wide() / T::WHITE), by);
        // torchvision's way back to 8 bits: times 256 less a little, its fraction dropped.
        let scale = if T::WHITE > 1.0 { 255.999 } else { 1.0 };
        *pixel = turned.map(|x| T::made(x * scale));
    }
}

impl Distortion {
    fn apply<T: Parts>(&self, grid: &mut Grid<T>, affine: impl Fn(&mut Grid<T>, f32, f32)) {
        let contrast = |grid: &mut Grid<T>| {
            if let Some(factor) = self.contrast {
                let rest = mean(grid) * (1.0 - factor) as f32;
                affine(grid, factor as f32, rest);
            }
        };
        if let Some(factor) = self.brightness {
            affine(grid, factor as f32, 0.0);
        }
        if self.contrast_before {
            contrast(grid);
        }
        if grid.channels == 3 {
            if let Some(factor) = self.saturation {
                saturate::<T>(grid.samples.as_chunks_mut::<3>().0, factor as f32);
            }
            if let Some(by) = self.hue {
                turn(grid.samples.as_chunks_mut::<3>().0, by as f32);
            }
        }
        if !self.contrast_before {
            contrast(grid);
        }
        if let Some(order) = self.order.as_ref().filter(|o| o.len() == grid.channels) {
            reorder(&mut grid.samples, order);
        }
    }
}

impl RandomPhotometricDistort {
    fn check(&self, rules: &mut Rules) {
        let all = [
            ("brightness", self.brightness),
            ("contrast", self.contrast),
            ("saturation", self.saturation),
            ("hue", self.hue),
        ];
        for (key, (low, high)) in all {
            if low > high {
                rules.refuse(key, "the smaller number comes first");
            }
        }
    }
}

impl Augmentation for RandomPhotometricDistort {
    type Draw = Distortion;

    fn draw(&self, rng: &mut Rng, row: &RowView<'_>) -> Result<Option<Distortion>> {
        let n = channels(row);
        gray_or_rgb("RandomPhotometricDistort", n)?;
        let mut one = |(low, high): (f64, f64)| {
            let value = rng.range(low, high);
            rng.chance(self.part_p).then_some(value)
        };
        let (brightness, contrast) = (one(self.brightness), one(self.contrast));
        let (saturation, hue) = (one(self.saturation), one(self.hue));
        let contrast_before = rng.chance(0.5);
        let order = rng.chance(self.part_p).then(|| permutation(rng, n));
        Ok(Some(Distortion { brightness, contrast, saturation, hue, contrast_before, order }))
    }

    fn touch(&self, draw: &Distortion, image: &mut Image) -> Result<()> {
        gray_or_rgb("RandomPhotometricDistort", image.channels)?;
        by_type(
            image,
            |grid| {
                draw.apply(grid, |grid, factor, rest| look_up(grid, &[truncated(|x| x * factor + rest)]));
                Ok(())
            },
            |grid| {
                draw.apply(grid, |grid, factor, rest| {
                    grid.samples.iter_mut().for_each(|x| *x = (*x * factor + rest).clamp(0.0, 1.0));
                });
                Ok(())
            },
        )
    }

    fn reduces(&self) -> bool {
        true
    }

    fn touches(&self) -> bool {
        true
    }
}
