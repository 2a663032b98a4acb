//! Cuts out a window at a random place.

use crate::geometry::crop::{Padding, Window, one_way, room, window};
use crate::geometry::position::Position;
use crate::{BorderMode, PerChannel, Sides};
use pleach_core::read::Rules;
use pleach_core::{Augmentation, Result, Rng, RowView, Warp, plugin};

/// Cuts a window of fixed size out of a sample; every place is equally likely.
///
/// Follows `RandomCrop` of Albumentations 2.0.8 and, with `size`, of torchvision. A box is clipped to the window, and drawn anew around what is left
/// of a mask or polygon that is cut.
#[plugin(augmentation, cite = ["Albumentations 2.0.8, RandomCrop", "torchvision 0.29, v2.RandomCrop"], check = Self::check)]
pub struct RandomCrop {
    /// Height of the window in pixels.
    #[plugin(sample = Some(32), range = 1..)]
    pub height: Option<usize>,
    /// Width of the window in pixels.
    #[plugin(sample = Some(32), range = 1..)]
    pub width: Option<usize>,
    /// Height and width of the window in place of `height` and `width`, or one number for both: torchvision's way.
    #[plugin(range = 1..)]
    pub size: Option<Sides>,
    /// Whether a frame that is smaller than the window is padded; an error otherwise.
    #[plugin(default = false)]
    pub pad_if_needed: bool,
    /// Where the image lies in a padded frame.
    #[plugin(default = Position::Center)]
    pub pad_position: Position,
    /// What is put where the image has no pixels.
    #[plugin(default = BorderMode::Constant)]
    pub border_mode: BorderMode,
    /// Brightness of a constant border, one number or one for each channel: 0 to 255, which is white in images of every
    /// type.
    #[plugin(default = PerChannel(vec![0.0]), range = 0.0..=255.0)]
    pub fill: PerChannel,
    /// Class of a constant border in maps.
    #[plugin(default = 0)]
    pub fill_mask: u16,
}

impl RandomCrop {
    fn check(&self, rules: &mut Rules) {
        one_way(self.height, self.width, self.size, rules);
    }

    /// Width and height of the window.
    fn window(&self) -> (usize, usize) {
        window(self.height, self.width, self.size)
    }
}

impl Augmentation for RandomCrop {
    type Draw = Window;

    fn draw(&self, rng: &mut Rng, row: &RowView<'_>) -> Result<Option<Window>> {
        let (x, y) = room(row, self.window(), Padding::of(self.pad_if_needed))?;
        let (before_x, before_y) = self.pad_position.before(rng, (-x).max(0), (-y).max(0));
        let mut place = |room: i64, before: i64| if room > 0 { rng.below(room as u64 + 1) as i64 } else { -before };
        Ok(Some(Window { x: place(x, before_x), y: place(y, before_y) }))
    }

    fn warp(&self, draw: &Window, _: (usize, usize)) -> Option<Warp> {
        let warp = Warp::crop(draw.x, draw.y, self.window());
        Some(warp.with_border(self.border_mode.border(&self.fill, self.fill_mask)))
    }

    fn looks(&self) -> bool {
        false
    }

    fn edits(&self) -> bool {
        false
    }
}
