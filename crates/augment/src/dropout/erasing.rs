//! One rectangle of a drawn area and shape left out.

use super::fill::Fill;
use super::holes::{Holes, cover, fill};
use crate::pixel::limits::whole;
use pleach_core::image::Image;
use pleach_core::read::Rules;
use pleach_core::{Augmentation, Result, Rng, Row, RowView, plugin};

/// Cuts one rectangle out of the frames, whose area is a share of the image's and whose width over height is in `ratio`.
///
/// Follows `Erasing` of Albumentations 2.0.8, without its fills `inpaint_telea` and `inpaint_ns`; instances as in
/// `CoarseDropout`. torchvision's `RandomErasing` tries ten rectangles, and its `value` is `fill`. Where no such rectangle fits, nothing happens.
#[plugin(augmentation, alias = ["RandomErasing"], cite = ["arXiv:1708.04896", "Albumentations 2.0.8, Erasing"], check = Self::check)]
pub struct Erasing {
    /// Least and greatest share of the image's area.
    #[plugin(default = (0.02, 0.33), range = 0.0..)]
    pub scale: (f64, f64),
    /// Least and greatest width over height.
    #[plugin(default = (0.3, 3.3), above = 0.0)]
    pub ratio: (f64, f64),
    /// What the rectangle is filled with, in the image's own levels: a number, a list of one for each channel, `random`
    /// or `random_uniform`.
    #[plugin(default = Fill::default(), was = "value")]
    pub fill: Fill,
    /// Class of maps in the rectangle; by default they stay as they are.
    pub fill_mask: Option<u16>,
    /// An instance of which less than this share is left is dropped, 0 to 1.
    #[plugin(default = 0.0, range = 0.0..=1.0)]
    pub min_left: f32,
    /// torchvision's switch of where the result lies; without effect here.
    #[plugin(idle)]
    pub inplace: Option<bool>,
}

impl Erasing {
    fn check(&self, rules: &mut Rules) {
        for (key, (low, high)) in [("scale", self.scale), ("ratio", self.ratio)] {
            if low > high {
                rules.refuse(key, "the smaller number comes first");
            }
        }
    }
}

impl Augmentation for Erasing {
    type Draw = Holes;

    fn draw(&self, rng: &mut Rng, row: &RowView<'_>) -> Result<Option<Holes>> {
        let (w, h) = (row.size.0 as f64, row.size.1 as f64);
        let (least, greatest) = self.ratio;
        let high = (w * h * self.scale.1).min(least * h * h).min(w * w / greatest);
        let low = w * h * self.scale.0;
        if high < low || high <= 0.0 {
            return Ok(None);
        }
        let area = rng.range(low, high);
        let (from, to) = (least.max(area / (h * h)), greatest.min(w * w / area));
        if area <= 0.0 || from > to {
            return Ok(None);
        }
        let ratio = rng.range(from, to);
        let height = ((area / ratio).sqrt().round_ties_even() as i64).min(h as i64);
        let width = ((area * ratio).sqrt().round_ties_even() as i64).min(w as i64);
        let (x, y) = (whole(rng, 0, w as i64 - width), whole(rng, 0, h as i64 - height));
        Ok(Some(Holes { holes: vec![[x, y, x + width, y + height]], seed: rng.next_u64() }))
    }

    fn edits(&self) -> bool {
        true
    }

    fn edit(&self, draw: &Holes, row: &mut Row) -> Result<()> {
        cover(draw, self.fill_mask, self.min_left, row);
        Ok(())
    }

    fn touch(&self, draw: &Holes, image: &mut Image) -> Result<()> {
        fill(draw, &self.fill, image)
    }

    fn touches(&self) -> bool {
        true
    }

    fn default_p(&self) -> f64 {
        0.5
    }
}
