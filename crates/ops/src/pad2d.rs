//! Pads images.

use candle_core::{Result, Tensor, bail};

/// What padding is filled with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pad {
    /// Zeros.
    Zero,
    /// The nearest element of the image.
    Replicate,
}

/// Pads `[N, C, H, W]` by `pad` = `[left, right, top, bottom]`, PyTorch's order.
pub fn pad2d(_x: &Tensor, _pad: [usize; 4], _with: Pad) -> Result<Tensor> {
    bail!("being written")
}
