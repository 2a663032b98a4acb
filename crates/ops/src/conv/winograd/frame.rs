//! Images with their channels side by side, in blocks of a tile's width, and back.

use crate::fresh;
use crate::host::Real;
use crate::turn::{Rows, turn};
use std::mem::MaybeUninit;

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
    let ([top, left], zero) = (frame.before, MaybeUninit::new(T::ZERO));
    let (height, cols) = (frame.image[0].min(frame.size[0] - top), frame.image[1].min(frame.size[1] - left));
    let write = |piece: usize, out: &mut [MaybeUninit<T>]| {
        let (image, block) = (piece / blocks, piece % blocks);
        let first = block * width;
        let count = width.min(channels - first);
        let planes = &x[(image * channels + first) * area..][..count * area];
        for (row, line) in out.chunks_exact_mut(frame.size[1] * width).enumerate() {
            let Some(row) = row.checked_sub(top).filter(|&row| row < height) else {
                line.fill(zero);
                continue;
            };
            let (before, rest) = line.split_at_mut(left * width);
            let (inside, after) = rest.split_at_mut(cols * width);
            before.fill(zero);
            after.fill(zero);
            if count < width {
                inside.fill(zero);
            }
            // SAFETY: the rows are those of the slice, which nobody else has.
            #[allow(unsafe_code)]
            let mut to = unsafe { Rows::new(inside.as_mut_ptr().cast(), cols, count, width) };
            turn(&planes[row * frame.image[1]..], area, &mut to);
        }
    };
    // SAFETY: each line of the frame is written whole: zeros around the image, and all columns and channels of it.
    #[allow(unsafe_code)]
    unsafe {
        fresh::blocks_written(images * blocks * frame.block::<T>(), frame.block::<T>(), write)
    }
}
