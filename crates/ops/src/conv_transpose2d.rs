//! Convolves images the transposed way.

use crate::conv::{self, Geometry};
use crate::host::{Host, dims4, dtype, for_float, output, slice, tensor};
use crate::optional::{Input, WithOptional, apply};
use crate::volume::{bias_fits, channels_fit_transposed, countable, spread};
use crate::window::Window;
use candle_core::{CpuStorage, Result, Shape, Tensor, bail};

const NAME: &str = "conv_transpose2d";

/// How a transposed convolution walks: `[rows, columns]` each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvTranspose2d {
    /// Step between the windows of the output.
    pub stride: [usize; 2],
    /// Rows and columns cut off each side of the output.
    pub padding: [usize; 2],
    /// Rows and columns added at the end of the output; less than stride or dilation.
    pub output_padding: [usize; 2],
    /// Step between the taps of a window.
    pub dilation: [usize; 2],
    /// Into how many groups the channels are cut.
    pub groups: usize,
}

impl Default for ConvTranspose2d {
    fn default() -> Self {
        Self { stride: [1, 1], padding: [0, 0], output_padding: [0, 0], dilation: [1, 1], groups: 1 }
    }
}

/// The gradient of a convolution's input as a layer: `x` `[N, Cin, H, W]`, `w` `[Cin, Cout / groups, kh, kw]`,
/// plus `bias` `[Cout]`; `[N, Cout, H', W']` with
/// `H' = (H - 1) stride - 2 padding + dilation (kh - 1) + output_padding + 1`.
///
/// In place of candle's, which has no groups and is a direct loop of short dot products.
pub fn conv_transpose2d(x: &Tensor, w: &Tensor, bias: Option<&Tensor>, p: &ConvTranspose2d) -> Result<Tensor> {
    let geometry = geometry(x, w, p)?;
    bias_fits(NAME, bias, geometry.groups * geometry.ci)?;
    apply(Op { geometry }, x, w, bias)
}

/// The convolution whose input is our output.
fn geometry(x: &Tensor, w: &Tensor, p: &ConvTranspose2d) -> Result<Geometry> {
    let [images, cin, h, wide] = dims4(NAME, "x", x)?;
    let [cin_w, ci, kh, kw] = dims4(NAME, "w", w)?;
    channels_fit_transposed(NAME, x, w, [cin, cin_w, ci], p.groups)?;
    let (kernel, output) = ([kh, kw], [h, wide]);
    let mut input = [0; 2];
    for axis in 0..2 {
        let (stride, dilation, more) = (p.stride[axis], p.dilation[axis], p.output_padding[axis]);
        if more >= stride.max(dilation) {
            bail!("{NAME}: output_padding must be less than stride or dilation: {p:?}");
        }
        match spread(output[axis], kernel[axis], stride, p.padding[axis], dilation, more) {
            Some(n) => input[axis] = n,
            None => bail!("{NAME}: padding leaves nothing of the output for x {:?}, w {:?}, {p:?}", x.dims(), w.dims()),
        }
    }
    // With the padding, as that is what the passes go over.
    let padded = [0, 1].map(|axis| input[axis].saturating_add(2 * p.padding[axis]));
    if !countable(&[images, ci * p.groups, padded[0], padded[1]]) {
        bail!("{NAME}: more elements than can be counted for x {:?}, w {:?}, {p:?}", x.dims(), w.dims());
    }
    Ok(Geometry {
        images,
        groups: p.groups,
        ci,
        co: cin / p.groups,
        window: Window { input, output, kernel, stride: p.stride, padding: p.padding, dilation: p.dilation },
    })
}

struct Op {
    geometry: Geometry,
}

impl WithOptional for Op {
    const NAME: &'static str = NAME;

    fn forward(&self, x: Input<'_>, w: Input<'_>, bias: Option<Input<'_>>) -> Result<(CpuStorage, Shape)> {
        let g = &self.geometry;
        for_float!(NAME, dtype(x.0), T => {
            let (x, w) = (slice::<T>(NAME, x.0, x.1)?, slice(NAME, w.0, w.1)?);
            let bias = bias.map(|(s, l)| slice(NAME, s, l)).transpose()?;
            let shape = (g.images, g.groups * g.ci, g.input[0], g.input[1]);
            Ok(output(conv::input_grad(g, x, w, bias), shape))
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
        let g = &self.geometry;
        let dy = dy.contiguous()?;
        for_float!(NAME, x.dtype(), T => {
            let (hx, hw) = (Host::read(NAME, x), Host::read(NAME, w));
            let hdy = Host::read(NAME, &dy);
            let (xs, ws, dys) = (hx.slice::<T>()?, hw.slice()?, hdy.slice()?);
            let dx = x.track_op().then(|| tensor(conv::forward(g, dys, ws, None), x.shape()));
            let dw = w.track_op().then(|| tensor(conv::weight_grad(g, dys, xs), w.shape()));
            let db = bias.filter(|b| b.track_op());
            let db = db.map(|b| tensor(conv::bias_grad(dys, g.groups * g.ci, g.area_in()), b.shape()));
            Ok([dx.transpose()?, dw.transpose()?, db.transpose()?])
        })
    }
}
