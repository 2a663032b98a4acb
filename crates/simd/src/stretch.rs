//! Samples a grid at places in rows and columns: along each row of the source once, and then between two of them.

use crate::halve;
use crate::lanes;
use crate::sampling::{Channels, Four, Grid, One, Outside, Three, Two, blend_along, fold_far, high, sample_bilinear};

/// Where the pixels of a row or a column lie between two pixels of the source: the first of them, and 15 bits from
/// there to the second.
struct Places {
    first: Vec<i32>,
    weight: Vec<i32>,
}

impl Places {
    fn new(at: impl ExactSizeIterator<Item = (i32, i32)>) -> Self {
        let mut all = Self { first: Vec::with_capacity(at.len() + 4), weight: Vec::with_capacity(at.len() + 4) };
        for (first, weight) in at {
            all.first.push(first);
            all.weight.push(weight);
        }
        all
    }
}

/// A place of fixed point between the first and the last one of a side.
fn split(at: i32, last: i32) -> (i32, i32) {
    // The last place has its pixel as the second of a pair, with the whole weight.
    let at = at.clamp(0, last - 2);
    (at >> 16, (at & 0xffff) >> 1)
}

/// The same of a side with one pixel more at either end, which stands for all outside.
fn split_framed(at: i32, last: i32) -> (i32, i32) {
    if (0..=last).contains(&at) {
        let (first, weight) = split(at, last);
        (first + 1, weight)
    } else if at <= -0x1_0000 || at >= last + 0x1_0000 {
        (0, 0)
    } else {
        ((at >> 16) + 1, (at & 0xffff) >> 1)
    }
}

fn last_of(n: usize) -> i32 {
    ((n - 1) as i32) << 16
}

/// The first of the pixels of a side of which each two that follow each other make one, if that is so everywhere.
fn halves(at: &[i32], n: usize) -> Option<usize> {
    let first = *at.first()?;
    let last = i64::from(first) + 0x2_0000 * (at.len() as i64 - 1);
    let all = at.iter().zip(0i64..).all(|(at, i)| i64::from(*at) == i64::from(first) + 0x2_0000 * i);
    (all && first >= 0 && first & 0xffff == 0x8000 && last < last_of(n).into()).then_some((first >> 16) as usize)
}

/// The pixels of a grid of at most four channels whose places are `x` in each row and `y` in each column, row by row
/// behind what `out` has: byte by byte those of [`sample_bilinear`](crate::sample_bilinear).
///
/// False, and nothing done, where the grid is not [`addressable`](Grid::addressable), has more channels, or fades.
pub fn stretch_bilinear(from: &Grid<'_, u8>, x: &[i32], y: &[i32], outside: Outside<u8>, out: &mut Vec<u8>) -> bool {
    if !from.addressable() || !(1..=4).contains(&from.channels) || matches!(outside, Outside::Faded(_)) {
        return false;
    }
    if let (Some(left), Some(top)) = (halves(x, from.width), halves(y, from.height)) {
        halved(from, [left, top], [x.len(), y.len()], out);
        return true;
    }
    match from.channels {
        1 => rows::<One>(from, x, y, outside, out),
        2 => rows::<Two>(from, x, y, outside, out),
        3 => rows::<Three>(from, x, y, outside, out),
        _ => rows::<Four>(from, x, y, outside, out),
    }
    true
}

/// Places in the middle of four pixels: what is made of them is their mean, rounded as [`halve`] does.
fn halved(from: &Grid<'_, u8>, [left, top]: [usize; 2], [width, height]: [usize; 2], out: &mut Vec<u8>) {
    let (stride, n) = (from.width * from.channels, width * from.channels);
    let mut line = vec![0; n];
    out.reserve(n * height);
    for y in 0..height {
        let row = |y: usize| &from.data[(top + y) * stride + left * from.channels..][..2 * n];
        halve(row(2 * y), row(2 * y + 1), from.channels, &mut line);
        out.extend_from_slice(&line);
    }
}

/// A row of the source that was sampled along.
struct Made {
    of: usize,
    samples: Vec<i16>,
}

fn rows<C: Channels>(from: &Grid<'_, u8>, x: &[i32], y: &[i32], outside: Outside<u8>, out: &mut Vec<u8>) {
    let (n, stride) = (x.len() * C::N, from.width * C::N);
    let (right, bottom) = (last_of(from.width), last_of(from.height));
    let fill = outside.value();
    let bounded = |at: i32, last: i32| match outside {
        Outside::Mirrored => fold_far(at, last),
        _ => at,
    };
    // What is constant outside stands beside each row.
    let beside = fill.filter(|_| x.iter().any(|at| !(0..=right).contains(at)));
    let mut across = match beside {
        Some(_) => Places::new(x.iter().map(|at| split_framed(*at, right))),
        None => Places::new(x.iter().map(|at| split(bounded(*at, right), right))),
    };
    across.first.iter_mut().for_each(|first| *first *= C::N as i32);
    // Whole registers of pixels; the last ones are again the first, and fall away.
    for list in [&mut across.first, &mut across.weight] {
        let first = list.first().copied().unwrap_or(0);
        list.resize(list.len().next_multiple_of(4), first);
    }
    let mut line = vec![0; stride + 2 * C::N + 8];
    let own = if beside.is_some() { C::N } else { 0 };
    if let Some(fill) = beside {
        line[..C::N].copy_from_slice(&fill[..C::N]);
        line[C::N + stride..][..C::N].copy_from_slice(&fill[..C::N]);
    }
    let room = across.first.len() * C::N + 8;
    let mut made = [(); 2].map(|()| Made { of: usize::MAX, samples: vec![0; room] });
    let (mut row, mut level) = (vec![0; n], Vec::new());
    out.reserve(n * y.len());
    for &at in y {
        if fill.is_some() && !(0..bottom).contains(&at) {
            // Beyond the first and the last row, or in the last one, where columns outside have nothing below.
            level.clear();
            level.resize(x.len(), at);
            sample_bilinear(from, x, &level, outside, &mut row);
            out.extend_from_slice(&row);
            continue;
        }
        let (first, weight) = split(bounded(at, bottom), bottom);
        let first = first as usize;
        // A row that was the lower one may be the upper one now, and the other way round in a mirrored grid.
        if made[1].of == first || made[0].of == first + 1 {
            made.swap(0, 1);
        }
        for (i, made) in made.iter_mut().enumerate() {
            if made.of == first + i {
                continue;
            }
            let source = &from.data[(first + i) * stride..];
            // Whole registers are read, also at the end of the last row.
            let source = if beside.is_some() || source.len() < stride + 8 {
                line[own..own + stride].copy_from_slice(&source[..stride]);
                &line[..]
            } else {
                &source[..stride + 8]
            };
            blend_along::<C>(source, &across.first, &across.weight, &mut made.samples);
            made.of = first + i;
        }
        down::<u8>(&made[0].samples[..n], &made[1].samples[..n], weight as i16, &mut row);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::bytes;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn halves_are_what_lies_between_four_pixels(
            (left, top) in (0usize..5, 0usize..5), (w, h) in (1usize..60, 1usize..20), more in 0usize..3,
            channels in 1usize..=4, kind in 0usize..3, seed: u32,
        ) {
            let (width, height) = (left + 2 * w + more, top + 2 * h + more);
            let data = bytes(width * height * channels, seed);
            let from = Grid { data: &data, width, height, channels };
            let outside = [Outside::Is([9; 4]), Outside::Nearest, Outside::Mirrored][kind];
            let middles = |first: usize, n: usize| -> Vec<i32> {
                (0..n).map(|i| ((first + 2 * i) << 16) as i32 + 0x8000).collect()
            };
            let (x, y) = (middles(left, w), middles(top, h));
            prop_assert_eq!((halves(&x, width), halves(&y, height)), (Some(left), Some(top)));
            let mut made = Vec::new();
            prop_assert!(stretch_bilinear(&from, &x, &y, outside, &mut made));
            for (y, made) in y.iter().zip(made.chunks(w * channels)) {
                let mut want = vec![0; w * channels];
                sample_bilinear(&from, &x, &vec![*y; w], outside, &mut want);
                prop_assert_eq!(made, &want);
            }
        }
    }

    #[test]
    fn only_middles_of_two_inside_are_halves() {
        let middles = |first: i32| [first, first + 0x2_0000, first + 0x4_0000];
        assert_eq!(halves(&middles(0x1_8000), 7), Some(1));
        for (at, n) in [(middles(0x1_8000), 6), (middles(-0x8000), 9), (middles(0x8001), 9), ([0x8000; 3], 9)] {
            assert_eq!(halves(&at, n), None, "{at:?} {n}");
        }
        assert_eq!(halves(&[], 4), None);
    }
}
