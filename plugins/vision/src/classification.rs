//! Says which class an image or a clip as a whole is of.

use crate::collate;
use pleach_core::kinds::loss::{SHARES, weighted_sum};
use pleach_core::kinds::metric::Part;
use pleach_core::kinds::task::{Report, Unite};
use pleach_core::{
    Batch, CollateCx, DataInfo, Decoder, Error, Form, Gives, Labels, ModelSpec, Named, Objective, Result, Row, StepCx,
    Target, Task, Tensor, config, plugin,
};

/// How the model's numbers become probabilities.
#[config]
#[derive(Default)]
pub enum Activation {
    /// Over the classes together: they sum to 1. For CrossEntropy.
    #[default]
    Softmax,
    /// For each class alone. For BCE, which holds every class against its own 0 or 1.
    Sigmoid,
}

/// One class for each image or clip, out of those that the data name.
///
/// The model gives one logit per class, (N, classes). Losses are held against the class's index
/// (CrossEntropy) or against a 1 for the class and 0 for all others (BCE). Of samples that `MixUp` or `CutMix` made, both
/// take the shares of the classes; metrics go by the class of the greatest share.
#[plugin(task, alias = ["ImageClassification"])]
pub struct Classification {
    /// How the model's numbers become the probabilities that are reported; the predicted class is the
    /// most probable one in any case. `sigmoid` goes with a BCE loss.
    #[plugin(default = Activation::Softmax)]
    pub activation: Activation,
}

impl Task for Classification {
    fn model_spec(&self, data: &DataInfo) -> Result<ModelSpec> {
        let classes = data.classes.len();
        if classes < 2 {
            return Err(Error::new(
                "PL0322",
                format!("classification needs at least 2 classes, the data have {classes}"),
            )
            .hint("does the source name the classes of its samples (a folder for each, labels in a file)?"));
        }
        Ok(ModelSpec { in_channels: data.channels, out_channels: classes, frames: data.frames.max(1), size: data.size })
    }

    fn gives(&self) -> Gives {
        Gives { form: Form::Logits, targets: vec![Target::Class, Target::Mask], parts: vec![Part::Labels] }
    }

    fn looks_up(&self) -> bool {
        true
    }

    fn collate(&self, rows: Vec<Row>, cx: &CollateCx<'_>) -> Result<Batch> {
        let inputs = Named::one("image", collate::images(&rows, cx)?);
        let mut targets = Named::new();
        if collate::all_or_none(&rows, "label", |row| row.labels.class.is_some())? {
            let (n, classes) = (rows.len(), cx.data.classes.len());
            let (mut indices, mut one_hot) = (Vec::with_capacity(n), vec![0f32; n * classes]);
            let mut mixed = false;
            for (row, hot) in rows.iter().zip(one_hot.chunks_exact_mut(classes.max(1))) {
                let class = row.labels.class.unwrap_or_default();
                let (last, shares) = (row.labels.scores.len().saturating_sub(1) as u32, &row.labels.scores);
                let Some(own) = hot.get_mut(class as usize) else { return Err(out_of_range(row, class, cx.data)) };
                if shares.is_empty() {
                    *own = 1.0;
                } else {
                    mixed = true;
                    let Some(hot) = hot.get_mut(..shares.len()) else { return Err(out_of_range(row, last, cx.data)) };
                    hot.copy_from_slice(shares);
                }
                indices.push(class);
            }
            if indices.len() != n {
                return Err(Error::new("PL0322", "the samples have labels, but the data name no classes"));
            }
            targets.insert(Target::Class.key(), Tensor::from_vec(indices, n, cx.device)?);
            let mask = Tensor::from_vec(one_hot, (n, classes), cx.device)?.to_dtype(cx.dtype)?;
            if mixed {
                targets.insert(SHARES, mask.clone());
            }
            targets.insert(Target::Mask.key(), mask);
        }
        Ok(Batch { inputs, targets, offsets: Named::new(), rows })
    }

    fn objective(&self, step: &mut StepCx<'_>) -> Result<Objective> {
        collate::learnable(step.batch, "label")?;
        let outputs = step.forward()?;
        let (loss, parts) = weighted_sum(step.losses, &outputs, &step.batch.targets, step.kernels, step.cx.mode)?;
        Ok(Objective { loss, parts, outputs, skip: false })
    }

    fn decoder(&self, data: &DataInfo) -> Box<dyn Decoder> {
        Box::new(Decode { activation: self.activation, classes: data.classes.len() })
    }

    fn unite(&self) -> Unite {
        match self.activation {
            Activation::Softmax => Unite::Softmax,
            Activation::Sigmoid => Unite::Sigmoid,
        }
    }

    fn default_losses(&self) -> &'static [&'static str] {
        match self.activation {
            Activation::Softmax => &["CrossEntropy"],
            Activation::Sigmoid => &["BCE"],
        }
    }

    fn default_metrics(&self) -> &'static [&'static str] {
        &["Accuracy"]
    }

    /// Columns `class` and `score`, and the probability of each class as `score_<class>`.
    fn report(&self, predicted: &Row, _original: &Row, data: &DataInfo) -> Result<Report> {
        let Labels { class, scores } = &predicted.labels;
        let Some(class) = *class else {
            return Err(Error::new("PL0231", format!("no class was predicted for sample `{}`", predicted.id.key)));
        };
        let name = data.classes.get(class as usize).cloned().unwrap_or_else(|| class.to_string());
        let mut columns = Named::one("class", name);
        columns.insert("score", scores.get(class as usize).map(|s| format!("{s:.6}")).unwrap_or_default());
        for (name, score) in data.classes.iter().zip(scores) {
            columns.insert(format!("score_{name}"), format!("{score:.6}"));
        }
        Ok(Report { columns, images: Named::new() })
    }
}

fn out_of_range(row: &Row, class: u32, data: &DataInfo) -> Error {
    Error::new(
        "PL0323",
        format!("the label of sample `{}` is {class}, but there are {} classes", row.id.key, data.classes.len()),
    )
    .hint("classes are counted from 0")
}

/// Probabilities and the most probable class.
struct Decode {
    activation: Activation,
    classes: usize,
}

impl Decoder for Decode {
    fn decode(&mut self, outputs: &Named<Tensor>, batch: &Batch) -> Result<Vec<Row>> {
        let logits = outputs.first().ok_or_else(|| Error::new("PL0202", "the model has no output"))?;
        if logits.dims() != [batch.rows.len(), self.classes] {
            return Err(Error::new(
                "PL0231",
                format!(
                    "the model gave a tensor of shape {:?} for {} samples of {} classes",
                    logits.dims(),
                    batch.rows.len(),
                    self.classes
                ),
            ));
        }
        let logits = logits.to_dtype(pleach_core::DType::F32)?.to_vec2::<f32>()?;
        let row = |(of, logits): (&Row, Vec<f32>)| {
            let class = highest(&logits).and_then(|c| u32::try_from(c).ok());
            let scores = match self.activation {
                Activation::Softmax => softmax(logits),
                Activation::Sigmoid => logits.into_iter().map(|x| 1.0 / (1.0 + (-x).exp())).collect(),
            };
            let mut row = Row::prediction(of);
            row.labels = Labels { class, scores };
            row
        };
        Ok(batch.rows.iter().zip(logits).map(row).collect())
    }
}

/// The first of the highest values.
fn highest(values: &[f32]) -> Option<usize> {
    let first = values.first()?;
    let best = values.iter().enumerate().fold((0, first), |best, (i, v)| if v > best.1 { (i, v) } else { best });
    Some(best.0)
}

fn softmax(mut logits: Vec<f32>) -> Vec<f32> {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    logits.iter_mut().for_each(|x| *x = (*x - max).exp());
    let sum: f32 = logits.iter().sum();
    logits.iter_mut().for_each(|x| *x /= sum);
    logits
}
