//! Averages over sliding windows.

use crate::Pool2d;
use crate::apply;
use crate::host::{Host, Real, dims4, dtype, for_float, output, slice, tensor};
use crate::window::Window;
use crate::{fresh, sizes};
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use pleach_simd::lanes;
use std::num::NonZeroUsize;

const NAME: &str = "avg_pool2d";

/// What the sum of a window is divided by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CountPadding {
    /// The mean is over the whole window, PyTorch's `count_include_pad = True`.
    #[default]
    Included,
    /// The mean is over what lies on the image.
    Excluded,
    /// Not a mean: the sum, divided by this, PyTorch's `divisor_override`.
    Divisor(NonZeroUsize),
}

/// Mean over sliding windows of `[N, C, H, W]`: `[N, C, H', W']`, sizes as in [`max_pool2d`](crate::max_pool2d). What
/// hangs over the end with `ceil_mode` is neither summed nor counted.
///
/// In place of candle's, which has no padding and no gradient unless stride = kernel.
pub fn avg_pool2d(x: &Tensor, p: &Pool2d, count: CountPadding) -> Result<Tensor> {
    let [n, c, h, w] = dims4(NAME, "x", x)?;
    let window = p.window(NAME, [h, w])?;
    let counts = [0, 1].map(|axis| counts(&window, axis, count));
    let op = Op { planes: [n, c], window, counts };
    sizes::total(NAME, &[n, c, op.window.output[0], op.window.output[1]])?;
    apply::one(x, op)
}

/// By how many cells along `axis` each output divides.
fn counts(g: &Window, axis: usize, count: CountPadding) -> Vec<f64> {
    let (size, padding) = (g.input[axis], g.padding[axis]);
    // Counted from the beginning of the padding.
    let on_image = padding..padding + size;
    (0..g.output[axis])
        .map(|i| {
            let from = i * g.stride[axis];
            let to = (from + g.kernel[axis]).min(size + 2 * padding);
            let cells = match count {
                CountPadding::Included => to - from,
                CountPadding::Excluded => to.min(on_image.end) - from.max(on_image.start),
                // The product over both axes is what divides.
                CountPadding::Divisor(n) => {
                    if axis == 0 {
                        n.get()
                    } else {
                        1
                    }
                }
            };
            cells as f64
        })
        .collect()
}

struct Op {
    planes: [usize; 2],
    window: Window,
    counts: [Vec<f64>; 2],
}

lanes! {
    fn plane<T: Real>(g: &Window, counts: &[Vec<f64>; 2], x: &[T], y: &mut [T]) {
        for (row, y) in y.chunks_mut(g.output[1]).enumerate() {
            for [i, j] in g.near_taps() {
                let cols = g.reach(1, j);
                if cols.is_empty() || !g.reach(0, i).contains(&row) {
                    continue;
                }
                let source = g.source(0, i, row) * g.input[1] + g.source(1, j, cols.start);
                let tap = x[source..].iter().step_by(g.stride[1]);
                for (y, &v) in y[cols].iter_mut().zip(tap) {
                    *y += v;
                }
            }
            for (y, &n) in y.iter_mut().zip(&counts[1]) {
                *y /= T::of(counts[0][row] * n);
            }
        }
    }
}

lanes! {
    fn plane_back<T: Real>(g: &Window, counts: &[Vec<f64>; 2], dy: &[T], dx: &mut [T]) {
        let mut share = vec![T::ZERO; g.output[1]];
        for (row, dy) in dy.chunks(g.output[1]).enumerate() {
            for (share, (&dy, &n)) in share.iter_mut().zip(dy.iter().zip(&counts[1])) {
                *share = dy / T::of(counts[0][row] * n);
            }
            for [i, j] in g.near_taps() {
                let cols = g.reach(1, j);
                if cols.is_empty() || !g.reach(0, i).contains(&row) {
                    continue;
                }
                let source = g.source(0, i, row) * g.input[1] + g.source(1, j, cols.start);
                let tap = dx[source..].iter_mut().step_by(g.stride[1]);
                for (dx, &v) in tap.zip(&share[cols]) {
                    *dx += v;
                }
            }
        }
    }
}

impl CustomOp1 for Op {
    fn name(&self) -> &'static str {
        NAME
    }

    fn cpu_fwd(&self, s: &CpuStorage, l: &Layout) -> Result<(CpuStorage, Shape)> {
        let (g, [n, c]) = (&self.window, self.planes);
        for_float!(NAME, dtype(s), T => {
            let x = slice::<T>(NAME, s, l)?;
            let y = fresh::rows(n * c * g.area_out(), g.area_out(), |r, y| {
                plane(g, &self.counts, &x[r * g.area_in()..][..g.area_in()], y);
            });
            Ok(output(y, (n, c, g.output[0], g.output[1])))
        })
    }

    fn bwd(&self, x: &Tensor, _y: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        let g = &self.window;
        let dy = dy.contiguous()?;
        for_float!(NAME, x.dtype(), T => {
            let hdy = Host::read(NAME, &dy);
            let dys = hdy.slice::<T>()?;
            let dx = fresh::rows(x.elem_count(), g.area_in(), |r, dx| {
                plane_back(g, &self.counts, &dys[r * g.area_out()..][..g.area_out()], dx);
            });
            tensor(dx, x.shape()).map(Some)
        })
    }
}
