//! What augmentations put outside an image, as their parameters say it.

use crate::PerChannel;
use pleach_core::config;
use pleach_core::warp::Border;

/// What is put where an image has no pixels. OpenCV's numbers stand for it too.
#[config]
#[derive(Default)]
pub enum BorderMode {
    /// One value.
    #[default]
    #[config(also = ["0"])]
    Constant,
    /// The nearest pixel of the edge.
    #[config(also = ["edge", "1"])]
    Replicate,
    /// Mirrored, the edge repeated.
    #[config(also = ["symmetric", "2"])]
    Reflect,
    /// The opposite side.
    #[config(also = ["3"])]
    Wrap,
    /// Mirrored without repeating the edge.
    #[config(name = "reflect_101", also = ["4"])]
    Reflect101,
}

impl BorderMode {
    /// The border of a warp; `fill` counts from 0 to 255, which is white in images of every type.
    pub fn border(self, fill: &PerChannel, fill_mask: u16) -> Border {
        match self {
            Self::Constant => Border::Constant { fill: fill.levels(), map_fill: fill_mask },
            Self::Replicate => Border::Replicate,
            Self::Reflect => Border::Reflect,
            Self::Wrap => Border::Wrap,
            Self::Reflect101 => Border::Reflect101,
        }
    }
}
