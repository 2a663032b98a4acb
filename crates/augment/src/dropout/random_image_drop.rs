//! A frame of a clip to be painted in again.

use super::fill::Fill;
use super::holes::{Holes, fill};
use pleach_core::{Augmentation, Result, Rng, Row, RowView, plugin, state};

/// Blanks one frame of a clip, for pretraining by inpainting.
///
/// The value is 0, which after `Normalize` is the mean colour; maps and instances stay.
#[plugin(augmentation, cite = "Pathak et al., Context Encoders: Feature Learning by Inpainting, 2016")]
pub struct RandomImageDrop {}

/// What was decided.
#[state]
pub struct DroppedFrame {
    /// Its place in the clip.
    pub frame: usize,
}

impl Augmentation for RandomImageDrop {
    type Draw = DroppedFrame;

    fn draw(&self, rng: &mut Rng, row: &RowView<'_>) -> Result<Option<DroppedFrame>> {
        Ok(Some(DroppedFrame { frame: rng.below(row.row.frames.len() as u64) as usize }))
    }

    fn edit(&self, draw: &DroppedFrame, row: &mut Row) -> Result<()> {
        let Some(frame) = row.frames.get_mut(draw.frame) else { return Ok(()) };
        let whole = [0, 0, frame.image.width as i64, frame.image.height as i64];
        fill(&Holes { holes: vec![whole], seed: 0 }, &Fill::default(), &mut frame.image)
    }
}
