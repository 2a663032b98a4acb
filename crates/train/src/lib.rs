//! The loop: phases, one step pipeline with a fixed order, the clock, and checkpoints that lose nothing.

pub mod checkpoint;
pub mod clock;
pub mod evaluate;
pub mod fingerprint;
pub mod folder;
pub mod forecast;
pub mod groups;
pub mod keep;
pub mod predict;
pub mod profile;
pub mod replay;
pub mod scaler;
pub mod setup;
pub mod stage;
pub mod step;
pub mod tally;
pub mod trainer;
pub mod views;
pub mod watch;
pub mod weights;

pub use clock::Clock;
pub use folder::RunFolder;
pub use trainer::{Ended, Host, Outcome, resume, train};
