//! Old photographs.

use super::grid::{Done, by_type, gray_or_rgb};
use pleach_core::image::Image;
use pleach_core::{Augmentation, Result, Rng, RowView, plugin};
use pleach_simd::{join_rgb, split_rgb};

/// Brown tones: a fixed matrix on the channels of each pixel. A gray image stays as it is.
///
/// Follows `ToSepia` of Albumentations 2.0.8; 8 bits are rounded and within 1 level.
#[plugin(augmentation, cite = "Albumentations 2.0.8, ToSepia")]
pub struct ToSepia {}

/// Red, green and blue of the result from those of the image.
const TONES: [[f32; 3]; 3] = [[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]];

#[inline(always)]
fn sepia([r, g, b]: [f32; 3]) -> [f32; 3] {
    TONES.map(|[wr, wg, wb]| r * wr + g * wg + b * wb)
}

/// Pixels that are worked on at a time.
const BLOCK: usize = 512;

type Channels<T> = [[T; BLOCK]; 3];

fn bytes(pixels: &mut [[u8; 3]]) {
    let (mut channels, mut wide): (Channels<u8>, Channels<u16>) = ([[0; BLOCK]; 3], [[0; BLOCK]; 3]);
    for pixels in pixels.chunks_mut(BLOCK) {
        split_rgb(pixels, channels.each_mut().map(<[u8; BLOCK]>::as_mut_slice));
        for (wide, channel) in wide.iter_mut().zip(&channels) {
            widen::<u8>(channel, wide);
        }
        tone::<u8>(&wide, &mut channels);
        join_rgb(channels.each_ref().map(<[u8; BLOCK]>::as_slice), pixels);
    }
}

pleach_simd::lanes! {
    /// Gives 7 bits of fraction. It has a pass of its own, so that products are seen to be of 16 bits.
    fn widen<T: Copy>(channel: &[u8; BLOCK], wide: &mut [u16; BLOCK]) {
        wide.iter_mut().zip(channel).for_each(|(wide, x)| *wide = u16::from(*x) << 7);
    }
}

pleach_simd::lanes! {
    /// Weights have 16 bits of fraction; products lose what is below 7, 3 / 256 on average for the three.
    fn tone<T: Copy>(wide: &Channels<u16>, channels: &mut Channels<u8>) {
        const WEIGHTS: [[u16; 3]; 3] = [[25756, 50397, 12386], [22872, 44958, 11010], [17826, 34996, 8585]];
        let part = |x: u16, weight: u16| ((u32::from(x) * u32::from(weight)) >> 16) as u16;
        let [red, green, blue] = wide;
        for (channel, [wr, wg, wb]) in channels.iter_mut().zip(WEIGHTS) {
            for (((x, r), g), b) in channel.iter_mut().zip(red).zip(green).zip(blue) {
                *x = ((part(*r, wr) + part(*g, wg) + part(*b, wb) + 65) >> 7).min(255) as u8;
            }
        }
    }
}

impl Augmentation for ToSepia {
    type Draw = Done;

    fn draw(&self, _: &mut Rng, _: &RowView<'_>) -> Result<Option<Done>> {
        Ok(Some(Done {}))
    }

    fn touch(&self, _: &Done, image: &mut Image) -> Result<()> {
        gray_or_rgb("ToSepia", image.channels)?;
        if image.channels == 1 {
            return Ok(());
        }
        by_type(
            image,
            |grid| {
                bytes(grid.samples.as_chunks_mut::<3>().0);
                Ok(())
            },
            |grid| {
                for pixel in grid.samples.as_chunks_mut::<3>().0 {
                    *pixel = sepia(*pixel).map(|x| x.clamp(0.0, 1.0));
                }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_colour_is_rounded_to_what_is_nearest_or_as_good_as() {
        // Each level of each channel beside some of the others, and a last block that is not full.
        let colour = |i: usize| [i, i * 89 + i / 256 * 3, i * 157 + i / 512 * 7].map(|x| x as u8);
        let mut pixels: Vec<[u8; 3]> = (0..70_001).map(colour).collect();
        bytes(&mut pixels);
        for (i, got) in pixels.into_iter().enumerate() {
            for (x, want) in got.into_iter().zip(sepia(colour(i).map(f32::from))) {
                assert!((f32::from(x) - want.min(255.0)).abs() < 0.525, "{:?}: {x} {want}", colour(i));
            }
        }
    }
}
