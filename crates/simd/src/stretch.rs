//! Samples a grid at places in rows and columns: along each row of the source once, and then between two of them.

use crate::lanes;
use crate::sampling::{Channels, Four, Grid, One, Outside, Three, Two, blend_along, fold_far, high};

/// Where the pixels of a row or a column lie between two pixels of the source: the first of them, and 15 bits from
/// there to the second.
struct Places {
    first: Vec<i32>,
    weight: Vec<i32>,
}

/// Places of fixed point within a side of `n` pixels; none where something constant outside is met.
fn places(at: &[i32], n: usize, outside: Outside<u8>) -> Option<Places> {
    let last = ((n - 1) as i32) << 16;
    let mut all = Places { first: Vec::with_capacity(at.len() + 4), weight: Vec::with_capacity(at.len() + 4) };
    for &at in at {
        let at = match outside {
            Outside::Is(_) | Outside::Faded(_) if !(0..=last).contains(&at) => return None,
            Outside::Mirrored => fold_far(at, last),
            _ => at,
        };
        // The last place has its pixel as the second of a pair, with the whole weight.
        let at = at.clamp(0, last - 2);
        all.first.push(at >> 16);
        all.weight.push((at & 0xffff) >> 1);
    }
    Some(all)
}

/// The pixels of a grid of at most four channels whose places are `x` in each row and `y` in each column, row by row
/// behind what `out` has: byte by byte those of [`sample_bilinear`](crate::sample_bilinear).
///
/// False, and nothing done, where the grid is not [`addressable`](Grid::addressable), has more channels, or a place
/// lies outside where that is constant.
pub fn stretch_bilinear(from: &Grid<'_, u8>, x: &[i32], y: &[i32], outside: Outside<u8>, out: &mut Vec<u8>) -> bool {
    if !from.addressable() {
        return false;
    }
    let (Some(x), Some(y)) = (places(x, from.width, outside), places(y, from.height, outside)) else { return false };
    match from.channels {
        1 => rows::<One>(from, x, &y, out),
        2 => rows::<Two>(from, x, &y, out),
        3 => rows::<Three>(from, x, &y, out),
        4 => rows::<Four>(from, x, &y, out),
        _ => return false,
    }
    true
}

fn rows<C: Channels>(from: &Grid<'_, u8>, mut x: Places, y: &Places, out: &mut Vec<u8>) {
    let (n, stride) = (x.first.len() * C::N, from.width * C::N);
    out.reserve(n * y.first.len());
    x.first.iter_mut().for_each(|first| *first *= C::N as i32);
    // Whole registers of pixels; the last ones are again the first, and fall away.
    for list in [&mut x.first, &mut x.weight] {
        let first = list.first().copied().unwrap_or(0);
        list.resize(list.len().next_multiple_of(4), first);
    }
    let room = x.first.len() * C::N + 8;
    let mut made = [(usize::MAX, vec![0i16; room]), (usize::MAX, vec![0i16; room])];
    let (mut last, mut row) = (vec![0; stride + 8], vec![0; n]);
    for (&first, &weight) in y.first.iter().zip(&y.weight) {
        let first = first as usize;
        // A row that was the lower one may be the upper one now, and the other way round in a mirrored grid.
        if made[1].0 == first || made[0].0 == first + 1 {
            made.swap(0, 1);
        }
        for (line, made) in made.iter_mut().enumerate() {
            if made.0 != first + line {
                let source = &from.data[(first + line) * stride..];
                let source = if source.len() < stride + 8 {
                    // Whole registers are read, also at the end of the last row.
                    last[..stride].copy_from_slice(&source[..stride]);
                    &last[..]
                } else {
                    &source[..stride + 8]
                };
                blend_along::<C>(source, &x.first, &x.weight, &mut made.1);
                made.0 = first + line;
            }
        }
        down::<u8>(&made[0].1[..n], &made[1].1[..n], weight as i16, &mut row);
        out.extend_from_slice(&row);
    }
}

lanes! {
    fn down<T: Copy>(top: &[i16], bottom: &[i16], weight: i16, out: &mut [u8]) {
        for ((out, &top), &bottom) in out.iter_mut().zip(top).zip(bottom) {
            *out = crate::sampling::rounded(top.wrapping_add(high(bottom.wrapping_sub(top) << 1, weight)));
        }
    }
}
