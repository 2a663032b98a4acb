//! Optimizers and learning-rate schedulers, one file each.
//!
//! Names, parameters, defaults and the order of operations are PyTorch's; each is held against PyTorch's
//! own numbers in `tests/golden` and in the workspace's `tests/goldens`. Optimizers: all classes of `torch.optim`
//! (no gradient here is sparse, so SparseAdam is absent), and [`Lion`], [`LAMB`], [`LARS`], [`AdaBelief`], [`Adan`], [`Prodigy`],
//! [`ScheduleFreeAdamW`] of other authors. Schedulers: all classes of `torch.optim.lr_scheduler`, and
//! [`SWALR`] (a file holds no functions, so LambdaLR and MultiplicativeLR are absent); what is warmed up is the slot's
//! business and not theirs.

mod absent;
mod absent_schedulers;
mod adabelief;
mod adadelta;
mod adafactor;
mod adagrad;
mod adam;
mod adam_step;
mod adamax;
mod adamw;
mod adan;
mod anneal_strategy;
mod asgd;
mod blend;
mod chained_scheduler;
mod constant_lr;
mod cosine_annealing_lr;
mod cosine_annealing_warm_restarts;
mod cyclic_lr;
mod exponential_lr;
mod lamb;
mod lars;
mod lbfgs;
mod lerp;
mod linear_lr;
mod lion;
mod moments;
mod momentum_cycle;
mod multi_step_lr;
mod muon;
mod nadam;
mod one_cycle_lr;
mod pass;
mod per_group;
mod polynomial_lr;
mod prodigy;
mod radam;
mod reduce_lr_on_plateau;
mod rmsprop;
mod rprop;
mod schedule_free_adamw;
mod sequential_lr;
mod sgd;
mod slices;
mod step_lr;
mod strong_wolfe;
mod sums;
mod swalr;
mod switches;
mod tick_counts;
mod whole;

pub use adabelief::AdaBelief;
pub use adadelta::Adadelta;
pub use adafactor::Adafactor;
pub use adagrad::Adagrad;
pub use adam::Adam;
pub use adamax::Adamax;
pub use adamw::AdamW;
pub use adan::Adan;
pub use anneal_strategy::AnnealStrategy;
pub use asgd::ASGD;
pub use chained_scheduler::ChainedScheduler;
pub use constant_lr::ConstantLR;
pub use cosine_annealing_lr::CosineAnnealingLR;
pub use cosine_annealing_warm_restarts::CosineAnnealingWarmRestarts;
pub use cyclic_lr::{CyclicLR, CyclicMode, ScaleMode};
pub use exponential_lr::ExponentialLR;
pub use lamb::LAMB;
pub use lars::LARS;
pub use lbfgs::{LBFGS, LineSearch};
pub use linear_lr::LinearLR;
pub use lion::Lion;
pub use multi_step_lr::MultiStepLR;
pub use muon::{AdjustLr, Muon};
pub use nadam::NAdam;
pub use one_cycle_lr::OneCycleLR;
pub use per_group::PerGroup;
pub use polynomial_lr::PolynomialLR;
pub use prodigy::Prodigy;
pub use radam::RAdam;
pub use reduce_lr_on_plateau::{PlateauMode, ReduceLROnPlateau, ThresholdMode};
pub use rmsprop::RMSprop;
pub use rprop::Rprop;
pub use schedule_free_adamw::ScheduleFreeAdamW;
pub use sequential_lr::SequentialLR;
pub use sgd::SGD;
pub use step_lr::StepLR;
pub use swalr::SWALR;

pleach_core::certificates!(include_str!("../certificates.json"));
