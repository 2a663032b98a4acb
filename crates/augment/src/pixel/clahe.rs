//! Contrast of each neighbourhood.

use super::grid::{as_bytes, channels, gray_or_rgb};
use super::lab::Lab;
use super::limits::FromOne;
use super::tiles::equalize;
use pleach_core::image::Image;
use pleach_core::{Augmentation, Result, Rng, RowView, plugin, state};

/// Contrast limited adaptive histogram equalisation: each tile's levels are equalised by a table, and between the
/// middles of tiles the tables are mixed.
///
/// Follows `CLAHE` of Albumentations 2.0.8 (OpenCV's `createCLAHE`, on the lightness of CIE Lab for RGB), within
/// 1 level; the tables are to the bit. It needs the counts of whole tiles, so it is done on the host.
#[plugin(augmentation, cite = "Zuiderveld, Contrast Limited Adaptive Histogram Equalization, Graphics Gems IV, 1994")]
pub struct CLAHE {
    /// Least and greatest slope of a table; one number `x` stands for `[1, x]`.
    #[plugin(default = FromOne(1.0, 4.0), range = 1.0..)]
    pub clip_limit: FromOne,
    /// Tiles across and down.
    #[plugin(default = (8, 8), range = 1..=256)]
    pub tile_grid_size: (usize, usize),
}

/// What was decided.
#[state]
pub struct Clipped {
    /// The greatest slope of a table.
    pub clip_limit: f64,
}

impl Augmentation for CLAHE {
    type Draw = Clipped;

    fn draw(&self, rng: &mut Rng, row: &RowView<'_>) -> Result<Option<Clipped>> {
        gray_or_rgb("CLAHE", channels(row))?;
        Ok(Some(Clipped { clip_limit: rng.range(self.clip_limit.0, self.clip_limit.1) }))
    }

    fn touch(&self, draw: &Clipped, image: &mut Image) -> Result<()> {
        gray_or_rgb("CLAHE", image.channels)?;
        as_bytes(image, |grid| {
            let (w, h) = (grid.width, grid.height);
            if grid.channels == 1 {
                equalize(&mut grid.samples, (w, h), draw.clip_limit, self.tile_grid_size);
                return Ok(());
            }
            let pixels = grid.samples.as_chunks_mut::<3>().0;
            let mut lab = Lab::of(pixels);
            equalize(&mut lab.lightness, (w, h), draw.clip_limit, self.tile_grid_size);
            lab.write(pixels);
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
