//! Lays an image out as the patches that a sliding window sees, and adds patches up to an image.

use crate::apply;
use crate::host::{Host, Real, dims4, dtype, for_float, output, slice, tensor};
use crate::window::Window;
use crate::{fresh, sizes};
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};

/// How the window of [`unfold`] and [`fold`] walks: `[rows, columns]` each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patches {
    /// Size of the window.
    pub kernel: [usize; 2],
    /// Step between windows.
    pub stride: [usize; 2],
    /// Zeros added on each side.
    pub padding: [usize; 2],
    /// Distance between the taps of the window.
    pub dilation: [usize; 2],
}

impl Patches {
    /// Square windows of side `kernel`, one for each place on the image, as PyTorch's defaults are.
    pub fn new(kernel: usize) -> Self {
        Self { kernel: [kernel; 2], stride: [1; 2], padding: [0; 2], dilation: [1; 2] }
    }

    fn window(&self, op: &'static str, input: [usize; 2]) -> Result<Window> {
        let Self { kernel, stride, padding, dilation } = *self;
        // So large that no position or product can overflow.
        let sizes = [input, kernel, stride, padding, dilation];
        if input.contains(&0) || sizes.iter().flatten().any(|&size| size > 1 << 30) {
            bail!("{op}: sizes between 1 and 2^30 expected, got an image of {input:?} and {self:?}");
        }
        Window { input, output: [0; 2], kernel, stride, padding, dilation }.fit(op)
    }
}

/// `[N, C, H, W]` to `[N, C kernel[0] kernel[1], L]`: column l holds what the window sees at its l-th place, places and
/// taps in reading order. PyTorch's `unfold`, known as im2col.
pub fn unfold(x: &Tensor, p: &Patches) -> Result<Tensor> {
    const NAME: &str = "unfold";
    let [n, c, h, w] = dims4(NAME, "x", x)?;
    let window = p.window(NAME, [h, w])?;
    sizes::total(NAME, &[n, c, window.kernel[0], window.kernel[1], window.output[0], window.output[1]])?;
    apply::one(x, Unfold { name: NAME, planes: [n, c], window })
}

/// `[N, C kernel[0] kernel[1], L]` to `[N, C, size[0], size[1]]`: every patch is added where [`unfold`] would take it
/// from. PyTorch's `fold`, known as col2im.
pub fn fold(x: &Tensor, size: [usize; 2], p: &Patches) -> Result<Tensor> {
    const NAME: &str = "fold";
    let &[n, rows, places] = x.dims() else {
        bail!("{NAME}: x with 3 dimensions expected, got {:?}", x.dims());
    };
    sizes::total(NAME, x.dims())?;
    let window = p.window(NAME, size)?;
    let taps = window.area();
    if rows == 0 || !rows.is_multiple_of(taps) || places != window.area_out() {
        let [h, w] = window.output;
        bail!(
            "{NAME}: x of shape [N, C * {taps}, {h} * {w}] expected for {p:?} on an image of {size:?}, got {:?}",
            x.dims()
        );
    }
    sizes::total(NAME, &[n, rows / taps, size[0], size[1]])?;
    apply::one(x, Fold { name: NAME, planes: [n, rows / taps], window })
}

/// Each row of the result is one tap of one plane, over all places.
fn patches<T: Real>(g: &Window, x: &[T], rows: usize) -> Vec<T> {
    fresh::rows(rows * g.area_out(), g.area_out(), |r, out| {
        let (plane, tap) = (r / g.area(), r % g.area());
        let x = &x[plane * g.area_in()..][..g.area_in()];
        let [i, j] = [tap / g.kernel[1], tap % g.kernel[1]];
        let cols = g.reach(1, j);
        if cols.is_empty() {
            return;
        }
        for row in g.reach(0, i) {
            let from = &x[g.source(0, i, row) * g.input[1] + g.source(1, j, cols.start)..];
            let out = &mut out[row * g.output[1]..][cols.clone()];
            if g.stride[1] == 1 {
                out.copy_from_slice(&from[..out.len()]);
            } else {
                out.iter_mut().zip(from.iter().step_by(g.stride[1])).for_each(|(out, &v)| *out = v);
            }
        }
    })
}

/// Each plane adds its taps up in their order.
fn planes<T: Real>(g: &Window, x: &[T], count: usize) -> Vec<T> {
    fresh::rows(count * g.area_in(), g.area_in(), |plane, out| {
        let taps = x[plane * g.area() * g.area_out()..].chunks(g.area_out());
        for ([i, j], x) in g.taps().zip(taps) {
            let cols = g.reach(1, j);
            if cols.is_empty() {
                continue;
            }
            for row in g.reach(0, i) {
                let to = &mut out[g.source(0, i, row) * g.input[1] + g.source(1, j, cols.start)..];
                let x = &x[row * g.output[1]..][cols.clone()];
                if g.stride[1] == 1 {
                    to.iter_mut().zip(x).for_each(|(to, &v)| *to += v);
                } else {
                    to.iter_mut().step_by(g.stride[1]).zip(x).for_each(|(to, &v)| *to += v);
                }
            }
        }
    })
}

struct Unfold {
    name: &'static str,
    planes: [usize; 2],
    window: Window,
}

impl CustomOp1 for Unfold {
    fn name(&self) -> &'static str {
        self.name
    }

    fn cpu_fwd(&self, s: &CpuStorage, l: &Layout) -> Result<(CpuStorage, Shape)> {
        let (g, [n, c]) = (&self.window, self.planes);
        for_float!(self.name, dtype(s), T => {
            let y = patches(g, slice::<T>(self.name, s, l)?, n * c * g.area());
            Ok(output(y, (n, c * g.area(), g.area_out())))
        })
    }

    fn bwd(&self, x: &Tensor, _y: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        let dy = dy.contiguous()?;
        for_float!(self.name, x.dtype(), T => {
            let hdy = Host::read(self.name, &dy);
            let [n, c] = self.planes;
            tensor(planes(&self.window, hdy.slice::<T>()?, n * c), x.shape()).map(Some)
        })
    }
}

struct Fold {
    name: &'static str,
    planes: [usize; 2],
    window: Window,
}

impl CustomOp1 for Fold {
    fn name(&self) -> &'static str {
        self.name
    }

    fn cpu_fwd(&self, s: &CpuStorage, l: &Layout) -> Result<(CpuStorage, Shape)> {
        let (g, [n, c]) = (&self.window, self.planes);
        for_float!(self.name, dtype(s), T => {
            let y = planes(g, slice::<T>(self.name, s, l)?, n * c);
            Ok(output(y, (n, c, g.input[0], g.input[1])))
        })
    }

    fn bwd(&self, x: &Tensor, _y: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        let dy = dy.contiguous()?;
        for_float!(self.name, x.dtype(), T => {
            let hdy = Host::read(self.name, &dy);
            let [n, c] = self.planes;
            tensor(patches(&self.window, hdy.slice::<T>()?, n * c * self.window.area()), x.shape()).map(Some)
        })
    }
}
