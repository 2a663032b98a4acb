//! A window that slides over an image: where it stands and what it sees.

use crate::volume::count;
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
            let image = self.input[axis] > 0;
            match count(self.input[axis], kernel, stride, self.padding[axis], dilation) {
                Some(n) if image => self.output[axis] = n,
                _ => bail!("{op}: no window fits on the image: {self:?}"),
            }
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

    /// Along `axis`, the taps that fall on the image from some position: of a window much larger than the image, few.
    pub fn near(&self, axis: usize) -> Range<usize> {
        let (padding, dilation) = (self.padding[axis], self.dilation[axis]);
        let last = self.output[axis].saturating_sub(1) * self.stride[axis];
        let first = padding.saturating_sub(last).div_ceil(dilation);
        let end = (self.input[axis] + padding).div_ceil(dilation).min(self.kernel[axis]);
        first.min(end)..end
    }

    /// Those taps of both axes, row by row.
    pub fn near_taps(&self) -> impl Iterator<Item = [usize; 2]> + use<> {
        let [rows, cols] = [self.near(0), self.near(1)];
        rows.flat_map(move |i| cols.clone().map(move |j| [i, j]))
    }

    /// Along `axis`, where the `tap` of output position `at` falls; only for positions in its reach.
    pub fn source(&self, axis: usize, tap: usize, at: usize) -> usize {
        at * self.stride[axis] + tap * self.dilation[axis] - self.padding[axis]
    }
}
