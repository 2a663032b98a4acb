//! Drops elements.

use candle_core::{Result, Tensor, bail};

/// Zeroes each element whose draw `uniform()` in `[0, 1)` is below `p` and multiplies the rest by `1 / (1 - p)`. `uniform` is
/// called once an element, in order.
pub fn dropout(_x: &Tensor, _p: f64, _uniform: impl FnMut() -> f32) -> Result<Tensor> {
    bail!("being written")
}
