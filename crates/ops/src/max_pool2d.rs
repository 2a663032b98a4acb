//! The largest of each sliding window.

use crate::apply;
use crate::host::{Host, Real, dims4, dtype, for_float, output, slice, tensor};
use crate::window::Window;
use crate::workspaces::Workspaces;
use crate::{fresh, sizes};
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};
use pleach_simd::{Float, lanes, par_rows, par_rows2};
use std::sync::{Arc, OnceLock};

const NAME: &str = "max_pool2d";

/// How pooling walks: `[rows, columns]` each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool2d {
    /// Size of the window.
    pub kernel: [usize; 2],
    /// Step between windows.
    pub stride: [usize; 2],
    /// Cells added on each side, at most half the kernel.
    pub padding: [usize; 2],
    /// A last window that hangs over the end is kept, if it begins on the image or its first padding.
    pub ceil_mode: bool,
}

impl Pool2d {
    /// Square windows of side `kernel`, side by side.
    pub fn new(kernel: usize) -> Self {
        Self { kernel: [kernel; 2], stride: [kernel; 2], padding: [0; 2], ceil_mode: false }
    }

    pub(crate) fn window(&self, op: &'static str, input: [usize; 2]) -> Result<Window> {
        self.dilated(op, input, [1; 2])
    }

    fn dilated(&self, op: &'static str, input: [usize; 2], dilation: [usize; 2]) -> Result<Window> {
        // So large that no position can overflow.
        let sizes = [self.kernel, self.stride, self.padding, dilation];
        if sizes.iter().flatten().any(|&size| size > 1 << 30) {
            bail!("{op}: sizes of at most 2^30 expected, got {self:?} with dilation {dilation:?}");
        }
        if (0..2).any(|i| 2 * self.padding[i] > self.kernel[i]) {
            bail!("{op}: padding of at most half the kernel expected: {self:?}");
        }
        let mut window =
            Window { input, output: [0; 2], kernel: self.kernel, stride: self.stride, padding: self.padding, dilation }
                .fit(op)?;
        if self.ceil_mode {
            for (axis, &size) in input.iter().enumerate() {
                let (stride, padding) = (self.stride[axis], self.padding[axis]);
                let reach = dilation[axis] * (self.kernel[axis] - 1) + 1;
                let count = (size + 2 * padding - reach).div_ceil(stride) + 1;
                // The last window must begin on the image or the padding before it.
                let inside = (count - 1) * stride < size + padding;
                window.output[axis] = if inside { count } else { count - 1 };
            }
        }
        Ok(window)
    }
}

/// The largest element of each window of `[N, C, H, W]`: `[N, C, H', W']` with
/// `H' = floor((H + 2 padding - kernel) / stride) + 1`, or `ceil` with `ceil_mode`. Of equals, the first in reading
/// order takes the gradient; padding never wins; NaN wins.
///
/// In place of candle's, whose gradient is 4 times too small for 2x2 and missing unless stride = kernel.
pub fn max_pool2d(x: &Tensor, p: &Pool2d) -> Result<Tensor> {
    max_pool2d_dilated(x, p, [1; 2])
}

/// [`max_pool2d`] with the taps of the window `dilation` = `[rows, columns]` apart. A window all of whose taps fall
/// beside the image gives -infinity and no gradient.
pub fn max_pool2d_dilated(x: &Tensor, p: &Pool2d, dilation: [usize; 2]) -> Result<Tensor> {
    Ok(pooled(x, p, dilation, x.track_op())?.0)
}

/// [`max_pool2d_dilated`] and where each winner stood, `i64`, counted row by row within its plane: PyTorch's
/// `return_indices`. The winner of a window beside the image is -1.
pub fn max_pool2d_with_indices(x: &Tensor, p: &Pool2d, dilation: [usize; 2]) -> Result<(Tensor, Tensor)> {
    let (y, winners) = pooled(x, p, dilation, true)?;
    let places = winners.get().map(Vec::as_slice).unwrap_or_default();
    let places: Vec<i64> = places.iter().map(|&at| if at == NOWHERE { -1 } else { i64::from(at) }).collect();
    let places = Tensor::from_vec(places, y.shape(), y.device())?;
    Ok((y, places))
}

/// For each output, where in its input plane the maximum was.
type Winners = Arc<OnceLock<Vec<u32>>>;

fn pooled(x: &Tensor, p: &Pool2d, dilation: [usize; 2], wanted: bool) -> Result<(Tensor, Winners)> {
    let [n, c, h, w] = dims4(NAME, "x", x)?;
    if h * w >= NOWHERE as usize {
        bail!("{NAME}: image too large: {:?}", x.dims());
    }
    let window = p.dilated(NAME, [h, w], dilation)?;
    sizes::total(NAME, &[n, c, window.output[0], window.output[1]])?;
    let winners = Winners::default();
    let op = Op { planes: [n, c], window, wanted, winners: winners.clone() };
    Ok((apply::one(x, op)?, winners))
}

/// The winner of a window without a tap on the image.
const NOWHERE: u32 = u32::MAX;

struct Op {
    planes: [usize; 2],
    window: Window,
    /// Whether the winners may be asked for.
    wanted: bool,
    winners: Winners,
}

/// The winners of windows one row high, for each row of an image: what windows of several rows choose among.
struct Across<T> {
    values: Vec<T>,
    /// Where each stood in the plane.
    places: Vec<u32>,
    /// Every few elements of a row, side by side.
    every: Vec<T>,
}

impl<T: Real> Across<T> {
    fn new(g: &Window) -> Self {
        let len = g.input[0] * g.output[1];
        Self { values: vec![T::ZERO; len], places: vec![0; len], every: vec![T::ZERO; g.output[1]] }
    }
}

lanes! {
    /// The winners of a plane: those of each row, then those of the rows that a window has, which are the same in reading order.
    fn plane<T: Real>(g: &Window, x: &[T], across: &mut Across<T>, y: &mut [T], at: &mut [u32]) {
        let [width_in, width] = [g.input[1], g.output[1]];
        let Across { values, places, every } = across;
        for (row, (y, at)) in values.chunks_exact_mut(width).zip(places.chunks_exact_mut(width)).enumerate() {
            y.fill(T::of(f64::NEG_INFINITY));
            at.fill(NOWHERE);
            for j in g.near(1) {
                let cols = g.reach(1, j);
                if cols.is_empty() {
                    continue;
                }
                let source = row * width_in + g.source(1, j, cols.start);
                let tap = &mut every[..cols.len()];
                fresh::every(&x[source..(row + 1) * width_in], g.stride[1], tap, |v| v);
                let mut here = source as u32;
                for ((y, at), &v) in y[cols.clone()].iter_mut().zip(&mut at[cols]).zip(&*tap) {
                    challenge((y, at), (v, here));
                    here = here.wrapping_add(g.stride[1] as u32);
                }
            }
        }
        for (row, (y, at)) in y.chunks_exact_mut(width).zip(at.chunks_exact_mut(width)).enumerate() {
            y.fill(T::of(f64::NEG_INFINITY));
            at.fill(NOWHERE);
            for i in g.near(0).filter(|&i| g.reach(0, i).contains(&row)) {
                let from = g.source(0, i, row) * width;
                let (values, places) = (&values[from..][..width], &places[from..][..width]);
                for ((y, at), (&v, &place)) in y.iter_mut().zip(at.iter_mut()).zip(values.iter().zip(places)) {
                    challenge((y, at), (v, place));
                }
            }
        }
    }
}

/// The greater of two takes the place, the first of equals; whatever is not a number wins. Nobody holds a place at first.
#[inline(always)]
fn challenge<T: Real>((y, at): (&mut T, &mut u32), (v, place): (T, u32)) {
    let wins = v > *y || v.is_nan() || *at == NOWHERE;
    *y = if wins { v } else { *y };
    *at = if wins { place } else { *at };
}

impl CustomOp1 for Op {
    fn name(&self) -> &'static str {
        NAME
    }

    fn cpu_fwd(&self, s: &CpuStorage, l: &Layout) -> Result<(CpuStorage, Shape)> {
        let (g, [n, c]) = (&self.window, self.planes);
        let (area_in, area) = (g.area_in(), g.area_out());
        for_float!(NAME, dtype(s), T => {
            let x = slice::<T>(NAME, s, l)?;
            let mut y = vec![T::ZERO; n * c * area];
            let rooms = Workspaces::new();
            let of = |r: usize, y: &mut [T], at: &mut [u32]| {
                rooms.with(|| Across::new(g), |across| plane(g, &x[r * area_in..][..area_in], across, y, at));
            };
            if self.wanted {
                let mut at = vec![0; y.len()];
                par_rows2(&mut y, area, &mut at, area, of);
                // The op runs once; were it run again, the winners would be the same.
                let _ = self.winners.set(at);
            } else {
                par_rows(&mut y, area, |r, y| of(r, y, &mut vec![0; area]));
            }
            Ok(output(y, (n, c, g.output[0], g.output[1])))
        })
    }

    fn bwd(&self, x: &Tensor, _y: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        let Some(winners) = self.winners.get() else {
            bail!("{NAME}: backward without a forward");
        };
        let (area_in, area) = (self.window.area_in(), self.window.area_out());
        let dy = dy.contiguous()?;
        for_float!(NAME, x.dtype(), T => {
            let hdy = Host::read(NAME, &dy);
            let dys = hdy.slice::<T>()?;
            let dx = fresh::rows::<T>(x.elem_count(), area_in, |r, dx| {
                let range = r * area..(r + 1) * area;
                for (&at, &dy) in winners[range.clone()].iter().zip(&dys[range]) {
                    if let Some(dx) = dx.get_mut(at as usize) {
                        *dx += dy;
                    }
                }
            });
            tensor(dx, x.shape()).map(Some)
        })
    }
}
