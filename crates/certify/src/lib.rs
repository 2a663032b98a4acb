//! Replays of golden files against the plugins that are linked into a program.
//!
//! A golden file is `{"reference": {"name": "torch", "version": "2.15.0"}, "cases": [...]}` (or, for short,
//! `{"torch": "2.15.0", "cases": [...]}`). Every case has `name` and `kwargs`, as a run file has them, and the keys of
//! its kind; the kind is told by these keys. Tensors are flat lists in row-major order.
//!
//! | kind | keys | meaning |
//! |---|---|---|
//! | optimizer | `shapes`, `init`, `params`, and `grads` or `objective`; `dtype`, `evaluated` | parameters start at `init`; `params[i]` is what the step with the gradients `grads[i]` leaves (null: a parameter has none at this step); `evaluated[i]` are the weights to evaluate then, where they are others; an [`objective`] is for optimizers that evaluate it themselves |
//! | scheduler | `base_lr` or `base_lrs`, `lrs`; `metrics`, `momentum` with `momentums` | `lrs[e]` is the rate (or a rate for each group) in force during epoch e, `momentums[e]` the momentum; `metrics[e]` is heard at the tick after epoch e (null is NaN) |
//! | loss | `shape`, `logits`, `target`, `value`, `grad`; `target_shape`, `dtype` | the loss of a prediction, and its gradient with respect to it |
//! | metric | `data`, `samples`, `values` | samples are `{"predicted": {...}, "truth": {...}}` with the parts of a row by name; values by name (null: it has none) |
//!
//! A loss is computed in its plain and in its fused form; a metric over all samples at once and in two parts that are
//! merged. `dtype` is "float32" if it is absent, or "float64".

mod deviation;
mod file;
mod keys;
mod loss;
mod metric;
pub mod objective;
mod optimizer;
mod read;
mod record;
mod replay;
mod row;
mod scheduler;

pub use deviation::{Deviation, Tolerance};
pub use file::{Case, Golden};
pub use record::certificates;
pub use replay::{Outcome, kinds, replay};
