//! Drops channels.

use candle_core::{Result, Tensor, bail};

/// Zeroes each whole channel `[n, c, .., ..]` whose draw is below `p`, otherwise as `dropout`; one draw a channel.
pub fn dropout2d(_x: &Tensor, _p: f64, _uniform: impl FnMut() -> f32) -> Result<Tensor> {
    bail!("being written")
}
