//! Seven general vision tasks; so far classification and semantic segmentation.

mod classification;
pub mod collate;
mod segmentation;

pub use classification::{Activation, Classification};
pub use segmentation::{Segmentation, SegmentationMode};
