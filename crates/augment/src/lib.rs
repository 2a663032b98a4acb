//! Augmentations, one file each.
