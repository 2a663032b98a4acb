//! The loop: phases, one step pipeline, clock, checkpoints.
