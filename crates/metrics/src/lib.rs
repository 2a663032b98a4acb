//! Metrics, one file each, with unit and direction.
//!
//! Those of classes count in a [`Confusion`] matrix, those of scores in a [`Ranking`], those of numbers and images add
//! up in an [`ExactSum`]: parts of a split merge to exactly what the whole gives, in any order. What is undefined (a
//! class that neither the truth nor the predictions hold, a split without samples) is left out of the values, never a
//! made-up number.

mod accuracy;
mod auroc;
mod average;
mod average_precision;
mod confusion;
mod confusion_matrix;
mod counts;
mod dice_score;
mod exact;
mod f1;
mod fbeta;
mod hausdorff;
mod hausdorff_distance;
mod hd95;
mod mae;
mod max_error;
mod mean_average_precision;
mod mean_iou;
mod median_absolute_error;
mod mse;
mod pairs;
mod pixel_accuracy;
mod pixel_auroc;
mod pixel_average_precision;
mod pixel_mae;
mod precision;
mod psnr;
mod r2;
mod ranking;
mod recall;
mod regression;
mod rmse;
mod specificity;
mod ssim;

pub use accuracy::Accuracy;
pub use auroc::AUROC;
pub use average::{Average, AverageOver, MapAverage};
pub use average_precision::AveragePrecision;
pub use confusion::{Confusion, Tally};
pub use confusion_matrix::{ConfusionMatrix, Normalize};
pub use dice_score::DiceScore;
pub use exact::{ExactMean, ExactSum};
pub use f1::F1;
pub use fbeta::FBeta;
pub use hausdorff::Distances;
pub use hausdorff_distance::HausdorffDistance;
pub use hd95::HD95;
pub use mae::MAE;
pub use max_error::{Largest, MaxError};
pub use mean_average_precision::{ImageMatches, IouType, Matches, MatchesOfClass, MeanAveragePrecision, OverClasses};
pub use mean_iou::MeanIoU;
pub use median_absolute_error::{AbsoluteErrors, MedianAbsoluteError};
pub use mse::MSE;
pub use pixel_accuracy::PixelAccuracy;
pub use pixel_auroc::PixelAUROC;
pub use pixel_average_precision::PixelAveragePrecision;
pub use pixel_mae::{MapErrors, PixelMAE};
pub use precision::Precision;
pub use psnr::{PSNR, SquaredErrors};
pub use r2::{R2, R2Multioutput, Variance, Variances};
pub use ranking::{RankAverage, Ranking};
pub use recall::Recall;
pub use regression::{Errors, Multioutput};
pub use rmse::RMSE;
pub use specificity::Specificity;
pub use ssim::SSIM;

pleach_core::certificates!(include_str!("../certificates.json"));
