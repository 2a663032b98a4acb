//! Windows of any size in a frame, and what is made of them.

use pleach_core::warp::Interpolation;
use pleach_core::{Warp, state};

/// A window of a frame.
#[state]
pub struct Region {
    /// Pixels from the left.
    pub x: i64,
    /// Pixels from the top.
    pub y: i64,
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

impl Region {
    /// The window between two corners, at least one pixel.
    pub(crate) fn between(x0: i64, y0: i64, x1: i64, y1: i64) -> Self {
        Self { x: x0, y: y0, width: (x1 - x0).max(1) as usize, height: (y1 - y0).max(1) as usize }
    }

    /// A window of at most the frame's size; `at` says where in the room that is left, 0 to 1.
    pub(crate) fn placed(frame: (usize, usize), window: (usize, usize), at: (f64, f64)) -> Self {
        let (width, height) = (window.0.clamp(1, frame.0), window.1.clamp(1, frame.1));
        let place = |room: usize, at: f64| (((room + 1) as f64 * at) as i64).min(room as i64);
        Self { x: place(frame.0 - width, at.0), y: place(frame.1 - height, at.1), width, height }
    }

    /// The window cut out.
    pub(crate) fn cut(&self) -> Warp {
        Warp::crop(self.x, self.y, (self.width, self.height))
    }

    /// The window cut out and stretched to a size; what lies around the window does not come in.
    pub(crate) fn stretched(&self, size: (usize, usize), interpolation: Interpolation) -> Warp {
        let cut = self.cut();
        cut.then(&Warp::resize(cut.size, size).with_interpolation(interpolation))
    }
}
