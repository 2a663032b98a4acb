//! Cuts out a window at a random place.

use crate::BorderMode;
use crate::crop::{Padding, Window, room};
use pleach_core::{Augmentation, Result, Rng, RowView, Warp, plugin};

/// Cuts a window of fixed size out of a sample; every place is equally likely.
///
/// Follows `RandomCrop` of Albumentations 2.0.8 with `pad_position="center"`. A box is clipped to the
/// window, and drawn anew around what is left of a mask or polygon that is cut.
#[plugin(augmentation, cite = "Albumentations 2.0.8, RandomCrop")]
pub struct RandomCrop {
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

impl Augmentation for RandomCrop {
    type Draw = Window;

    fn draw(&self, rng: &mut Rng, row: &RowView<'_>) -> Result<Option<Window>> {
        let (x, y) = room(row, (self.width, self.height), Padding::of(self.pad_if_needed))?;
        let mut place = |room: i64| if room > 0 { rng.below(room as u64 + 1) as i64 } else { room / 2 };
        Ok(Some(Window { x: place(x), y: place(y) }))
    }

    fn warp(&self, draw: &Window, _: (usize, usize)) -> Option<Warp> {
        let warp = Warp::crop(draw.x, draw.y, (self.width, self.height))
            .with_border(self.border_mode.border(self.fill, self.fill_mask))
            .with_min_visibility(self.min_visibility);
        Some(warp)
    }
}
