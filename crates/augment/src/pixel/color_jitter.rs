//! Brightness, contrast, saturation and hue in random order.

use super::channel_shuffle::permutation;
use super::grid::{Grid, by_type, channels, gray_or_rgb};
use super::hue_saturation_value::hues;
use super::limits::AroundOne;
use super::rounding::byte;
use super::table::{look_up, truncated};
use super::{hsv, luma};
use crate::Limit;
use pleach_core::image::Image;
use pleach_core::read::Rules;
use pleach_core::{Augmentation, Result, Rng, RowView, plugin, state};
use pleach_simd::{join_rgb, luma_rgb, split_rgb};

/// Changes brightness, contrast, saturation and hue, in random order.
///
/// Follows `ColorJitter` of Albumentations 2.0.8, whose ranges are read as torchvision's are; torchvision's defaults
/// change nothing. Brightness is `f x`; contrast `f x + (1 - f) mean` with the mean luma of the image; saturation
/// `f x + (1 - f) luma`; hue turns OpenCV's HSV of 8 bits. 8 bits take tables whose fractions are dropped, and the
/// saturation is rounded. A gray image has brightness and contrast only.
#[plugin(augmentation, cite = ["Albumentations 2.0.8, ColorJitter", "torchvision 0.29, v2.ColorJitter"], check = Self::check)]
pub struct ColorJitter {
    /// Least and greatest factor of the brightness; one number `x` stands for `[1 - x, 1 + x]`.
    #[plugin(default = AroundOne(0.8, 1.2), range = 0.0..)]
    pub brightness: AroundOne,
    /// Least and greatest factor of the contrast.
    #[plugin(default = AroundOne(0.8, 1.2), range = 0.0..)]
    pub contrast: AroundOne,
    /// Least and greatest factor of the saturation.
    #[plugin(default = AroundOne(0.8, 1.2), range = 0.0..)]
    pub saturation: AroundOne,
    /// Least and greatest turn of the hue as a share of the circle; one number `x` stands for `[-x, x]`.
    #[plugin(default = Limit(-0.5, 0.5), range = -0.5..=0.5)]
    pub hue: Limit,
}

/// What was decided.
#[state]
pub struct Jitter {
    /// Factor of the brightness.
    pub brightness: f64,
    /// Factor of the contrast.
    pub contrast: f64,
    /// Factor of the saturation.
    pub saturation: f64,
    /// Turn of the hue.
    pub hue: f64,
    /// 0 brightness, 1 contrast, 2 saturation, 3 hue: which comes when.
    pub order: Vec<u8>,
}

/// Pixels whose saturation is changed at a time.
const BLOCK: usize = 512;

fn saturate(pixels: &mut [[u8; 3]], factor: f32) {
    let (mut colours, mut lumas) = ([[0; BLOCK]; 3], [0; BLOCK]);
    for pixels in pixels.chunks_mut(BLOCK) {
        split_rgb(pixels, colours.each_mut().map(<[u8; BLOCK]>::as_mut_slice));
        luma_rgb(pixels, &mut lumas[..pixels.len()]);
        colours.iter_mut().for_each(|channel| blend::<u8>(channel, &lumas, factor));
        join_rgb(colours.each_ref().map(<[u8; BLOCK]>::as_slice), pixels);
    }
}

pleach_simd::lanes! {
    fn blend<T: Copy>(channel: &mut [u8; BLOCK], lumas: &[u8; BLOCK], factor: f32) {
        let rest = 1.0 - factor;
        for (x, luma) in channel.iter_mut().zip(lumas) {
            *x = byte((f32::from(*x) * factor + f32::from(*luma) * rest).clamp(0.0, 255.0));
        }
    }
}

fn bytes(draw: &Jitter, grid: &mut Grid<u8>) {
    for step in &draw.order {
        match step {
            0 if draw.brightness != 1.0 => {
                let factor = draw.brightness as f32;
                look_up(grid, &[truncated(|x| x * factor)]);
            }
            1 if draw.contrast != 1.0 => {
                let mean = luma::mean_of_bytes(grid);
                let (factor, rest) = (draw.contrast as f32, (mean * (1.0 - draw.contrast)) as f32);
                let flat = (mean + 0.5) as u8;
                let table = if factor == 0.0 { [flat; 256] } else { truncated(|x| x * factor + rest) };
                look_up(grid, &[table]);
            }
            2 if draw.saturation != 1.0 && grid.channels == 3 => {
                saturate(grid.samples.as_chunks_mut::<3>().0, draw.saturation as f32);
            }
            3 if draw.hue != 0.0 && grid.channels == 3 => {
                let same = std::array::from_fn(|i| i as u8);
                hsv::change(grid, &hues(180.0 * draw.hue), &same, &same);
            }
            _ => {}
        }
    }
}

fn floats(draw: &Jitter, grid: &mut Grid<f32>) {
    for step in &draw.order {
        match step {
            0 => {
                let factor = draw.brightness as f32;
                grid.samples.iter_mut().for_each(|x| *x = (*x * factor).clamp(0.0, 1.0));
            }
            1 => {
                let rest = (luma::mean_of_floats(grid) * (1.0 - draw.contrast)) as f32;
                let factor = draw.contrast as f32;
                grid.samples.iter_mut().for_each(|x| *x = (*x * factor + rest).clamp(0.0, 1.0));
            }
            2 if grid.channels == 3 => {
                let (factor, rest) = (draw.saturation as f32, (1.0 - draw.saturation) as f32);
                for pixel in grid.samples.as_chunks_mut::<3>().0 {
                    let gray = luma::gray_of_floats(*pixel) * rest;
                    *pixel = pixel.map(|x| (x * factor + gray).clamp(0.0, 1.0));
                }
            }
            3 if grid.channels == 3 && draw.hue != 0.0 => {
                for pixel in grid.samples.as_chunks_mut::<3>().0 {
                    *pixel = hsv::turn(*pixel, draw.hue as f32);
                }
            }
            _ => {}
        }
    }
}

impl ColorJitter {
    fn check(&self, rules: &mut Rules) {
        if self.hue.0 > self.hue.1 {
            rules.refuse("hue", "the smaller number comes first");
        }
    }
}

impl Augmentation for ColorJitter {
    type Draw = Jitter;

    fn draw(&self, rng: &mut Rng, row: &RowView<'_>) -> Result<Option<Jitter>> {
        gray_or_rgb("ColorJitter", channels(row))?;
        let mut one = |low, high| rng.range(low, high);
        let brightness = one(self.brightness.0, self.brightness.1);
        let contrast = one(self.contrast.0, self.contrast.1);
        let saturation = one(self.saturation.0, self.saturation.1);
        let hue = one(self.hue.0, self.hue.1);
        let order = permutation(rng, 4).into_iter().map(|i| i as u8).collect();
        Ok(Some(Jitter { brightness, contrast, saturation, hue, order }))
    }

    fn touch(&self, draw: &Jitter, image: &mut Image) -> Result<()> {
        gray_or_rgb("ColorJitter", image.channels)?;
        by_type(
            image,
            |grid| {
                bytes(draw, grid);
                Ok(())
            },
            |grid| {
                floats(draw, grid);
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

    fn default_p(&self) -> f64 {
        0.5
    }
}
