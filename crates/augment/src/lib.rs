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
mod center_crop;
mod crop;
mod horizontal_flip;
mod limit;
mod normalize;
mod per_channel;
mod points;
mod random_crop;
mod resize;
mod rotate;
mod to_float;
mod vertical_flip;

pub use border_mode::BorderMode;
pub use center_crop::CenterCrop;
pub use crop::Window;
pub use horizontal_flip::HorizontalFlip;
pub use limit::Limit;
pub use normalize::{Normalize, Normalized};
pub use per_channel::PerChannel;
pub use points::Flipped;
pub use random_crop::RandomCrop;
pub use resize::{Resize, Resized};
pub use rotate::{Rotate, Rotated};
pub use to_float::{ToFloat, ToFloatDraw};
pub use vertical_flip::VerticalFlip;
