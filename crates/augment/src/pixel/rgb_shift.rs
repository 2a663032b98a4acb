//! Shifts each channel.

use super::grid::{by_type, channels};
use super::table::look_up;
use crate::Limit;
use pleach_core::image::Image;
use pleach_core::{Augmentation, Error, Result, Rng, RowView, plugin, state};

/// Adds a number of its own to each channel.
///
/// Follows `RGBShift` of Albumentations 2.0.8: limits beyond 1 count in levels of 255, others in whites; 8 bits
/// by tables whose shift is whole, its fraction dropped; gray images take the first limit.
#[plugin(augmentation, cite = "Albumentations 2.0.8, RGBShift")]
pub struct RGBShift {
    /// Least and greatest shift of red; one number `x` stands for `[-x, x]`.
    #[plugin(default = Limit(-20.0, 20.0), range = -255.0..=255.0)]
    pub r_shift_limit: Limit,
    /// Least and greatest shift of green.
    #[plugin(default = Limit(-20.0, 20.0), range = -255.0..=255.0)]
    pub g_shift_limit: Limit,
    /// Least and greatest shift of blue.
    #[plugin(default = Limit(-20.0, 20.0), range = -255.0..=255.0)]
    pub b_shift_limit: Limit,
}

/// What was decided.
#[state]
pub struct Shifted {
    /// What is added to each channel, white being 1.
    pub shift: Vec<f64>,
}

fn tables(draw: &Shifted) -> Vec<[u8; 256]> {
    let one = |&shift: &f64| {
        let shift = (shift * 255.0).trunc().clamp(-255.0, 255.0) as i32;
        std::array::from_fn(|i| (i as i32 + shift).clamp(0, 255) as u8)
    };
    draw.shift.iter().map(one).collect()
}

impl Augmentation for RGBShift {
    type Draw = Shifted;

    fn draw(&self, rng: &mut Rng, row: &RowView<'_>) -> Result<Option<Shifted>> {
        let channels = channels(row);
        if channels > 3 {
            let message = format!("RGBShift has 3 limits, but the image has {channels} channels");
            return Err(Error::new("PL0342", message).hint("it is for images with up to 3 channels"));
        }
        let limits = [self.r_shift_limit, self.g_shift_limit, self.b_shift_limit];
        let one = |limit: &Limit| {
            let unit = if limit.0.abs() > 1.0 || limit.1.abs() > 1.0 { 255.0 } else { 1.0 };
            rng.range(limit.0 / unit, limit.1 / unit)
        };
        Ok(Some(Shifted { shift: limits.iter().take(channels).map(one).collect() }))
    }

    fn touch(&self, draw: &Shifted, image: &mut Image) -> Result<()> {
        by_type(
            image,
            |grid| {
                look_up(grid, &tables(draw));
                Ok(())
            },
            |grid| {
                for pixel in grid.samples.chunks_exact_mut(grid.channels) {
                    for (x, shift) in pixel.iter_mut().zip(&draw.shift) {
                        *x = (f64::from(*x) + shift).clamp(0.0, 1.0) as f32;
                    }
                }
                Ok(())
            },
        )
    }

    fn touches(&self) -> bool {
        true
    }

    fn table(&self, draw: &Shifted, channels: usize) -> Option<Vec<[u8; 256]>> {
        (draw.shift.len() == channels).then(|| tables(draw))
    }

    fn default_p(&self) -> f64 {
        0.5
    }
}
