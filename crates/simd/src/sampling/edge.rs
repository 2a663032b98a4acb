//! What is sampled at the edge of a grid and outside of it.

use super::{BLOCK, Grid, Outside, blend};

/// Folds places back into the grid, as far as one image away; those that stay outside are told by [`outside_of`].
#[inline(always)]
pub(super) fn fold<T>(at: &mut [i32; BLOCK], last: i32, outside: &Outside<T>) {
    match outside {
        Outside::Is(_) | Outside::Faded(_) => {}
        Outside::Nearest => at.iter_mut().for_each(|v| *v = (*v).clamp(0, last)),
        Outside::Mirrored => {
            for v in at {
                let over = last.wrapping_sub((v.wrapping_abs()).wrapping_sub(last).wrapping_abs());
                *v = over;
            }
        }
    }
}

/// 1 for each place outside the grid.
#[inline(always)]
pub(super) fn outside_of(x: &[i32; BLOCK], y: &[i32; BLOCK], right: i32, bottom: i32) -> [i32; BLOCK] {
    let mut beyond = [0; BLOCK];
    for i in 0..BLOCK {
        let low = i32::from(x[i] < 0) | i32::from(y[i] < 0);
        beyond[i] = low | i32::from(x[i] > right) | i32::from(y[i] > bottom);
    }
    beyond
}

/// [`fold`] for any place of a mirrored grid.
#[inline(never)]
pub(crate) fn fold_far(at: i32, last: i32) -> i32 {
    let (at, last) = (i64::from(at), i64::from(last));
    let at = at.rem_euclid(2 * last);
    at.min(2 * last - at) as i32
}

/// A pixel some of whose four neighbours lie outside, where that is a value.
#[inline(never)]
pub(super) fn at_the_edge(from: &Grid<'_, u8>, (x, y): (i32, i32), outside: Outside<u8>, out: &mut [u8]) {
    let Some(fill) = outside.value() else { return };
    let (col, row) = (x >> 16, y >> 16);
    let (wx, wy) = (((x & 0xffff) >> 1) as i16, ((y & 0xffff) >> 1) as i16);
    let inside = |i: i32, n: usize| (0..n as i32).contains(&i);
    for (k, out) in out.iter_mut().enumerate() {
        let fill = fill[k.min(3)];
        let at = |(row, col): (i32, i32)| {
            let here = inside(row, from.height) && inside(col, from.width);
            let at = || from.data.get((row as usize * from.width + col as usize) * from.channels + k).copied();
            if here { at() } else { None }
        };
        let four = [(row, col), (row, col + 1), (row + 1, col), (row + 1, col + 1)].map(at);
        *out = match outside {
            Outside::Faded(_) => faded(four, wx.into(), wy.into(), fill.into()),
            _ => blend(four.map(|v| v.unwrap_or(fill)), wx, wy),
        };
    }
}

/// What four samples, some of which are none, fade into; weights have 15 bits.
fn faded(four: [Option<u8>; 4], x: i64, y: i64, fill: i64) -> u8 {
    let (left, top) = (0x8000 - x, 0x8000 - y);
    let weights = [left * top, x * top, left * y, x * y];
    let sum = |of: fn(u8) -> i64| {
        let all: i64 = four.iter().zip(weights).map(|(v, w)| v.map_or(0, |v| of(v) * w)).sum();
        (all + 0x4000) >> 15
    };
    let (mask, sample) = (sum(|_| 1), sum(i64::from));
    ((mask * (sample - (fill << 15)) + (fill << 30) + (1 << 29)) >> 30) as u8
}
