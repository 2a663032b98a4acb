//! Means of two by two pixels.

/// Half a row of pixels: each is the rounded mean of two in the upper and two in the lower row, a half being rounded up.
/// Without effect where a row is shorter than twice `out`.
pub fn halve(top: &[u8], bottom: &[u8], channels: usize, out: &mut [u8]) {
    let n = 2 * out.len();
    let (Some(top), Some(bottom)) = (top.get(..n), bottom.get(..n)) else { return };
    let mut done = 0;
    #[cfg(target_arch = "x86_64")]
    if crate::level() != crate::Level::Portable {
        #[allow(unsafe_code)]
        // SAFETY: every level but the portable one has AVX2; both rows have twice the samples of `out`.
        unsafe {
            done = match channels {
                1 => vectors::means::<1>(top, bottom, out),
                2 => vectors::means::<2>(top, bottom, out),
                3 => vectors::means::<3>(top, bottom, out),
                4 => vectors::means::<4>(top, bottom, out),
                _ => 0,
            };
        }
    }
    plain(&top[2 * done..], &bottom[2 * done..], channels.max(1), &mut out[done..]);
}

fn plain(top: &[u8], bottom: &[u8], channels: usize, out: &mut [u8]) {
    for (i, out) in out.iter_mut().enumerate() {
        let at = 2 * (i - i % channels) + i % channels;
        let sum: u16 = [top[at], top[at + channels], bottom[at], bottom[at + channels]].map(u16::from).iter().sum();
        *out = ((sum + 2) >> 2) as u8;
    }
}

#[cfg(target_arch = "x86_64")]
mod vectors {
    use std::arch::x86_64::{
        __m256i, _mm_loadu_si128, _mm_storeu_si128, _mm256_add_epi16, _mm256_castsi256_si128, _mm256_extracti128_si256,
        _mm256_loadu_si256, _mm256_maddubs_epi16, _mm256_packus_epi16, _mm256_set_m128i, _mm256_set1_epi8,
        _mm256_set1_epi16, _mm256_shuffle_epi8, _mm256_srli_epi16,
    };

    /// Samples that are read together: whole pairs of pixels in at most 16.
    const fn read(channels: usize) -> usize {
        16 / (2 * channels) * 2 * channels
    }

    /// The samples of two pixels side by side, channel by channel.
    const fn pairs(channels: usize) -> [i8; 32] {
        let mut all = [-1; 32];
        let mut i = 0;
        while i < 32 {
            let (pair, at) = (i % 16 / (2 * channels), i % 16 % (2 * channels));
            if i % 16 < read(channels) {
                all[i] = (pair * 2 * channels + at % 2 * channels + at / 2) as i8;
            }
            i += 1;
        }
        all
    }

    /// What two reads leave in eight bytes each, without gaps.
    const fn together(channels: usize) -> [i8; 32] {
        let (mut all, made) = ([-1; 32], read(channels) / 2);
        let mut i = 0;
        while i < 32 {
            if i % 16 < 2 * made {
                all[i] = (i % 16 / made * 8 + i % 16 % made) as i8;
            }
            i += 1;
        }
        all
    }

    /// Means of as many samples as whole registers have; how many there are.
    ///
    /// # Safety
    /// Either row has twice the samples of `out`.
    #[target_feature(enable = "avx2")]
    #[allow(unsafe_code)]
    pub(super) unsafe fn means<const CHANNELS: usize>(top: &[u8], bottom: &[u8], out: &mut [u8]) -> usize {
        let table = |bytes: [i8; 32]| {
            // SAFETY: it has 32 bytes.
            unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
        };
        let (beside, gapless) = (table(const { pairs(CHANNELS) }), table(const { together(CHANNELS) }));
        let (one, two) = (_mm256_set1_epi8(1), _mm256_set1_epi16(2));
        let read = const { read(CHANNELS) };
        let mut done = 0;
        // Four reads make twice what one of them reads; the last one of a row, and the last store, are 16 bytes wide.
        while done + read + 16 <= out.len() {
            let sums = |row: &[u8], n: usize| -> __m256i {
                // SAFETY: 2 * done + 3 * read + 16 is no more than 2 * out.len().
                let samples = unsafe {
                    let at = |n: usize| row.as_ptr().add(2 * done + n * read).cast();
                    _mm256_set_m128i(_mm_loadu_si128(at(n + 2)), _mm_loadu_si128(at(n)))
                };
                _mm256_maddubs_epi16(_mm256_shuffle_epi8(samples, beside), one)
            };
            let mean = |n: usize| {
                let sum = _mm256_add_epi16(_mm256_add_epi16(sums(top, n), sums(bottom, n)), two);
                _mm256_srli_epi16::<2>(sum)
            };
            let made = _mm256_shuffle_epi8(_mm256_packus_epi16(mean(0), mean(1)), gapless);
            // SAFETY: done + read + 16 is no more than out.len().
            unsafe {
                let out = out.as_mut_ptr().add(done);
                _mm_storeu_si128(out.cast(), _mm256_castsi256_si128(made));
                _mm_storeu_si128(out.add(read).cast(), _mm256_extracti128_si256::<1>(made));
            }
            done += 2 * read;
        }
        done
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::bytes;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_number_of_channels_has_the_means_of_the_definition(n in 0usize..900, channels in 1usize..7, seed: u32) {
            let rows = bytes(4 * n * channels, seed);
            let (top, bottom) = rows.split_at(2 * n * channels);
            let (mut quick, mut want) = (vec![0; n * channels], vec![1; n * channels]);
            halve(top, bottom, channels, &mut quick);
            plain(top, bottom, channels, &mut want);
            prop_assert_eq!(quick, want);
        }
    }
}
