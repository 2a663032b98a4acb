//! Metrics, one file each, with unit and direction.
