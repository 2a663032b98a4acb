//! Drops objects that other augmentations have made too small.

use crate::geometry::boxes::around;
use crate::geometry::points::Flipped;
use pleach_core::{Augmentation, Result, Rng, Row, RowView, plugin};

/// Drops instances whose box has a side below `min_size` or reaches outside the frame; `min_area` of the step drops
/// those of a smaller area.
///
/// Follows `SanitizeBoundingBoxes` of torchvision's v2 transforms. A turned box goes by its own sides and may reach
/// outside; a box that is no number is dropped.
#[plugin(augmentation, cite = "torchvision 0.29, v2.SanitizeBoundingBoxes")]
pub struct SanitizeBoundingBoxes {
    /// Least side in pixels.
    #[plugin(default = 1.0, range = 0.0..)]
    pub min_size: f32,
}

impl Augmentation for SanitizeBoundingBoxes {
    type Draw = Flipped;

    fn draw(&self, _: &mut Rng, _: &RowView<'_>) -> Result<Option<Flipped>> {
        Ok(Some(Flipped {}))
    }

    fn edit(&self, _: &Flipped, row: &mut Row) -> Result<()> {
        let (w, h) = row.size().unwrap_or_default();
        let inside = |b: [f64; 4]| {
            let [x0, y0, x1, y1] = b;
            x0 >= 0.0 && y0 >= 0.0 && x1 <= w as f64 && y1 <= h as f64
        };
        row.instances.retain(|i| {
            let Some(b) = i.bbox else { return true };
            let large = b.w >= self.min_size && b.h >= self.min_size;
            large && around(i).is_some_and(|bounds| b.angle != 0.0 || inside(bounds))
        });
        Ok(())
    }

    fn is_random(&self) -> bool {
        false
    }
}
