//! Geometric maps, and how they move everything in a row together.

use serde::{Deserialize, Serialize};

/// What lies outside an image.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Border {
    /// One value: `fill` in images (in units of white = 1), `map_fill` in maps.
    Constant {
        /// In images.
        fill: f32,
        /// In maps of classes.
        map_fill: u16,
    },
    /// The nearest pixel of the edge.
    Replicate,
    /// Mirrored without repeating the edge: `gfedcb|abcdefgh|gfedcba`.
    Reflect101,
}

/// How values between pixels are made; maps and masks always take the nearest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Interpolation {
    /// The nearest pixel.
    Nearest,
    /// From the four pixels around.
    Bilinear,
}

/// A projective map from the points of the result to the points of the source, with the size of the result.
///
/// Points are in pixels with the *centre* of the first pixel at (0, 0), as samplers and OpenCV have
/// it. Boxes, polygons and key points have the corner of the first pixel at (0, 0); the half pixel
/// between the two is this module's business.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Warp {
    /// Result to source, row by row.
    pub matrix: [[f64; 3]; 3],
    /// Width and height of the result.
    pub size: (usize, usize),
    /// What lies outside the source.
    pub border: Border,
    /// Between pixels.
    pub interpolation: Interpolation,
    /// An instance of which less than this share stays inside is dropped whole.
    pub min_visibility: f32,
}

impl Warp {
    /// Moves everything in a row: frames, maps, masks, boxes, polygons and points.
    ///
    /// # Errors
    /// The matrix cannot be inverted, or the result has no pixels.
    pub fn apply(&self, row: &mut crate::Row) -> crate::Result<()> {
        let _ = row;
        Err(crate::Error::new("PL0207", "not yet"))
    }
}
