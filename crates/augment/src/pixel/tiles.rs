//! Tables of tiles, which are mixed between the middles of tiles.

use super::filter::reflect;
use super::rounding::byte;
use std::ops::Range;

type Table = [u8; 256];

/// The table of a tile from its counts.
fn table(mut counts: [u32; 256], clip: f64, pixels: usize) -> Table {
    let limit = ((clip * pixels as f64 / 256.0) as u32).max(1);
    let mut cut = 0;
    for n in &mut counts {
        cut += n.saturating_sub(limit);
        *n = (*n).min(limit);
    }
    // What was cut off is dealt out again, and what cannot be divided goes to levels at even distances.
    let (each, mut rest) = (cut / 256, cut % 256);
    counts.iter_mut().for_each(|n| *n += each);
    let step = 256_usize.checked_div(rest as usize).unwrap_or(256).max(1);
    for n in counts.iter_mut().step_by(step) {
        if rest == 0 {
            break;
        }
        *n += 1;
        rest -= 1;
    }
    let scale = 255.0 / pixels as f32;
    let mut sum = 0;
    counts.map(|n| {
        sum += n;
        (sum as f32 * scale).round_ties_even().clamp(0.0, 255.0) as u8
    })
}

/// The two tiles between whose middles a place lies, and the share of the second.
fn between(place: usize, side: usize, tiles: usize) -> (usize, usize, f32) {
    let at = place as f32 * (1.0 / side as f32) - 0.5;
    let first = at.floor();
    ((first as i32).max(0) as usize, (first as i32 + 1).clamp(0, tiles as i32 - 1) as usize, at - first)
}

/// The counts of a tile's levels; what is beyond the image is mirrored.
fn counts(plane: &[u8], (width, height): (usize, usize), across: Range<usize>, down: Range<usize>) -> [u32; 256] {
    // Pixels go to two counts in turn: neighbours are often equal, and a count that was just written is slow to read.
    let mut counts = [[0_u32; 256]; 2];
    for y in down {
        let row = &plane[reflect(y as isize, height) * width..][..width];
        let inside = &row[across.start.min(width)..across.end.min(width)];
        for pair in inside.chunks(2) {
            for (x, counts) in pair.iter().zip(&mut counts) {
                counts[usize::from(*x)] += 1;
            }
        }
        for x in across.start.max(width)..across.end {
            counts[0][usize::from(row[reflect(x as isize, width)])] += 1;
        }
    }
    let [mut all, more] = counts;
    all.iter_mut().zip(more).for_each(|(n, more)| *n += more);
    all
}

/// Columns between the middles of the same two tiles: how many, and which tiles.
struct Stretch {
    columns: usize,
    left: usize,
    right: usize,
}

/// Changes a plane of one channel.
pub(crate) fn equalize(plane: &mut [u8], (width, height): (usize, usize), clip: f64, (across, down): (usize, usize)) {
    // Where tiles do not fit, the image is mirrored to the right and downwards, by a whole number of tiles' rows.
    let fits = width.is_multiple_of(across) && height.is_multiple_of(down);
    let (wide, high) =
        if fits { (width, height) } else { (width + across - width % across, height + down - height % down) };
    let (tw, th) = (wide / across, high / down);
    let mut tables = Vec::with_capacity(across * down);
    for ty in 0..down {
        for tx in 0..across {
            let counts = counts(plane, (width, height), tx * tw..(tx + 1) * tw, ty * th..(ty + 1) * th);
            tables.push(table(counts, clip, tw * th));
        }
    }
    let (mut stretches, mut parts): (Vec<Stretch>, _) = (Vec::new(), Vec::with_capacity(width));
    for x in 0..width {
        let (left, right, part) = between(x, tw, across);
        parts.push(part);
        match stretches.last_mut() {
            Some(last) if (last.left, last.right) == (left, right) => last.columns += 1,
            _ => stretches.push(Stretch { columns: 1, left, right }),
        }
    }
    // The four tables of each stretch side by side: one look-up finds what all of them have for a level.
    let mut fours = vec![[[0; 4]; 256]; stretches.len()];
    let (mut of, mut found) = (None, vec![[0; 4]; width]);
    for (y, row) in plane.chunks_exact_mut(width).enumerate() {
        let (first, second, share) = between(y, th, down);
        if of.replace((first, second)) != Some((first, second)) {
            let (upper, lower) = (&tables[first * across..][..across], &tables[second * across..][..across]);
            for (four, at) in fours.iter_mut().zip(&stretches) {
                let sides = [&upper[at.left], &upper[at.right], &lower[at.left], &lower[at.right]];
                four.iter_mut().enumerate().for_each(|(level, four)| *four = sides.map(|table| table[level]));
            }
        }
        let (mut levels, mut places) = (&*row, &mut *found);
        for (four, at) in fours.iter().zip(&stretches) {
            let (now, later) = levels.split_at(at.columns);
            let (to, rest) = places.split_at_mut(at.columns);
            to.iter_mut().zip(now).for_each(|(to, level)| *to = four[usize::from(*level)]);
            (levels, places) = (later, rest);
        }
        mix::<u8>(&found, &parts, share, row);
    }
}

pleach_simd::lanes! {
    fn mix<T: Copy>(found: &[[u8; 4]], parts: &[f32], share: f32, out: &mut [u8]) {
        for ((x, four), &part) in out.iter_mut().zip(found).zip(parts) {
            let four = u32::from_le_bytes(*four);
            let along = |shift: u32| {
                let (left, right) = ((four >> shift & 255) as f32, (four >> (shift + 8) & 255) as f32);
                left * (1.0 - part) + right * part
            };
            *x = byte((along(0) * (1.0 - share) + along(16) * share).clamp(0.0, 255.0));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn each_sample_is_a_mix_of_what_four_tables_have_for_it(
            width in 8_usize..70, height in 6_usize..40, across in 1_usize..6, down in 1_usize..5, clip in 1.0..4.0, seed: u32,
        ) {
            let sample = |i: usize| (i as u32 + 1).wrapping_mul(seed | 1).wrapping_mul(2_654_435_761) >> 25;
            let plane: Vec<u8> = (0..width * height).map(|i| sample(i) as u8).collect();
            let mut got = plane.clone();
            equalize(&mut got, (width, height), clip, (across, down));
            let fits = width % across == 0 && height % down == 0;
            let side = |n: usize, tiles: usize| if fits { n / tiles } else { (n + tiles - n % tiles) / tiles };
            let (tw, th) = (side(width, across), side(height, down));
            let tables: Vec<Table> = (0..across * down).map(|tile| {
                let mut counts = [0; 256];
                for i in 0..tw * th {
                    let (x, y) = (tile % across * tw + i % tw, tile / across * th + i / tw);
                    let at = reflect(y as isize, height) * width + reflect(x as isize, width);
                    counts[usize::from(plane[at])] += 1;
                }
                table(counts, clip, tw * th)
            }).collect();
            for (i, (&before, &after)) in plane.iter().zip(&got).enumerate() {
                let (left, right, part) = between(i % width, tw, across);
                let (upper, lower, share) = between(i / width, th, down);
                let of = |ty: usize, tx: usize| f32::from(tables[ty * across + tx][usize::from(before)]);
                let along = |ty: usize| of(ty, left) * (1.0 - part) + of(ty, right) * part;
                let want = (along(upper) * (1.0 - share) + along(lower) * share).round_ties_even() as u8;
                prop_assert_eq!(after, want);
            }
        }
    }
}
