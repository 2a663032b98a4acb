//! What augmentations put outside an image, as their parameters say it.

use crate::PerChannel;
use pleach_core::config;
use pleach_core::warp::Border;

/// What is put where an image has no pixels.
#[config]
#[derive(Default)]
pub enum BorderMode {
    /// One value.
    #[default]
    Constant,
    /// The nearest pixel of the edge.
    Replicate,
    /// Mirrored, the edge repeated.
    Reflect,
    /// The opposite side.
    Wrap,
    /// Mirrored without repeating the edge.
    #[config(name = "reflect_101")]
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
