//! Pads images.

use crate::host::{Host, dims4, dtype, for_float, output, slice, tensor};
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};
use pleach_simd::par_rows;

const NAME: &str = "pad2d";

/// What padding is filled with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pad {
    /// Zeros.
    Zero,
    /// The nearest element of the image.
    Replicate,
}

/// Pads `[N, C, H, W]` by `pad` = `[left, right, top, bottom]`, PyTorch's order: `[N, C, top + H + bottom, left + W + right]`.
///
/// In place of candle's `pad_with_zeros` and `pad_with_same`, one side at a time and a concatenation each.
pub fn pad2d(x: &Tensor, pad: [usize; 4], with: Pad) -> Result<Tensor> {
    let [n, c, h, w] = dims4(NAME, "x", x)?;
    if h * w == 0 {
        bail!("{NAME}: an image of at least one pixel expected, got {:?}", x.dims());
    }
    let [left, right, top, bottom] = pad;
    let op =
        Op { planes: [n, c], input: [h, w], before: [top, left], size: [top + h + bottom, left + w + right], with };
    x.contiguous()?.apply_op1(op)
}

struct Op {
    planes: [usize; 2],
    input: [usize; 2],
    before: [usize; 2],
    size: [usize; 2],
    with: Pad,
}

impl Op {
    /// The input row that output row `at` repeats, if any.
    fn row(&self, at: usize) -> Option<usize> {
        let inside = (self.before[0]..self.before[0] + self.input[0]).contains(&at);
        (inside || self.with == Pad::Replicate).then(|| at.saturating_sub(self.before[0]).min(self.input[0] - 1))
    }
}

impl CustomOp1 for Op {
    fn name(&self) -> &'static str {
        NAME
    }

    fn cpu_fwd(&self, s: &CpuStorage, l: &Layout) -> Result<(CpuStorage, Shape)> {
        let ([n, c], [h, w], [oh, ow]) = (self.planes, self.input, self.size);
        let left = self.before[1];
        for_float!(NAME, dtype(s), T => {
            let x = slice::<T>(NAME, s, l)?;
            let mut y = vec![0.0; n * c * oh * ow];
            par_rows(&mut y, oh * ow, |r, y| {
                let x = &x[r * h * w..][..h * w];
                for (at, y) in y.chunks_mut(ow).enumerate() {
                    let Some(row) = self.row(at) else { continue };
                    let x = &x[row * w..][..w];
                    y[left..left + w].copy_from_slice(x);
                    if self.with == Pad::Replicate {
                        y[..left].fill(x[0]);
                        y[left + w..].fill(x[w - 1]);
                    }
                }
            });
            Ok(output::<T>(y, (n, c, oh, ow)))
        })
    }

    fn bwd(&self, x: &Tensor, _y: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        let ([h, w], [oh, ow]) = (self.input, self.size);
        let left = self.before[1];
        let dy = dy.contiguous()?;
        for_float!(NAME, x.dtype(), T => {
            let hdy = Host::read(NAME, &dy);
            let dys = hdy.slice::<T>()?;
            let mut dx = vec![0.0; x.elem_count()];
            par_rows(&mut dx, h * w, |r, dx| {
                for (at, dy) in dys[r * oh * ow..][..oh * ow].chunks(ow).enumerate() {
                    let Some(row) = self.row(at) else { continue };
                    let dx = &mut dx[row * w..][..w];
                    for (dx, &dy) in dx.iter_mut().zip(&dy[left..]) {
                        *dx += dy;
                    }
                    if self.with == Pad::Replicate {
                        dx[0] += dy[..left].iter().sum::<T>();
                        dx[w - 1] += dy[left + w..].iter().sum::<T>();
                    }
                }
            });
            tensor::<T>(dx, x.shape()).map(Some)
        })
    }
}
