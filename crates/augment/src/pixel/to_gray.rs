//! Colours taken away.

use super::grid::{Done, Grid, as_bytes, by_type, only_rgb};
use super::lab::Lab;
use super::luma;
use super::random_photometric_distort::{LUMA, luma as torchvision_luma};
use pleach_core::image::Image;
use pleach_core::{Augmentation, Result, Rng, RowView, config, plugin};
use pleach_simd::{gray_rgb, luma_rgb, shade_rgb};

/// One gray number for each pixel, in each of `num_output_channels` channels.
///
/// Follows `ToGray` of Albumentations 2.0.8 but for its method `pca`. An image that is gray already stays as it is;
/// `weighted_average` and `from_lab` want three channels, the others take any number. Another number of channels than
/// three changes the frames' channels.
#[plugin(augmentation, cite = "Albumentations 2.0.8, ToGray")]
pub struct ToGray {
    /// Channels of the result.
    #[plugin(default = 3, range = 1..=16)]
    pub num_output_channels: usize,
    /// What the gray is.
    #[plugin(default = GrayMethod::WeightedAverage)]
    pub method: GrayMethod,
}

/// Takes the colours away and keeps the channels, with probability 0.1 unless `p` says otherwise.
///
/// Follows `RandomGrayscale` of torchvision's v2 transforms: `0.2989 r + 0.587 g + 0.114 b`, whose fraction is dropped
/// in 8 bits.
#[plugin(augmentation, cite = "torchvision 0.29, v2.RandomGrayscale")]
pub struct RandomGrayscale {}

/// What gray is.
#[config]
pub enum GrayMethod {
    /// The luma, `0.299 r + 0.587 g + 0.114 b` (OpenCV's `COLOR_RGB2GRAY`).
    WeightedAverage,
    /// The lightness of CIE Lab.
    FromLab,
    /// The middle between the least and the greatest channel.
    Desaturation,
    /// The mean of the channels.
    Average,
    /// The greatest channel.
    Max,
}

/// What grays are made of.
trait Tone: Copy {
    /// One for each pixel.
    fn lumas(pixels: &[[Self; 3]]) -> Vec<Self>;
    /// In place of all three.
    fn spread_lumas(pixels: &mut [[Self; 3]]);
    fn dropped(x: f32) -> Self;
    fn wide(self) -> f32;
}

impl Tone for u8 {
    fn lumas(pixels: &[[u8; 3]]) -> Vec<u8> {
        let mut out = vec![0; pixels.len()];
        luma_rgb(pixels, &mut out);
        out
    }
    fn spread_lumas(pixels: &mut [[u8; 3]]) {
        gray_rgb(pixels);
    }
    #[inline(always)]
    fn dropped(x: f32) -> u8 {
        x as u8
    }
    #[inline(always)]
    fn wide(self) -> f32 {
        f32::from(self)
    }
}

impl Tone for f32 {
    fn lumas(pixels: &[[f32; 3]]) -> Vec<f32> {
        pixels.iter().map(|&p| luma::gray_of_floats(p)).collect()
    }
    fn spread_lumas(pixels: &mut [[f32; 3]]) {
        pixels.iter_mut().for_each(|p| *p = [luma::gray_of_floats(*p); 3]);
    }
    #[inline(always)]
    fn dropped(x: f32) -> f32 {
        x
    }
    #[inline(always)]
    fn wide(self) -> f32 {
        self
    }
}

/// The grays of an image, one for each pixel.
fn grays<T: Tone>(grid: &Grid<T>, method: &GrayMethod) -> Vec<T> {
    let one = |pixel: &[T]| {
        let wide = pixel.iter().map(|x| x.wide());
        match method {
            GrayMethod::Average => T::dropped(wide.sum::<f32>() / pixel.len() as f32),
            GrayMethod::Max => T::dropped(wide.fold(f32::MIN, f32::max)),
            _ => {
                let (low, high) = wide.fold((f32::MAX, f32::MIN), |(low, high), x| (low.min(x), high.max(x)));
                T::dropped((low + high) / 2.0)
            }
        }
    };
    match (method, grid.channels) {
        (GrayMethod::WeightedAverage, 3) => T::lumas(grid.samples.as_chunks::<3>().0),
        _ => grid.samples.chunks_exact(grid.channels).map(one).collect(),
    }
}

fn spread<T: Tone>(grid: &mut Grid<T>, grays: Vec<T>, channels: usize) {
    grid.samples =
        if channels == 1 { grays } else { grays.iter().flat_map(|&x| std::iter::repeat_n(x, channels)).collect() };
    grid.channels = channels;
}

impl ToGray {
    fn change<T: Tone>(&self, grid: &mut Grid<T>) {
        if grid.channels == 3 && self.num_output_channels == 3 && matches!(self.method, GrayMethod::WeightedAverage) {
            return T::spread_lumas(grid.samples.as_chunks_mut::<3>().0);
        }
        let grays = grays(grid, &self.method);
        spread(grid, grays, self.num_output_channels);
    }
}

impl Augmentation for ToGray {
    type Draw = Done;

    fn draw(&self, _: &mut Rng, _: &RowView<'_>) -> Result<Option<Done>> {
        Ok(Some(Done {}))
    }

    fn touch(&self, _: &Done, image: &mut Image) -> Result<()> {
        if image.channels == 1 {
            return Ok(());
        }
        if let GrayMethod::WeightedAverage | GrayMethod::FromLab = self.method {
            only_rgb("ToGray by this method", image.channels)?;
        }
        if let GrayMethod::FromLab = self.method {
            return as_bytes(image, |grid| {
                let lightness = Lab::of(grid.samples.as_chunks::<3>().0).lightness;
                spread(grid, lightness, self.num_output_channels);
                Ok(())
            });
        }
        by_type(
            image,
            |grid| {
                self.change(grid);
                Ok(())
            },
            |grid| {
                self.change(grid);
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

impl Augmentation for RandomGrayscale {
    type Draw = Done;

    fn draw(&self, _: &mut Rng, _: &RowView<'_>) -> Result<Option<Done>> {
        Ok(Some(Done {}))
    }

    fn touch(&self, _: &Done, image: &mut Image) -> Result<()> {
        if image.channels == 1 {
            return Ok(());
        }
        only_rgb("RandomGrayscale", image.channels)?;
        by_type(
            image,
            |grid| {
                shade_rgb(grid.samples.as_chunks_mut::<3>().0, LUMA);
                Ok(())
            },
            |grid| {
                for pixel in grid.samples.as_chunks_mut::<3>().0 {
                    *pixel = [torchvision_luma(*pixel); 3];
                }
                Ok(())
            },
        )
    }

    fn touches(&self) -> bool {
        true
    }

    fn default_p(&self) -> f64 {
        0.1
    }
}
