//! Says which class each pixel of an image or of a clip's frames is of.

mod decode;
mod report;
mod targets;

use crate::collate;
use pleach_core::kinds::loss::weighted_sum;
use pleach_core::kinds::metric::Part;
use pleach_core::kinds::task::{Report, Unite};
use pleach_core::{
    Batch, CollateCx, DataInfo, Decoder, Error, Form, Gives, ModelSpec, Named, Objective, Result, Row, StepCx, Target,
    Task, Tensor, config, plugin,
};

/// How the classes of pixels are modelled.
#[config]
#[derive(Default)]
pub enum SegmentationMode {
    /// One logit for each class, softmax over them.
    #[default]
    Multiclass,
    /// One logit for the foreground, class 1, against the background, class 0; sigmoid.
    Binary,
}

/// A class for each pixel, out of those that the data name (semantic segmentation).
///
/// The model gives logits of the size of its input, (N, C, H, W). Clips are taken as N x F images by losses
/// and metrics; a model for clips may give (N, F, C, H, W). Pixels of the data's ignored class count
/// neither in losses nor in metrics.
#[plugin(task, alias = ["SemanticSegmentation"])]
pub struct Segmentation {
    /// `multiclass`: a logit for each class, for CrossEntropy. `binary`: one logit for the foreground, for
    /// losses over masks (BCE, Dice, FocalTversky); the data must have two classes and none that is ignored.
    #[plugin(default = SegmentationMode::Multiclass)]
    pub mode: SegmentationMode,
    /// In binary mode: the probability above which a pixel is foreground. Lower finds more, and more that is wrong.
    #[plugin(default = 0.5, range = 0.0..=1.0)]
    pub threshold: f64,
}

impl Task for Segmentation {
    fn model_spec(&self, data: &DataInfo) -> Result<ModelSpec> {
        let classes = data.classes.len();
        let refuse = |what: String| Err(Error::new("PL0322", what));
        let out_channels = match self.mode {
            SegmentationMode::Binary if classes != 2 => {
                return refuse(format!("binary segmentation needs 2 classes, the data have {classes}"))
                    .map_err(|e| e.hint("name the background and the foreground, or set `mode = \"multiclass\"`"));
            }
            SegmentationMode::Binary => 1,
            SegmentationMode::Multiclass if classes < 2 => {
                return refuse(format!("segmentation needs at least 2 classes, the data have {classes}"))
                    .map_err(|e| e.hint("the background is a class too: name it first"));
            }
            SegmentationMode::Multiclass => classes,
        };
        Ok(ModelSpec { in_channels: data.channels, out_channels, frames: data.frames.max(1), size: data.size })
    }

    fn gives(&self) -> Gives {
        let target = match self.mode {
            SegmentationMode::Multiclass => Target::Class,
            SegmentationMode::Binary => Target::Mask,
        };
        Gives { form: Form::Logits, targets: vec![target], parts: vec![Part::Maps] }
    }

    fn looks_up(&self) -> bool {
        true
    }

    fn collate(&self, rows: Vec<Row>, cx: &CollateCx<'_>) -> Result<Batch> {
        let inputs = Named::one("image", collate::images(&rows, cx)?);
        let mut targets = Named::new();
        if collate::all_or_none(&rows, "map", |row| !row.maps.is_empty())? {
            match self.mode {
                SegmentationMode::Multiclass => {
                    targets.insert(Target::Class.key(), targets::classes(&rows, cx)?);
                }
                SegmentationMode::Binary => targets.insert(Target::Mask.key(), targets::masks(&rows, cx)?),
            }
        }
        Ok(Batch { inputs, targets, offsets: Named::new(), rows })
    }

    /// Losses see clips as images: (N x F, C, H, W).
    fn objective(&self, step: &mut StepCx<'_>) -> Result<Objective> {
        collate::learnable(step.batch, "map")?;
        let outputs = step.forward()?.into_iter().map(|(name, t)| Ok((name, fold(t)?))).collect::<Result<_>>()?;
        let (loss, parts) = weighted_sum(step.losses, &outputs, &step.batch.targets, step.kernels, step.cx.mode)?;
        Ok(Objective { loss, parts, outputs, skip: false })
    }

    fn decoder(&self, data: &DataInfo) -> Box<dyn Decoder> {
        Box::new(match self.mode {
            SegmentationMode::Multiclass => decode::Decode::Multiclass { classes: data.classes.len() },
            SegmentationMode::Binary => decode::Decode::Binary { threshold: self.threshold as f32 },
        })
    }

    fn unite(&self) -> Unite {
        match self.mode {
            SegmentationMode::Multiclass => Unite::Softmax,
            SegmentationMode::Binary => Unite::Sigmoid,
        }
    }

    fn default_losses(&self) -> &'static [&'static str] {
        match self.mode {
            SegmentationMode::Multiclass => &["CrossEntropy"],
            SegmentationMode::Binary => &["BCE", "Dice"],
        }
    }

    fn default_metrics(&self) -> &'static [&'static str] {
        &["MeanIoU", "PixelAccuracy"]
    }

    /// Columns `share_<class>`; images `mask` (class ids, gray) and `overlay` (colours over the original),
    /// of the original's size; in clips with the index of the frame behind (`mask_0`).
    fn report(&self, predicted: &Row, original: &Row, data: &DataInfo) -> Result<Report> {
        report::report(predicted, original, data)
    }
}

/// (N, F, C, H, W) as (N x F, C, H, W); anything else as it is.
fn fold(t: Tensor) -> Result<Tensor> {
    Ok(if t.rank() == 5 { t.flatten(0, 1)? } else { t })
}
