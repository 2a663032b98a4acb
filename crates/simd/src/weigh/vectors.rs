//! Sums by weights with AVX2.

use super::{FOUR, FRACTION, MARGIN, TOGETHER, Weights, place};
use std::arch::x86_64::{
    __m128i, __m256i, _mm_castsi128_pd, _mm_cvtsi32_si128, _mm_loadu_si128, _mm_storeh_pd, _mm_storel_epi64,
    _mm_storeu_si128, _mm256_add_epi32, _mm256_castps_si256, _mm256_castsi128_si256, _mm256_castsi256_ps,
    _mm256_castsi256_si128, _mm256_extracti128_si256, _mm256_i32gather_epi32, _mm256_loadu_si256, _mm256_madd_epi16,
    _mm256_packs_epi32, _mm256_packus_epi16, _mm256_permute4x64_epi64, _mm256_permutevar8x32_epi32, _mm256_set_m128i,
    _mm256_set1_epi32, _mm256_setr_epi32, _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_shuffle_epi32,
    _mm256_shuffle_ps, _mm256_sra_epi32, _mm256_storeu_si256, _mm256_unpackhi_epi16, _mm256_unpacklo_epi16,
};

/// Where the samples of the first two of four neighbours of so many channels lie, as pairs of 16 bits for each channel;
/// those of the other two lie `2 * channels` behind.
pub(crate) const fn pairs(channels: usize, from: usize) -> [i8; 32] {
    let mut all = [-1; 32];
    let mut i = 0;
    while i < 2 * channels {
        let at = (from + i % 2) * channels + i / 2;
        all[2 * i] = at as i8;
        all[16 + 2 * i] = at as i8;
        i += 1;
    }
    all
}

/// Two of the four bytes of each 32 bits, from the given one on, as 16 bits each.
pub(crate) const fn spread(from: usize) -> [i8; 32] {
    let mut all = [-1; 32];
    let mut i = 0;
    while i < 32 {
        if i % 2 == 0 {
            all[i] = (i % 16 / 4 * 4 + from + i % 4 / 2) as i8;
        }
        i += 1;
    }
    all
}

/// Sums of three or four channels (or two) of two pixels of four neighbours each, as pairs of 32 bits.
#[target_feature(enable = "avx2")]
#[inline]
fn two(samples: __m256i, weights: __m256i, first: __m256i, last: __m256i) -> __m256i {
    // In each half the four weights of a pixel, and then two of them for each channel.
    let (a, b) = (_mm256_shuffle_epi32::<0b00_00_00_00>(weights), _mm256_shuffle_epi32::<0b01_01_01_01>(weights));
    let a = _mm256_madd_epi16(_mm256_shuffle_epi8(samples, first), a);
    let b = _mm256_madd_epi16(_mm256_shuffle_epi8(samples, last), b);
    _mm256_add_epi32(a, b)
}

/// Rows of pixels of two to four channels; `FOURS` is the number of neighbours in fours, or 0 where it is not known.
///
/// # Safety
/// From each start on the row has 16 samples for each four neighbours, and `out` has 4 samples behind all pixels.
#[target_feature(enable = "avx2")]
#[allow(unsafe_code)]
pub(super) unsafe fn colours<const CHANNELS: usize, const FOURS: usize>(all: &Weights, row: &[u8], out: &mut [i16]) {
    let fours = if FOURS == 0 { all.fours } else { FOURS };
    let (first, last) = (const { pairs(CHANNELS, 0) }, const { pairs(CHANNELS, 2) });
    // SAFETY: each has 32 bytes.
    let (first, last) =
        unsafe { (_mm256_loadu_si256(first.as_ptr().cast()), _mm256_loadu_si256(last.as_ptr().cast())) };
    let (half, by) = rounding(all.bits - FRACTION);
    for (i, starts) in all.starts.as_chunks::<4>().0.iter().enumerate() {
        let at = 4 * i;
        if at >= all.pixels {
            break;
        }
        let pair = |n: usize| {
            let mut sum = half;
            for four in 0..fours {
                // SAFETY: by the caller's word; the weights of a pixel and of the next one of four follow each other.
                let (samples, weights) = unsafe {
                    let from = |start: i32| row.as_ptr().add(start as usize + four * FOUR * CHANNELS);
                    let load = |n: usize| _mm_loadu_si128(from(starts[n]).cast());
                    let weights = _mm_loadu_si128(all.each.as_ptr().add(place(at + n, fours, four)).cast());
                    (_mm256_set_m128i(load(n + 1), load(n)), _mm256_castsi128_si256(weights))
                };
                let weights = _mm256_permute4x64_epi64::<0b01_01_00_00>(weights);
                sum = _mm256_add_epi32(sum, two(samples, weights, first, last));
            }
            _mm256_sra_epi32(sum, by)
        };
        let made = _mm256_packs_epi32(pair(0), pair(2));
        let (even, odd) = (_mm256_castsi256_si128(made), _mm256_extracti128_si256::<1>(made));
        // Pixels 0 and 2 are in the one half, 1 and 3 in the other; what a store writes too much the next one writes
        // over.
        let to = |n: usize| (at + n) * CHANNELS;
        if at + 4 <= all.pixels {
            // SAFETY: by the caller's word `out` has four samples behind the last pixel.
            unsafe { store(out.as_mut_ptr(), [to(0), to(1), to(2), to(3)], even, odd) };
        } else {
            let mut rest = [0; 4 * FOUR + FOUR];
            // SAFETY: four pixels of at most four channels and four samples behind.
            unsafe { store(rest.as_mut_ptr(), [0, CHANNELS, 2 * CHANNELS, 3 * CHANNELS], even, odd) };
            let left = (all.pixels - at) * CHANNELS;
            out[to(0)..to(0) + left].copy_from_slice(&rest[..left]);
        }
    }
}

/// # Safety
/// From each place on there are four samples.
#[target_feature(enable = "avx2")]
#[inline]
#[allow(unsafe_code)]
unsafe fn store(out: *mut i16, to: [usize; 4], even: __m128i, odd: __m128i) {
    // SAFETY: by the caller's word.
    unsafe {
        _mm_storel_epi64(out.add(to[0]).cast(), even);
        _mm_storel_epi64(out.add(to[1]).cast(), odd);
        _mm_storeh_pd(out.add(to[2]).cast(), _mm_castsi128_pd(even));
        _mm_storeh_pd(out.add(to[3]).cast(), _mm_castsi128_pd(odd));
    }
}

/// Half of the last place that stays, and by how many bits is shifted.
#[target_feature(enable = "avx2")]
#[inline]
pub(crate) fn rounding(by: u32) -> (__m256i, __m128i) {
    (_mm256_set1_epi32(if by == 0 { 0 } else { 1 << (by - 1) }), _mm_cvtsi32_si128(by as i32))
}

/// Rows of gray pixels.
///
/// # Safety
/// From each start on the row has the samples of all neighbours in fours, and `out` has eight behind the last pixel.
#[target_feature(enable = "avx2")]
#[allow(unsafe_code)]
pub(super) unsafe fn gray(all: &Weights, row: &[u8], out: &mut [i16]) {
    let (half, by) = rounding(all.bits - FRACTION);
    let (first, last) = (const { spread(0) }, const { spread(2) });
    // SAFETY: each has 32 bytes.
    let (first, last) =
        unsafe { (_mm256_loadu_si256(first.as_ptr().cast()), _mm256_loadu_si256(last.as_ptr().cast())) };
    let back = _mm256_setr_epi32(0, 4, 1, 5, 0, 0, 0, 0);
    let each = all.each.chunks_exact(TOGETHER * all.fours);
    for (i, (starts, weights)) in all.starts.as_chunks::<TOGETHER>().0.iter().zip(each).enumerate() {
        // SAFETY: there are eight starts.
        let starts = unsafe { _mm256_loadu_si256(starts.as_ptr().cast()) };
        // Pixels 0, 1, 4 and 5, and then 2, 3, 6 and 7: as two registers of weights become one.
        let starts = _mm256_permute4x64_epi64::<0b11_01_10_00>(starts);
        let mut sum = half;
        for four in 0..all.fours {
            // SAFETY: by the caller's word; there are the weights of eight pixels for each four neighbours.
            let (samples, low, high) = unsafe {
                let weights = weights.as_ptr().add(TOGETHER * four);
                let load = |n: usize| _mm256_castsi256_ps(_mm256_loadu_si256(weights.add(n).cast()));
                (_mm256_i32gather_epi32::<1>(row.as_ptr().add(four * FOUR).cast(), starts), load(0), load(4))
            };
            let even = _mm256_castps_si256(_mm256_shuffle_ps::<0b10_00_10_00>(low, high));
            let odd = _mm256_castps_si256(_mm256_shuffle_ps::<0b11_01_11_01>(low, high));
            let a = _mm256_madd_epi16(_mm256_shuffle_epi8(samples, first), even);
            let b = _mm256_madd_epi16(_mm256_shuffle_epi8(samples, last), odd);
            sum = _mm256_add_epi32(sum, _mm256_add_epi32(a, b));
        }
        let sum = _mm256_sra_epi32(sum, by);
        let made = _mm256_permutevar8x32_epi32(_mm256_packs_epi32(sum, sum), back);
        // SAFETY: by the caller's word.
        unsafe { _mm_storeu_si128(out.as_mut_ptr().add(TOGETHER * i).cast(), _mm256_castsi256_si128(made)) };
    }
}

/// Eight gray pixels whose neighbours lie in two runs of samples that are read at once, one for each four of them.
#[derive(Debug)]
pub(super) struct Block {
    /// Where the runs begin.
    runs: [i32; 2],
    /// Where in them the first two neighbours of each pixel are, as 16 bits each, and the other two.
    places: [[i8; 32]; 2],
    weights: [[i16; 16]; 2],
}

/// The blocks of pixels of four neighbours each; none where a run is too long.
pub(super) fn blocks(starts: &[i32], each: &[[i16; FOUR]]) -> Vec<Block> {
    let block = |(starts, each): (&[i32; TOGETHER], &[[i16; FOUR]; TOGETHER])| {
        let run = |four: &[i32]| {
            let (low, high) = (four.iter().min()?, four.iter().max()?);
            (high - low + FOUR as i32 <= 16).then_some(*low)
        };
        let runs = [run(&starts[..4])?, run(&starts[4..])?];
        // Pixel i / 2 of a half, one of its two neighbours; of 16 bits the upper eight are 0.
        let place = |pair: usize| {
            std::array::from_fn(|i| {
                let (pixel, t) = (i / 16 * 4 + i % 16 / 4, 2 * pair + i % 4 / 2);
                if i % 2 == 0 { (starts[pixel] - runs[i / 16] + t as i32) as i8 } else { -1 }
            })
        };
        let weight = |pair: usize| std::array::from_fn(|i| each[i / 2][2 * pair + i % 2]);
        Some(Block { runs, places: [place(0), place(1)], weights: [weight(0), weight(1)] })
    };
    let all = starts.as_chunks().0.iter().zip(each.as_chunks().0);
    all.map(block).collect::<Option<_>>().unwrap_or_default()
}

/// As [`gray`], of blocks.
///
/// # Safety
/// From the start of each run on the row has 16 samples, and `out` has eight behind the last pixel.
#[target_feature(enable = "avx2")]
#[allow(unsafe_code)]
pub(super) unsafe fn gray_blocks(all: &Weights, row: &[u8], out: &mut [i16]) {
    let (half, by) = rounding(all.bits - FRACTION);
    for (i, block) in all.blocks.iter().enumerate() {
        // SAFETY: by the caller's word for the row; the tables have 32 bytes each.
        let (samples, places, weights) = unsafe {
            let run = |n: usize| _mm_loadu_si128(row.as_ptr().add(block.runs[n] as usize).cast());
            let places = |n: usize| _mm256_loadu_si256(block.places[n].as_ptr().cast());
            let weights = |n: usize| _mm256_loadu_si256(block.weights[n].as_ptr().cast());
            (_mm256_set_m128i(run(1), run(0)), [places(0), places(1)], [weights(0), weights(1)])
        };
        let a = _mm256_madd_epi16(_mm256_shuffle_epi8(samples, places[0]), weights[0]);
        let b = _mm256_madd_epi16(_mm256_shuffle_epi8(samples, places[1]), weights[1]);
        let sum = _mm256_sra_epi32(_mm256_add_epi32(half, _mm256_add_epi32(a, b)), by);
        let made = _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packs_epi32(sum, sum));
        // SAFETY: by the caller's word.
        unsafe { _mm_storeu_si128(out.as_mut_ptr().add(TOGETHER * i).cast(), _mm256_castsi256_si128(made)) };
    }
}

/// Samples of all rows at once.
///
/// # Safety
/// Each row has a [`MARGIN`] behind as many samples as `out`, and there is a weight for each.
#[target_feature(enable = "avx2")]
#[allow(unsafe_code)]
pub(super) unsafe fn down<const COUNT: usize>(rows: &[&[i16]], weights: &[i16], bits: u32, out: &mut [u8]) {
    let count = if COUNT == 0 { rows.len() } else { COUNT };
    let (rows, weights) = (&rows[..count], &weights[..count]);
    let (half, by) = rounding(bits + FRACTION);
    for (i, out) in out.chunks_mut(MARGIN).enumerate() {
        let sixteen = |at: usize| {
            let (mut low, mut high) = (half, half);
            let mut add = |a: __m256i, b: __m256i, first: i16, second: i16| {
                let pair = i32::from(first as u16) | i32::from(second) << 16;
                let weight = _mm256_set1_epi32(pair);
                low = _mm256_add_epi32(low, _mm256_madd_epi16(_mm256_unpacklo_epi16(a, b), weight));
                high = _mm256_add_epi32(high, _mm256_madd_epi16(_mm256_unpackhi_epi16(a, b), weight));
            };
            // SAFETY: by the caller's word.
            let load = |row: &[i16]| unsafe { _mm256_loadu_si256(row.as_ptr().add(at).cast()) };
            let (pairs, odd) = rows.as_chunks::<2>();
            for ([a, b], [first, second]) in pairs.iter().zip(weights.as_chunks::<2>().0) {
                add(load(a), load(b), *first, *second);
            }
            if let ([row], Some(weight)) = (odd, weights.last()) {
                add(load(row), _mm256_setzero_si256(), *weight, 0);
            }
            // In the halves of registers the order comes back.
            _mm256_packs_epi32(_mm256_sra_epi32(low, by), _mm256_sra_epi32(high, by))
        };
        let bytes = _mm256_packus_epi16(sixteen(i * MARGIN), sixteen(i * MARGIN + 16));
        let bytes = _mm256_permute4x64_epi64::<0b11_01_10_00>(bytes);
        if out.len() == MARGIN {
            // SAFETY: it has 32 bytes.
            unsafe { _mm256_storeu_si256(out.as_mut_ptr().cast(), bytes) };
        } else {
            let mut last = [0_u8; MARGIN];
            // SAFETY: as above.
            unsafe { _mm256_storeu_si256(last.as_mut_ptr().cast(), bytes) };
            out.copy_from_slice(&last[..out.len()]);
        }
    }
}
