//! The forward pass and the gradient of the input: transformed tiles times transformed windows, transformed back.

use super::super::blocked::Output;
use super::deep;
use super::frame::{Frame, turned};
use super::strided;
use super::transform::{self, Stride, Sums, Tiles};
use crate::fresh;
use crate::host::Real;
use crate::matrix::even;
use crate::tile::{Factors, Onto, Soon};
use crate::turn::{Rows, turn};
use crate::workspaces::Workspaces;
use pleach_simd::{par_each, prefetch_stretch, threads};
use std::mem::MaybeUninit;
use std::ops::Range;
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
/// Windows that are called for before they are read.
const AHEAD: usize = 4;

/// How the windows of a convolution are read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reading {
    /// As they are, `[output channels, input channels]`.
    Forward(Stride),
    /// Turned round, and their channels exchanged.
    Backward,
}

impl Reading {
    pub fn stride(self) -> Stride {
        match self {
            Self::Forward(stride) => stride,
            Self::Backward => Stride::One,
        }
    }
}

/// The windows of a convolution, to be transformed block by block of output channels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Windows<'a, T> {
    pub w: &'a [T],
    /// Input channels.
    pub ci: usize,
    /// Output channels.
    pub co: usize,
    pub reading: Reading,
}

impl<T: Real> Windows<'_, T> {
    /// All of them: `[blocks of output channels, points, input channels, a block's channels]`.
    fn all(&self) -> Vec<T> {
        let line = self.ci * T::outer_tile().cols;
        let block = self.reading.stride().points() * line;
        let blocks = self.co.div_ceil(T::outer_tile().cols);
        // SAFETY: each input channel's windows, those that pad the last block as well, have a line at each point, which are all lines.
        #[allow(unsafe_code)]
        unsafe {
            fresh::blocks_written(blocks * block, block, |block, out| self.transform(block, 0..self.ci, out, line))
        }
    }

    /// Where the windows of a block for some input channels lie: in stretches of so many elements.
    pub fn stretches(&self, block: usize, channels: Range<usize>) -> (Vec<usize>, usize) {
        let width = T::outer_tile().cols;
        let outputs = block * width..self.co.min((block + 1) * width);
        let [along, down] = self.steps();
        let first = channels.start * along + outputs.start * down;
        let (count, step, windows) =
            if along == 9 { (outputs.len(), down, channels.len()) } else { (channels.len(), along, outputs.len()) };
        ((0..count).map(|i| first + i * step).collect(), 9 * windows)
    }

    /// Elements from an input channel's window to the next, and from an output channel's.
    fn steps(&self) -> [usize; 2] {
        match self.reading {
            Reading::Forward(_) => [9, 9 * self.ci],
            Reading::Backward => [9 * self.co, 9],
        }
    }

    /// A line for each of some input channels at each point of a block, `point` elements from a point to the next.
    pub fn transform(&self, block: usize, channels: Range<usize>, out: &mut [MaybeUninit<T>], point: usize) {
        let width = T::outer_tile().cols;
        let [along, down] = self.steps();
        let order = match self.reading {
            Reading::Forward(_) => [0, 1, 2, 3],
            Reading::Backward => [3, 1, 2, 0],
        };
        let mut taps = vec![T::ZERO; TOGETHER * 9 * width];
        let wide = width.min(self.co - block * width);
        for first in channels.clone().step_by(TOGETHER) {
            let count = TOGETHER.min(channels.end - first);
            // Windows that lie side by side are turned together.
            let run = if along == 9 { count } else { 1 };
            for (c, taps) in (0..count).step_by(run).zip(taps.chunks_mut(run * 9 * width)) {
                if run == 1 {
                    // Windows this far apart are foreseen by no machine.
                    let soon = (first + c + AHEAD) * along + block * width * down;
                    prefetch_stretch(self.w.as_ptr().wrapping_add(soon), wide * down);
                }
                let from = &self.w[(first + c) * along + block * width * down..];
                turn(from, down, &mut Rows::of(taps, run * 9, wide, width));
            }
            let (taps, out) = (&taps[..count * 9 * width], &mut out[(first - channels.start) * width..]);
            match self.reading.stride() {
                Stride::One => transform::windows(taps, out, point, order),
                Stride::Two => strided::windows(taps, out, point),
            }
        }
    }
}

/// The convolution of `x` with windows, `padding` zeros around `x`; nothing where a result is not finite.
pub(super) fn product<T: Real>(
    images: usize,
    x: &[T],
    from: Side,
    windows: &Windows<'_, T>,
    to: Side,
    padding: [usize; 2],
    bias: Option<&[T]>,
) -> Option<Vec<T>> {
    let (width, stride) = (T::outer_tile().cols, windows.reading.stride());
    let tiles = to.size.map(|size| size.div_ceil(2));
    let step = stride.step();
    let size = tiles.map(|n| step * n + stride.side() - step);
    let frame = Frame { image: from.size, before: padding, size, step };
    let x = turned(x, from.channels, &frame);
    let bias = bias.map(|bias| {
        let mut all = bias.to_vec();
        all.resize(to.channels.next_multiple_of(width), T::ZERO);
        all
    });
    let len = images * to.channels * to.size[0] * to.size[1];
    let mut y = Vec::new();
    let out = Output::new(&mut y, len);
    let results = Results { stride, to, bias: bias.as_deref(), out: &out };
    let images = Images { x: &x, frame: &frame, count: images, tiles };
    let finite = if deep::pays(windows, &images) {
        deep::product(windows, &images, &results)
    } else {
        by_tiles(windows, &images, &results)
    };
    if !finite {
        return None;
    }
    // SAFETY: the results of all tiles have been written, which are all results.
    #[allow(unsafe_code)]
    unsafe {
        y.set_len(len);
    }
    Some(y)
}

/// The images that tiles are read from.
pub(super) struct Images<'a, T> {
    /// In frames, channels side by side: see [`turned`].
    pub x: &'a [T],
    pub frame: &'a Frame,
    pub count: usize,
    /// Tiles of an image: rows and columns.
    pub tiles: [usize; 2],
}

impl<T: Real> Images<'_, T> {
    /// The transforms of tiles for some of all `deep` blocks of channels, with so many elements from a point to the next, from a tile to
    /// the next and from a block to the next.
    pub fn transform(
        &self,
        stride: Stride,
        (deep, blocks): (usize, Range<usize>),
        places: &[[usize; 3]],
        to: [usize; 3],
        out: &mut [T],
    ) {
        let tiles = Tiles {
            starts: &self.frame.starts::<T>(deep, blocks.start, places),
            blocks: blocks.len(),
            block: self.frame.block::<T>(),
            row: self.frame.size[1] * T::outer_tile().cols,
            lines: (0, stride.side()),
            to,
        };
        match stride {
            Stride::One => transform::image(&tiles, self.x, out),
            Stride::Two => strided::image(&tiles, self.x, out),
        }
    }

    /// Tiles of all images.
    pub fn total(&self) -> usize {
        self.count * self.tiles[0] * self.tiles[1]
    }

    /// Tiles by image, row and column.
    pub fn places(&self, tiles: Range<usize>) -> Vec<[usize; 3]> {
        tiles.map(|tile| place(tile, self.tiles)).collect()
    }
}

/// Some tiles at a time, all channels: whether all results are finite.
fn by_tiles<T: Real>(windows: &Windows<'_, T>, images: &Images<'_, T>, results: &Results<'_, T>) -> bool {
    let (width, stride) = (T::outer_tile().cols, results.stride);
    let (deep, wide) = (windows.ci.div_ceil(width), windows.co.div_ceil(width));
    let transformed = windows.all();
    let total = images.total();
    // As many tiles at a time as the cache has room for, or, where windows are more than tiles, as many as have windows read no
    // more often than tiles; and as many rounds in a task as leave tasks enough.
    let one = stride.points() * (deep + wide) * width * size_of::<T>();
    let rows = T::outer_tile().rows;
    let alike = deep * wide * width / (deep + wide);
    let many = (ROOM / one).max(8 * rows).max(alike).min(total.div_ceil(threads())).next_multiple_of(rows);
    let many = total.div_ceil(total.div_ceil(many).max(1)).max(1);
    let rounds = total.div_ceil(many * PLENTY).max(1);
    let (spoilt, rooms) = (AtomicBool::new(false), Workspaces::new());
    par_each(total.div_ceil(many * rounds), |task| {
        rooms.with(
            || Room::new(stride, many, deep * width, wide * width),
            |room| {
                for round in task * rounds..(task + 1) * rounds {
                    let range = round * many..((round + 1) * many).min(total);
                    if range.is_empty() {
                        break;
                    }
                    let places = images.places(range);
                    let to = [point::<T>(many, room.deep), room.deep, width];
                    images.transform(stride, (deep, 0..deep), &places, to, &mut room.tiles);
                    room.multiply(&transformed, windows.ci, places.len());
                    let sums = [point::<T>(many, room.wide), room.wide];
                    if !results.write(&room.sums, sums, 0..wide, &places, &mut room.lines) {
                        spoilt.store(true, Ordering::Relaxed);
                    }
                }
            },
        );
    });
    !spoilt.into_inner()
}

/// A tile's image, row and column.
pub(super) fn place(tile: usize, tiles: [usize; 2]) -> [usize; 3] {
    let inside = tile % (tiles[0] * tiles[1]);
    [tile / (tiles[0] * tiles[1]), inside / tiles[1], inside % tiles[1]]
}

/// Elements from one point to the next. A line more than the tiles take: points a power of two apart would drive each other
/// out of a first-level cache.
pub(super) fn point<T: Real>(many: usize, wide: usize) -> usize {
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
                            soon: Soon::NOTHING,
                        };
                        let sums = &mut sums[rows.start * self.wide + block * tile.cols..];
                        T::strided(&factors, onto, &mut Rows::of(sums, rows.len(), tile.cols, self.wide));
                    }
                }
            }
        }
    }
}

/// Where results go.
pub(super) struct Results<'a, T> {
    pub stride: Stride,
    pub to: Side,
    /// For each channel, those that pad the last block as well.
    pub bias: Option<&'a [T]>,
    pub out: &'a Output<'a, T>,
}

impl<T: Real> Results<'_, T> {
    /// Writes the results of tiles for some blocks of channels, of sums `point` elements from a point to the next and `wide` from a tile
    /// to the next; whether all of them are finite. Nobody else writes the same. `lines` has room for two rows of results of a block.
    pub fn write(
        &self,
        sums: &[T],
        [point, wide]: [usize; 2],
        blocks: Range<usize>,
        places: &[[usize; 3]],
        lines: &mut [T],
    ) -> bool {
        let (width, to) = (T::outer_tile().cols, self.to);
        let mut spoilt = false;
        let mut first = 0;
        // Tiles that are neighbours in a row go together.
        for run in places.chunk_by(|&[image, row, col], next| [image, row, col + 1] == *next) {
            let [image, row, col] = run[0];
            for (i, block) in blocks.clone().enumerate() {
                let sums = Sums {
                    from: &sums[first * wide + i * width..],
                    point,
                    wide,
                    count: run.len(),
                    bias: self.bias.map(|bias| &bias[block * width..]),
                    stride: self.stride,
                };
                let line = 2 * run.len() * width;
                transform::result(sums, lines, &mut spoilt);
                let planes = width.min(to.channels - block * width);
                let cols = (2 * run.len()).min(to.size[1] - 2 * col);
                for r in 0..2.min(to.size[0] - 2 * row) {
                    let plane = image * to.channels + block * width;
                    let at = (plane * to.size[0] + 2 * row + r) * to.size[1] + 2 * col;
                    let area = to.size[0] * to.size[1];
                    // SAFETY: tiles and blocks are dealt out to tasks, each to one, and each has its own results.
                    #[allow(unsafe_code)]
                    let mut to =
                        unsafe { Rows::new(self.out.part(at, (planes - 1) * area + cols), planes, cols, area) };
                    turn(&lines[r * line..][..line], width, &mut to);
                }
            }
            first += run.len();
        }
        !spoilt
    }
}
