//! Normalises each channel of each sample.

use candle_core::{Result, Tensor, bail};

/// Normalises `[N, C, ...]` over each channel of each sample; `weight` and `bias` are `[C]`.
pub fn instance_norm(_x: &Tensor, _weight: Option<&Tensor>, _bias: Option<&Tensor>, _eps: f64) -> Result<Tensor> {
    bail!("being written")
}
