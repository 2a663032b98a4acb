//! Maps that only cut a window out and mirror it: pixels are moved where they lie.

use super::matrix::exchanges_axes;
use super::sample::Sample;
use super::way::Way;
use pleach_simd::{exchange, prefetch_stretch};

/// A window of a frame, and which of its axes are mirrored.
struct Window {
    left: usize,
    top: usize,
    mirrored: [bool; 2],
}

/// The window that a map shows; none where it is no such map, or reaches outside.
fn window(way: &Way<'_>, from: (usize, usize), size: (usize, usize)) -> Option<Window> {
    if !way.keeps_axes() || way.within.is_some() || exchanges_axes(&way.matrix) {
        return None;
    }
    let axis = |scale: f64, shift: f64, len: usize, count: usize| {
        let first = if scale < 0.0 { shift - (count as f64 - 1.0) } else { shift };
        let inside = first >= 0.0 && first + count as f64 <= len as f64;
        (scale.abs() == 1.0 && shift.fract() == 0.0 && inside).then_some((first as usize, scale < 0.0))
    };
    let [x, y, _] = way.matrix;
    let (left, across) = axis(x[0], x[2], from.0, size.0)?;
    let (top, down) = axis(y[1], y[2], from.1, size.1)?;
    Some(Window { left, top, mirrored: [across, down] })
}

/// Turns the pixels of a frame into those of a window of it; false, and nothing done, where the map is no such one.
pub(super) fn moved<T: Sample>(
    data: &mut Vec<T>,
    from: (usize, usize, usize),
    way: &Way<'_>,
    size: (usize, usize),
) -> bool {
    let (width, height, channels) = from;
    let Some(at) = window(way, (width, height), size) else { return false };
    let (row, len) = (size.0 * channels, size.0 * size.1 * channels);
    if row == 0 || data.len() != width * height * channels {
        return false;
    }
    let start = |y: usize| ((at.top + y) * width + at.left) * channels;
    if 2 * len < data.capacity() {
        // A small window does not hold the memory of the whole.
        let mut out = Vec::with_capacity(len);
        (0..size.1).for_each(|y| out.extend_from_slice(&data[start(y)..][..row]));
        *data = out;
    } else if len != data.len() {
        (0..size.1).for_each(|y| data.copy_within(start(y)..start(y) + row, y * row));
        data.truncate(len);
    }
    if at.mirrored[0] {
        for y in 0..size.1 {
            // Rows are read from both ends at once, which no machine foresees.
            prefetch_stretch(data.as_ptr().wrapping_add((y + 1) * row), row);
            T::mirror(&mut data[y * row..][..row], channels);
        }
    }
    if at.mirrored[1] {
        let (upper, lower) = data.split_at_mut(size.1 / 2 * row);
        let lower = lower.chunks_exact_mut(row).rev();
        upper.chunks_exact_mut(row).zip(lower).for_each(|(a, b)| exchange(a, b));
    }
    true
}

#[cfg(test)]
mod tests {
    use super::super::edge::Edge;
    use super::super::resample::resample;
    use super::super::{Interpolation, Warp};
    use super::*;
    use pleach_simd::Grid;
    use proptest::prelude::*;

    fn both<T: Sample + PartialEq + std::fmt::Debug>(
        sample: impl Fn(usize) -> T,
        from: (usize, usize, usize),
        warp: &Warp,
    ) -> Result<(), TestCaseError> {
        let (width, height, channels) = from;
        let way = Way { matrix: warp.matrix, field: None, within: None };
        let data: Vec<T> = (0..width * height * channels).map(sample).collect();
        let edge = Edge::Constant([data[0]; 4]);
        let grid = Grid { data: &data, width, height, channels };
        let want = resample(&grid, &way, warp.size, Interpolation::Bilinear, edge);
        let mut got = data.clone();
        prop_assert!(moved(&mut got, from, &way, warp.size));
        prop_assert!(got.capacity() <= 2 * got.len());
        prop_assert_eq!(got, want);
        Ok(())
    }

    /// A side, and where a part of it begins and how long it is.
    fn part_of(most: usize) -> impl Strategy<Value = (usize, usize, usize)> {
        let begun = (1..most).prop_flat_map(|n| (Just(n), 0..n));
        begun.prop_flat_map(|(n, start)| (Just(n), Just(start), 1..=n - start))
    }

    proptest! {
        #[test]
        fn moved_pixels_are_the_sampled_ones(
            (width, left, w) in part_of(40), (height, top, h) in part_of(30),
            channels in 1usize..6, across: bool, down: bool,
        ) {
            let mut warp = Warp::crop(left as i64, top as i64, (w, h));
            if across {
                warp = warp.then(&Warp::hflip((w, h)));
            }
            if down {
                warp = warp.then(&Warp::vflip((w, h)));
            }
            both(|i| (i * 31 + i / 7) as u8, (width, height, channels), &warp)?;
            both(|i| (i * 310 + i / 7) as u16, (width, height, channels), &warp)?;
            both(|i| i as f32 * 0.25, (width, height, channels), &warp)?;
        }
    }

    #[test]
    fn what_reaches_outside_or_turns_is_not_moved() {
        let mut data = vec![7_u8; 12];
        for warp in
            [Warp::crop(-1, 0, (4, 3)), Warp::crop(1, 0, (4, 3)), Warp::turn((4, 3), 1), Warp::rotate((4, 3), 5.0)]
        {
            let way = Way { matrix: warp.matrix, field: None, within: None };
            assert!(!moved(&mut data, (4, 3, 1), &way, warp.size), "{warp:?}");
        }
        assert_eq!(data.len(), 12);
    }
}
