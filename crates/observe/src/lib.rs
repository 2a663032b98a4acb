//! Observers and keepers, one file each: what watches a run and which checkpoints stay.
