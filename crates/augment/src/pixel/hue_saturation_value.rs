//! Other hues, more or less colour, brighter or darker.

use super::grid::{Grid, as_bytes, channels, gray_or_rgb};
use super::{hsv, table};
use crate::Limit;
use pleach_core::image::Image;
use pleach_core::{Augmentation, Result, Rng, RowView, plugin, state};

/// Adds a number to hue, saturation and value of each pixel, in OpenCV's HSV of 8 bits, whose hue goes from 0 to 179.
///
/// Follows `HueSaturationValue` of Albumentations 2.0.8: three tables between the conversions. What is added to
/// saturation and value drops its fraction; gray pixels stay gray; of a gray image only the value changes. 8 bits are within 1 level.
#[plugin(augmentation, cite = "Albumentations 2.0.8, HueSaturationValue")]
pub struct HueSaturationValue {
    /// Least and greatest shift of the hue, in half degrees of 0 to 180; one number `x` stands for `[-x, x]`.
    #[plugin(default = Limit(-20.0, 20.0))]
    pub hue_shift_limit: Limit,
    /// Least and greatest shift of the saturation in levels of 255.
    #[plugin(default = Limit(-30.0, 30.0))]
    pub sat_shift_limit: Limit,
    /// Least and greatest shift of the value in levels of 255.
    #[plugin(default = Limit(-20.0, 20.0))]
    pub val_shift_limit: Limit,
}

/// What was decided.
#[state]
pub struct HsvShift {
    /// Of the hue, in half degrees.
    pub hue: f64,
    /// Of the saturation, in levels of 255.
    pub saturation: f64,
    /// Of the value, in levels of 255.
    pub value: f64,
}

/// The table that turns the hue by half degrees.
pub(crate) fn hues(by: f64) -> [u8; 256] {
    std::array::from_fn(|i| ((i as f64 + by).rem_euclid(180.0)) as u8)
}

fn sums(shift: f64) -> [u8; 256] {
    let shift = shift.trunc();
    std::array::from_fn(|i| (i as f64 + shift).clamp(0.0, 255.0) as u8)
}

fn change(draw: &HsvShift, grid: &mut Grid<u8>) {
    let value = sums(draw.value);
    if grid.channels == 1 {
        return table::look_up(grid, &[value]);
    }
    let mut saturation = sums(draw.saturation);
    saturation[0] = 0;
    hsv::change(grid, &hues(draw.hue), &saturation, &value);
}

impl Augmentation for HueSaturationValue {
    type Draw = HsvShift;

    fn draw(&self, rng: &mut Rng, row: &RowView<'_>) -> Result<Option<HsvShift>> {
        gray_or_rgb("HueSaturationValue", channels(row))?;
        let mut one = |limit: Limit| rng.range(limit.0, limit.1);
        Ok(Some(HsvShift {
            hue: one(self.hue_shift_limit),
            saturation: one(self.sat_shift_limit),
            value: one(self.val_shift_limit),
        }))
    }

    fn touch(&self, draw: &HsvShift, image: &mut Image) -> Result<()> {
        gray_or_rgb("HueSaturationValue", image.channels)?;
        if draw.hue == 0.0 && draw.saturation == 0.0 && draw.value == 0.0 {
            return Ok(());
        }
        as_bytes(image, |grid| {
            change(draw, grid);
            Ok(())
        })
    }

    fn touches(&self) -> bool {
        true
    }

    fn table(&self, draw: &HsvShift, channels: usize) -> Option<Vec<[u8; 256]>> {
        (channels == 1).then(|| vec![sums(draw.value)])
    }

    fn default_p(&self) -> f64 {
        0.5
    }
}
