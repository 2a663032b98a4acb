//! Brings the samples of each channel to mean 0 and deviation 1.

use crate::PerChannel;
use pleach_core::image::{Image, Pixels};
use pleach_core::read::Rules;
use pleach_core::{Augmentation, Error, FusedTouch, Result, Rng, RowView, config, plugin, state};
use pleach_simd::Wide;
use std::sync::Arc;

/// Normalises each channel: `(x - mean max) / (std max)`, as 32-bit floats.
///
/// Follows `Normalize` of Albumentations 2.0.8, with `normalization = "standard"` to the bit for 8-bit
/// images: it multiplies with the reciprocal of the divisor, in 32 bits. The other choices take their numbers from each
/// frame itself, 0.0001 being added to the divisor, and bound the result by -20 and 20. Unlike there, `max_pixel_value`
/// is by default the white of the image's own type, so that 16-bit images need no other parameters.
/// The defaults are the mean and deviation of ImageNet in RGB.
#[plugin(augmentation, cite = "Albumentations 2.0.8, Normalize", check = Self::check)]
pub struct Normalize {
    /// Mean of each channel, white being 1; one number for all channels.
    #[plugin(default = PerChannel(vec![0.485, 0.456, 0.406]))]
    pub mean: PerChannel,
    /// Standard deviation of each channel, white being 1; one number for all channels.
    #[plugin(default = PerChannel(vec![0.229, 0.224, 0.225]), above = 0.0)]
    pub std: PerChannel,
    /// The value that counts as white; by default 255 for 8 bits, 65535 for 16, and 1 for floats.
    #[plugin(above = 0.0)]
    pub max_pixel_value: Option<f32>,
    /// What is taken off and divided by: `mean` and `std`, or numbers of each frame itself.
    #[plugin(default = Normalization::Standard)]
    pub normalization: Normalization,
    /// torchvision's switch of where the result lies; without effect here.
    #[plugin(idle)]
    pub inplace: Option<bool>,
}

/// Where the numbers of a normalisation come from.
#[config]
pub enum Normalization {
    /// The parameters `mean` and `std`.
    Standard,
    /// Mean and deviation of the frame.
    Image,
    /// Mean and deviation of each channel of the frame.
    ImagePerChannel,
    /// The least and the greatest sample of the frame, which become 0 and 1.
    MinMax,
    /// The least and the greatest sample of each channel.
    MinMaxPerChannel,
}

/// What is added to a divisor that a frame itself gives.
const LEAST: f64 = 1e-4;
/// What samples are bounded by where the frame itself gives the numbers.
const MOST: f32 = 20.0;

/// What a frame itself has: what is taken off each channel, and what it is divided by.
fn of_frame(image: &Image, how: Normalization) -> Scale {
    let (samples, c) = (image.to_f32(), image.channels);
    let per_channel = matches!(how, Normalization::ImagePerChannel | Normalization::MinMaxPerChannel);
    let numbers = |first: usize, step: usize| {
        let each = || samples.iter().skip(first).step_by(step).map(|v| f64::from(*v));
        if matches!(how, Normalization::MinMax | Normalization::MinMaxPerChannel) {
            let (low, high) = each().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
            return (low, high - low + LEAST);
        }
        let n = each().count().max(1) as f64;
        let mean = each().sum::<f64>() / n;
        (mean, (each().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt() + LEAST)
    };
    let all: Vec<(f64, f64)> =
        if per_channel { (0..c).map(|k| numbers(k, c)).collect() } else { vec![numbers(0, 1); c] };
    let (shift, by): (Vec<f64>, Vec<f64>) = all.into_iter().unzip();
    Scale {
        shift: shift.into_iter().map(|v| v as f32).collect(),
        factor: by.into_iter().map(|v| (1.0 / v) as f32).collect(),
    }
}

/// That it happens; there is nothing to decide.
#[state]
pub struct Normalized {}

/// What is taken off each sample of a channel, and what the rest is multiplied with.
struct Scale {
    shift: Vec<f32>,
    factor: Vec<f32>,
}

impl Normalize {
    fn check(&self, rules: &mut Rules) {
        let (mean, std) = (self.mean.0.len(), self.std.0.len());
        if mean != std && mean != 1 && std != 1 {
            rules.refuse("std", format!("it has {std} values where `mean` has {mean}"));
        }
    }

    fn scale(&self, image: &Image) -> Result<Scale> {
        let white = self.max_pixel_value.unwrap_or_else(|| image.pixels.white());
        let all = |of: &PerChannel, key: &str| {
            (0..image.channels)
                .map(|c| {
                    of.of(c, image.channels).map(|x| x as f32 * white).ok_or_else(|| {
                        let message = format!(
                            "Normalize has {} values in `{key}`, but the image has {} channels",
                            of.0.len(),
                            image.channels
                        );
                        Error::new("PL0342", message)
                            .hint("give one value for each channel of the images, or one number for all of them")
                    })
                })
                .collect::<Result<Vec<f32>>>()
        };
        let shift = all(&self.mean, "mean")?;
        Ok(Scale { shift, factor: all(&self.std, "std")?.into_iter().map(f32::recip).collect() })
    }

    fn in_one_pass(&self, image: &Image) -> Result<Image> {
        let scale = self.scale(image)?;
        // The constants of many pixels side by side: the loop over them needs no look at the channel.
        let repeat = |v: Vec<f32>| v.repeat(32);
        let (shift, factor) = (repeat(scale.shift), repeat(scale.factor));
        let mut out = vec![0.0; image.pixels.len()];
        match &image.pixels {
            Pixels::U8(v) => pass(v, &shift, &factor, &mut out),
            Pixels::U16(v) => pass(v, &shift, &factor, &mut out),
            Pixels::F32(v) => pass(v, &shift, &factor, &mut out),
        }
        Image::new(image.width, image.height, image.channels, Pixels::F32(out))
    }
}

pleach_simd::lanes! {
    fn pass<T: Wide>(from: &[T], shift: &[f32], factor: &[f32], out: &mut [f32]) {
        for (from, out) in from.chunks(shift.len()).zip(out.chunks_mut(shift.len())) {
            for (((x, shift), factor), out) in from.iter().zip(shift).zip(factor).zip(out) {
                *out = (x.wide() - shift) * factor;
            }
        }
    }
}

impl Augmentation for Normalize {
    type Draw = Normalized;

    fn draw(&self, _: &mut Rng, _: &RowView<'_>) -> Result<Option<Normalized>> {
        Ok(Some(Normalized {}))
    }

    fn touch(&self, _: &Normalized, image: &mut Image) -> Result<()> {
        let (Scale { shift, factor }, most) = match self.normalization {
            Normalization::Standard => (self.scale(image)?, f32::INFINITY),
            how => (of_frame(image, how), MOST),
        };
        let mut samples = image.to_f32();
        for pixel in samples.chunks_exact_mut(image.channels) {
            for ((x, shift), factor) in pixel.iter_mut().zip(&shift).zip(&factor) {
                *x = ((*x - shift) * factor).clamp(-most, most);
            }
        }
        image.pixels = Pixels::F32(samples);
        Ok(())
    }

    fn reduces(&self) -> bool {
        self.normalization != Normalization::Standard
    }

    fn touches(&self) -> bool {
        true
    }

    /// The same expression for every value, so the same bits.
    fn floats(&self, _: &Normalized, image: &Image) -> Result<Option<Vec<[f32; 256]>>> {
        if self.normalization != Normalization::Standard {
            return Ok(None);
        }
        let Scale { shift, factor } = self.scale(image)?;
        let channel = |(shift, factor): (&f32, &f32)| std::array::from_fn(|v| (v as f32 - shift) * factor);
        Ok(Some(shift.iter().zip(&factor).map(channel).collect()))
    }

    /// The same expression for every sample, so the same bits.
    fn fused(&self, _: &Normalized) -> Option<FusedTouch> {
        if self.normalization != Normalization::Standard {
            return None;
        }
        let this = self.clone();
        Some(FusedTouch { name: "normalize", cpu: Arc::new(move |image| this.in_one_pass(image)) })
    }

    fn normalises(&self) -> bool {
        true
    }

    fn is_random(&self) -> bool {
        false
    }
}
