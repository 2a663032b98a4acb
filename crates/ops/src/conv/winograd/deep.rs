//! The product of deep layers over small images, whose windows outweigh their tiles: a block of output channels' windows is transformed
//! for some input channels at a time, into the cache, and multiplied with all tiles before the next. In memory, all transformed windows
//! would be 16 numbers for 9, written and read once each. Where an image ends within a tile, sums that no result needs are left out.

use super::product::{Images, Results, Windows, point};
use super::transform::Stride;
use crate::fresh;
use crate::host::Real;
use crate::matrix::even;
use crate::tile::{Factors, Onto, SLAB, Soon};
use crate::turn::Rows;
use crate::workspaces::Workspaces;
use pleach_simd::par_each;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

/// Input channels that are worked on at a time: a panel of windows stays in a first-level cache.
const DEPTH: usize = SLAB;
/// Bytes of windows and sums of a task: a second-level cache.
const ROOM: usize = 1 << 20;
/// More tiles than this have room for too few channels.
const TILES: usize = 256;

/// Whether windows outweigh tiles.
pub(super) fn pays<T: Real>(windows: &Windows<'_, T>, images: &Images<'_, T>) -> bool {
    images.total() <= TILES.min(windows.co)
}

/// Some output channels at a time, all tiles: whether all results are finite.
pub(super) fn product<T: Real>(windows: &Windows<'_, T>, images: &Images<'_, T>, results: &Results<'_, T>) -> bool {
    let (tile, stride, total) = (T::outer_tile(), results.stride, images.total());
    let (width, points) = (tile.cols, stride.points());
    let (deep, wide) = (windows.ci.div_ceil(width), windows.co.div_ceil(width));
    let order = Order::new(images, results.to.size);
    let places = &order.places;

    // Tiles in slabs of `DEPTH` channels: `[points, tiles, channels]`.
    let blocks = (DEPTH / width).clamp(1, deep);
    let depth = blocks * width;
    let tile_point = point::<T>(total, depth);
    let tiles = fresh::blocks(deep.div_ceil(blocks) * points * tile_point, points * tile_point, |slab, out| {
        let first = slab * blocks;
        images.transform(stride, (deep, first..(first + blocks).min(deep)), places, [tile_point, depth, width], out);
    });

    let most = (ROOM / (points * (depth + total) * width * size_of::<T>())).clamp(1, wide);
    let window_point = point::<T>(depth, width);
    let (spoilt, rooms) = (AtomicBool::new(false), Workspaces::new());
    let zeros = |n: usize| vec![T::ZERO; n];
    let make = || {
        let sums = zeros(points * point::<T>(total, most * width));
        (zeros(most * points * window_point), sums, zeros(4 * total * width))
    };
    par_each(wide.div_ceil(most), |task| {
        let group = task * most..((task + 1) * most).min(wide);
        let sums_wide = group.len() * width;
        let sums_point = point::<T>(total, sums_wide);
        rooms.with(make, |(panels, sums, lines)| {
            for (tiles, first) in tiles.chunks_exact(points * tile_point).zip((0..windows.ci).step_by(depth)) {
                let channels = first..(first + depth).min(windows.ci);
                for (block, panels) in group.clone().zip(panels.chunks_exact_mut(points * window_point)) {
                    // SAFETY: a transform writes numbers alone.
                    #[allow(unsafe_code)]
                    windows.transform(block, channels.clone(), unsafe { fresh::to_be_written(panels) }, window_point);
                }
                // What is transformed next is called for during the products.
                let next = (first + depth).min(windows.ci)..(first + 2 * depth).min(windows.ci);
                let stretches: Vec<_> = group.clone().map(|block| windows.stretches(block, next.clone())).collect();
                let onto = if first == 0 { Onto::Nothing } else { Onto::Sums };
                for (at, (tiles, sums)) in
                    tiles.chunks_exact(tile_point).zip(sums.chunks_exact_mut(sums_point)).enumerate()
                {
                    let needed = order.needed(stride, at);
                    let blocks = panels.chunks_exact(points * window_point).zip(&stretches).enumerate();
                    for (block, (panels, (starts, len))) in blocks {
                        let soon = Soon::new(windows.w, starts, *len).part(at, points);
                        let parts = even(needed.len(), tile.rows);
                        let count = parts.len();
                        for (i, rows) in parts.enumerate() {
                            let rows = needed.start + rows.start..needed.start + rows.end;
                            let factors = Factors {
                                a: &tiles[rows.start * depth..],
                                down: depth,
                                along: 1,
                                b: &panels[at * window_point..],
                                step: width,
                                depth: channels.len(),
                                rows: rows.len(),
                                soon: soon.part(i, count),
                            };
                            let sums = &mut sums[rows.start * sums_wide + block * width..];
                            T::strided(&factors, onto, &mut Rows::of(sums, rows.len(), width, sums_wide));
                        }
                    }
                }
            }
            if !results.write(sums, [sums_point, sums_wide], group.clone(), places, lines) {
                spoilt.store(true, Ordering::Relaxed);
            }
        });
    });
    !spoilt.into_inner()
}

/// Tiles in an order in which those that need the sums at a point are neighbours: first those of which the image has one column alone,
/// then the whole ones, those of which it has one row alone, and those of which it has neither.
struct Order {
    places: Vec<[usize; 3]>,
    /// Where the whole ones are, and where those of one row end.
    whole: Range<usize>,
    rows_end: usize,
}

impl Order {
    /// Of results of this size.
    fn new<T: Real>(images: &Images<'_, T>, size: [usize; 2]) -> Self {
        let cut = |axis: usize, at: usize| size[axis] % 2 == 1 && at + 1 == images.tiles[axis];
        let turn = |&[_, row, col]: &[usize; 3]| match (cut(0, row), cut(1, col)) {
            (false, true) => 0,
            (false, false) => 1,
            (true, false) => 2,
            (true, true) => 3,
        };
        let mut places = images.places(0..images.total());
        places.sort_by_key(turn);
        let before = |last: usize| places.partition_point(|place| turn(place) < last);
        Self { whole: before(1)..before(2), rows_end: before(3), places }
    }

    /// The tiles of which a result needs the sum at a point.
    fn needed(&self, stride: Stride, point: usize) -> Range<usize> {
        let [down, along] = [point / stride.side(), point % stride.side()].map(|p| stride.first_needs(p));
        let start = if along { 0 } else { self.whole.start };
        let end = match (down, along) {
            (true, true) => self.places.len(),
            (true, false) => self.rows_end,
            (false, _) => self.whole.end,
        };
        start..end
    }
}
