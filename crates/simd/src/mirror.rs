//! Mirrors rows of pixels where they lie, and exchanges rows.

use crate::lanes;

/// Puts pixels of three bytes into the opposite order.
pub fn mirror_rgb(row: &mut [u8]) {
    let n = row.len() / 3;
    let row = &mut row[..3 * n];
    #[cfg(target_arch = "x86_64")]
    let done = {
        #[allow(unsafe_code)]
        // SAFETY: every level but the portable one has AVX2.
        if crate::level() == crate::Level::Portable { 0 } else { unsafe { by_sixteens(row) } }
    };
    #[cfg(not(target_arch = "x86_64"))]
    let done = 0;
    backwards(&mut row[3 * done..3 * (n - done)], 3);
}

/// Puts pixels of so many samples into the opposite order.
pub fn mirror<T: Copy>(row: &mut [T], channels: usize) {
    match channels {
        0 | 1 => reverse(row),
        2 => reverse(row.as_chunks_mut::<2>().0),
        3 => reverse(row.as_chunks_mut::<3>().0),
        4 => reverse(row.as_chunks_mut::<4>().0),
        _ => backwards(row, channels),
    }
}

fn backwards<T>(row: &mut [T], channels: usize) {
    row.reverse();
    row.chunks_exact_mut(channels).for_each(<[T]>::reverse);
}

lanes! {
    fn reverse<T: Copy>(row: &mut [T]) {
        row.reverse();
    }
}

lanes! {
    /// Exchanges what two rows have, as far as both reach.
    pub fn exchange<T: Copy>(a: &mut [T], b: &mut [T]) {
        for (a, b) in a.iter_mut().zip(b) {
            std::mem::swap(a, b);
        }
    }
}

/// Exchanges sixteen pixels of the beginning and of the end at a time, while there are as many for each; how many pixels
/// of either side that made.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn by_sixteens(row: &mut [u8]) -> usize {
    use crate::rgb::twice;
    use std::arch::x86_64::{
        __m128i, _mm_loadu_si128, _mm_storeu_si128, _mm256_castsi256_si128, _mm256_extracti128_si256, _mm256_or_si256,
        _mm256_set_m128i, _mm256_shuffle_epi8,
    };
    /// Where the bytes of a third of the mirrored pixels are in one of the thirds that they come from.
    const fn order(to: usize, from: usize) -> [i8; 16] {
        let mut order = [-1; 16];
        let mut i = 0;
        while i < 16 {
            let byte = 16 * to + i;
            let source = 3 * (15 - byte / 3) + byte % 3;
            if source / 16 == from {
                order[i] = (source % 16) as i8;
            }
            i += 1;
        }
        order
    }
    const ORDERS: [[i8; 16]; 7] =
        [order(0, 1), order(0, 2), order(1, 0), order(1, 1), order(1, 2), order(2, 0), order(2, 1)];
    let (first_b, first_c, second_a) = (twice(&ORDERS[0]), twice(&ORDERS[1]), twice(&ORDERS[2]));
    let (second_b, second_c, third_a, third_b) =
        (twice(&ORDERS[3]), twice(&ORDERS[4]), twice(&ORDERS[5]), twice(&ORDERS[6]));
    let steps = row.len() / 96;
    let (front, end) = row.split_at_mut(row.len() / 2);
    for (front, end) in front.as_chunks_mut::<48>().0.iter_mut().zip(end.as_rchunks_mut::<48>().1.iter_mut().rev()) {
        // What goes to the front is in the lower halves.
        let part = |i: usize| {
            #[allow(unsafe_code)]
            // SAFETY: three times 16 bytes are the 48 that there are.
            let load = |from: &[u8; 48]| unsafe { _mm_loadu_si128(from.as_ptr().add(16 * i).cast::<__m128i>()) };
            _mm256_set_m128i(load(front), load(end))
        };
        let (a, b, c) = (part(0), part(1), part(2));
        let (shuffle, or) = (_mm256_shuffle_epi8, _mm256_or_si256);
        let mirrored = [
            or(shuffle(b, first_b), shuffle(c, first_c)),
            or(or(shuffle(a, second_a), shuffle(b, second_b)), shuffle(c, second_c)),
            or(shuffle(a, third_a), shuffle(b, third_b)),
        ];
        for (i, part) in mirrored.into_iter().enumerate() {
            #[allow(unsafe_code)]
            // SAFETY: as for the loads.
            unsafe {
                _mm_storeu_si128(front.as_mut_ptr().add(16 * i).cast(), _mm256_castsi256_si128(part));
                _mm_storeu_si128(end.as_mut_ptr().add(16 * i).cast(), _mm256_extracti128_si256::<1>(part));
            }
        }
    }
    16 * steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_last_pixel_becomes_the_first(n in 0usize..130, channels in 1usize..6, seed: u8) {
            let from: Vec<u8> = (0..n * channels).map(|i| (i as u8).wrapping_mul(37) ^ seed).collect();
            let want: Vec<u8> = from.chunks(channels).rev().flatten().copied().collect();
            let mut any = from.clone();
            mirror(&mut any, channels);
            prop_assert_eq!(&any, &want);
            let wide: Vec<u16> = from.iter().map(|&x| u16::from(x) << 7).collect();
            let mut any = wide.clone();
            mirror(&mut any, channels);
            prop_assert_eq!(any, want.iter().map(|&x| u16::from(x) << 7).collect::<Vec<_>>());
            let (mut a, mut b) = (wide.clone(), wide.iter().map(|x| !x).collect::<Vec<_>>());
            exchange(&mut a, &mut b);
            prop_assert!(a.iter().zip(&wide).all(|(a, from)| *a == !from));
            prop_assert_eq!(b, wide);
            if channels == 3 {
                let mut colours = from;
                mirror_rgb(&mut colours);
                prop_assert_eq!(&colours, &want);
            }
        }
    }
}
