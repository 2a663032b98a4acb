//! Every level as often as the others.

use super::grid::{Done, as_bytes, gray_or_rgb};
use super::luma;
use super::table::{histograms, look_up};
use pleach_core::image::Image;
use pleach_core::{Augmentation, Result, Rng, RowView, config, plugin};

/// Spreads the levels of each channel so that all are about as frequent.
///
/// Follows `Equalize` of Albumentations 2.0.8, without `mask` and `mask_params`, which are functions and arrays
/// there: 8 bits by a table from the image's own histogram, to the bit. With the counts `h`, their running sums
/// `S` and `n` pixels, `cv` maps `i` to `round(255 (S[i] - h[first]) / (n - h[first]))` and `pil` to
/// `(S[i] + step / 2) / step` in whole numbers, `step` being the pixels below the greatest level over 255. It
/// needs the counts of the whole image, so it is done on the host.
#[plugin(augmentation, cite = ["Albumentations 2.0.8, Equalize", "OpenCV 4, equalizeHist"])]
pub struct Equalize {
    /// Whose formula.
    #[plugin(default = EqualizeMode::Cv)]
    pub mode: EqualizeMode,
    /// Each channel by itself (true), or the luma of Y'CrCb alone (false).
    #[plugin(default = true)]
    pub by_channels: bool,
}

/// Spreads the levels of each channel so that all are about as frequent.
///
/// Follows `RandomEqualize` of torchvision's v2 transforms, which counts the levels below each (Pillow's
/// `ImageOps.equalize`): `i` becomes `(S[i - 1] + step / 2) / step`.
#[plugin(augmentation, cite = "torchvision 0.29, v2.RandomEqualize")]
pub struct RandomEqualize {}

/// The formula of an equalisation.
#[config]
pub enum EqualizeMode {
    /// OpenCV's.
    Cv,
    /// What Albumentations has for Pillow's.
    Pil,
}

fn identity() -> [u8; 256] {
    std::array::from_fn(|i| i as u8)
}

fn cv(counts: &[u32; 256]) -> [u8; 256] {
    let total: u32 = counts.iter().sum();
    let first = counts.iter().position(|&n| n > 0).unwrap_or(0);
    if counts[first] == total {
        return identity();
    }
    let scale = 255.0 / (total - counts[first]) as f32;
    let mut sum = 0_u32;
    std::array::from_fn(|i| {
        if i > first {
            sum += counts[i];
        }
        (sum as f32 * scale).round_ties_even().clamp(0.0, 255.0) as u8
    })
}

/// The pixels that are not of the greatest level, over 255.
fn step(counts: &[u32; 256]) -> u32 {
    let last = counts.iter().rposition(|&n| n > 0).unwrap_or(0);
    counts[..last].iter().sum::<u32>() / 255
}

fn pil(counts: &[u32; 256]) -> [u8; 256] {
    let step = step(counts);
    if step == 0 {
        return identity();
    }
    let mut sum = 0_u32;
    counts.map(|n| {
        sum += n;
        ((sum + step / 2) / step).min(255) as u8
    })
}

fn pillow(counts: &[u32; 256]) -> [u8; 256] {
    let step = step(counts);
    if step == 0 {
        return identity();
    }
    let mut sum = 0_u32;
    counts.map(|n| {
        let below = sum;
        sum += n;
        ((below + step / 2) / step).min(255) as u8
    })
}

impl Augmentation for Equalize {
    type Draw = Done;

    fn draw(&self, _: &mut Rng, _: &RowView<'_>) -> Result<Option<Done>> {
        Ok(Some(Done {}))
    }

    fn touch(&self, _: &Done, image: &mut Image) -> Result<()> {
        gray_or_rgb("Equalize", image.channels)?;
        let table = match self.mode {
            EqualizeMode::Cv => cv,
            EqualizeMode::Pil => pil,
        };
        as_bytes(image, |grid| {
            if grid.channels == 1 || self.by_channels {
                let tables: Vec<_> = histograms(grid).iter().map(table).collect();
                look_up(grid, &tables);
            } else {
                let mut counts = [0; 256];
                let pixels = grid.samples.as_chunks_mut::<3>().0;
                pixels.iter().for_each(|p| counts[usize::from(luma::to_ycrcb(*p)[0])] += 1);
                let table = table(&counts);
                for pixel in pixels {
                    let [y, cr, cb] = luma::to_ycrcb(*pixel);
                    *pixel = luma::from_ycrcb([table[usize::from(y)], cr, cb]);
                }
            }
            Ok(())
        })
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

impl Augmentation for RandomEqualize {
    type Draw = Done;

    fn draw(&self, _: &mut Rng, _: &RowView<'_>) -> Result<Option<Done>> {
        Ok(Some(Done {}))
    }

    fn touch(&self, _: &Done, image: &mut Image) -> Result<()> {
        as_bytes(image, |grid| {
            let tables: Vec<_> = histograms(grid).iter().map(pillow).collect();
            look_up(grid, &tables);
            Ok(())
        })
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
