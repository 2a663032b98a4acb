//! A window that slides over an image: where it stands and what it sees.

use candle_core::{Result, bail};
use std::ops::Range;

/// The sizes of a sliding window; `[rows, columns]` each.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub input: [usize; 2],
    pub output: [usize; 2],
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    pub padding: [usize; 2],
    pub dilation: [usize; 2],
}

impl Window {
    /// Sets the number of positions of a window that stays on the padded image.
    pub fn fit(mut self, op: &'static str) -> Result<Self> {
        for axis in 0..2 {
            let (kernel, stride, dilation) = (self.kernel[axis], self.stride[axis], self.dilation[axis]);
            let padded = self.input[axis] + 2 * self.padding[axis];
            if kernel == 0 || stride == 0 || dilation == 0 || padded < dilation * (kernel - 1) + 1 {
                bail!("{op}: no window fits on the image: {self:?}");
            }
            self.output[axis] = (padded - dilation * (kernel - 1) - 1) / stride + 1;
        }
        Ok(self)
    }

    /// Pixels of an input plane.
    pub fn area_in(&self) -> usize {
        self.input[0] * self.input[1]
    }

    /// Pixels of an output plane.
    pub fn area_out(&self) -> usize {
        self.output[0] * self.output[1]
    }

    /// Taps of the window.
    pub fn area(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    /// The taps of the window, row by row.
    pub fn taps(&self) -> impl Iterator<Item = [usize; 2]> + use<> {
        let [kh, kw] = self.kernel;
        (0..kh).flat_map(move |i| (0..kw).map(move |j| [i, j]))
    }

    /// Along `axis`, the output positions whose `tap` falls on the image.
    pub fn reach(&self, axis: usize, tap: usize) -> Range<usize> {
        let (stride, offset) = (self.stride[axis], tap * self.dilation[axis]);
        let before = self.padding[axis].saturating_sub(offset).div_ceil(stride);
        let room = (self.input[axis] + self.padding[axis]).saturating_sub(offset);
        let end = room.div_ceil(stride).min(self.output[axis]);
        before.min(end)..end
    }

    /// Along `axis`, where the `tap` of output position `at` falls; only for positions in its reach.
    pub fn source(&self, axis: usize, tap: usize, at: usize) -> usize {
        at * self.stride[axis] + tap * self.dilation[axis] - self.padding[axis]
    }
}
