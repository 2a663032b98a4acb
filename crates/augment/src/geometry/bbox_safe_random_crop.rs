//! Cuts out a window around all objects.

use crate::geometry::boxes::{around, union};
use crate::geometry::region::Region;
use pleach_core::{Augmentation, Result, Rng, RowView, Warp, plugin};

/// Cuts out a random window that holds every box of the sample.
///
/// Follows `BBoxSafeRandomCrop` of Albumentations 2.0.8, the fallback for a sample without a box included: a window of
/// the frame's ratio at any place, at least `1 - erosion_rate` high.
#[plugin(augmentation, cite = "Albumentations 2.0.8, BBoxSafeRandomCrop")]
pub struct BBoxSafeRandomCrop {
    /// By which share of its size each box may be cut on each side, 0 to 1.
    #[plugin(default = 0.0, range = 0.0..=1.0)]
    pub erosion_rate: f64,
}

/// A random window that holds every box of a row, each eroded on both sides by half of the rate.
pub(crate) fn safe(rng: &mut Rng, row: &RowView<'_>, erosion_rate: f64) -> Region {
    let (w, h) = (row.size.0 as f64, row.size.1 as f64);
    let eroded = |[x0, y0, x1, y1]: [f64; 4]| {
        let (dx, dy) = ((x1 - x0) * erosion_rate / 2.0, (y1 - y0) * erosion_rate / 2.0);
        [x0 + dx, y0 + dy, x1 - dx, y1 - dy]
    };
    let all = row.row.instances.iter().filter_map(around).map(eroded).filter(|b| b[2] > b[0] && b[3] > b[1]);
    let Some([x0, y0, x1, y1]) = union(all) else {
        let least = (h * (1.0 - erosion_rate)) as u64;
        let height = least + rng.below(h as u64 - least.min(h as u64) + 1);
        let width = (height as f64 * w / h) as usize;
        let (y, x) = (rng.uniform(), rng.uniform());
        return Region::placed(row.size, (width, height as usize), (x, y));
    };
    let (x0, y0) = (x0.clamp(0.0, w), y0.clamp(0.0, h));
    let (x1, y1) = (x1.clamp(x0, w), y1.clamp(y0, h));
    let (left, top) = ((x0 * rng.uniform()) as i64, (y0 * rng.uniform()) as i64);
    // Rounded up, so that no box is cut by a part of a pixel.
    let (right, bottom) = ((x1 + (w - x1) * rng.uniform()).ceil(), (y1 + (h - y1) * rng.uniform()).ceil());
    let (left, top) = (left.min(w as i64 - 1), top.min(h as i64 - 1));
    Region::between(left, top, (right as i64).min(w as i64), (bottom as i64).min(h as i64))
}

impl Augmentation for BBoxSafeRandomCrop {
    type Draw = Region;

    fn draw(&self, rng: &mut Rng, row: &RowView<'_>) -> Result<Option<Region>> {
        Ok(Some(safe(rng, row, self.erosion_rate)))
    }

    fn warp(&self, draw: &Region, _: (usize, usize)) -> Option<Warp> {
        Some(draw.cut())
    }

    fn edits(&self) -> bool {
        false
    }
}
