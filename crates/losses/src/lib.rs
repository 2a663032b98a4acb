//! Losses, one file each.
//!
//! Between classes, from logits: [`CrossEntropy`], [`Focal`], [`MulticlassDice`], [`CEDice`], [`Jaccard`], [`Lovasz`].
//! Of binary maps, from logits: [`BCE`], [`Dice`], [`DiceBCE`], [`Tversky`], [`FocalTversky`], and in binary mode
//! [`Focal`], [`Jaccard`] and [`Lovasz`]. With MONAI's parameters and defaults: [`DiceLoss`], [`TverskyLoss`],
//! [`GeneralizedDice`], [`DiceCELoss`], [`FocalLoss`]. Of values: [`MSE`], [`L1`], [`SmoothL1`], [`Huber`], and of
//! images [`SSIM`]. Of (logarithms of) probabilities: [`BCELoss`], [`NLL`], [`KLDiv`]. Of embeddings:
//! [`CosineEmbedding`], [`TripletMargin`].
//!
//! Most of these also have a fused form: value and gradient in one or two passes over slices, with sums in an order
//! that the size alone decides. Losses are computed in f32 (f64 for inputs of that type), sums in f64 (fused forms add a
//! thousand elements in 32 lanes of f32, and these sums in f64); half-precision predictions are widened first. A batch
//! without an element has no loss: that is an error for all of them.

mod batch;
mod bce;
mod bce_loss;
mod binary;
mod ce_dice;
mod classes;
mod cosine_embedding;
mod cross_entropy;
mod dice;
mod dice_bce;
mod dice_ce_loss;
mod dice_loss;
mod embeddings;
mod focal;
mod focal_loss;
mod focal_tversky;
mod generalized_dice;
mod huber;
mod jaccard;
mod kl_div;
mod l1;
mod lovasz;
mod mode;
mod mse;
mod multiclass_dice;
mod nll;
mod numbers;
mod overlap;
mod pointwise;
mod reduce;
mod reduction;
mod region;
mod smooth_l1;
mod ssim;
mod strips;
mod triplet_margin;
mod tversky;
mod tversky_loss;

pub use bce::BCE;
pub use bce_loss::BCELoss;
pub use ce_dice::CEDice;
pub use cosine_embedding::CosineEmbedding;
pub use cross_entropy::CrossEntropy;
pub use dice::Dice;
pub use dice_bce::{DiceBCE, Differing};
pub use dice_ce_loss::DiceCELoss;
pub use dice_loss::DiceLoss;
pub use focal::Focal;
pub use focal_loss::FocalLoss;
pub use focal_tversky::FocalTversky;
pub use generalized_dice::{GeneralizedDice, WeightType};
pub use huber::Huber;
pub use jaccard::Jaccard;
pub use kl_div::{Divided, KLDiv};
pub use l1::L1;
pub use lovasz::{Classes, Lovasz};
pub use mode::Mode;
pub use mse::MSE;
pub use multiclass_dice::MulticlassDice;
pub use nll::NLL;
pub use numbers::Numbers;
pub use reduce::Reduce;
pub use reduction::Reduction;
pub use smooth_l1::SmoothL1;
pub use ssim::SSIM;
pub use triplet_margin::TripletMargin;
pub use tversky::Tversky;
pub use tversky_loss::TverskyLoss;

pleach_core::certificates!(include_str!("../certificates.json"));
