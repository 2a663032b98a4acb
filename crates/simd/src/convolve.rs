//! Convolves rows of 8 bits with a symmetric kernel in whole numbers: down columns, and then along the row.
//!
//! A kernel is given by its upper half, centre first: half the centre's weight, then the weight of each pair, with 16
//! bits of fraction. Between the two passes a sample has 6 bits of fraction. Every machine gives the same numbers.

/// `round(a b / 2^15)`.
#[inline(always)]
fn scaled(a: i16, b: i16) -> i16 {
    ((i32::from(a) * i32::from(b) + (1 << 14)) >> 15) as i16
}

/// The sum of pairs of rows, the k-th of which lies k rows above and below, from some sample on.
fn down_from(from: usize, pairs: &[(&[u8], &[u8])], weights: &[i16], out: &mut [i16]) {
    for (i, out) in out.iter_mut().enumerate().skip(from) {
        let pair =
            |((a, b), weight): (&(&[u8], &[u8]), &i16)| scaled((i16::from(a[i]) + i16::from(b[i])) << 5, *weight);
        *out = pairs.iter().zip(weights).map(pair).sum();
    }
}

/// The sum of pairs of samples, the k-th of which lies k pixels before and behind, from some sample on.
fn along_from(from: usize, row: &[i16], weights: &[i16], channels: usize, out: &mut [u8]) {
    let centre = weights.len().saturating_sub(1) * channels;
    for (i, out) in out.iter_mut().enumerate().skip(from) {
        let pair = |(k, weight): (usize, &i16)| {
            scaled(row[centre + i - k * channels] + row[centre + i + k * channels], *weight)
        };
        let sum = weights.iter().enumerate().map(pair).sum::<i16>() + 64;
        *out = (sum >> 7).clamp(0, 255) as u8;
    }
}

/// Convolves columns: the k-th pair has the rows k above and below, each as long as `out`.
pub fn convolve_down(pairs: &[(&[u8], &[u8])], weights: &[i16], out: &mut [i16]) {
    let n = out.len();
    assert!(pairs.iter().all(|(a, b)| a.len() >= n && b.len() >= n), "the rows are as long as what is made of them");
    #[cfg(target_arch = "x86_64")]
    let done = {
        #[allow(unsafe_code)]
        // SAFETY: every level but the portable one has AVX2, and all rows have `n` samples.
        if crate::level() == crate::Level::Portable { 0 } else { unsafe { vectors::down(pairs, weights, out) } }
    };
    #[cfg(not(target_arch = "x86_64"))]
    let done = 0;
    down_from(done, pairs, weights, out);
}

/// Convolves a row, and rounds it to 8 bits; `row` has one pixel less than the kernel's half on either side of what
/// becomes `out`.
pub fn convolve_along(row: &[i16], weights: &[i16], channels: usize, out: &mut [u8]) {
    let margin = weights.len().saturating_sub(1) * channels;
    assert!(row.len() >= out.len() + 2 * margin, "a row has margins");
    #[cfg(target_arch = "x86_64")]
    let done = {
        #[allow(unsafe_code)]
        // SAFETY: every level but the portable one has AVX2, and the row has its margins.
        if crate::level() == crate::Level::Portable {
            0
        } else {
            unsafe { vectors::along(row, weights, channels, out) }
        }
    };
    #[cfg(not(target_arch = "x86_64"))]
    let done = 0;
    along_from(done, row, weights, channels, out);
}

/// 32 samples at a time; each function says how many samples that made.
#[cfg(target_arch = "x86_64")]
mod vectors {
    use std::arch::x86_64::{
        __m256i, _mm_loadu_si128, _mm256_add_epi16, _mm256_cvtepu8_epi16, _mm256_loadu_si256, _mm256_mulhrs_epi16,
        _mm256_packus_epi16, _mm256_permute4x64_epi64, _mm256_set1_epi16, _mm256_setzero_si256, _mm256_slli_epi16,
        _mm256_srai_epi16, _mm256_storeu_si256,
    };

    const STEP: usize = 32;

    /// # Safety
    /// Every row has as many samples as `out`.
    #[target_feature(enable = "avx2")]
    #[allow(unsafe_code)]
    pub(super) unsafe fn down(pairs: &[(&[u8], &[u8])], weights: &[i16], out: &mut [i16]) -> usize {
        let blocks = out.as_chunks_mut::<STEP>().0;
        for (i, block) in blocks.iter_mut().enumerate() {
            let mut sums = [_mm256_setzero_si256(); 2];
            for ((a, b), &weight) in pairs.iter().zip(weights) {
                let weight = _mm256_set1_epi16(weight);
                for (half, sum) in sums.iter_mut().enumerate() {
                    // SAFETY: by the caller's word: the block's 32 samples are in either row.
                    let load = |row: &[u8]| unsafe {
                        _mm256_cvtepu8_epi16(_mm_loadu_si128(row.as_ptr().add(STEP * i + 16 * half).cast()))
                    };
                    let both = _mm256_slli_epi16::<5>(_mm256_add_epi16(load(a), load(b)));
                    *sum = _mm256_add_epi16(*sum, _mm256_mulhrs_epi16(both, weight));
                }
            }
            for (half, sum) in sums.into_iter().enumerate() {
                // SAFETY: the block has 32 samples.
                unsafe { _mm256_storeu_si256(block.as_mut_ptr().add(16 * half).cast::<__m256i>(), sum) };
            }
        }
        blocks.len() * STEP
    }

    /// # Safety
    /// `row` has a margin of `channels` samples for each weight but one, on either side of what becomes `out`.
    #[target_feature(enable = "avx2")]
    #[allow(unsafe_code)]
    pub(super) unsafe fn along(row: &[i16], weights: &[i16], channels: usize, out: &mut [u8]) -> usize {
        let margin = weights.len().saturating_sub(1) * channels;
        let blocks = out.as_chunks_mut::<STEP>().0;
        for (i, block) in blocks.iter_mut().enumerate() {
            let mut sums = [_mm256_set1_epi16(64); 2];
            for (k, &weight) in weights.iter().enumerate() {
                let weight = _mm256_set1_epi16(weight);
                for (half, sum) in sums.iter_mut().enumerate() {
                    let centre = margin + STEP * i + 16 * half;
                    // SAFETY: by the caller's word: k is below the number of weights.
                    let load = |at: usize| unsafe { _mm256_loadu_si256(row.as_ptr().add(at).cast()) };
                    let both = _mm256_add_epi16(load(centre - k * channels), load(centre + k * channels));
                    *sum = _mm256_add_epi16(*sum, _mm256_mulhrs_epi16(both, weight));
                }
            }
            let [a, b] = sums.map(|sum| _mm256_srai_epi16::<7>(sum));
            // Bytes are packed within halves of a register.
            let bytes = _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packus_epi16(a, b));
            // SAFETY: the block has 32 bytes.
            unsafe { _mm256_storeu_si256(block.as_mut_ptr().cast::<__m256i>(), bytes) };
        }
        blocks.len() * STEP
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::numbers;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_level_gives_the_numbers_of_the_definition(
            n in 0usize..150, taps in 1usize..7, channels in 1usize..5, seed: u32,
        ) {
            let mut next = numbers(seed);
            // Weights that sum to one half, as those of a kernel do.
            let weights: Vec<i16> = (0..taps).map(|_| (next() % (32768 / taps as u16)) as i16).collect();
            let rows: Vec<Vec<u8>> = (0..2 * taps).map(|_| (0..n).map(|_| next() as u8).collect()).collect();
            let pairs: Vec<(&[u8], &[u8])> = rows.chunks(2).map(|p| (p[0].as_slice(), p[1].as_slice())).collect();
            let (mut quick, mut plain) = (vec![7; n], vec![9; n]);
            convolve_down(&pairs, &weights, &mut quick);
            down_from(0, &pairs, &weights, &mut plain);
            prop_assert_eq!(&quick, &plain);
            let row: Vec<i16> = (0..n + 2 * (taps - 1) * channels).map(|_| (next() % 16321) as i16).collect();
            let (mut quick, mut plain) = (vec![7; n], vec![9; n]);
            convolve_along(&row, &weights, channels, &mut quick);
            along_from(0, &row, &weights, channels, &mut plain);
            prop_assert_eq!(&quick, &plain);
        }
    }
}
