//! Convolves sequences the transposed way.

use crate::conv_transpose2d::{ConvTranspose2d, conv_transpose2d};
use crate::volume::{bias_fits, channels_fit_transposed, countable, spread};
use candle_core::{Result, Tensor, bail};

const NAME: &str = "conv_transpose1d";

/// How a transposed convolution of sequences walks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvTranspose1d {
    /// Step between the windows of the output.
    pub stride: usize,
    /// Elements cut off each side of the output.
    pub padding: usize,
    /// Elements added at the end of the output; less than stride or dilation.
    pub output_padding: usize,
    /// Step between the taps of a window.
    pub dilation: usize,
    /// Into how many groups the channels are cut.
    pub groups: usize,
}

impl Default for ConvTranspose1d {
    fn default() -> Self {
        Self { stride: 1, padding: 0, output_padding: 0, dilation: 1, groups: 1 }
    }
}

/// The gradient of a convolution's input as a layer: `x` `[N, Cin, L]`, `w` `[Cin, Cout / groups, k]`, plus `bias`
/// `[Cout]`; `[N, Cout, L']` with `L' = (L - 1) stride - 2 padding + dilation (k - 1) + output_padding + 1`.
pub fn conv_transpose1d(x: &Tensor, w: &Tensor, bias: Option<&Tensor>, p: &ConvTranspose1d) -> Result<Tensor> {
    let (&[images, cin, len], &[cin_w, co, k]) = (x.dims(), w.dims()) else {
        bail!("{NAME}: x and w with 3 dimensions expected, got {:?} and {:?}", x.dims(), w.dims());
    };
    channels_fit_transposed(NAME, x, w, [cin, cin_w, co], p.groups)?;
    bias_fits(NAME, bias, co * p.groups)?;
    if p.output_padding >= p.stride.max(p.dilation) {
        bail!("{NAME}: output_padding must be less than stride or dilation: {p:?}");
    }
    let Some(positions) = spread(len, k, p.stride, p.padding, p.dilation, p.output_padding) else {
        bail!("{NAME}: nothing of the output is left for x {:?}, w {:?}, {p:?}", x.dims(), w.dims());
    };
    if !countable(&[images, co * p.groups, positions]) {
        bail!("{NAME}: more elements than can be counted for x {:?}, w {:?}, {p:?}", x.dims(), w.dims());
    }
    let row = ConvTranspose2d {
        stride: [1, p.stride],
        padding: [0, p.padding],
        output_padding: [0, p.output_padding],
        dilation: [1, p.dilation],
        groups: p.groups,
    };
    conv_transpose2d(&x.unsqueeze(2)?, &w.unsqueeze(2)?, bias, &row)?.squeeze(2)
}
