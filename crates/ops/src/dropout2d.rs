//! Drops channels.

use crate::dropout::drop_runs;
use crate::host::dims4;
use candle_core::{Result, Tensor};

/// Zeroes each whole channel `x[n, c]` of `[N, C, H, W]` whose draw `uniform()` in `[0, 1)` is below `p` and multiplies the
/// rest by `1 / (1 - p)`; one draw a channel, in order. Candle has none.
pub fn dropout2d(x: &Tensor, p: f64, uniform: impl FnMut() -> f32) -> Result<Tensor> {
    let [_, _, h, w] = dims4("dropout2d", "x", x)?;
    drop_runs("dropout2d", x, h * w, p, uniform)
}
