//! Losses, one file each.
