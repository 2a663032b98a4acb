//! A grid of rectangles left out.

use super::fill::Fill;
use super::holes::{Holes, cover, fill};
use crate::pixel::limits::whole;
use pleach_core::image::Image;
use pleach_core::read::Rules;
use pleach_core::{Augmentation, Error, Result, Rng, Row, RowView, plugin};

/// Cuts one rectangle out of each cell of a grid.
///
/// Follows `GridDropout` of Albumentations 2.0.8, without its fills `inpaint_telea` and `inpaint_ns`: `ratio` of each
/// cell's sides, at least 1 pixel; the cells are `unit_size_range` pixels wide, or as many as `holes_number_xy` says
/// (its first number is that of the rows, as there), or ten across and down. Instances as in `CoarseDropout`.
#[plugin(augmentation, cite = ["arXiv:2001.04086", "Albumentations 2.0.8, GridDropout"], check = Self::check)]
pub struct GridDropout {
    /// Share of a cell's sides that is cut out.
    #[plugin(default = 0.5, above = 0.0, range = ..=1.0)]
    pub ratio: f64,
    /// Whether rectangles lie anywhere in their cells.
    #[plugin(default = true)]
    pub random_offset: bool,
    /// Least and greatest side of a cell in pixels; the greatest is left out, as there, unless it is the least.
    #[plugin(range = 2..)]
    pub unit_size_range: Option<(u32, u32)>,
    /// How many cells there are.
    #[plugin(range = 1..)]
    pub holes_number_xy: Option<(u32, u32)>,
    /// Where rectangles lie in their cells where `random_offset` is false: pixels to the right and down.
    #[plugin(default = (0, 0))]
    pub shift_xy: (u32, u32),
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

impl GridDropout {
    fn check(&self, rules: &mut Rules) {
        if self.unit_size_range.is_some_and(|(low, high)| low > high) {
            rules.refuse("unit_size_range", "the smaller number comes first");
        }
    }

    /// Rows and columns of cells.
    fn cells(&self, rng: &mut Rng, (w, h): (usize, usize)) -> Result<(usize, usize)> {
        if let Some((rows, columns)) = self.holes_number_xy {
            return Ok(((rows as usize).min(h), (columns as usize).min(w)));
        }
        let (uw, uh) = match self.unit_size_range {
            Some((_, high)) if high as usize > w.min(h) => {
                let message = format!("cells of up to {high} pixels do not fit into {w}x{h} pixels");
                return Err(Error::new("PL0341", message).hint("give a smaller `unit_size_range`"));
            }
            Some((low, high)) => {
                let side = whole(rng, low.into(), i64::from(high.max(low + 1)) - 1) as usize;
                (side, side)
            }
            None => ((w / 10).max(2), (h / 10).max(2)),
        };
        Ok(((h / uh).max(1), (w / uw).max(1)))
    }
}

/// Cuts a side into parts that differ by at most a pixel, the longer ones anywhere.
fn parts(rng: &mut Rng, side: usize, count: usize) -> Vec<(i64, i64)> {
    let (each, longer) = (side / count, side % count);
    let mut sizes: Vec<usize> = (0..count).map(|i| each + usize::from(i < longer)).collect();
    for i in (1..count).rev() {
        sizes.swap(i, rng.below(i as u64 + 1) as usize);
    }
    let mut at = 0;
    sizes
        .into_iter()
        .map(|size| {
            at += size;
            ((at - size) as i64, at as i64)
        })
        .collect()
}

impl Augmentation for GridDropout {
    type Draw = Holes;

    fn draw(&self, rng: &mut Rng, row: &RowView<'_>) -> Result<Option<Holes>> {
        let (w, h) = row.size;
        let (rows, columns) = self.cells(rng, row.size)?;
        let (rows, columns) = (parts(rng, h, rows), parts(rng, w, columns));
        let cut = |side: i64| ((side as f64 * self.ratio).max(1.0).min((side - 1) as f64) as i64).max(0);
        let mut holes = Vec::new();
        for &(y0, y1) in &rows {
            for &(x0, x1) in &columns {
                let (hw, hh) = (cut(x1 - x0), cut(y1 - y0));
                let (dx, dy) = if self.random_offset {
                    (whole(rng, 0, x1 - x0 - hw), whole(rng, 0, y1 - y0 - hh))
                } else {
                    (self.shift_xy.0.into(), self.shift_xy.1.into())
                };
                let (x, y) = ((x0 + dx).clamp(0, w as i64 - hw), (y0 + dy).clamp(0, h as i64 - hh));
                holes.push([x, y, x + hw, y + hh]);
            }
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
