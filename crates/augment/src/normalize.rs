//! Brings the samples of each channel to mean 0 and deviation 1.

use crate::PerChannel;
use pleach_core::image::{Image, Pixels};
use pleach_core::read::Rules;
use pleach_core::{Augmentation, Error, FusedTouch, Result, Rng, RowView, plugin, state};
use std::sync::Arc;

/// Normalises each channel: `(x - mean max) / (std max)`, as 32-bit floats.
///
/// Follows `Normalize` of Albumentations 2.0.8 (`normalization="standard"`), to the bit for 8-bit
/// images: it multiplies with the reciprocal of the divisor, in 32 bits. Unlike there, `max_pixel_value`
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

/// A sample that a 32-bit float holds exactly.
trait Wide: Copy {
    fn wide(self) -> f32;
}

macro_rules! wide {
    ($($t:ty),*) => { $(impl Wide for $t {
        #[inline(always)]
        fn wide(self) -> f32 {
            f32::from(self)
        }
    })* };
}
wide!(u8, u16, f32);

impl Augmentation for Normalize {
    type Draw = Normalized;

    fn draw(&self, _: &mut Rng, _: &RowView<'_>) -> Result<Option<Normalized>> {
        Ok(Some(Normalized {}))
    }

    fn touch(&self, _: &Normalized, image: &mut Image) -> Result<()> {
        let Scale { shift, factor } = self.scale(image)?;
        let mut samples = image.to_f32();
        for pixel in samples.chunks_exact_mut(image.channels) {
            for ((x, shift), factor) in pixel.iter_mut().zip(&shift).zip(&factor) {
                *x = (*x - shift) * factor;
            }
        }
        image.pixels = Pixels::F32(samples);
        Ok(())
    }

    fn touches(&self) -> bool {
        true
    }

    /// The same expression for every value, so the same bits.
    fn floats(&self, _: &Normalized, image: &Image) -> Result<Option<Vec<[f32; 256]>>> {
        let Scale { shift, factor } = self.scale(image)?;
        let channel = |(shift, factor): (&f32, &f32)| std::array::from_fn(|v| (v as f32 - shift) * factor);
        Ok(Some(shift.iter().zip(&factor).map(channel).collect()))
    }

    /// The same expression for every sample, so the same bits.
    fn fused(&self, _: &Normalized) -> Option<FusedTouch> {
        let this = self.clone();
        Some(FusedTouch { name: "normalize", cpu: Arc::new(move |image| this.in_one_pass(image)) })
    }

    fn is_random(&self) -> bool {
        false
    }
}
