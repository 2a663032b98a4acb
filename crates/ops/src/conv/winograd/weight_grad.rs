//! The gradient of the weights: sums over tiles of the products of transformed inputs and transformed gradients, transformed back.

use super::super::{Geometry, add};
use super::frame::{Frame, turned};
use super::product::place;
use super::transform::{self, POINTS, Tiles};
use crate::fresh;
use crate::host::Real;
use crate::matrix::even;
use crate::tile::{Factors, Onto, Soon};
use crate::turn::Rows;
use crate::workspaces::Workspaces;
use pleach_simd::{par_blocks, par_map};
use std::mem::MaybeUninit;
use std::ops::Range;

/// Points of one line of a transform, which is what a task has.
const LINE: usize = POINTS / 4;
/// Bytes of transformed tiles that a task works on at a time: a part of a second-level cache.
const ROOM: usize = 512 << 10;
/// Bytes of sums of a task: each is read and written once for all tiles that are worked on at a time, so a third-level cache
/// does.
const SUMS: usize = 2 << 20;
/// Fewer tasks than this leave threads without work.
const PLENTY: usize = 16;
/// A task is not worth its sums with fewer tiles than this.
const LEAST: usize = 128;

/// The gradient `[co, ci, 3, 3]`, or nothing where one of its elements is not finite.
pub(in super::super) fn weight_grad<T: Real>(g: &Geometry, x: &[T], dy: &[T]) -> Option<Vec<T>> {
    let width = T::outer_tile().cols;
    let tiles = g.output.map(|size| size.div_ceil(2));
    let inputs = Frame { image: g.input, before: g.padding, size: tiles.map(|n| 2 * n + 2), step: 2 };
    let grads = Frame { image: g.output, before: [0, 0], size: tiles.map(|n| 2 * n), step: 2 };
    let (x, dy) = (turned(x, g.ci, &inputs), turned(dy, g.co, &grads));
    let (deep, wide) = (g.ci.div_ceil(width), g.co.div_ceil(width));

    let room = SUMS / (LINE * deep * width * width * size_of::<T>()).max(1);
    let blocks = room.clamp(1, wide);
    let splits = wide.div_ceil(blocks);
    let total = g.images * tiles[0] * tiles[1];
    let parts = PLENTY.div_ceil(4 * splits).min(total.div_ceil(LEAST)).max(1);

    let rooms = Workspaces::new();
    let mut sums = par_map(4 * splits * parts, |task| {
        let (line, split, part) = (task / parts / splits, task / parts % splits, task % parts);
        let task = Task {
            line,
            deep,
            blocks: split * blocks..((split + 1) * blocks).min(wide),
            all_blocks: wide,
            tiles: part * total / parts..(part + 1) * total / parts,
            tiles_of_image: tiles,
            inputs: &inputs,
            grads: &grads,
        };
        task.sums(&x, &dy, &rooms)
    });

    // The parts of a line and split follow each other: all are added to the first, in their order.
    par_blocks(&mut sums, parts, |_, sums| {
        if let Some((first, rest)) = sums.split_first_mut() {
            rest.iter().for_each(|part| add(first, part));
        }
    });

    let dw = fresh::blocks(g.co * g.ci * 9, width * g.ci * 9, |block, dw| {
        let (split, inside) = (block / blocks, block % blocks);
        let point = blocks.min(wide - split * blocks) * deep * width * width;
        let mut taps = vec![T::ZERO; 9 * width];
        for c in 0..g.ci {
            let line = |line: usize| &sums[(line * splits + split) * parts][(inside * deep * width + c) * width..];
            transform::window_gradient([line(0), line(1), line(2), line(3)], point, &mut taps);
            for (r, row) in dw.chunks_exact_mut(g.ci * 9).enumerate() {
                for (to, taps) in row[c * 9..][..9].iter_mut().zip(taps.chunks_exact(width)) {
                    *to = taps[r];
                }
            }
        }
    });
    // Zero times a number is zero, unless it is infinite or not a number.
    let finite = |v: &T| !(*v * T::ZERO).is_nan();
    dw.iter().all(finite).then_some(dw)
}

/// One line of points, some blocks of output channels, some tiles.
struct Task<'a> {
    line: usize,
    deep: usize,
    blocks: Range<usize>,
    all_blocks: usize,
    tiles: Range<usize>,
    tiles_of_image: [usize; 2],
    inputs: &'a Frame,
    grads: &'a Frame,
}

impl Task<'_> {
    /// `[points of the line, blocks, input channels, a block's output channels]`.
    fn sums<T: Real>(&self, x: &[T], dy: &[T], rooms: &Workspaces<Room<T>>) -> Vec<T> {
        let len = LINE * self.blocks.len() * self.deep * T::outer_tile().cols.pow(2);
        if self.tiles.is_empty() {
            return vec![T::ZERO; len];
        }
        let mut sums = Vec::with_capacity(len);
        rooms.with(Room::default, |room| self.sum(x, dy, room, &mut sums.spare_capacity_mut()[..len]));
        // SAFETY: the first of the tiles have written all sums.
        #[allow(unsafe_code)]
        unsafe {
            sums.set_len(len);
        }
        sums
    }

    /// Writes all sums.
    fn sum<T: Real>(&self, x: &[T], dy: &[T], room: &mut Room<T>, sums: &mut [MaybeUninit<T>]) {
        let tile = T::outer_tile();
        let (width, blocks) = (tile.cols, self.blocks.len());
        let many = (ROOM / (LINE * (self.deep + blocks) * width * size_of::<T>())).clamp(LEAST / 2, 2 * LEAST);
        // A line more, lest points a power of two apart drive each other out of a first-level cache.
        let (left_line, right_line) = ((self.deep * many + 1) * width, (blocks * many + 1) * width);
        let Room { left, right } = room;
        // What tiles do not write is not read.
        left.resize(LINE * left_line, T::ZERO);
        right.resize(LINE * right_line, T::ZERO);
        for first in self.tiles.clone().step_by(many) {
            let range = first..(first + many).min(self.tiles.end);
            let count = range.len();
            let places: Vec<_> = range.map(|tile| place(tile, self.tiles_of_image)).collect();
            let tiles = Tiles {
                starts: &self.inputs.starts::<T>(self.deep, 0, &places),
                blocks: self.deep,
                block: self.inputs.block::<T>(),
                row: self.inputs.size[1] * width,
                lines: (self.line, self.line + 1),
                to: [left_line, width, many * width],
            };
            transform::image(&tiles, x, left);
            let tiles = Tiles {
                starts: &self.grads.starts::<T>(self.all_blocks, self.blocks.start, &places),
                blocks,
                block: self.grads.block::<T>(),
                row: self.grads.size[1] * width,
                lines: (self.line, self.line + 1),
                to: [right_line, width, many * width],
            };
            transform::gradient(&tiles, dy, right);
            let onto = if first == self.tiles.start { Onto::Nothing } else { Onto::Sums };
            let points = left.chunks_exact(left_line).zip(right.chunks_exact(right_line));
            for ((left, right), sums) in points.zip(sums.chunks_exact_mut(blocks * self.deep * width * width)) {
                let right = right.chunks_exact(many * width);
                for (right, sums) in right.zip(sums.chunks_exact_mut(self.deep * width * width)) {
                    let left = left.chunks_exact(many * width);
                    for (left, sums) in left.zip(sums.chunks_exact_mut(width * width)) {
                        for rows in even(width, tile.rows) {
                            let factors = Factors {
                                a: &left[rows.start..],
                                down: 1,
                                along: width,
                                b: right,
                                step: width,
                                depth: count,
                                rows: rows.len(),
                                soon: Soon::NOTHING,
                            };
                            let sums = &mut sums[rows.start * width..rows.end * width];
                            // SAFETY: the rows are those of the slice; what is added to has been written by the tiles before.
                            #[allow(unsafe_code)]
                            let mut to = unsafe { Rows::new(sums.as_mut_ptr().cast(), rows.len(), tile.cols, width) };
                            T::strided(&factors, onto, &mut to);
                        }
                    }
                }
            }
        }
    }
}

/// What a task works in: transformed tiles of inputs and of gradients.
#[derive(Default)]
struct Room<T> {
    left: Vec<T>,
    right: Vec<T>,
}
