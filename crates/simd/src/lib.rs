//! Vector lanes chosen at run time, the one thread pool, and reductions in a fixed order.
//!
//! Everything here keeps one promise: **results do not depend on the number of threads.** Work is cut
//! into pieces by its size alone, and partial results are combined in the order of the pieces.

mod around;
mod channels;
mod convolve;
mod cosines;
mod elementary;
mod float;
mod gray;
mod halve;
mod lanes;
mod median;
mod mirror;
#[cfg(test)]
mod noise;
mod pick;
mod places;
mod planes;
mod pool;
mod prefetch;
mod reduce;
mod repeat;
mod rgb;
mod sampling;
mod stretch;
mod translate;
mod weigh;
mod widen;
mod ycc;

pub use around::{Around, PARTS, Place, Spots};
pub use channels::{join_rgb, split_rgb};
pub use convolve::{convolve_along, convolve_down};
pub use cosines::quantised_cosines;
pub use float::Float;
pub use gray::{gray_rgb, luma_rgb, shade_rgb, shaded_rgb};
pub use halve::halve;
pub use lanes::{Level, level};
pub use median::median_square;
pub use mirror::{exchange, mirror, mirror_rgb};
pub use pick::Picks;
pub use places::{Parted, fixed_row, project_row};
pub use planes::{Wide, append_looked_up, append_planes};
pub use pool::{enlist, par_blocks, par_columns, par_each, par_map, par_rows, par_rows2, threads};
pub use prefetch::{CACHE_LINE, half, prefetch, prefetch_stretch};
pub use reduce::{dot, largest, reduce, sum, sum_of, sum_of2};
pub use repeat::Repeat;
pub use sampling::{FARTHEST, Grid, Outside, sample_bilinear, sample_nearest};
pub use stretch::stretch_bilinear;
pub use translate::{translate, translate_rgb};
pub use weigh::{FRACTION, MARGIN, Weights, weigh_down};
pub use widen::append_widened;
pub use ycc::{join_ycc, split_ycc};
