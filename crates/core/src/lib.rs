//! The contract between pleach and its plugins: kinds, registry, rows, ticks, random numbers,
//! saving and diagnostics. No I/O, no threads.
//!
//! A plugin crate needs this crate and nothing else. A plugin is one documented struct with one
//! attribute, [`plugin`], and one trait of [`kinds`].

// Generated code names this crate by its public path, here too.
extern crate self as pleach_core;

pub mod certificate;
pub mod diagnostic;
pub mod error;
mod follow;
pub mod foreign;
pub mod image;
pub mod kinds;
pub mod named;
mod norm;
pub mod param_groups;
pub mod params;
pub mod quantity;
pub mod read;
pub mod registry;
pub mod rng;
pub mod row;
pub mod saved;
pub mod schema;
pub mod tree;
pub mod warp;
pub mod weights;

pub use candle_core::{DType, Device, Tensor, Var};
pub use error::{Error, Result};
pub use follow::{Follow, follow, lies_in_order};
pub use kinds::augmentation::{Augmentation, DynAugmentation, RowView};
pub use kinds::backend::{Backend, FusedLoss, FusedTouch, Precision, Seat};
pub use kinds::command::{Command, Verdict, Voice};
pub use kinds::importer::{Claim, Fate, Import, Importer};
pub use kinds::keeper::{Action, Candidate, DynKeeper, Keeper};
pub use kinds::loss::{Form, Loss, LossInput, Target, Wants};
pub use kinds::metric::{Better, DynMetric, Metric};
pub use kinds::model::{Cx, Mode, Model, ModelSpec, Net};
pub use kinds::observer::{Control, Event, Observer, RunInfo, Watcher};
pub use kinds::optimizer::{Hyper, Optimizer, ParamSlots, StepGroup};
pub use kinds::scheduler::{DynScheduler, GroupRates, Plan, Scheduler, Tick};
pub use kinds::source::{DataInfo, Samples, Source, SourceCx};
pub use kinds::task::{Batch, CollateCx, Decoder, Gives, Objective, StepCx, Task};
pub use named::Named;
pub use norm::norms;
pub use params::{Init, Params, Scope};
pub use pleach_macros::{config, plugin, state};
pub use registry::{Entry, Field, Kind, Plug, Slot};
pub use rng::{Purpose, Rng};
pub use row::{Frame, Instance, Labels, Map, Mask, NamedPoint, Polygon, RotBox, Row, SampleId};
pub use saved::Saved;
pub use warp::Warp;
pub use weights::{Fit, LoadReport};

/// What generated code refers to, so that a plugin crate depends on this crate alone.
pub mod export {
    pub use {candle_core, inventory, schemars, serde, serde_json, typetag};
}
