//! Tasks: how rows become batches, outputs become rows, and what is to be minimised.

use crate::image::Image;
use crate::kinds::augmentation::AugmentConfig;
use crate::kinds::backend::Backend;
use crate::kinds::loss::{self, Form, LossConfig, Target};
use crate::kinds::metric::Part;
use crate::kinds::model::{Cx, ModelSpec, Net};
use crate::kinds::source::DataInfo;
use crate::row::Row;
use crate::{DType, Device, Named, Result, Tensor};

/// Rows as tensors.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// What the net takes; the main one is `image`.
    pub inputs: Named<Tensor>,
    /// What losses compare with, by [`Target::key`].
    pub targets: Named<Tensor>,
    /// Where each sample begins in a ragged tensor, by its name: n + 1 offsets.
    pub offsets: Named<Vec<usize>>,
    /// The rows from which it was made.
    pub rows: Vec<Row>,
}

/// What collation knows besides the rows.
#[derive(Debug)]
pub struct CollateCx<'a> {
    /// Where the tensors go.
    pub device: &'a Device,
    /// Type of floating-point inputs.
    pub dtype: DType,
    /// What the data are.
    pub data: &'a DataInfo,
}

/// What a task lets losses and metrics work on.
#[derive(Debug, Clone, PartialEq)]
pub struct Gives {
    /// Form of the model's outputs.
    pub form: Form,
    /// Targets that batches hold.
    pub targets: Vec<Target>,
    /// Parts of a row that are predicted.
    pub parts: Vec<Part>,
}

/// What is minimised at a step.
#[derive(Debug)]
pub struct Objective {
    /// The loss with its graph, rank 0.
    pub loss: Tensor,
    /// Parts of it, for the log.
    pub parts: Named<f64>,
    /// The outputs, where they were made; metrics may use them.
    pub outputs: Named<Tensor>,
    /// Whether the step is left out (a batch without anything to learn from).
    pub skip: bool,
}

/// All that a task's objective may use.
pub struct StepCx<'a> {
    /// The net.
    pub net: &'a dyn Net,
    /// The batch.
    pub batch: &'a Batch,
    /// Mode, random numbers, clock.
    pub cx: &'a mut Cx,
    /// The configured losses.
    pub losses: &'a [LossConfig],
    /// The kernels seat.
    pub kernels: &'a dyn Backend,
}

impl StepCx<'_> {
    /// The net's outputs for the batch.
    pub fn forward(&mut self) -> Result<Named<Tensor>> {
        self.net.forward(&self.batch.inputs, self.cx)
    }
}

/// Turns outputs into predicted rows; may remember a video.
pub trait Decoder: Send {
    /// One predicted row for each row of the batch.
    fn decode(&mut self, outputs: &Named<Tensor>, batch: &Batch) -> Result<Vec<Row>>;
}

/// How the predictions of several views of a sample become one (`[trainer] tta`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unite {
    /// The outputs, (N, C) or (N, C, H, W) or (N, F, C, H, W), become probabilities by softmax over the classes C; pictures
    /// are brought back, the mean is taken, and its logarithm stands for the output.
    Softmax,
    /// The same with a probability for each value by sigmoid.
    Sigmoid,
    /// The same with the values themselves.
    Values,
    /// Each view is decoded by itself, its row is brought back, and the rows are put together part by part. The loss is
    /// that of the plain view.
    Rows,
}

/// What `predict` writes for one sample.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Columns of the table of predictions, by their heads.
    pub columns: Named<String>,
    /// Images to be written, by the ending of their file names (`mask`).
    pub images: Named<Image>,
}

/// A task.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is called a task, and does not implement `Task`",
    label = "write `impl Task for {Self}`"
)]
pub trait Task: std::fmt::Debug + Send + Sync + 'static {
    /// What the task and its data ask of a model.
    ///
    /// # Errors
    /// The data do not fit the task (no classes, say).
    fn model_spec(&self, data: &DataInfo) -> Result<ModelSpec>;

    /// What it lets losses and metrics work on.
    fn gives(&self) -> Gives;

    /// Makes a batch of rows.
    ///
    /// # Errors
    /// With the sample's key, where a row does not fit the others or the data's description.
    fn collate(&self, rows: Vec<Row>, cx: &CollateCx<'_>) -> Result<Batch>;

    /// Whether [`collate`](Self::collate) looks samples up in what a row has [`outstanding`](Row::outstanding), as
    /// [`Image::append_looked_up`] does: in training a normalisation is then a part of the pass that makes planes.
    fn looks_up(&self) -> bool {
        false
    }

    /// What is minimised: by default the weighted sum of `[[loss]]` over the net's outputs.
    fn objective(&self, step: &mut StepCx<'_>) -> Result<Objective> {
        let outputs = step.forward()?;
        let (loss, parts) = loss::weighted_sum(step.losses, &outputs, &step.batch.targets, step.kernels, step.cx.mode)?;
        Ok(Objective { loss, parts, outputs, skip: false })
    }

    /// Whether it computes its objective itself, so that a run needs no `[[loss]]`.
    fn own_objective(&self) -> bool {
        false
    }

    /// A fresh decoder, for one pass over a split.
    fn decoder(&self, data: &DataInfo) -> Box<dyn Decoder>;

    /// Names of the losses where the file has none.
    fn default_losses(&self) -> &'static [&'static str] {
        &[]
    }

    /// Names of the metrics where the file has none.
    fn default_metrics(&self) -> &'static [&'static str] {
        &[]
    }

    /// What `predict` writes for a predicted row, on an image of the size of `original`.
    fn report(&self, predicted: &Row, original: &Row, data: &DataInfo) -> Result<Report>;

    /// How predictions of several views of a sample become one, for test-time augmentation.
    fn unite(&self) -> Unite {
        Unite::Rows
    }

    /// Which of a split's augmentations `eval` and `predict` do too; by default those that are not random.
    fn at_inference(&self, augment: &AugmentConfig) -> bool {
        !augment.is_random()
    }
}

crate::kind!(Task, "task");
