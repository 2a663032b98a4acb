//! Observers: what watches a run: progress, logs, curves, averages of the weights, early stopping.

use crate::params::Params;
use crate::saved::Saved;
use crate::{Better, Error, Follow, Named, Result, Tensor};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What is known of a run when it starts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunInfo {
    /// The run's name.
    pub name: String,
    /// Its folder.
    pub dir: PathBuf,
    /// Epochs of the phase; none if it has no end.
    pub max_epochs: Option<u32>,
    /// Optimizer steps in an epoch.
    pub steps_per_epoch: u64,
    /// Optimizer steps between two points of what steps report, where a logger does not say itself.
    pub log_every_n_steps: u64,
    /// The step at which it starts or goes on.
    pub step: u64,
    /// The epoch at which it starts or goes on.
    pub epoch: u32,
    /// Which metrics are better when higher, by their full names; losses are not among them.
    pub better: BTreeMap<String, Better>,
    /// Whether output goes to a person's terminal.
    pub terminal: bool,
    /// Number of trainable values.
    pub parameters: usize,
}

impl RunInfo {
    /// Which way is up for a metric by its full name (`val_accuracy`); a loss is better when lower.
    pub fn better(&self, metric: &str) -> Better {
        self.better.get(metric).copied().unwrap_or(Better::Lower)
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event<'a> {
    /// The run starts or goes on.
    Start(&'a RunInfo),
    /// An optimizer step was taken.
    Step {
        /// Steps taken so far.
        step: u64,
        /// The epoch, counted from 0.
        epoch: u32,
        /// `train_loss` and its parts.
        metrics: &'a Named<f64>,
        /// The rate of each group in this step.
        lr: &'a [f64],
        /// Samples in the step.
        samples: usize,
        /// Seconds that it took.
        seconds: f64,
        /// Seconds of these in which nothing was learnt because the batch was not there yet.
        waited: f64,
    },
    /// A step was left out.
    Skipped {
        /// Steps taken so far.
        step: u64,
        /// The epoch.
        epoch: u32,
        /// Why.
        reason: &'a str,
    },
    /// A pass over the validation or test split is at a batch.
    Evaluating {
        /// The split.
        split: &'a str,
        /// Batches done.
        done: usize,
        /// Batches in all.
        of: usize,
    },
    /// The validation split was evaluated.
    Validated {
        /// Steps taken so far.
        step: u64,
        /// The epoch.
        epoch: u32,
        /// `val_loss` and the metrics.
        metrics: &'a Named<f64>,
    },
    /// An epoch is over, validation included.
    Epoch {
        /// Steps taken so far.
        step: u64,
        /// The epoch, counted from 0.
        epoch: u32,
        /// All metrics of the epoch.
        metrics: &'a Named<f64>,
        /// Seconds that it took.
        seconds: f64,
        /// Seconds of these in which training and validation waited for batches.
        waited: f64,
    },
    /// A checkpoint was written.
    Checkpoint {
        /// Its step.
        step: u64,
    },
    /// The run is over.
    End {
        /// Steps taken.
        step: u64,
        /// Epochs finished.
        epoch: u32,
        /// Why it ended.
        reason: &'a str,
    },
}

/// What an observer may ask of the run, and the weights as they stand.
pub struct Control<'a> {
    /// The parameters.
    pub params: &'a Params,
    /// Why the run should end after this step, if it should.
    pub stop: Option<String>,
    /// Lines for the person who watches.
    pub notes: Vec<String>,
}

/// A running observer.
pub trait Watcher: Send {
    /// Something happened.
    fn on(&mut self, event: &Event<'_>, control: &mut Control<'_>) -> Result<()>;

    /// The state as data.
    fn save(&self) -> Result<Saved> {
        Ok(Saved::Null)
    }

    /// Goes on from a saved state.
    ///
    /// # Errors
    /// The state does not fit.
    fn restore(&mut self, saved: &Saved) -> Result<()> {
        match saved {
            Saved::Null => Ok(()),
            _ => Err(Error::new("PL0204", "this observer has no state, and a state was saved for it")),
        }
    }

    /// Weights that evaluation uses in place of the trained ones (an average), by parameter name.
    /// They are a part of the state and are saved as `ema.safetensors`. The next step may write over them: who keeps them longer
    /// copies them.
    fn weights(&self) -> Option<&BTreeMap<String, Tensor>> {
        None
    }

    /// Averages that are to move along with the weights in the optimizer step that is about to be taken, the run's
    /// `step`-th. Where one observer of a run says so, the optimizer may move them in its own pass.
    fn follows(&self, _step: u64) -> Option<Follow<'_>> {
        None
    }

    /// Which of them were moved; the others are to be moved when the step's event comes.
    fn followed(&mut self, _names: Vec<String>) {}

    /// Puts saved weights back.
    ///
    /// # Errors
    /// It has none.
    fn restore_weights(&mut self, _weights: BTreeMap<String, Tensor>) -> Result<()> {
        Err(Error::new("PL0204", "this observer keeps no weights, and some were saved for it"))
    }
}

/// A configuration that starts a watcher.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is called an observer, and does not implement `Observer`",
    label = "write `impl Observer for {Self}`"
)]
pub trait Observer: std::fmt::Debug + Send + Sync + 'static {
    /// Starts watching; files go into the run's folder. A run that goes on calls this too, and
    /// then [`Watcher::restore`].
    fn start(&self, run: &RunInfo) -> Result<Box<dyn Watcher>>;

    /// Metrics that it watches, by their full names.
    fn monitors(&self) -> Vec<String> {
        Vec::new()
    }
}

crate::kind!(Observer, "observer");
