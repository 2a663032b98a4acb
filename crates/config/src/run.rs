//! The sections of a run file, as a resolved run holds them: complete, every default filled in.

pub mod dataset;
pub mod inherited;
pub mod sections;
pub mod trainer;

pub use dataset::{Dataloaders, Dataset, Partition, Split, SplitSlot};
pub use inherited::PhaseScheduler;
pub use pleach_data::{Dataloader, OnError};
pub use sections::{Backends, Checkpointing, Metrics, ModelConfig, ModelSlot, Phase, RunSection};
pub use trainer::{ClipAlgorithm, Devices, FastDevRun, Limit, Profiler, Trainer};

use pleach_core::kinds::keeper::KeeperConfig;
use pleach_core::kinds::loss::LossConfig;
use pleach_core::kinds::scheduler::SchedulerConfig;
use pleach_core::param_groups::OptimizerConfig;
use pleach_core::{Observer, Plug, Task};
use serde::{Deserialize, Serialize};

/// A whole run. It is what `resolved.toml` holds and what the trainer executes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Name and seed.
    pub run: RunSection,
    /// What is learnt.
    pub task: Plug<dyn Task>,
    /// The net, its weights and what is frozen.
    pub model: ModelConfig,
    /// What is minimised; empty only where the task computes its own objective, or every phase has losses.
    pub loss: Vec<LossConfig>,
    /// How gradients change parameters.
    pub optimizer: OptimizerConfig,
    /// How the rates change.
    pub scheduler: Option<SchedulerConfig>,
    /// Where samples come from.
    pub dataset: Dataset,
    /// How they are batched.
    pub dataloader: Dataloaders,
    /// How long, how often, how precisely.
    pub trainer: Trainer,
    /// Ends a run that no longer improves.
    pub early_stopping: Option<Plug<dyn Observer>>,
    /// The familiar spelling of the built-in keepers.
    pub checkpointing: Checkpointing,
    /// Loggers.
    pub logging: Vec<Plug<dyn Observer>>,
    /// Other observers.
    pub observer: Vec<Plug<dyn Observer>>,
    /// Which checkpoints stay, beside what `[checkpointing]` says.
    pub keeper: Vec<KeeperConfig>,
    /// What is measured.
    pub metrics: Metrics,
    /// Stages of the run; empty for a run of one stage.
    pub phase: Vec<Phase>,
    /// Who executes what.
    pub backend: Backends,
}
