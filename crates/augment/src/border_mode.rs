//! What augmentations put outside an image, as their parameters say it.

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
    /// Mirrored without repeating the edge.
    #[config(name = "reflect_101")]
    Reflect101,
}

impl BorderMode {
    /// The border of a warp; `fill` counts from 0 to 255, which is white in images of every type.
    pub fn border(self, fill: f64, fill_mask: u16) -> Border {
        match self {
            Self::Constant => Border::Constant { fill: (fill / 255.0) as f32, map_fill: fill_mask },
            Self::Replicate => Border::Replicate,
            Self::Reflect101 => Border::Reflect101,
        }
    }
}
