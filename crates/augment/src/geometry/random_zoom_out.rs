//! Puts the picture on a larger canvas.

use crate::PerChannel;
use crate::geometry::region::Region;
use pleach_core::warp::Border;
use pleach_core::{Augmentation, Result, Rng, RowView, Warp, plugin};

/// Puts a sample at a random place of a canvas that is larger by a factor uniform in `side_range`, with probability 0.5
/// unless `p` says otherwise.
///
/// Follows `RandomZoomOut` of torchvision's v2 transforms.
#[plugin(augmentation, cite = "torchvision 0.29, v2.RandomZoomOut")]
pub struct RandomZoomOut {
    /// Brightness of the canvas, 0 to 255, one number or one for each channel.
    #[plugin(default = PerChannel(vec![0.0]), range = 0.0..=255.0)]
    pub fill: PerChannel,
    /// Least and greatest factor.
    #[plugin(default = (1.0, 4.0), range = 1.0..=100.0)]
    pub side_range: (f64, f64),
}

impl Augmentation for RandomZoomOut {
    type Draw = Region;

    fn draw(&self, rng: &mut Rng, row: &RowView<'_>) -> Result<Option<Region>> {
        let (w, h) = (row.size.0 as f64, row.size.1 as f64);
        let factor = rng.range(self.side_range.0, self.side_range.1);
        let (width, height) = ((w * factor).trunc().max(w), (h * factor).trunc().max(h));
        let (left, top) = (((width - w) * rng.uniform()) as i64, ((height - h) * rng.uniform()) as i64);
        Ok(Some(Region { x: -left, y: -top, width: width as usize, height: height as usize }))
    }

    fn warp(&self, draw: &Region, _: (usize, usize)) -> Option<Warp> {
        Some(draw.cut().with_border(Border::Constant { fill: self.fill.levels(), map_fill: 0 }))
    }

    fn looks(&self) -> bool {
        false
    }

    fn edits(&self) -> bool {
        false
    }

    fn default_p(&self) -> f64 {
        0.5
    }
}
