//! Optimizers and learning-rate schedulers, one file each.
