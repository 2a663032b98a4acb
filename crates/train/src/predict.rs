//! A trained run at work: a checkpoint's weights in the net, for `eval` and `predict`.

use crate::checkpoint::{Checkpoint, Shelf};
use crate::evaluate::{Pass, collate, evaluate};
use crate::setup::{dtype, open_data};
use crate::stage::{loader, phases};
use crate::views::{Looker, Predictor, Views, decoded};
use pleach_config::Resolved;
use pleach_config::run::Run;
use pleach_core::kinds::augmentation::{At, AugmentConfig, Pipeline};
use pleach_core::kinds::task::Report;
use pleach_core::{Better, Cx, DataInfo, Decoder, Error, Fit, Named, Net, Params, Result, Row, Samples};
use std::path::Path;

/// Which checkpoint serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pick {
    /// The best by the first monitored metric; the newest where none has it.
    Best,
    /// The newest.
    Last,
    /// The one of this step.
    Step(u64),
}

/// A net with the weights of a checkpoint.
pub struct Served {
    run: Run,
    net: Box<dyn Net>,
    params: Params,
    /// What the data of the training were.
    pub info: DataInfo,
    /// The checkpoint's step.
    pub step: u64,
    /// Whether the weights are averages (EMA) rather than the trained ones.
    pub averaged: bool,
}

impl Served {
    /// Loads a checkpoint of a run's folder. The run's data need not be there.
    ///
    /// # Errors
    /// There is no whole checkpoint, or it is of another model.
    pub fn load(resolved: &Resolved, dir: &Path, pick: Pick) -> Result<Self> {
        let run = phases(&resolved.run).pop().unwrap_or_else(|| resolved.run.clone());
        let shelf = Shelf::new(run.checkpointing.dirpath.clone().unwrap_or_else(|| dir.join("ckpt")));
        let device = run.backend.eval.device()?;
        let checkpoint = choose(&shelf, &run, pick, &device)?;
        let mut params = Params::new(run.run.seed, dtype(run.trainer.precision), &device);
        let net = run.model.plug.build(params.root(), &run.task.model_spec(&checkpoint.state.info)?)?;
        let averaged = checkpoint.averages.is_some();
        params.load(checkpoint.averages.as_ref().unwrap_or(&checkpoint.weights), Fit::Strict)?;
        let (info, step) = (checkpoint.state.info, checkpoint.state.clock.step);
        Ok(Self { run, net, params, info, step, averaged })
    }

    /// How many views of a sample a prediction is the mean of; 1 without `[trainer] tta`.
    ///
    /// # Errors
    /// A view cannot be undone.
    pub fn views(&self) -> Result<usize> {
        let views = Views::new(&self.run.trainer.tta, &mut Vec::new(), 0)?;
        Ok(views.as_ref().map_or(1, Views::count))
    }

    /// Losses and metrics over a split of the run.
    ///
    /// # Errors
    /// The run has no such split, or its data cannot be read.
    pub fn evaluate(&self, split: &str, say: &(dyn Fn(&str) + Send + Sync)) -> Result<Named<f64>> {
        let data = open_data(&self.run.dataset, &*self.run.task, self.run.run.seed)?;
        if data.info.classes != self.info.classes {
            return Err(Error::new(
                "PL0353",
                "the data have other classes than those that the checkpoint was trained on",
            ));
        }
        let (split, config, metrics, limit) = match split {
            "test" => ("test", &self.run.dataloader.test, &self.run.metrics.test, self.run.trainer.limit_test_batches),
            "train" => {
                ("train", &self.run.dataloader.test, &self.run.metrics.test, self.run.trainer.limit_test_batches)
            }
            _ => ("val", &self.run.dataloader.val, &self.run.metrics.val, self.run.trainer.limit_val_batches),
        };
        let mut open = data.split(split)?.clone();
        open.augment.retain(|a| self.run.task.at_inference(a));
        let views = Views::new(&self.run.trainer.tta, &mut open.augment, self.run.run.seed)?;
        let loader = loader(&self.run, &open, config, "test");
        let pass = Pass {
            split,
            task: &*self.run.task,
            net: &*self.net,
            params: &self.params,
            losses: &self.run.loss,
            metrics: metrics.as_deref().unwrap_or_default(),
            kernels: &*self.run.backend.kernels,
            info: &self.info,
            say,
            limit: limit.of(loader.batches_per_epoch()),
            views: views.as_ref(),
        };
        Ok(evaluate(&pass, loader.epoch(0, 0), |_, _| Ok(()))?.metrics)
    }

    /// Predicts every sample and hands each report on, with the sample as it was read.
    ///
    /// # Errors
    /// A sample cannot be read or does not fit.
    pub fn predict(&self, samples: &dyn Samples, mut each: impl FnMut(&Row, Report) -> Result<()>) -> Result<usize> {
        let mut augment = self.inference_augment();
        let views = Views::new(&self.run.trainer.tta, &mut augment, self.run.run.seed)?;
        let mut by = self.mind(views.as_ref());
        let size = self.run.dataloader.test.batch_size;
        let n = samples.len();
        let count = self.run.trainer.limit_predict_batches.of(n.div_ceil(size)).saturating_mul(size).min(n);
        // Images of unlike sizes cannot share a batch: a batch ends where the size changes.
        let mut originals: Vec<Row> = Vec::new();
        let mut ready: Vec<Row> = Vec::new();
        for index in 0..count {
            let original = samples.row(index)?;
            let mut row = original.clone();
            let at = At { seed: self.run.run.seed, epoch: 0, sample: index as u64 };
            Pipeline::new(&augment, &*self.run.backend.kernels).run(at, &mut row)?;
            let full = ready.len() == size || ready.last().is_some_and(|last| last.size() != row.size());
            if full {
                self.flush(&mut by, &mut originals, &mut ready, &mut each)?;
            }
            originals.push(original);
            ready.push(row);
        }
        self.flush(&mut by, &mut originals, &mut ready, &mut each)?;
        Ok(count)
    }

    /// What turns samples into predictions.
    fn mind<'v>(&'v self, views: Option<&'v Views<'v>>) -> Mind<'v> {
        let (task, info) = (&*self.run.task, &self.info);
        let kernels = &*self.run.backend.kernels;
        let by = Predictor { task, net: &*self.net, params: &self.params, info, kernels };
        Mind { decoder: task.decoder(info), looker: views.map(|views| Looker::new(views, by)) }
    }

    fn flush(
        &self,
        by: &mut Mind<'_>,
        originals: &mut Vec<Row>,
        ready: &mut Vec<Row>,
        each: &mut impl FnMut(&Row, Report) -> Result<()>,
    ) -> Result<()> {
        if ready.is_empty() {
            return Ok(());
        }
        let ready = std::mem::take(ready);
        let (batch, outputs, rows) = match &mut by.looker {
            Some(looker) => {
                let seen = looker.look(ready)?;
                (seen.batch, seen.outputs, seen.rows)
            }
            None => (collate(&*self.run.task, ready, &self.params, &self.info)?, None, None),
        };
        let predicted = match (rows, outputs) {
            (Some(rows), _) => rows,
            (None, Some(outputs)) => by.decoder.decode(&outputs, &batch)?,
            (None, None) => by.decoder.decode(&self.net.forward(&batch.inputs, &mut Cx::eval())?, &batch)?,
        };
        for (predicted, original) in decoded(predicted, &batch)?.iter().zip(originals.drain(..)) {
            each(&original, self.run.task.report(predicted, &original, &self.info)?)?;
        }
        Ok(())
    }

    /// The augmentations of the split nearest to use, less those by chance.
    fn inference_augment(&self) -> Vec<AugmentConfig> {
        let d = &self.run.dataset;
        let split = d.test.as_ref().or(d.val.as_ref()).unwrap_or(&d.train);
        split.slot.augment.iter().filter(|a| self.run.task.at_inference(a)).cloned().collect()
    }
}

/// What a pass over samples remembers.
struct Mind<'v> {
    decoder: Box<dyn Decoder>,
    looker: Option<Looker<'v>>,
}

fn choose(shelf: &Shelf, run: &Run, pick: Pick, device: &pleach_core::Device) -> Result<Checkpoint> {
    let steps = shelf.steps();
    let none =
        || Error::new("PL0509", "the run has no whole checkpoint yet").hint("train it, or go on with `pleach resume`");
    if let Pick::Step(step) = pick {
        if !steps.contains(&step) {
            let there: Vec<_> = steps.iter().map(u64::to_string).collect();
            return Err(Error::new("PL0509", format!("there is no checkpoint of step {step}"))
                .hint(format!("there is: {}", there.join(", "))));
        }
        return shelf.read(step, device);
    }
    let mut best: Option<(f64, Checkpoint)> = None;
    let mut refused = None;
    for step in steps.into_iter().rev() {
        let checkpoint = match shelf.read(step, device) {
            Ok(checkpoint) => checkpoint,
            Err(e) => {
                refused = Some(e);
                continue;
            }
        };
        if pick == Pick::Last {
            return Ok(checkpoint);
        }
        let score = run.checkpointing.monitor.first().and_then(|name| {
            let value = checkpoint.state.metrics_of_epoch(name)?;
            Some(if direction(run, name, &checkpoint.state.info) == Better::Higher { -value } else { value })
        });
        let score = score.filter(|s| s.is_finite()).unwrap_or(f64::INFINITY);
        // From the newest to the oldest: an older one must be as good, for the earlier wins a tie.
        if best.as_ref().is_none_or(|(b, _)| score < *b || score <= *b && score.is_finite()) {
            best = Some((score, checkpoint));
        }
    }
    best.map(|(_, c)| c).ok_or_else(|| refused.unwrap_or_else(none))
}

fn direction(run: &Run, name: &str, info: &DataInfo) -> Better {
    let metrics = run.metrics.val.iter().flatten();
    let found = metrics.into_iter().find(|m| m.names(info).iter().any(|n| name == format!("val_{n}")));
    found.map_or(Better::Lower, |m| m.better())
}
