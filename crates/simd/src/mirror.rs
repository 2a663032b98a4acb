//! Mirrors rows of pixels where they lie.

/// Puts pixels of three bytes into the opposite order.
pub fn mirror_rgb(row: &mut [u8]) {
    let n = row.len() / 3;
    let row = &mut row[..3 * n];
    #[cfg(target_arch = "x86_64")]
    let done = {
        #[allow(unsafe_code)]
        // SAFETY: every level but the portable one has SSSE3.
        if crate::level() == crate::Level::Portable { 0 } else { unsafe { by_fives(row) } }
    };
    #[cfg(not(target_arch = "x86_64"))]
    let done = 0;
    mirror(&mut row[3 * done..3 * (n - done)], 3);
}

/// Puts pixels of so many samples into the opposite order.
pub fn mirror<T>(row: &mut [T], channels: usize) {
    row.reverse();
    if channels > 1 {
        row.chunks_exact_mut(channels).for_each(<[T]>::reverse);
    }
}

/// Exchanges five pixels of the beginning and of the end at a time, while there are 16 bytes for each; how many pixels
/// of either side that made.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "ssse3")]
#[allow(unsafe_code)]
fn by_fives(row: &mut [u8]) -> usize {
    use std::arch::x86_64::{
        __m128i, _mm_and_si128, _mm_loadu_si128, _mm_or_si128, _mm_setr_epi8, _mm_shuffle_epi8, _mm_storeu_si128,
    };
    // Each load has a byte of the next five, which stays: the last one in front, the first one at the end.
    let to_front = _mm_setr_epi8(13, 14, 15, 10, 11, 12, 7, 8, 9, 4, 5, 6, 1, 2, 3, -1);
    let to_end = _mm_setr_epi8(-1, 12, 13, 14, 9, 10, 11, 6, 7, 8, 3, 4, 5, 0, 1, 2);
    let last = _mm_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -1);
    let first = _mm_setr_epi8(-1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    let (bytes, mut done) = (row.len(), 0);
    let there = |done: usize| 6 * done + 32 <= bytes;
    let at = row.as_mut_ptr();
    // SAFETY: wherever `there`, 3 done + 16 <= bytes - 3 done - 16, so that 16 bytes are there for either side and
    // have none in common.
    unsafe {
        let load = |done: usize| {
            let front = _mm_loadu_si128(at.add(3 * done).cast::<__m128i>());
            (front, _mm_loadu_si128(at.add(bytes - 3 * done - 16).cast::<__m128i>()))
        };
        let mut next = there(0).then(|| load(0));
        while let Some((a, b)) = next {
            // Read before the stores that end in the first of these bytes, or the load would wait for them.
            next = there(done + 5).then(|| load(done + 5));
            let front = _mm_or_si128(_mm_shuffle_epi8(b, to_front), _mm_and_si128(a, last));
            let end = _mm_or_si128(_mm_shuffle_epi8(a, to_end), _mm_and_si128(b, first));
            _mm_storeu_si128(at.add(3 * done).cast::<__m128i>(), front);
            _mm_storeu_si128(at.add(bytes - 3 * done - 16).cast::<__m128i>(), end);
            done += 5;
        }
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_last_pixel_becomes_the_first(n in 0usize..70, channels in 1usize..6, seed: u8) {
            let from: Vec<u8> = (0..n * channels).map(|i| (i as u8).wrapping_mul(37) ^ seed).collect();
            let want: Vec<u8> = from.chunks(channels).rev().flatten().copied().collect();
            let mut any = from.clone();
            mirror(&mut any, channels);
            prop_assert_eq!(&any, &want);
            if channels == 3 {
                let mut colours = from;
                mirror_rgb(&mut colours);
                prop_assert_eq!(&colours, &want);
            }
        }
    }
}
