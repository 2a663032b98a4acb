//! Vector lanes chosen at run time, the one thread pool, and reductions in a fixed order.
//!
//! Everything here keeps one promise: **results do not depend on the number of threads.** Work is cut
//! into pieces by its size alone, and partial results are combined in the order of the pieces.

mod elementary;
mod float;
mod lanes;
mod pool;
mod reduce;
mod sampling;
mod translate;

pub use float::Float;
pub use lanes::{Level, level};
pub use pool::{enlist, par_blocks, par_columns, par_each, par_map, par_rows, par_rows2, threads};
pub use reduce::{dot, largest, reduce, sum, sum_of, sum_of2};
pub use sampling::{FARTHEST, Grid, Outside, mirror_rgb, sample_bilinear, sample_nearest};
pub use translate::translate;
