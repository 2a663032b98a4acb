//! Images with their channels side by side, in blocks of a tile's width, and back.

use crate::fresh;
use crate::host::Real;
use crate::turn::{Rows, turn};

/// Where an image stands in its frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    /// Rows and columns of the image.
    pub image: [usize; 2],
    /// Zeros before it.
    pub before: [usize; 2],
    /// Rows and columns of the frame.
    pub size: [usize; 2],
    /// Positions from a tile to the next along an axis.
    pub step: usize,
}

impl Frame {
    /// Elements of a block of channels.
    pub fn block<T: Real>(&self) -> usize {
        self.size[0] * self.size[1] * T::outer_tile().cols
    }

    /// Where tiles (image, row, column) begin in block `first` of frames of `blocks` blocks each.
    pub fn starts<T: Real>(&self, blocks: usize, first: usize, tiles: &[[usize; 3]]) -> Vec<usize> {
        let start = |&[image, row, col]: &[usize; 3]| {
            (image * blocks + first) * self.block::<T>() + self.step * (row * self.size[1] + col) * T::outer_tile().cols
        };
        tiles.iter().map(start).collect()
    }
}

/// Planes `[images, channels, ...]` as `[images, blocks, rows, columns, a block's channels]` of the frame; zeros around the
/// images and in the channels that the last block has too many.
pub(super) fn turned<T: Real>(x: &[T], channels: usize, frame: &Frame) -> Vec<T> {
    let width = T::outer_tile().cols;
    let (area, blocks) = (frame.image[0] * frame.image[1], channels.div_ceil(width));
    let images = x.len() / (area * channels).max(1);
    fresh::blocks(images * blocks * frame.block::<T>(), frame.block::<T>(), |piece, out| {
        let (image, block) = (piece / blocks, piece % blocks);
        let first = block * width;
        let planes = &x[(image * channels + first) * area..][..width.min(channels - first) * area];
        for row in 0..frame.image[0].min(frame.size[0] - frame.before[0]) {
            let cols = frame.image[1].min(frame.size[1] - frame.before[1]);
            let to = &mut out[((row + frame.before[0]) * frame.size[1] + frame.before[1]) * width..];
            turn(&planes[row * frame.image[1]..], area, &mut Rows::of(to, cols, planes.len().div_ceil(area), width));
        }
    })
}
