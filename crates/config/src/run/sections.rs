//! The small sections: run, model, checkpointing, metrics, phase and backend.

use super::dataset::Dataset;
use super::inherited::PhaseScheduler;
use pleach_core::kinds::loss::LossConfig;
use pleach_core::kinds::metric::MetricConfig;
use pleach_core::param_groups::OptimizerConfig;
use pleach_core::read::Rules;
use pleach_core::{Backend, Model, Plug, Slot, config};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// `[run]`: name and seed.
#[config(check = Self::check)]
pub struct RunSection {
    /// The run's name, a part of its folder's name.
    #[config(default = "run".into())]
    pub name: String,
    /// Seed of every random number of the run.
    #[config(default = 0)]
    pub seed: u64,
    /// What the run is for, in a person's words.
    #[config(default = String::new())]
    pub notes: String,
}

impl RunSection {
    fn check(&self, rules: &mut Rules) {
        let odd = |c: char| c.is_control() || matches!(c, '/' | '\\' | ':');
        if self.name.is_empty() || self.name.starts_with('.') || self.name.contains(odd) {
            rules.refuse("name", "it is a part of a folder's name: write letters, digits, `-` and `_`");
        }
    }
}

/// Keys of `[model]` beside the model's own.
#[config]
pub struct ModelSlot {
    /// A safetensors file with first weights.
    pub weights: Option<PathBuf>,
    /// Whether every name and shape of `weights` must fit; otherwise what fits is loaded and the rest is listed.
    #[config(default = true)]
    pub strict: bool,
    /// Patterns of parameter names that training leaves as they are (`*` matches any characters).
    #[config(default = Vec::new())]
    pub freeze: Vec<String>,
    /// Whether `weights` are those of another task: what fits is loaded, and the rest (the head) starts anew.
    #[config(default = false)]
    pub pretrained: bool,
}

/// `[model]`.
pub type ModelConfig = Slot<dyn Model, ModelSlot>;

/// `[checkpointing]`: the familiar spelling of the keepers `BestK` and `Last`.
#[config]
pub struct Checkpointing {
    /// Metrics whose best checkpoints stay, one list of best ones each.
    #[config(default = vec!["val_loss".into()])]
    pub monitor: Vec<String>,
    /// How many of the best stay for each metric: -1 all, 0 none.
    #[config(default = 1, range = -1..)]
    pub save_top_k: i64,
    /// Whether the newest stays.
    #[config(default = true)]
    pub save_last: bool,
    /// Epochs between two checkpoints that compete; 0 turns the best ones off.
    #[config(default = 1)]
    pub every_n_epochs: u32,
    /// Optimizer steps between two checkpoints within an epoch, kept as the newest; off if not given.
    #[config(range = 1..)]
    pub every_n_steps: Option<u64>,
    /// Another folder for the checkpoints than `ckpt` in the run's folder.
    pub dirpath: Option<PathBuf>,
}

/// `[metrics]`: a list for each split; a split without one takes the task's own.
#[config]
pub struct Metrics {
    /// Over the training split, as it was seen in training.
    #[config(default = Vec::new())]
    pub train: Vec<MetricConfig>,
    /// Over the validation split.
    pub val: Option<Vec<MetricConfig>>,
    /// Over the test split.
    pub test: Option<Vec<MetricConfig>>,
}

/// One `[[phase]]`: what it says holds for this stage, and the rest is as in the sections above.
#[config]
pub struct Phase {
    /// The stage's name.
    #[config(example = "pretraining".into())]
    pub name: String,
    /// Epochs of this stage.
    #[config(range = -1..)]
    pub max_epochs: Option<i64>,
    /// Optimizer steps of this stage.
    #[config(range = 1..)]
    pub max_steps: Option<u64>,
    /// Patterns of parameters that this stage leaves as they are, in place of the model's.
    pub freeze: Option<Vec<String>>,
    /// A safetensors file whose fitting weights this stage begins with.
    pub weights: Option<PathBuf>,
    /// The stage's data.
    pub dataset: Option<Dataset>,
    /// The stage's losses.
    pub loss: Option<Vec<LossConfig>>,
    /// The stage's optimizer.
    pub optimizer: Option<OptimizerConfig>,
    /// The stage's scheduler; "none" for a stage without the run's.
    #[config(default = PhaseScheduler::Inherited)]
    pub scheduler: PhaseScheduler,
}

/// `[backend]`: who sits in each seat.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Backends {
    /// Tensors with gradients.
    pub train: Plug<dyn Backend>,
    /// Fused losses and pixel passes.
    pub kernels: Plug<dyn Backend>,
    /// Inference.
    pub eval: Plug<dyn Backend>,
}

/// `[backend]` as a file may write it; a seat that it leaves out is filled from the registry.
#[config]
pub struct BackendsGiven {
    /// Tensors with gradients; `CandleCpu` if not given.
    pub train: Option<Plug<dyn Backend>>,
    /// Fused losses and pixel passes; `Cpu` if not given.
    pub kernels: Option<Plug<dyn Backend>>,
    /// Inference; `CandleCpu` if not given.
    pub eval: Option<Plug<dyn Backend>>,
}
