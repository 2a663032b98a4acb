//! What the crops share: a window of fixed size in a frame, or around it.

use crate::Sides;
use pleach_core::read::Rules;
use pleach_core::{Error, Result, RowView, state};

/// The corner from which a window is cut; outside the frame where it is padded.
#[state]
pub struct Window {
    /// Pixels from the left.
    pub x: i64,
    /// Pixels from the top.
    pub y: i64,
}

/// The rule that a window's size is given in one way.
pub(crate) fn one_way(height: Option<usize>, width: Option<usize>, size: Option<Sides>, rules: &mut Rules) {
    match (height, width, size) {
        (Some(_), Some(_), None) | (None, None, Some(_)) => {}
        (None, None, None) => rules.refuse("height", "how large is the window? give `height` and `width`, or `size`"),
        (Some(_), None, None) => rules.refuse("height", "`width` is missing"),
        (None, Some(_), None) => rules.refuse("width", "`height` is missing"),
        _ => rules.refuse("size", "it is given beside `height` or `width`: give one or the other"),
    }
}

/// Width and height of a window.
pub(crate) fn window(height: Option<usize>, width: Option<usize>, size: Option<Sides>) -> (usize, usize) {
    let Sides(h, w) = size.unwrap_or(Sides(1, 1));
    (width.unwrap_or(w), height.unwrap_or(h))
}

/// How much wider and higher a frame is than a window; negative where it must be padded.
pub(crate) fn room(row: &RowView<'_>, window: (usize, usize), may_pad: Padding) -> Result<(i64, i64)> {
    let (w, h) = row.size;
    let room = (w as i64 - window.0 as i64, h as i64 - window.1 as i64);
    if may_pad == Padding::Never && (room.0 < 0 || room.1 < 0) {
        let message =
            format!("{}: a window of {}x{} does not fit into {w}x{h} pixels", row.row.id.key, window.0, window.1);
        return Err(Error::new("PL0341", message).hint("resize first, crop less, or set `pad_if_needed = true`"));
    }
    Ok(room)
}

/// Whether a frame that is too small is padded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Padding {
    /// It is an error.
    Never,
    /// Evenly on both sides.
    IfNeeded,
}

impl Padding {
    /// What the parameter `pad_if_needed` means.
    pub(crate) fn of(pad_if_needed: bool) -> Self {
        if pad_if_needed { Self::IfNeeded } else { Self::Never }
    }
}
