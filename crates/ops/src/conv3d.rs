//! Convolves volumes.

use crate::apply::in_order;
use crate::conv::bias_grad;
use crate::host::{Host, dtype, for_float, output, slice, tensor};
use crate::optional::{Input, WithOptional, apply};
use crate::pad2d::{Pad, pad2d};
use crate::volume::{self, Volume, bias_fits, channels_fit, count, countable};
use candle_core::{CpuStorage, Result, Shape, Tensor, bail};

const NAME: &str = "conv3d";

/// How a convolution of volumes walks: `[depth, rows, columns]` each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv3d {
    /// Step between windows.
    pub stride: [usize; 3],
    /// Elements added on each side.
    pub padding: [usize; 3],
    /// Step between the taps of a window.
    pub dilation: [usize; 3],
    /// Into how many groups the channels are cut; groups = channels is depthwise.
    pub groups: usize,
    /// What the added elements are.
    pub padding_mode: Pad,
}

impl Default for Conv3d {
    fn default() -> Self {
        Self { stride: [1; 3], padding: [0; 3], dilation: [1; 3], groups: 1, padding_mode: Pad::Zero }
    }
}

/// Cross-correlation of `x` `[N, Cin, D, H, W]` with `w` `[Cout, Cin / groups, kd, kh, kw]`, plus `bias` `[Cout]`:
/// `[N, Cout, D', H', W']` with `D' = floor((D + 2 padding - dilation (kd - 1) - 1) / stride) + 1`.
///
/// Candle has none. Each output slice is a convolution of images whose channels are the input's times the depth taps.
pub fn conv3d(x: &Tensor, w: &Tensor, bias: Option<&Tensor>, p: &Conv3d) -> Result<Tensor> {
    let (&[images, cin, d, h, wide], &[cout, ci, kd, kh, kw]) = (x.dims(), w.dims()) else {
        bail!("{NAME}: x and w with 5 dimensions expected, got {:?} and {:?}", x.dims(), w.dims());
    };
    channels_fit(NAME, x, w, [cin, ci, cout], p.groups)?;
    bias_fits(NAME, bias, cout)?;
    let (mut input, kernel, mut padding) = ([d, h, wide], [kd, kh, kw], p.padding);
    let mut sizes = [0; 3];
    for axis in 0..3 {
        match count(input[axis], kernel[axis], p.stride[axis], padding[axis], p.dilation[axis]) {
            Some(n) if input[axis] > 0 => sizes[axis] = n,
            _ => bail!("{NAME}: no window fits for x {:?}, w {:?}, {p:?}", x.dims(), w.dims()),
        }
    }
    let padded = [0, 1, 2].map(|axis| input[axis] + 2 * padding[axis]);
    let [pd, ph, pw] = padded;
    if !countable(&[images, cin, kd, pd, ph, pw]) || !countable(&[images, cout, sizes[0], sizes[1], sizes[2]]) {
        bail!("{NAME}: more elements than can be counted for x {:?}, w {:?}, {p:?}", x.dims(), w.dims());
    }
    let mut x = in_order(NAME, x)?;
    if p.padding_mode != Pad::Zero && padding != [0; 3] {
        x = pad(&x, padding, p.padding_mode)?;
        (input, padding) = (padded, [0; 3]);
    }
    let volume = Volume {
        images,
        groups: p.groups,
        ci,
        co: cout / p.groups,
        input,
        output: sizes,
        kernel,
        stride: p.stride,
        padding,
        dilation: p.dilation,
    };
    apply(Op { volume }, &x, w, bias)
}

/// Pads volumes, planes first, then depth: as rows of whole planes.
fn pad(x: &Tensor, [pd, ph, pw]: [usize; 3], with: Pad) -> Result<Tensor> {
    let (n, c, d, h, w) = x.dims5()?;
    let (high, wide) = (h + 2 * ph, w + 2 * pw);
    if d * h * w == 0 {
        bail!("{NAME}: a volume of at least one element expected, got {:?}", x.dims());
    }
    let planes = pad2d(&x.reshape((n, c * d, h, w))?, [pw, pw, ph, ph], with)?;
    let rows = pad2d(&planes.reshape((n, c, d, high * wide))?, [0, 0, pd, pd], with)?;
    rows.reshape((n, c, d + 2 * pd, high, wide))
}

struct Op {
    volume: Volume,
}

impl WithOptional for Op {
    const NAME: &'static str = NAME;

    fn forward(&self, x: Input<'_>, w: Input<'_>, bias: Option<Input<'_>>) -> Result<(CpuStorage, Shape)> {
        let v = &self.volume;
        for_float!(NAME, dtype(x.0), T => {
            let (x, w) = (slice::<T>(NAME, x.0, x.1)?, slice(NAME, w.0, w.1)?);
            let bias = bias.map(|(s, l)| slice(NAME, s, l)).transpose()?;
            let [d, h, wide] = v.output;
            Ok(output(volume::forward(v, x, w, bias), (v.images, v.groups * v.co, d, h, wide)))
        })
    }

    fn backward(
        &self,
        x: &Tensor,
        w: &Tensor,
        bias: Option<&Tensor>,
        _: &Tensor,
        dy: &Tensor,
    ) -> Result<[Option<Tensor>; 3]> {
        let v = &self.volume;
        let dy = dy.contiguous()?;
        for_float!(NAME, x.dtype(), T => {
            let (hx, hw, hdy) = (Host::read(NAME, x), Host::read(NAME, w), Host::read(NAME, &dy));
            let (xs, ws, dys) = (hx.slice::<T>()?, hw.slice()?, hdy.slice()?);
            let dx = x.track_op().then(|| tensor(volume::input_grad(v, dys, ws, None), x.shape()));
            let dw = w.track_op().then(|| tensor(volume::weight_grad(v, xs, dys), w.shape()));
            let db = bias.filter(|b| b.track_op());
            let db = db.map(|b| tensor(bias_grad(dys, v.groups * v.co, v.output.iter().product()), b.shape()));
            Ok([dx.transpose()?, dw.transpose()?, db.transpose()?])
        })
    }
}
