//! Vector lanes chosen at run time, the one thread pool, and reductions in a fixed order.
//!
//! Everything here keeps one promise: **results do not depend on the number of threads.** Work is cut
//! into pieces by its size alone, and partial results are combined in the order of the pieces.

mod around;
mod convolve;
mod elementary;
mod float;
mod halve;
mod lanes;
mod mirror;
mod places;
mod planes;
mod pool;
mod prefetch;
mod reduce;
mod sampling;
mod stretch;
mod translate;
mod weigh;

pub use around::{Around, PARTS, Place};
pub use convolve::{convolve_along, convolve_down};
pub use float::Float;
pub use halve::halve;
pub use lanes::{Level, level};
pub use mirror::{mirror, mirror_rgb};
pub use places::{fixed_row, project_row};
pub use planes::{Wide, append_looked_up, append_planes};
pub use pool::{enlist, par_blocks, par_columns, par_each, par_map, par_rows, par_rows2, threads};
pub use prefetch::prefetch;
pub use reduce::{dot, largest, reduce, sum, sum_of, sum_of2};
pub use sampling::{FARTHEST, Grid, Outside, sample_bilinear, sample_nearest};
pub use stretch::stretch_bilinear;
pub use translate::{translate, translate_rgb};
pub use weigh::{MARGIN, Weights, weigh_down, widen};
