//! Augmentations, one file each: what makes many samples out of one.
//!
//! Numbers and defaults are those of Albumentations 2.0.8, names those that its users and torchvision's
//! know; each plugin says where it differs. A crate that links this one has them all in its registry.
//!
//! Another crate adds its own like this. Everything random is in the draw, which is data; a geometric
//! augmentation says only *which* map, and core moves frames, maps, masks, boxes, polygons and points:
//!
//! ```
//! use pleach_core::{Augmentation, Result, Rng, RowView, Warp, plugin, state};
//!
//! /// Slants the image by a random angle.
//! #[plugin(augmentation)]
//! struct Slant {
//!     /// Greatest angle from the vertical, in degrees.
//!     #[plugin(default = 20.0, range = 0.0..45.0)]
//!     degrees: f64,
//! }
//!
//! /// What was decided.
//! #[state]
//! struct Slanted {
//!     tangent: f64,
//! }
//!
//! impl Augmentation for Slant {
//!     type Draw = Slanted;
//!
//!     fn draw(&self, rng: &mut Rng, _: &RowView<'_>) -> Result<Option<Slanted>> {
//!         Ok(Some(Slanted { tangent: rng.range(-self.degrees, self.degrees).to_radians().tan() }))
//!     }
//!
//!     fn warp(&self, draw: &Slanted, size: (usize, usize)) -> Option<Warp> {
//!         let mut warp = Warp::identity(size);
//!         let middle = 0.5 * (size.1 as f64 - 1.0);
//!         (warp.matrix[0][1], warp.matrix[0][2]) = (draw.tangent, -draw.tangent * middle);
//!         Some(warp)
//!     }
//! }
//! # assert!(pleach_core::registry::of_kind::<dyn pleach_core::DynAugmentation>().any(|e| e.name == "Slant"));
//! ```

mod border_mode;
mod compose;
pub mod dropout;
mod geometry;
mod limit;
mod mix;
mod normalize;
mod per_axis;
mod per_channel;
pub mod pixel;
mod range;
mod sides;
mod to_dtype;
mod to_float;

pub use border_mode::BorderMode;
pub use compose::*;
pub use geometry::*;
pub use limit::Limit;
pub use mix::*;
pub use normalize::{Normalization, Normalize, Normalized};
pub use per_axis::PerAxis;
pub use per_channel::PerChannel;
pub use range::Range;
pub use sides::Sides;
pub use to_dtype::{SampleType, ToDtype, ToImage};
pub use to_float::{ToFloat, ToFloatDraw};

pleach_core::absent!(
    "augmentation",
    "RandomChannelPermutation",
    "it is the same as another one, but for how often it applies",
    "write `name = \"ChannelShuffle\"` and `p = 1`"
);
pleach_core::absent!(
    "augmentation",
    "GaussianNoise",
    "it is the same as another one, under another name",
    "write `name = \"GaussNoise\"`, `std_range = [0.1, 0.1]` and `p = 1`"
);
