//! Convolves images that are padded by more than zeros.

use crate::conv2d::{Conv2d, conv2d};
use crate::pad2d::{Pad, pad2d};
use candle_core::{Result, Tensor};

/// [`conv2d`](conv2d()) with `p.padding` filled as `padding_mode` says: PyTorch's `Conv2d(padding_mode=...)`.
pub fn conv2d_padded(x: &Tensor, w: &Tensor, bias: Option<&Tensor>, p: &Conv2d, padding_mode: Pad) -> Result<Tensor> {
    if padding_mode == Pad::Zero || p.padding == [0, 0] {
        return conv2d(x, w, bias, p);
    }
    let [rows, cols] = p.padding;
    let x = pad2d(x, [cols, cols, rows, rows], padding_mode)?;
    conv2d(&x, w, bias, &Conv2d { padding: [0, 0], ..*p })
}
