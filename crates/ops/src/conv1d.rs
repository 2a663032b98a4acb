//! Convolves sequences.

use crate::conv2d::{Conv2d, conv2d};
use crate::pad2d::{Pad, pad2d};
use crate::volume::{bias_fits, channels_fit, count, countable};
use candle_core::{Result, Tensor, bail};

const NAME: &str = "conv1d";

/// How a convolution of sequences walks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv1d {
    /// Step between windows.
    pub stride: usize,
    /// Elements added on each side.
    pub padding: usize,
    /// Step between the taps of a window.
    pub dilation: usize,
    /// Into how many groups the channels are cut; groups = channels is depthwise.
    pub groups: usize,
    /// What the added elements are.
    pub padding_mode: Pad,
}

impl Default for Conv1d {
    fn default() -> Self {
        Self { stride: 1, padding: 0, dilation: 1, groups: 1, padding_mode: Pad::Zero }
    }
}

/// Cross-correlation of `x` `[N, Cin, L]` with `w` `[Cout, Cin / groups, k]`, plus `bias` `[Cout]`: `[N, Cout, L']`
/// with `L' = floor((L + 2 padding - dilation (k - 1) - 1) / stride) + 1`.
///
/// A convolution of images of one row, which are the sequences where they lie.
pub fn conv1d(x: &Tensor, w: &Tensor, bias: Option<&Tensor>, p: &Conv1d) -> Result<Tensor> {
    let (&[images, cin, len], &[cout, ci, k]) = (x.dims(), w.dims()) else {
        bail!("{NAME}: x and w with 3 dimensions expected, got {:?} and {:?}", x.dims(), w.dims());
    };
    channels_fit(NAME, x, w, [cin, ci, cout], p.groups)?;
    bias_fits(NAME, bias, cout)?;
    let Some(positions) = count(len, k, p.stride, p.padding, p.dilation) else {
        bail!("{NAME}: no window fits for x {:?}, w {:?}, {p:?}", x.dims(), w.dims());
    };
    if len == 0 || !countable(&[images, cin, len + 2 * p.padding]) || !countable(&[images, cout, positions]) {
        bail!("{NAME}: no element, or more than can be counted, for x {:?}, w {:?}, {p:?}", x.dims(), w.dims());
    }
    let mut x = x.unsqueeze(2)?;
    let mut inside = p.padding;
    if p.padding_mode != Pad::Zero && inside > 0 {
        x = pad2d(&x, [inside, inside, 0, 0], p.padding_mode)?;
        inside = 0;
    }
    let row = Conv2d { stride: [1, p.stride], padding: [0, inside], dilation: [1, p.dilation], groups: p.groups };
    conv2d(&x, &w.unsqueeze(2)?, bias, &row)?.squeeze(2)
}
