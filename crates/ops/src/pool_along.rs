//! Pooling of sequences and volumes, by that of images.

use crate::along::{sequences, volumes};
use crate::{CountPadding, Pool2d, adaptive_avg_pool2d, adaptive_max_pool2d, avg_pool2d, max_pool2d_dilated};
use candle_core::{Result, Tensor};
use std::num::NonZeroUsize;

/// How pooling of sequences walks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool1d {
    /// Size of the window.
    pub kernel: usize,
    /// Step between windows.
    pub stride: usize,
    /// Elements added on each side, at most half the kernel.
    pub padding: usize,
    /// Step between the taps of a window of [`max_pool1d`]; [`avg_pool1d`] knows 1 alone.
    pub dilation: usize,
    /// A last window that hangs over the end is kept, if it begins on the sequence or its first padding.
    pub ceil_mode: bool,
}

impl Pool1d {
    /// Windows of `kernel` elements, side by side.
    pub fn new(kernel: usize) -> Self {
        Self { kernel, stride: kernel, padding: 0, dilation: 1, ceil_mode: false }
    }

    fn row(&self) -> Pool2d {
        let Self { kernel, stride, padding, ceil_mode, .. } = *self;
        Pool2d { kernel: [1, kernel], stride: [1, stride], padding: [0, padding], ceil_mode }
    }
}

/// How pooling of volumes walks: `[depth, rows, columns]` each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool3d {
    /// Size of the window.
    pub kernel: [usize; 3],
    /// Step between windows.
    pub stride: [usize; 3],
    /// Cells added on each side, at most half the kernel.
    pub padding: [usize; 3],
    /// Step between the taps of a window of [`max_pool3d`]; [`avg_pool3d`] knows 1 alone.
    pub dilation: [usize; 3],
    /// A last window that hangs over the end is kept, if it begins on the volume or its first padding.
    pub ceil_mode: bool,
}

impl Pool3d {
    /// Cubes of side `kernel`, side by side.
    pub fn new(kernel: usize) -> Self {
        Self { kernel: [kernel; 3], stride: [kernel; 3], padding: [0; 3], dilation: [1; 3], ceil_mode: false }
    }

    fn planes(&self) -> Pool2d {
        let two = |[_, rows, cols]: [usize; 3]| [rows, cols];
        Pool2d {
            kernel: two(self.kernel),
            stride: two(self.stride),
            padding: two(self.padding),
            ceil_mode: self.ceil_mode,
        }
    }

    fn depths(&self) -> Pool2d {
        Pool2d {
            kernel: [self.kernel[0], 1],
            stride: [self.stride[0], 1],
            padding: [self.padding[0], 0],
            ceil_mode: self.ceil_mode,
        }
    }
}

/// The largest element of each window of `[N, C, L]`, as [`max_pool2d`](crate::max_pool2d).
pub fn max_pool1d(x: &Tensor, p: &Pool1d) -> Result<Tensor> {
    sequences("max_pool1d", x, |x| max_pool2d_dilated(x, &p.row(), [1, p.dilation]))
}

/// The mean of each window of `[N, C, L]`, as [`avg_pool2d`].
pub fn avg_pool1d(x: &Tensor, p: &Pool1d, count: CountPadding) -> Result<Tensor> {
    undilated("avg_pool1d", p.dilation == 1, p)?;
    sequences("avg_pool1d", x, |x| avg_pool2d(x, &p.row(), count))
}

/// Means of `size` windows of `[N, C, L]`, as [`adaptive_avg_pool2d`].
pub fn adaptive_avg_pool1d(x: &Tensor, size: usize) -> Result<Tensor> {
    sequences("adaptive_avg_pool1d", x, |x| adaptive_avg_pool2d(x, [1, size]))
}

/// The largest of `size` windows of `[N, C, L]`, as [`adaptive_max_pool2d`].
pub fn adaptive_max_pool1d(x: &Tensor, size: usize) -> Result<Tensor> {
    sequences("adaptive_max_pool1d", x, |x| adaptive_max_pool2d(x, [1, size]))
}

/// The largest element of each window of `[N, C, D, H, W]`, as [`max_pool2d`](crate::max_pool2d): planes first, then
/// the
/// largest of their largest, of equals again the first in reading order.
pub fn max_pool3d(x: &Tensor, p: &Pool3d) -> Result<Tensor> {
    let [depth, rows, cols] = p.dilation;
    volumes(
        "max_pool3d",
        x,
        |planes| max_pool2d_dilated(planes, &p.planes(), [rows, cols]),
        |depths| max_pool2d_dilated(depths, &p.depths(), [depth, 1]),
    )
}

/// The mean of each window of `[N, C, D, H, W]`, as [`avg_pool2d`].
pub fn avg_pool3d(x: &Tensor, p: &Pool3d, count: CountPadding) -> Result<Tensor> {
    undilated("avg_pool3d", p.dilation == [1; 3], p)?;
    // A divisor divides once.
    let of_depths = match count {
        CountPadding::Divisor(_) => CountPadding::Divisor(NonZeroUsize::MIN),
        mean => mean,
    };
    volumes(
        "avg_pool3d",
        x,
        |planes| avg_pool2d(planes, &p.planes(), count),
        |depths| avg_pool2d(depths, &p.depths(), of_depths),
    )
}

/// Means of windows so placed that `[N, C, D, H, W]` becomes `[N, C, size..]`, as [`adaptive_avg_pool2d`].
pub fn adaptive_avg_pool3d(x: &Tensor, [depth, rows, cols]: [usize; 3]) -> Result<Tensor> {
    volumes(
        "adaptive_avg_pool3d",
        x,
        |planes| adaptive_avg_pool2d(planes, [rows, cols]),
        |depths| adaptive_avg_pool2d(depths, [depth, depths.dims()[3]]),
    )
}

/// The largest of windows so placed that `[N, C, D, H, W]` becomes `[N, C, size..]`, as [`adaptive_max_pool2d`].
pub fn adaptive_max_pool3d(x: &Tensor, [depth, rows, cols]: [usize; 3]) -> Result<Tensor> {
    volumes(
        "adaptive_max_pool3d",
        x,
        |planes| adaptive_max_pool2d(planes, [rows, cols]),
        |depths| adaptive_max_pool2d(depths, [depth, depths.dims()[3]]),
    )
}

fn undilated(op: &str, plain: bool, p: &impl std::fmt::Debug) -> Result<()> {
    if plain { Ok(()) } else { Err(candle_core::Error::Msg(format!("{op}: no dilation expected, got {p:?}")).bt()) }
}
