//! The default plugin crates. A crate that nobody names is not linked, and its plugins do not exist.

use pleach_augment as _;
use pleach_backends as _;
use pleach_data as _;
use pleach_import as _;
use pleach_losses as _;
use pleach_metrics as _;
use pleach_models as _;
use pleach_observe as _;
use pleach_optim as _;
use pleach_vision as _;

/// The crates above, for `doctor`: each must have registered something.
pub const DEFAULT: [&str; 10] = [
    "pleach-augment",
    "pleach-backends",
    "pleach-data",
    "pleach-import",
    "pleach-losses",
    "pleach-metrics",
    "pleach-models",
    "pleach-observe",
    "pleach-optim",
    "pleach-vision",
];
