//! Losses, one file each.
//!
//! Between classes: [`CrossEntropy`]. Of binary maps, from logits: [`BCE`], [`Dice`], [`Tversky`],
//! [`FocalTversky`], which also have a fused form: value and gradient in two passes over slices, with sums
//! in an order that the size alone decides. Losses are computed in f32 (f64 for inputs of that type), sums in
//! f64; half-precision predictions are widened first.

mod bce;
mod binary;
mod cross_entropy;
mod dice;
mod focal_tversky;
mod overlap;
mod reduction;
mod tversky;

pub use bce::BCE;
pub use cross_entropy::CrossEntropy;
pub use dice::Dice;
pub use focal_tversky::FocalTversky;
pub use reduction::Reduction;
pub use tversky::Tversky;
