//! Geometric maps, and how they move everything in a row together.
//!
//! An augmentation that moves pixels only says *which* map; what the map does to frames, maps of
//! classes, masks, boxes, polygons and points stands here once, so that no author can forget one.

mod antialias;
mod axes;
mod between;
mod beyond;
mod clip;
mod crossed;
mod edge;
mod field;
mod instances;
mod kernel;
mod make;
mod matrix;
mod moved;
mod overlap;
mod plan;
mod resample;
mod sample;
mod way;
mod wide;

use crate::{Error, Result, Row, config};
pub use field::Field;
pub(crate) use instances::extent;
use plan::Plan;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The angle of a turned box that happens to lie upright.
///
/// A box of angle 0 is an axis-aligned box and stays one (see [`Warp`]); a box of a data set of
/// oriented objects has this angle where it would have 0: no coordinate can see the difference.
pub const UPRIGHT: f32 = f32::MIN_POSITIVE;

/// The most pixels that a result may have, in one frame.
pub const MAX_PIXELS: usize = 1 << 30;

/// What lies outside an image.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Border {
    /// One value: `fill` in images (in units of white = 1), `map_fill` in maps.
    Constant {
        /// In the first four channels of images; the last of them also stands for further ones.
        fill: [f32; 4],
        /// In maps of classes.
        map_fill: u16,
    },
    /// Such a value into which images fade along their edge, as torchvision's maps do: `bilinear` takes 0 outside, and
    /// mixes the result with `fill` by the share of the pixels around that are inside.
    Faded {
        /// As of a constant.
        fill: [f32; 4],
        /// As of a constant.
        map_fill: u16,
    },
    /// The nearest pixel of the edge.
    Replicate,
    /// Mirrored with the edge repeated: `fedcba|abcdefgh|hgfedcb`.
    Reflect,
    /// Mirrored without repeating the edge: `gfedcb|abcdefgh|gfedcba`.
    Reflect101,
    /// The opposite side: `cdefgh|abcdefgh|abcdefg`.
    Wrap,
}

/// Which points of an axis box say where it goes under a map that does not keep the axes.
#[config]
#[derive(Default)]
pub enum Corners {
    /// Its four corners: the moved box holds whatever was in it.
    #[default]
    LargestBox,
    /// The ellipse in it: tighter around round things.
    Ellipse,
}

/// How values between pixels are made; maps and masks always take the nearest. OpenCV's numbers and names stand for
/// them too.
#[config]
#[derive(Default)]
pub enum Interpolation {
    /// The nearest pixel (OpenCV's `INTER_NEAREST_EXACT`, PyTorch's `nearest-exact`).
    #[config(also = ["nearest_exact", "nearest-exact", "0", "6"])]
    Nearest,
    /// From the four pixels around (OpenCV's `INTER_LINEAR`, PyTorch's `bilinear`).
    #[default]
    #[config(also = ["linear", "linear_exact", "1", "5"])]
    Bilinear,
    /// `bilinear`, but where a map without a turn shrinks, from all pixels under a triangle as wide as
    /// two pixels of the result (Pillow's `BILINEAR`, torchvision's `antialias=True`).
    Antialias,
    /// By a cubic of Keys with a = -0.75 from the sixteen pixels around (OpenCV's `INTER_CUBIC`).
    #[config(also = ["cubic", "2"])]
    Bicubic,
    /// The mean of what a pixel of the result covers (OpenCV's `INTER_AREA`); `bilinear` under a map with a turn.
    #[config(also = ["3"])]
    Area,
    /// By a Lanczos window of four from the 64 pixels around (OpenCV's `INTER_LANCZOS4`).
    #[config(also = ["lanczos", "4"])]
    Lanczos4,
}

/// A map from the points of the result to the points of the source, with the size of the result: projective, or any
/// that a [`Field`] says.
///
/// Points are in pixels with the *centre* of the first pixel at (0, 0), as samplers and OpenCV have
/// it. Boxes, polygons and key points have the corner of the first pixel at (0, 0); the half pixel
/// between the two is this module's business.
///
/// # What it does to a row
///
/// * **Frames** are sampled by `interpolation`; 8 and 16 bits are rounded to the nearest. A map that
///   only moves, mirrors or turns by right angles copies samples, exactly.
/// * **Maps** take the class of the nearest pixel; `scores` are sampled as an image whose outside is 0.
/// * **Masks** take the nearest pixel; outside there is nothing, whatever the border: a mirrored copy
///   of an object at a reflecting border is no instance.
/// * **Polygons** are moved point by point and clipped to the frame (Sutherland and Hodgman, 1974).
/// * **Axis boxes** (angle 0) stay axis boxes. A map that keeps the axes moves them exactly; any other
///   replaces them by the smallest axis box around their four moved corners, as torchvision and
///   Albumentations do (or around their ellipse: [`Corners`]), or, better, around the moved mask or polygon where the instance has one. They
///   are clipped to the frame, and drawn anew around what is left of a mask or polygon that is cut.
/// * **Turned boxes** turn and scale with their two axes (exactly, where the map keeps angles) and
///   are not clipped. An upright one has the angle [`UPRIGHT`].
/// * **Points** are moved; those outside stay with their instance as `visible = false`.
/// * **Areas** grow as the map does, times the share of the instance that is inside; a projective map drops them.
///
/// An instance of which a part has nothing left inside, or of which less than `min_visibility` is
/// inside, or whose moved mask, polygon or box has an area below `min_area`, is dropped whole. The share inside is that of its mask's pixels, or else of its polygon's
/// area, of its box's area, or of its visible points, whichever it has first in this order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Warp {
    /// Result to source, row by row.
    pub matrix: [[f64; 3]; 3],
    /// Points of the result are brought within these bounds before the matrix is applied to them, where pixels are
    /// sampled: left, top, right and bottom, in pixels from the centre of the first one. So an edge at which an earlier
    /// map has cut stays an edge between pixels too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<[f64; 4]>,
    /// Where the places that the matrix gives lie in the source, if that is another frame.
    pub field: Option<Arc<Field>>,
    /// Width and height of the result.
    pub size: (usize, usize),
    /// What lies outside the source.
    pub border: Border,
    /// Between pixels.
    pub interpolation: Interpolation,
    /// An instance of which less than this share stays inside is dropped whole.
    pub min_visibility: f32,
    /// An instance of a smaller area in square pixels, after the map, is dropped whole.
    pub min_area: f32,
    /// How axis boxes move.
    pub corners: Corners,
}

impl Warp {
    /// Moves everything in a row: frames, maps, masks, boxes, polygons and points.
    ///
    /// # Errors
    /// The matrix cannot be inverted, the result has no pixels or too many, or the frames, maps and
    /// masks of the row have different sizes. The row is then as it was.
    pub fn apply(&self, row: &mut Row) -> Result<()> {
        check(row)?;
        let plan = Plan::new(self)?;
        for frame in &mut row.frames {
            plan.image(&mut frame.image);
        }
        for map in &mut row.maps {
            plan.map(map);
        }
        let instances = std::mem::take(&mut row.instances);
        row.instances = instances.into_iter().filter_map(|i| plan.instance(i)).collect();
        Ok(())
    }
}

/// Everything in a row that has pixels must have the same ones.
fn check(row: &Row) -> Result<()> {
    let frames = row.frames.iter().map(|f| ("a frame", (f.image.width, f.image.height), true));
    let maps = row.maps.iter().map(|m| {
        let pixels = m.width.checked_mul(m.height);
        let whole = Some(m.classes.len()) == pixels && (m.scores.is_empty() || Some(m.scores.len()) == pixels);
        ("a map", (m.width, m.height), whole)
    });
    let masks = row.instances.iter().filter_map(|i| i.mask.as_ref());
    let masks = masks.map(|m| ("a mask", (m.width, m.height), Some(m.inside.len()) == m.width.checked_mul(m.height)));
    let mut first = None;
    for (what, size, whole) in frames.chain(maps).chain(masks) {
        let (w, h) = size;
        if !whole || w == 0 || h == 0 {
            return Err(Error::new(
                "PL0340",
                format!("{}: {what} of {w}x{h} has another number of pixels", row.id.key),
            ));
        }
        let (name, of) = *first.get_or_insert((what, size));
        if of != size {
            let message = format!("{}: {what} has {w}x{h} pixels where {name} has {}x{}", row.id.key, of.0, of.1);
            return Err(Error::new("PL0340", message).hint("frames, maps and masks of a sample must have one size"));
        }
    }
    Ok(())
}
