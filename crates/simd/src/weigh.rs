//! Sums of many samples by weights, rounded to 8 bits.
//!
//! Sums are made in 32-bit floats, many at a time and in whatever order is quick; a sample whose sum lies so near to the
//! middle of two numbers that the order might decide is told to the caller, who makes it anew by the definition. So every
//! machine gives the same bytes.

use crate::lanes;

/// Samples whose sums are rounded together.
const BLOCK: usize = 32;

/// Samples that a row of sums must have behind those that mean something.
pub const MARGIN: usize = BLOCK;

/// The weights of neighbouring pixels for each pixel of a row.
#[derive(Debug)]
pub struct Weights {
    channels: usize,
    taps: usize,
    /// Samples that a row must have.
    reach: usize,
    /// Where each pixel's neighbours begin, in samples; of an even number of pixels.
    starts: Vec<usize>,
    /// For two pixels and one neighbour of each: four times the weight of the first, four times that of the second.
    pairs: Vec<[f32; 8]>,
}

impl Weights {
    /// Of pixels of so many channels, each the sum of `taps` pixels from the sample `starts` on, times `weights`.
    pub fn new(channels: usize, taps: usize, mut starts: Vec<usize>, weights: &[f32]) -> Self {
        let (channels, taps) = (channels.max(1), taps.max(1));
        starts.truncate(weights.len() / taps);
        let all: Vec<&[f32]> = weights.chunks_exact(taps).collect();
        let mut pairs = Vec::with_capacity(starts.len().div_ceil(2) * taps);
        for pair in all[..starts.len()].chunks(2) {
            let (first, second) = (pair[0], pair[pair.len() - 1]);
            pairs.extend(first.iter().zip(second).map(|(&a, &b)| [a, a, a, a, b, b, b, b]));
        }
        if let (true, Some(&last)) = (starts.len() % 2 == 1, starts.last()) {
            starts.push(last);
        }
        let reach = starts.iter().max().map_or(0, |s| s + taps * channels + MARGIN);
        Self { channels, taps, reach, starts, pairs }
    }

    /// The sums of a row into `out`; `row` and `out` have a [`MARGIN`] behind what is summed and what is made, and what is
    /// written there means nothing. Without effect where they are shorter.
    pub fn along(&self, row: &[f32], out: &mut [f32]) {
        if row.len() < self.reach || out.len() < self.starts.len() * self.channels + 4 {
            return;
        }
        #[cfg(target_arch = "x86_64")]
        if self.channels <= 4 && crate::level() != crate::Level::Portable {
            #[allow(unsafe_code)]
            // SAFETY: every level but the portable one has AVX2 and FMA; the row and `out` were found to be long enough.
            unsafe {
                match self.taps {
                    4 => vectors::along::<4>(self, row, out),
                    8 => vectors::along::<8>(self, row, out),
                    _ => vectors::along::<0>(self, row, out),
                }
            }
            return;
        }
        self.along_plain(row, out);
    }

    fn along_plain(&self, row: &[f32], out: &mut [f32]) {
        let pixels = out.chunks_exact_mut(self.channels).zip(&self.starts).enumerate();
        for (i, (out, &start)) in pixels {
            for (k, out) in out.iter_mut().enumerate() {
                let weights = self.pairs[i / 2 * self.taps..][..self.taps].iter().map(|w| w[4 * (i % 2)]);
                let samples = row[start + k..].iter().step_by(self.channels);
                *out = samples.zip(weights).map(|(v, w)| v * w).sum();
            }
        }
    }
}

lanes! {
    /// 8-bit samples as floats.
    pub fn widen<T: Copy>(samples: &[u8], out: &mut [f32]) {
        out.iter_mut().zip(samples).for_each(|(o, v)| *o = f32::from(*v));
    }
}

/// The sums of rows by weights, rounded: into `out`, and the places of those that are nearer than `doubt` to where
/// another number would begin behind `doubtful`. Rows have a [`MARGIN`]; without effect where one is shorter.
pub fn weigh_down(rows: &[&[f32]], weights: &[f32], doubt: f32, out: &mut [u8], doubtful: &mut Vec<usize>) {
    if rows.iter().any(|row| row.len() < out.len() + MARGIN) {
        return;
    }
    #[cfg(target_arch = "x86_64")]
    if crate::level() != crate::Level::Portable {
        #[allow(unsafe_code)]
        // SAFETY: every level but the portable one has AVX2 and FMA, and each row has a block behind the last sample.
        unsafe {
            vectors::down(rows, weights, doubt, out, doubtful);
        }
        return;
    }
    down_plain(rows, weights, doubt, out, doubtful);
}

fn down_plain(rows: &[&[f32]], weights: &[f32], doubt: f32, out: &mut [u8], doubtful: &mut Vec<usize>) {
    for (i, out) in out.iter_mut().enumerate() {
        let sum = rows.iter().zip(weights).map(|(row, weight)| row[i] * weight).sum::<f32>() + 0.5;
        *out = sum as u8;
        if (sum - sum.round()).abs() < doubt {
            doubtful.push(i);
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod vectors {
    use super::{BLOCK, Weights};
    use std::arch::x86_64::{
        __m256, __m256i, _CMP_LT_OQ, _MM_FROUND_NO_EXC, _MM_FROUND_TO_NEAREST_INT, _mm_loadu_ps, _mm_storeu_ps,
        _mm256_andnot_ps, _mm256_castps256_ps128, _mm256_cmp_ps, _mm256_cvttps_epi32, _mm256_extractf128_ps,
        _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_max_ps, _mm256_min_ps, _mm256_movemask_ps, _mm256_packs_epi32,
        _mm256_packus_epi16, _mm256_permutevar8x32_epi32, _mm256_round_ps, _mm256_set_m128, _mm256_set1_ps,
        _mm256_setr_epi32, _mm256_setzero_ps, _mm256_storeu_si256, _mm256_sub_ps,
    };

    /// A block of samples at a time.
    ///
    /// # Safety
    /// Each row has a block behind the last sample of `out`.
    #[target_feature(enable = "avx2,fma")]
    #[allow(unsafe_code)]
    pub(super) unsafe fn down(rows: &[&[f32]], weights: &[f32], doubt: f32, out: &mut [u8], doubtful: &mut Vec<usize>) {
        let (zero, most, doubt) = (_mm256_setzero_ps(), _mm256_set1_ps(255.0), _mm256_set1_ps(doubt));
        let mut bytes = [0_u8; BLOCK];
        for (n, out) in out.chunks_mut(BLOCK).enumerate() {
            let mut sums = [_mm256_set1_ps(0.5); 4];
            for (row, weight) in rows.iter().zip(weights) {
                let weight = _mm256_set1_ps(*weight);
                for (k, sum) in sums.iter_mut().enumerate() {
                    // SAFETY: by the caller's word: the block begins before the last sample of `out`.
                    let samples = unsafe { _mm256_loadu_ps(row.as_ptr().add(n * BLOCK + 8 * k)) };
                    *sum = _mm256_fmadd_ps(samples, weight, *sum);
                }
            }
            let near = |sum: __m256| {
                let whole = _mm256_round_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(sum);
                let off = _mm256_andnot_ps(_mm256_set1_ps(-0.0), _mm256_sub_ps(sum, whole));
                _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_LT_OQ>(off, doubt)) as u32
            };
            let whole = |sum: __m256| _mm256_cvttps_epi32(_mm256_min_ps(_mm256_max_ps(sum, zero), most));
            let [a, b, c, d] = sums;
            let packed =
                _mm256_packus_epi16(_mm256_packs_epi32(whole(a), whole(b)), _mm256_packs_epi32(whole(c), whole(d)));
            // Bytes are packed within halves of registers.
            let packed = _mm256_permutevar8x32_epi32(packed, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
            // SAFETY: the block has 32 bytes.
            unsafe { _mm256_storeu_si256(bytes.as_mut_ptr().cast::<__m256i>(), packed) };
            out.copy_from_slice(&bytes[..out.len()]);
            let mut near = near(a) | near(b) << 8 | near(c) << 16 | near(d) << 24;
            while near != 0 {
                let at = near.trailing_zeros() as usize;
                if at < out.len() {
                    doubtful.push(n * BLOCK + at);
                }
                near &= near - 1;
            }
        }
    }

    /// Two pixels at a time; `TAPS` is the number of neighbours, or 0 for any.
    ///
    /// # Safety
    /// From each start on `row` has as many samples as all neighbours, and four more; `out` has as many as all pixels,
    /// and four more. There are at most four channels.
    #[target_feature(enable = "avx2,fma")]
    #[allow(unsafe_code)]
    pub(super) unsafe fn along<const TAPS: usize>(weights: &Weights, row: &[f32], out: &mut [f32]) {
        let taps = if TAPS == 0 { weights.taps } else { TAPS };
        let channels = weights.channels;
        let pairs = weights.pairs.chunks_exact(taps);
        for (i, ([a, b], pairs)) in weights.starts.as_chunks::<2>().0.iter().zip(pairs).enumerate() {
            let mut sum = _mm256_setzero_ps();
            // A number that is known when this is compiled: without a loop.
            for k in 0..taps {
                // SAFETY: by the caller's word for the row; there are so many pairs, each of eight weights.
                let (samples, pair) = unsafe {
                    let at = |start: usize| _mm_loadu_ps(row.as_ptr().add(start + k * channels));
                    (_mm256_set_m128(at(*b), at(*a)), _mm256_loadu_ps(pairs.as_ptr().add(k).cast()))
                };
                sum = _mm256_fmadd_ps(samples, pair, sum);
            }
            // SAFETY: by the caller's word; what the first store writes too much the second one writes over.
            unsafe {
                let out = out.as_mut_ptr().add(2 * i * channels);
                _mm_storeu_ps(out, _mm256_castps256_ps128(sum));
                _mm_storeu_ps(out.add(channels), _mm256_extractf128_ps::<1>(sum));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn some(n: usize, seed: u32) -> Vec<f32> {
        let mut state = seed | 1;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as f32
        };
        (0..n).map(|_| next()).collect()
    }

    proptest! {
        #[test]
        fn sums_are_those_of_the_definition(
            n in 1usize..40, taps in 1usize..10, channels in 1usize..=6, seed: u32,
        ) {
            let row = some(300 + MARGIN, seed);
            let starts: Vec<usize> = some(n, seed ^ 5).iter().map(|s| *s as usize % (300 - taps * channels)).collect();
            let factors: Vec<f32> = some(n * taps, seed ^ 9).iter().map(|w| w / 255.0 - 0.25).collect();
            let weights = Weights::new(channels, taps, starts.clone(), &factors);
            let mut out = vec![f32::NAN; n * channels + MARGIN];
            weights.along(&row, &mut out);
            let mut plain = vec![f32::NAN; n * channels + MARGIN];
            weights.along_plain(&row, &mut plain);
            for (out, plain) in out.iter().zip(&plain).take(n * channels) {
                prop_assert!((out - plain).abs() < 1e-3);
            }
            for (i, start) in starts.iter().enumerate() {
                for k in 0..channels {
                    let tap = |t: usize| f64::from(row[start + t * channels + k]) * f64::from(factors[i * taps + t]);
                    let want: f64 = (0..taps).map(tap).sum();
                    prop_assert!((f64::from(out[i * channels + k]) - want).abs() < 1e-3);
                }
            }
        }

        #[test]
        fn a_sum_that_is_not_in_doubt_is_rounded_as_the_exact_one(n in 1usize..90, count in 1usize..9, seed: u32) {
            let rows: Vec<Vec<f32>> = (0..count).map(|r| some(n + MARGIN, seed ^ r as u32)).collect();
            let rows: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
            let weights: Vec<f32> = some(count, seed ^ 77).iter().map(|w| w / 128.0 - 0.5).collect();
            let (mut out, mut doubtful) = (vec![7; n], vec![]);
            weigh_down(&rows, &weights, 1e-3, &mut out, &mut doubtful);
            let (mut plain, mut known) = (vec![9; n], vec![]);
            down_plain(&rows, &weights, 1e-3, &mut plain, &mut known);
            for (i, (out, plain)) in out.iter().zip(&plain).enumerate() {
                prop_assert!(out == plain || doubtful.contains(&i) || known.contains(&i));
            }
            for (i, out) in out.iter().enumerate() {
                let sum: f64 = rows.iter().zip(&weights).map(|(r, w)| f64::from(r[i]) * f64::from(*w)).sum();
                let far = ((sum + 0.5) - (sum + 0.5).round()).abs();
                prop_assert!(doubtful.contains(&i) || far > 9e-4);
                prop_assert!(!doubtful.contains(&i) || far < 1.1e-3);
                prop_assert!(doubtful.contains(&i) || *out == (sum + 0.5) as u8);
            }
        }
    }
}
