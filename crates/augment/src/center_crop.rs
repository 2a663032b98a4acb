//! Cuts out the middle.

use crate::BorderMode;
use crate::crop::{Padding, Window, room};
use pleach_core::{Augmentation, Result, Rng, RowView, Warp, plugin};

/// Cuts a window of fixed size out of the middle of a sample.
///
/// Follows `CenterCrop` of Albumentations 2.0.8; where a pixel is left over, it is cut off on the right
/// or at the bottom. A box is clipped to the window, and drawn anew around what is left of a mask or
/// polygon that is cut.
#[plugin(augmentation, cite = "Albumentations 2.0.8, CenterCrop")]
pub struct CenterCrop {
    /// Height of the window in pixels.
    #[plugin(example = 32, range = 1..)]
    pub height: usize,
    /// Width of the window in pixels.
    #[plugin(example = 32, range = 1..)]
    pub width: usize,
    /// Whether a frame that is smaller than the window is padded, evenly on both sides; an error otherwise.
    #[plugin(default = false)]
    pub pad_if_needed: bool,
    /// What it is padded with.
    #[plugin(default = BorderMode::Constant)]
    pub border_mode: BorderMode,
    /// Brightness of a constant border: 0 to 255, which is white in images of every type.
    #[plugin(default = 0.0, range = 0.0..=255.0)]
    pub fill: f64,
    /// Class of a constant border in maps.
    #[plugin(default = 0)]
    pub fill_mask: u16,
    /// An instance of which less than this share stays inside is dropped, 0 to 1.
    #[plugin(default = 0.0, range = 0.0..=1.0)]
    pub min_visibility: f32,
}

impl Augmentation for CenterCrop {
    type Draw = Window;

    fn draw(&self, _: &mut Rng, row: &RowView<'_>) -> Result<Option<Window>> {
        let (x, y) = room(row, (self.width, self.height), Padding::of(self.pad_if_needed))?;
        Ok(Some(Window { x: x / 2, y: y / 2 }))
    }

    fn warp(&self, draw: &Window, _: (usize, usize)) -> Option<Warp> {
        let warp = Warp::crop(draw.x, draw.y, (self.width, self.height))
            .with_border(self.border_mode.border(self.fill, self.fill_mask))
            .with_min_visibility(self.min_visibility);
        Some(warp)
    }

    fn is_random(&self) -> bool {
        false
    }
}
