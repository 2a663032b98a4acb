//! Metrics, one file each, with unit and direction.
//!
//! All of them count in a [`Confusion`] matrix or in whole numbers of their own, so that parts of a
//! split merge to exactly what the whole gives. What is undefined (a class that neither the truth nor
//! the predictions hold, a split without samples) is left out of the values, never a made-up number.

mod accuracy;
mod average;
mod confusion;
mod confusion_matrix;
mod dice_score;
mod f1;
mod mean_iou;
mod pixel_accuracy;
mod precision;
mod recall;

pub use accuracy::Accuracy;
pub use average::{Average, AverageOver};
pub use confusion::{Confusion, Tally};
pub use confusion_matrix::{ConfusionMatrix, Normalize};
pub use dice_score::DiceScore;
pub use f1::F1;
pub use mean_iou::MeanIoU;
pub use pixel_accuracy::PixelAccuracy;
pub use precision::Precision;
pub use recall::Recall;
