//! Optimizers and learning-rate schedulers, one file each.
//!
//! Names, parameters, defaults and the order of operations are PyTorch's; each is held against PyTorch's
//! own numbers in `tests/golden`. Optimizers: [`SGD`], [`Adam`], [`AdamW`]. Schedulers: [`StepLR`],
//! [`CosineAnnealingLR`], [`LinearLR`], [`SequentialLR`], [`ReduceLROnPlateau`].

mod adam;
mod adam_step;
mod adamw;
mod cosine_annealing_lr;
mod linear_lr;
mod pass;
mod per_group;
mod reduce_lr_on_plateau;
mod sequential_lr;
mod sgd;
mod step_lr;
mod tick_counts;

pub use adam::Adam;
pub use adamw::AdamW;
pub use cosine_annealing_lr::CosineAnnealingLR;
pub use linear_lr::LinearLR;
pub use per_group::PerGroup;
pub use reduce_lr_on_plateau::{PlateauMode, ReduceLROnPlateau, ThresholdMode};
pub use sequential_lr::SequentialLR;
pub use sgd::SGD;
pub use step_lr::StepLR;
