//! A pass over a split: losses and metrics of the present weights.

use crate::tally::Tally;
use crate::views::{Known, Looker, Predictor, Seen, Views, decoded};
use pleach_core::kinds::loss::LossConfig;
use pleach_core::kinds::metric::MetricConfig;
use pleach_core::{Backend, Batch, CollateCx, Cx, DataInfo, Decoder, Error, Named, Net, Params, Result, StepCx, Task};
use pleach_data::Epoch;
use std::time::{Duration, Instant};

/// What a pass works on.
pub struct Pass<'a> {
    /// `val` or `test`.
    pub split: &'static str,
    /// The task.
    pub task: &'a dyn Task,
    /// The net.
    pub net: &'a dyn Net,
    /// Its parameters.
    pub params: &'a Params,
    /// The configured losses.
    pub losses: &'a [LossConfig],
    /// What is measured.
    pub metrics: &'a [MetricConfig],
    /// The kernels seat.
    pub kernels: &'a dyn Backend,
    /// What the data are.
    pub info: &'a DataInfo,
    /// Where lines for the person who watches go.
    pub say: &'a (dyn Fn(&str) + Send + Sync),
    /// Batches at most.
    pub limit: usize,
    /// Views of each sample besides the plain one; the rows are then as the steps before these leave them.
    pub views: Option<&'a Views<'a>>,
}

impl Pass<'_> {
    fn predictor(&self) -> Predictor<'_> {
        Predictor { task: self.task, net: self.net, params: self.params, info: self.info, kernels: self.kernels }
    }
}

/// Makes a batch on the parameters' device.
pub fn collate(task: &dyn Task, rows: Vec<pleach_core::Row>, params: &Params, info: &DataInfo) -> Result<Batch> {
    task.collate(rows, &CollateCx { device: params.device(), dtype: params.dtype(), data: info })
}

/// What a pass came to.
pub struct Measured {
    /// Losses and metrics by their full names.
    pub metrics: Named<f64>,
    /// How long it waited for data.
    pub waited: Duration,
}

/// Goes over the batches of a split and measures; `progress` is told of each batch.
///
/// # Errors
/// A sample cannot be read and the loader's policy is to stop.
pub fn evaluate(
    pass: &Pass<'_>,
    mut rows: Epoch,
    mut progress: impl FnMut(usize, usize) -> Result<()>,
) -> Result<Measured> {
    let mut tally = Tally::new(pass.split, pass.metrics, pass.info);
    let mut decoder: Box<dyn Decoder> = pass.task.decoder(pass.info);
    let mut looker = pass.views.map(|views| Looker::new(views, pass.predictor()));
    let batches = rows.batches().min(pass.limit);
    let mut waited = Duration::ZERO;
    for i in 0..batches {
        let began = Instant::now();
        let Some(loaded) = rows.next().transpose()? else { break };
        say_left_out(&loaded.skipped, pass.say);
        if loaded.rows.is_empty() {
            continue;
        }
        let Seen { batch, outputs, rows: united } = match &mut looker {
            Some(looker) => looker.look(loaded.rows)?,
            None => {
                let batch = collate(pass.task, loaded.rows, pass.params, pass.info)?;
                waited += began.elapsed();
                Seen { batch, outputs: None, rows: None }
            }
        };
        let mut cx = Cx::eval();
        let known = outputs.as_ref().map(Known);
        let net = known.as_ref().map_or(pass.net, |known| known);
        let mut step = StepCx { net, batch: &batch, cx: &mut cx, losses: pass.losses, kernels: pass.kernels };
        let objective = pass.task.objective(&mut step)?;
        if !objective.skip {
            let loss = objective.loss.to_dtype(candle_core::DType::F64)?.to_scalar::<f64>()?;
            tally.add_losses(loss, &objective.parts, batch.rows.len());
        }
        if tally.wants_rows() {
            let predicted = match united {
                Some(rows) => rows,
                None => decoded(decoder.decode(&objective.outputs, &batch)?, &batch)?,
            };
            tally.add_rows(&predicted, &batch.rows)?;
        }
        progress(i + 1, batches)?;
    }
    Ok(Measured { metrics: tally.values(), waited })
}

/// Says which samples could not be read and were left out.
pub fn say_left_out(skipped: &[(String, Error)], say: &(dyn Fn(&str) + Send + Sync)) {
    for (key, why) in skipped {
        say(&format!("left out `{key}`: {}", why.message()));
    }
}
