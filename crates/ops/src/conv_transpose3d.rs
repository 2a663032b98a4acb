//! Convolves volumes the transposed way.

use crate::conv::bias_grad;
use crate::host::{Host, dtype, for_float, output, slice, tensor};
use crate::optional::{Input, WithOptional, apply};
use crate::volume::{self, Volume, bias_fits, channels_fit_transposed, countable, spread};
use candle_core::{CpuStorage, Result, Shape, Tensor, bail};

const NAME: &str = "conv_transpose3d";

/// How a transposed convolution of volumes walks: `[depth, rows, columns]` each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvTranspose3d {
    /// Step between the windows of the output.
    pub stride: [usize; 3],
    /// Elements cut off each side of the output.
    pub padding: [usize; 3],
    /// Elements added at the end of the output; less than stride or dilation.
    pub output_padding: [usize; 3],
    /// Step between the taps of a window.
    pub dilation: [usize; 3],
    /// Into how many groups the channels are cut.
    pub groups: usize,
}

impl Default for ConvTranspose3d {
    fn default() -> Self {
        Self { stride: [1; 3], padding: [0; 3], output_padding: [0; 3], dilation: [1; 3], groups: 1 }
    }
}

/// The gradient of a convolution's input as a layer: `x` `[N, Cin, D, H, W]`, `w` `[Cin, Cout / groups, kd, kh, kw]`,
/// plus `bias` `[Cout]`; `[N, Cout, D', H', W']` with
/// `D' = (D - 1) stride - 2 padding + dilation (kd - 1) + output_padding + 1`.
///
/// Candle has none.
pub fn conv_transpose3d(x: &Tensor, w: &Tensor, bias: Option<&Tensor>, p: &ConvTranspose3d) -> Result<Tensor> {
    let volume = volume_of(x, w, p)?;
    bias_fits(NAME, bias, volume.groups * volume.ci)?;
    apply(Op { volume }, x, w, bias)
}

/// The convolution whose input is our output.
fn volume_of(x: &Tensor, w: &Tensor, p: &ConvTranspose3d) -> Result<Volume> {
    let (&[images, cin, d, h, wide], &[cin_w, ci, kd, kh, kw]) = (x.dims(), w.dims()) else {
        bail!("{NAME}: x and w with 5 dimensions expected, got {:?} and {:?}", x.dims(), w.dims());
    };
    channels_fit_transposed(NAME, x, w, [cin, cin_w, ci], p.groups)?;
    let (output, kernel) = ([d, h, wide], [kd, kh, kw]);
    let mut input = [0; 3];
    for axis in 0..3 {
        let (stride, dilation, more) = (p.stride[axis], p.dilation[axis], p.output_padding[axis]);
        if more >= stride.max(dilation) {
            bail!("{NAME}: output_padding must be less than stride or dilation: {p:?}");
        }
        match spread(output[axis], kernel[axis], stride, p.padding[axis], dilation, more) {
            Some(n) => input[axis] = n,
            None => bail!("{NAME}: nothing of the output is left for x {:?}, w {:?}, {p:?}", x.dims(), w.dims()),
        }
    }
    if !countable(&[images, ci * p.groups, kd, input[0], input[1], input[2]]) {
        bail!("{NAME}: more elements than can be counted for x {:?}, w {:?}, {p:?}", x.dims(), w.dims());
    }
    let (stride, padding, dilation) = (p.stride, p.padding, p.dilation);
    Ok(Volume { images, groups: p.groups, ci, co: cin / p.groups, input, output, kernel, stride, padding, dilation })
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
            let [d, h, wide] = v.input;
            Ok(output(volume::input_grad(v, x, w, bias), (v.images, v.groups * v.ci, d, h, wide)))
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
            let dx = x.track_op().then(|| tensor(volume::forward(v, dys, ws, None), x.shape()));
            let dw = w.track_op().then(|| tensor(volume::weight_grad(v, dys, xs), w.shape()));
            let db = bias.filter(|b| b.track_op());
            let db = db.map(|b| tensor(bias_grad(dys, v.groups * v.ci, v.input.iter().product()), b.shape()));
            Ok([dx.transpose()?, dw.transpose()?, db.transpose()?])
        })
    }
}
