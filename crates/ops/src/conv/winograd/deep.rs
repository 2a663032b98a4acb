//! The product of deep layers over small images, whose windows outweigh their tiles: a block of output channels' windows is transformed
//! for some input channels at a time, into the cache, and multiplied with all tiles before the next. In memory, all transformed windows
//! would be 16 numbers for 9, written and read once each.

use super::product::{Images, Results, Windows, point};
use crate::fresh;
use crate::host::Real;
use crate::matrix::even;
use crate::tile::{Factors, Onto, Soon};
use crate::turn::Rows;
use crate::workspaces::Workspaces;
use pleach_simd::par_each;
use std::sync::atomic::{AtomicBool, Ordering};

/// Input channels that are worked on at a time: a panel of windows stays in a first-level cache.
const DEPTH: usize = 128;
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
    let places = images.places(0..total);

    // Tiles in slabs of `DEPTH` channels: `[points, tiles, channels]`.
    let blocks = (DEPTH / width).clamp(1, deep);
    let depth = blocks * width;
    let tile_point = point::<T>(total, depth);
    let tiles = fresh::blocks(deep.div_ceil(blocks) * points * tile_point, points * tile_point, |slab, out| {
        let first = slab * blocks;
        images.transform(stride, (deep, first..(first + blocks).min(deep)), &places, [tile_point, depth, width], out);
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
                let onto = if first == 0 { Onto::Nothing } else { Onto::Sums };
                for (at, (tiles, sums)) in
                    tiles.chunks_exact(tile_point).zip(sums.chunks_exact_mut(sums_point)).enumerate()
                {
                    for (block, panels) in panels.chunks_exact(points * window_point).take(group.len()).enumerate() {
                        for rows in even(total, tile.rows) {
                            let factors = Factors {
                                a: &tiles[rows.start * depth..],
                                down: depth,
                                along: 1,
                                b: &panels[at * window_point..],
                                step: width,
                                depth: channels.len(),
                                rows: rows.len(),
                                soon: Soon::NOTHING,
                            };
                            let sums = &mut sums[rows.start * sums_wide + block * width..];
                            T::strided(&factors, onto, &mut Rows::of(sums, rows.len(), width, sums_wide));
                        }
                    }
                }
            }
            if !results.write(sums, [sums_point, sums_wide], group.clone(), &places, lines) {
                spoilt.store(true, Ordering::Relaxed);
            }
        });
    });
    !spoilt.into_inner()
}
