//! The transforms for a stride of 2: windows of two taps and of one over the even and the odd positions of a tile, each by the algorithm
//! for stride 1. Five by five inputs give two by two results by 25 products where the sum over taps takes 36.
//!
//! Along an axis, with inputs `d` and taps `g`: `(d0 - d2) g0`, `d2 (g0 + g2)`, `(d4 - d2) g2`, `d1 g1` and `d3 g1`; the first result is the sum of the
//! first, second and fourth, the second that of the second, third and fifth.

use super::transform::Tiles;
use crate::host::Real;
use crate::vector::{Vector, widest};
use std::mem::MaybeUninit;

/// Inputs of a tile along an axis, and points.
const SIDE: usize = 5;

widest! {
    /// The transforms of tiles of 5 x 5 positions.
    pub(super) fn image<T, V>(tiles: &Tiles<'_>, from: &[T], to: &mut [T]) {
        assert!(tiles.lines == (0, SIDE) && tiles.fit::<T>(SIDE, SIDE, from.len(), to.len()), "tiles of an image");
        let (width, [point, next, apart]) = (T::outer_tile().cols, tiles.to);
        for (t, start) in tiles.starts.iter().enumerate() {
            for (block, lane) in (0..tiles.blocks).flat_map(|block| (0..width).step_by(V::LANES).map(move |lane| (block, lane))) {
                // SAFETY: all positions of all tiles exist, by the assertion above; the level has the vector's instructions.
                #[allow(unsafe_code)]
                unsafe {
                    let read = from.as_ptr().add(start + block * tiles.block + lane);
                    let write = to.as_mut_ptr().add(t * next + block * apart + lane);
                    let mut rows = [[V::all(T::ZERO); SIDE]; SIDE];
                    for j in 0..SIDE {
                        let d: [V; SIDE] = std::array::from_fn(|i| V::load(read.add(i * tiles.row + j * width)));
                        for (row, v) in rows.iter_mut().zip([d[0].minus(d[2]), d[2], d[4].minus(d[2]), d[1], d[3]]) {
                            row[j] = v;
                        }
                    }
                    for (i, d) in rows.into_iter().enumerate() {
                        let all = [d[0].minus(d[2]), d[2], d[4].minus(d[2]), d[1], d[3]];
                        all.into_iter().enumerate().for_each(|(j, v)| v.store(write.add((SIDE * i + j) * point)));
                    }
                }
            }
        }
    }
}

widest! {
    /// The transforms of windows of 3 x 3: `taps` has the nine lines of a block's channels of each window, `to` gets a line for each point,
    /// `point` elements apart.
    pub(super) fn windows<T, V>(taps: &[T], to: &mut [MaybeUninit<T>], point: usize) {
        let width = T::outer_tile().cols;
        let count = taps.len() / (9 * width);
        assert!(count == 0 || to.len() >= (SIDE * SIDE - 1) * point + count * width, "lines of windows");
        for at in 0..count {
            for lane in (0..width).step_by(V::LANES) {
                // SAFETY: nine lines of each window and a line of each point exist, by the assertion above; the level has the vector's
                // instructions.
                #[allow(unsafe_code)]
                unsafe {
                    let read = taps.as_ptr().add(at * 9 * width + lane);
                    let write = to.as_mut_ptr().cast::<T>().add(at * width + lane);
                    let mut rows = [[V::all(T::ZERO); 3]; SIDE];
                    for j in 0..3 {
                        let g: [V; 3] = std::array::from_fn(|i| V::load(read.add((3 * i + j) * width)));
                        for (row, v) in rows.iter_mut().zip([g[0], g[0].plus(g[2]), g[2], g[1], g[1]]) {
                            row[j] = v;
                        }
                    }
                    for (i, g) in rows.into_iter().enumerate() {
                        let all = [g[0], g[0].plus(g[2]), g[2], g[1], g[1]];
                        all.into_iter().enumerate().for_each(|(j, v)| v.store(write.add((SIDE * i + j) * point)));
                    }
                }
            }
        }
    }
}
