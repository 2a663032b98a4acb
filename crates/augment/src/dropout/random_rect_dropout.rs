//! Rectangles of each frame to be painted in again.

use super::fill::Fill;
use super::holes::{Holes, fill};
use crate::pixel::limits::whole;
use pleach_core::{Augmentation, Result, Rng, Row, RowView, plugin, state};

/// Blanks rectangles of each frame until they have a tenth of its area, for pretraining by inpainting.
///
/// With `m` the shorter side of the frame and a ratio `r` in `[1, 3)`, the short edge is a whole number from `0.05 m` to
/// `0.3 m / r` and the long one `r` times it, upright or lying; overlaps count twice. Frames have rectangles of their own.
/// The value is 0, which after `Normalize` is the mean colour; maps and instances stay.
#[plugin(augmentation, cite = "Pathak et al., Context Encoders: Feature Learning by Inpainting, 2016")]
pub struct RandomRectDropout {
    /// The share of the frame's area that is blanked at least.
    #[plugin(default = 0.1, range = 0.0..=1.0)]
    pub area: f64,
}

/// What was decided.
#[state]
pub struct DroppedRects {
    /// The rectangles of each frame: left, top, right and bottom in pixels.
    pub frames: Vec<Vec<[i64; 4]>>,
}

impl RandomRectDropout {
    fn rects(&self, rng: &mut Rng, (w, h): (i64, i64)) -> Vec<[i64; 4]> {
        let shorter = w.min(h) as f64;
        let (mut rects, mut area) = (Vec::new(), 0);
        while (area as f64) < self.area * (w * h) as f64 {
            let ratio = rng.range(1.0, 3.0);
            let least = ((0.05 * shorter) as i64).max(1);
            let short = whole(rng, least, ((0.3 * shorter / ratio) as i64).max(least));
            let long = (short as f64 * ratio) as i64;
            let (rw, rh) = if rng.chance(0.5) { (short, long) } else { (long, short) };
            let (rw, rh) = (rw.min(w), rh.min(h));
            let (x, y) = (whole(rng, 0, w - rw), whole(rng, 0, h - rh));
            rects.push([x, y, x + rw, y + rh]);
            area += rw * rh;
        }
        rects
    }
}

impl Augmentation for RandomRectDropout {
    type Draw = DroppedRects;

    fn draw(&self, rng: &mut Rng, row: &RowView<'_>) -> Result<Option<DroppedRects>> {
        let size = (row.size.0 as i64, row.size.1 as i64);
        Ok(Some(DroppedRects { frames: row.row.frames.iter().map(|_| self.rects(rng, size)).collect() }))
    }

    fn edit(&self, draw: &DroppedRects, row: &mut Row) -> Result<()> {
        for (frame, rects) in row.frames.iter_mut().zip(&draw.frames) {
            fill(&Holes { holes: rects.clone(), seed: 0 }, &Fill::default(), &mut frame.image)?;
        }
        Ok(())
    }
}
