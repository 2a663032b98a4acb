//! The forward pass and the gradient of the input: transformed tiles times transformed windows, transformed back.

use super::super::blocked::Output;
use super::frame::{Frame, turned};
use super::strided;
use super::transform::{self, Stride, Sums, Tiles};
use crate::fresh;
use crate::host::Real;
use crate::matrix::even;
use crate::tile::{Factors, Onto};
use crate::turn::{Rows, turn};
use pleach_simd::{par_each, threads};
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicBool, Ordering};

/// Bytes of transformed tiles and sums that a task works on at a time: a second-level cache.
const ROOM: usize = 768 << 10;
/// Depth of a pass over the sums: with it a panel of windows stays in a first-level cache.
const DEPTH: usize = 256;
/// Fewer tasks than this leave threads without work.
const PLENTY: usize = 16;

/// The images on one side of a convolution.
#[derive(Clone, Copy, Debug)]
pub(super) struct Side {
    pub channels: usize,
    /// Rows and columns.
    pub size: [usize; 2],
}

/// Windows whose transforms are made at a time.
const TOGETHER: usize = 16;

/// How the windows of a convolution are read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reading {
    /// As they are, `[output channels, input channels]`.
    Forward(Stride),
    /// Turned round, and their channels exchanged.
    Backward,
}

impl Reading {
    fn stride(self) -> Stride {
        match self {
            Self::Forward(stride) => stride,
            Self::Backward => Stride::One,
        }
    }
}

/// Transformed windows `[blocks of output channels, points, input channels, a block's channels]` of a convolution from `ci` to `co`
/// channels.
pub(super) fn windows<T: Real>(w: &[T], ci: usize, co: usize, reading: Reading) -> Vec<T> {
    let width = T::outer_tile().cols;
    // Elements from an input channel's window to the next, and from an output channel's.
    let (along, down, order) = match reading {
        Reading::Forward(_) => (9, 9 * ci, [0, 1, 2, 3]),
        Reading::Backward => (9 * co, 9, [3, 1, 2, 0]),
    };
    let points = reading.stride().points();
    let write = |block: usize, out: &mut [MaybeUninit<T>]| {
        let mut taps = vec![T::ZERO; TOGETHER * 9 * width];
        let channels = width.min(co - block * width);
        for first in (0..ci).step_by(TOGETHER) {
            let count = TOGETHER.min(ci - first);
            // Windows that lie side by side are turned together.
            let run = if along == 9 { count } else { 1 };
            for (c, taps) in (0..count).step_by(run).zip(taps.chunks_mut(run * 9 * width)) {
                let from = &w[(first + c) * along + block * width * down..];
                turn(from, down, &mut Rows::of(taps, run * 9, channels, width));
            }
            let (taps, out) = (&taps[..count * 9 * width], &mut out[first * width..]);
            match reading.stride() {
                Stride::One => transform::windows(taps, out, ci * width, order),
                Stride::Two => strided::windows(taps, out, ci * width),
            }
        }
    };
    // SAFETY: each input channel's windows, those that pad the last block as well, have a line at each point, which are all lines.
    #[allow(unsafe_code)]
    unsafe {
        fresh::blocks_written(points * co.div_ceil(width) * ci * width, points * ci * width, write)
    }
}

/// The convolution of `x` with transformed windows, `padding` zeros around `x`; nothing where a result is not finite.
pub(super) fn product<T: Real>(
    images: usize,
    x: &[T],
    from: Side,
    windows: &[T],
    to: Side,
    (stride, padding): (Stride, [usize; 2]),
    bias: Option<&[T]>,
) -> Option<Vec<T>> {
    let width = T::outer_tile().cols;
    let tiles = to.size.map(|size| size.div_ceil(2));
    let step = stride.step();
    let size = tiles.map(|n| step * n + stride.side() - step);
    let frame = Frame { image: from.size, before: padding, size, step };
    let x = turned(x, from.channels, &frame);
    let (deep, wide) = (from.channels.div_ceil(width), to.channels.div_ceil(width));
    let bias = bias.map(|bias| {
        let mut all = bias.to_vec();
        all.resize(wide * width, T::ZERO);
        all
    });
    let len = images * to.channels * to.size[0] * to.size[1];
    let mut y = Vec::new();
    let out = Output::new(&mut y, len);
    let total = images * tiles[0] * tiles[1];
    // As many tiles at a time as the cache has room for, or, where windows are more than tiles, as many as have windows read no
    // more often than tiles; and as many rounds in a task as leave tasks enough.
    let one = stride.points() * (deep + wide) * width * size_of::<T>();
    let rows = T::outer_tile().rows;
    let alike = deep * wide * width / (deep + wide);
    let many = (ROOM / one).max(8 * rows).max(alike).min(total.div_ceil(threads())).next_multiple_of(rows);
    let many = total.div_ceil(total.div_ceil(many).max(1)).max(1);
    let rounds = total.div_ceil(many * PLENTY).max(1);
    let spoilt = AtomicBool::new(false);
    par_each(total.div_ceil(many * rounds), |task| {
        let mut room = Room::new(stride, many, deep * width, wide * width);
        for round in task * rounds..(task + 1) * rounds {
            let range = round * many..((round + 1) * many).min(total);
            if range.is_empty() {
                break;
            }
            let places: Vec<_> = range.map(|tile| place(tile, tiles)).collect();
            room.tiles(&x, &frame, deep, &places);
            room.multiply(windows, from.channels, places.len());
            if room.write(&places, to, bias.as_deref(), &out) {
                spoilt.store(true, Ordering::Relaxed);
            }
        }
    });
    if spoilt.into_inner() {
        return None;
    }
    // SAFETY: the tasks have written the results of all tiles, which are all results.
    #[allow(unsafe_code)]
    unsafe {
        y.set_len(len);
    }
    Some(y)
}

/// A tile's image, row and column.
pub(super) fn place(tile: usize, tiles: [usize; 2]) -> [usize; 3] {
    let inside = tile % (tiles[0] * tiles[1]);
    [tile / (tiles[0] * tiles[1]), inside / tiles[1], inside % tiles[1]]
}

/// Elements from one point to the next. A line more than the tiles take: points a power of two apart would drive each other
/// out of a first-level cache.
fn point<T: Real>(many: usize, wide: usize) -> usize {
    many * wide + T::outer_tile().cols
}

/// What a task works in: transformed tiles and their products with the windows.
struct Room<T> {
    stride: Stride,
    /// `[points, many, deep]`.
    tiles: Vec<T>,
    /// `[points, many, wide]`.
    sums: Vec<T>,
    /// Two rows of results of one block.
    lines: Vec<T>,
    many: usize,
    deep: usize,
    wide: usize,
}

impl<T: Real> Room<T> {
    fn new(stride: Stride, many: usize, deep: usize, wide: usize) -> Self {
        let zeros = |n: usize| vec![T::ZERO; n];
        Self {
            stride,
            tiles: zeros(stride.points() * point::<T>(many, deep)),
            sums: zeros(stride.points() * point::<T>(many, wide)),
            lines: zeros(4 * many * T::outer_tile().cols),
            many,
            deep,
            wide,
        }
    }

    fn tiles(&mut self, x: &[T], frame: &Frame, blocks: usize, places: &[[usize; 3]]) {
        let width = T::outer_tile().cols;
        let tiles = Tiles {
            starts: &frame.starts::<T>(blocks, 0, places),
            blocks,
            block: frame.block::<T>(),
            row: frame.size[1] * width,
            lines: (0, self.stride.side()),
            to: [point::<T>(self.many, self.deep), self.deep, width],
        };
        match self.stride {
            Stride::One => transform::image(&tiles, x, &mut self.tiles),
            Stride::Two => strided::image(&tiles, x, &mut self.tiles),
        }
    }

    fn multiply(&mut self, windows: &[T], ci: usize, count: usize) {
        let tile = T::outer_tile();
        let tiles = self.tiles.chunks_exact(point::<T>(self.many, self.deep));
        for (point, (tiles, sums)) in
            tiles.zip(self.sums.chunks_exact_mut(point::<T>(self.many, self.wide))).enumerate()
        {
            for first in (0..ci).step_by(DEPTH) {
                let depth = DEPTH.min(ci - first);
                let onto = if first == 0 { Onto::Nothing } else { Onto::Sums };
                let windows = windows.chunks_exact(ci * tile.cols).skip(point).step_by(self.stride.points());
                for (block, windows) in windows.enumerate() {
                    for rows in even(count, tile.rows) {
                        let factors = Factors {
                            a: &tiles[rows.start * self.deep + first..],
                            down: self.deep,
                            along: 1,
                            b: &windows[first * tile.cols..],
                            step: tile.cols,
                            depth,
                            rows: rows.len(),
                        };
                        let sums = &mut sums[rows.start * self.wide + block * tile.cols..];
                        T::strided(&factors, onto, &mut Rows::of(sums, rows.len(), tile.cols, self.wide));
                    }
                }
            }
        }
    }

    /// Writes the results of the tiles; whether one of them is not finite.
    fn write(&mut self, places: &[[usize; 3]], to: Side, bias: Option<&[T]>, out: &Output<'_, T>) -> bool {
        let width = T::outer_tile().cols;
        let mut spoilt = false;
        let mut first = 0;
        // Tiles that are neighbours in a row go together.
        for run in places.chunk_by(|a, b| a[..2] == b[..2]) {
            let [image, row, col] = run[0];
            for block in 0..self.wide / width {
                let sums = Sums {
                    from: &self.sums[first * self.wide + block * width..],
                    point: point::<T>(self.many, self.wide),
                    wide: self.wide,
                    count: run.len(),
                    bias: bias.map(|bias| &bias[block * width..]),
                    stride: self.stride,
                };
                let line = 2 * run.len() * width;
                transform::result(sums, &mut self.lines, &mut spoilt);
                let planes = width.min(to.channels - block * width);
                let cols = (2 * run.len()).min(to.size[1] - 2 * col);
                for r in 0..2.min(to.size[0] - 2 * row) {
                    let plane = image * to.channels + block * width;
                    let at = (plane * to.size[0] + 2 * row + r) * to.size[1] + 2 * col;
                    let area = to.size[0] * to.size[1];
                    // SAFETY: tiles are dealt out to tasks, each to one, and each has its own results.
                    #[allow(unsafe_code)]
                    let mut to = unsafe { Rows::new(out.part(at, (planes - 1) * area + cols), planes, cols, area) };
                    turn(&self.lines[r * line..][..line], width, &mut to);
                }
            }
            first += run.len();
        }
        spoilt
    }
}
