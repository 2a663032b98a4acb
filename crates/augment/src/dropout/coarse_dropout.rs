//! Rectangles left out.

use super::fill::Fill;
use super::holes::{Holes, cover, fill};
use crate::pixel::limits::whole;
use pleach_core::image::Image;
use pleach_core::read::Rules;
use pleach_core::{Augmentation, Result, Rng, Row, RowView, plugin};

/// Cuts rectangles out of the frames.
///
/// Follows `CoarseDropout` of Albumentations 2.0.8, without its fills `inpaint_telea` and `inpaint_ns`. Sides count in
/// pixels where the greatest height is 1 or more, else as shares of the image. Unlike there, a box that a mask or polygon
/// outlines does not shrink, an instance is dropped whole where nothing, or less than `min_left`, is left of it,
/// and key points in holes are kept as not visible.
#[plugin(augmentation, cite = ["arXiv:1708.04552", "Albumentations 2.0.8, CoarseDropout"], check = Self::check)]
pub struct CoarseDropout {
    /// Least and greatest number of rectangles.
    #[plugin(default = (1, 2), range = 1..=100_000)]
    pub num_holes_range: (u32, u32),
    /// Least and greatest height, in pixels or as a share.
    #[plugin(default = (0.1, 0.2), range = 0.0..)]
    pub hole_height_range: (f64, f64),
    /// Least and greatest width, in pixels or as a share.
    #[plugin(default = (0.1, 0.2), range = 0.0..)]
    pub hole_width_range: (f64, f64),
    /// What the rectangles are filled with, in the image's own levels: a number, a list of one for each channel,
    /// `random` or `random_uniform`.
    #[plugin(default = Fill::default())]
    pub fill: Fill,
    /// Class of maps in the rectangles; by default they stay as they are.
    pub fill_mask: Option<u16>,
    /// An instance of which less than this share is left is dropped, 0 to 1.
    #[plugin(default = 0.0, range = 0.0..=1.0)]
    pub min_left: f32,
}

impl CoarseDropout {
    fn check(&self, rules: &mut Rules) {
        let (low, high) = self.num_holes_range;
        let ranges = [
            ("num_holes_range", (low.into(), high.into())),
            ("hole_height_range", self.hole_height_range),
            ("hole_width_range", self.hole_width_range),
        ];
        for (key, (low, high)) in ranges {
            if low > high {
                rules.refuse(key, "the smaller number comes first");
            }
        }
    }
}

impl Augmentation for CoarseDropout {
    type Draw = Holes;

    fn draw(&self, rng: &mut Rng, row: &RowView<'_>) -> Result<Option<Holes>> {
        let (w, h) = (row.size.0 as i64, row.size.1 as i64);
        let pixels = self.hole_height_range.1 >= 1.0;
        let count = whole(rng, self.num_holes_range.0.into(), self.num_holes_range.1.into());
        let side = |rng: &mut Rng, (low, high): (f64, f64), all: i64| {
            if pixels {
                let high = high.min(all as f64) as i64;
                whole(rng, (low as i64).min(high), high)
            } else {
                ((all as f64 * rng.range(low, high)) as i64).min(all)
            }
        };
        let mut holes = Vec::new();
        for _ in 0..count {
            let (hh, hw) = (side(rng, self.hole_height_range, h), side(rng, self.hole_width_range, w));
            let (x, y) = (whole(rng, 0, w - hw), whole(rng, 0, h - hh));
            holes.push([x, y, x + hw, y + hh]);
        }
        Ok(Some(Holes { holes, seed: rng.next_u64() }))
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
