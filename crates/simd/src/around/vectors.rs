//! Pixels around places with AVX2.

use super::{Around, Grid, Place, Spots};
use crate::weigh::FRACTION;
use crate::weigh::vectors::{pairs, rounding, spread};
use std::arch::x86_64::{
    __m128i, __m256i, _mm_add_epi32, _mm_cvtsi128_si32, _mm_loadl_epi64, _mm_loadu_si128, _mm_madd_epi16,
    _mm_packs_epi32, _mm_packus_epi16, _mm_set_epi32, _mm_shuffle_epi8, _mm_sra_epi32, _mm_srli_si128,
    _mm256_add_epi32, _mm256_and_si256, _mm256_castsi256_si128, _mm256_cvtepu8_epi32, _mm256_extracti128_si256,
    _mm256_i32gather_epi32, _mm256_loadu_si256, _mm256_madd_epi16, _mm256_packs_epi32, _mm256_packus_epi16,
    _mm256_set_m128i, _mm256_set1_epi16, _mm256_set1_epi32, _mm256_setzero_si256, _mm256_shuffle_epi8,
    _mm256_sra_epi32, _mm256_srli_epi16,
};

/// Tables and constants of a kernel for so many channels; `TAPS` is 0 where it is not known.
struct Kernel<'a, const CHANNELS: usize, const TAPS: usize> {
    all: &'a Around,
    data: *const u8,
    stride: usize,
    first: __m256i,
    last: __m256i,
    beside: __m256i,
    part: (__m256i, __m128i),
    whole: (__m256i, __m128i),
}

impl<'a, const CHANNELS: usize, const TAPS: usize> Kernel<'a, CHANNELS, TAPS> {
    #[target_feature(enable = "avx2")]
    #[inline]
    fn new(all: &'a Around, from: &Grid<'a, u8>) -> Self {
        let table = |bytes: [i8; 32]| {
            #[allow(unsafe_code)]
            // SAFETY: it has 32 bytes.
            unsafe {
                _mm256_loadu_si256(bytes.as_ptr().cast())
            }
        };
        Self {
            all,
            data: from.data.as_ptr(),
            stride: from.width * CHANNELS,
            first: table(const { pairs(CHANNELS, 0) }),
            last: table(const { pairs(CHANNELS, 2) }),
            // Of two rows in each half the channels side by side.
            beside: table(const { beside() }),
            part: rounding(all.bits - FRACTION),
            whole: rounding(all.bits + FRACTION),
        }
    }

    /// The samples of the pixel whose neighbours begin at `start`.
    ///
    /// # Safety
    /// All neighbours, and what is read behind them, are there.
    #[target_feature(enable = "avx2")]
    #[inline]
    #[allow(unsafe_code)]
    unsafe fn pixel(&self, start: usize, across: u8, down: u8) -> [u8; 4] {
        let taps = if TAPS == 0 { self.all.taps } else { TAPS };
        let (across, down) = (usize::from(across) % super::PARTS, usize::from(down) % super::PARTS);
        let across = &self.all.across[across * taps / 4..][..taps / 4];
        // The sums along two rows that follow each other.
        let two = |y: usize| {
            let mut sum = self.part.0;
            for (four, [a, b]) in across.iter().enumerate() {
                // SAFETY: by the caller's word; there are 16 weights each.
                let (samples, a, b) = unsafe {
                    let at = |y: usize| self.data.add(start + y * self.stride + 4 * four * CHANNELS);
                    let load = |y: usize| _mm_loadu_si128(at(y).cast());
                    let weights = |w: &[i16; 16]| _mm256_loadu_si256(w.as_ptr().cast());
                    (_mm256_set_m128i(load(y + 1), load(y)), weights(a), weights(b))
                };
                let a = _mm256_madd_epi16(_mm256_shuffle_epi8(samples, self.first), a);
                let b = _mm256_madd_epi16(_mm256_shuffle_epi8(samples, self.last), b);
                sum = _mm256_add_epi32(sum, _mm256_add_epi32(a, b));
            }
            _mm256_sra_epi32(sum, self.part.1)
        };
        let mut sum = _mm256_setzero_si256();
        for (four, weights) in self.all.down[down * taps / 4..][..taps / 4].iter().enumerate() {
            // Rows 0 and 2 in the one half, 1 and 3 in the other.
            let rows = _mm256_shuffle_epi8(_mm256_packs_epi32(two(4 * four), two(4 * four + 2)), self.beside);
            // SAFETY: there are 16 weights.
            let weights = unsafe { _mm256_loadu_si256(weights.as_ptr().cast()) };
            sum = _mm256_add_epi32(sum, _mm256_madd_epi16(rows, weights));
        }
        let sum = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256::<1>(sum));
        let sum = _mm_sra_epi32(_mm_add_epi32(sum, _mm256_castsi256_si128(self.whole.0)), self.whole.1);
        let words = _mm_packs_epi32(sum, sum);
        _mm_cvtsi128_si32(_mm_packus_epi16(words, words)).to_le_bytes()
    }
}

/// A row of pixels around places; `TAPS` is 0 where it is not known.
#[target_feature(enable = "avx2")]
#[allow(unsafe_code)]
pub(super) unsafe fn row<const CHANNELS: usize, const TAPS: usize>(
    all: &Around,
    from: &Grid<'_, u8>,
    places: &[(Place, Place)],
    out: &mut [u8],
    outside: &mut Vec<usize>,
) {
    let kernel = Kernel::<CHANNELS, TAPS>::new(all, from);
    for (i, ((col, across), (line, down))) in places.iter().enumerate() {
        let Some(start) = all.start(from, (*col, *line)) else {
            outside.push(i);
            continue;
        };
        // SAFETY: `start` has found that what is read is there.
        let made = unsafe { kernel.pixel(start, *across, *down) };
        if let Some(out) = out.get_mut(i * CHANNELS..(i + 1) * CHANNELS) {
            out.copy_from_slice(&made[..CHANNELS]);
        }
    }
}

/// The same at spots.
///
/// # Safety
/// All neighbours, and what is read behind them, are there.
#[target_feature(enable = "avx2")]
#[allow(unsafe_code)]
pub(super) unsafe fn within<const CHANNELS: usize, const TAPS: usize>(
    all: &Around,
    from: &Grid<'_, u8>,
    spots: &Spots,
    out: &mut [u8],
) {
    let kernel = Kernel::<CHANNELS, TAPS>::new(all, from);
    let spots = spots.start.iter().zip(&spots.across).zip(&spots.down);
    for (((start, across), down), out) in spots.zip(out.chunks_exact_mut(CHANNELS)) {
        // SAFETY: by the caller's word.
        let made = unsafe { kernel.pixel(*start as usize, *across, *down) };
        out.copy_from_slice(&made[..CHANNELS]);
    }
}

/// Eight gray pixels at a time, of four neighbours by four; the rest one by one.
///
/// # Safety
/// All neighbours, and what is read behind them, are there, and `out` has a byte for each.
#[target_feature(enable = "avx2")]
#[allow(unsafe_code)]
pub(super) unsafe fn gray_within(all: &Around, from: &Grid<'_, u8>, spots: &Spots, out: &mut [u8]) {
    let bytes = _mm256_set1_epi16(0xff);
    let table = const { beside() };
    // SAFETY: it has 32 bytes.
    let beside = unsafe { _mm256_loadu_si256(table.as_ptr().cast()) };
    let ((part, by_part), (whole, by_whole)) = (rounding(all.bits - FRACTION), rounding(all.bits + FRACTION));
    let low = _mm256_set1_epi32(super::PARTS as i32 - 1);
    let starts = spots.start.as_chunks::<8>().0;
    let eights = starts.iter().zip(spots.across.as_chunks::<8>().0).zip(spots.down.as_chunks::<8>().0);
    for (((start, across), down), out) in eights.zip(out.as_chunks_mut::<8>().0) {
        // SAFETY: eight numbers each; four bytes are read at each place of four rows, by the caller's word, and weights
        // of parts that were brought within the table: four of 16 bits each, of which the halves are read.
        let (rows, [a, b], [c, d]) = unsafe {
            let at = _mm256_loadu_si256(start.as_ptr().cast());
            let row = |y: usize| _mm256_i32gather_epi32::<1>(from.data.as_ptr().add(y * from.width).cast::<i32>(), at);
            let weights = |table: *const u8, parts: &[u8; 8]| {
                let parts = _mm256_and_si256(_mm256_cvtepu8_epi32(_mm_loadl_epi64(parts.as_ptr().cast())), low);
                let half = |n: usize| _mm256_i32gather_epi32::<8>(table.add(4 * n).cast::<i32>(), parts);
                [half(0), half(1)]
            };
            let rows = [row(0), row(1), row(2), row(3)];
            (rows, weights(all.apart.as_ptr().cast(), across), weights(all.weights.as_ptr().cast(), down))
        };
        // The first and the third neighbour of each pixel, and the second and the fourth.
        let along = |row: __m256i| {
            let even = _mm256_madd_epi16(_mm256_and_si256(row, bytes), a);
            let odd = _mm256_madd_epi16(_mm256_srli_epi16::<8>(row), b);
            _mm256_sra_epi32(_mm256_add_epi32(part, _mm256_add_epi32(even, odd)), by_part)
        };
        let two = |y: usize| _mm256_packs_epi32(along(rows[y]), along(rows[y + 1]));
        let upper = _mm256_madd_epi16(_mm256_shuffle_epi8(two(0), beside), c);
        let lower = _mm256_madd_epi16(_mm256_shuffle_epi8(two(2), beside), d);
        let sum = _mm256_sra_epi32(_mm256_add_epi32(whole, _mm256_add_epi32(upper, lower)), by_whole);
        let words = _mm256_packs_epi32(sum, sum);
        let made = _mm256_packus_epi16(words, words);
        let half = |made: __m128i| _mm_cvtsi128_si32(made).to_le_bytes();
        out[..4].copy_from_slice(&half(_mm256_castsi256_si128(made)));
        out[4..].copy_from_slice(&half(_mm256_extracti128_si256::<1>(made)));
    }
    let kernel = Kernel::<1, 4>::new(all, from);
    let rest = spots.start.iter().zip(&spots.across).zip(&spots.down).zip(out);
    for (((start, across), down), out) in rest.skip(8 * starts.len()) {
        // SAFETY: by the caller's word.
        *out = unsafe { kernel.pixel(*start as usize, *across, *down)[0] };
    }
}

/// A row of gray pixels around places, of four neighbours by four: those of all rows in one register.
#[target_feature(enable = "avx2")]
#[allow(unsafe_code)]
pub(super) unsafe fn gray(
    all: &Around,
    from: &Grid<'_, u8>,
    places: &[(Place, Place)],
    out: &mut [u8],
    outside: &mut Vec<usize>,
) {
    let table = |bytes: [i8; 32]| {
        // SAFETY: it has more than 16 bytes.
        unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
    };
    let (first, last) = (table(const { spread(0) }), table(const { spread(2) }));
    let (part, by_part) = rounding(all.bits - FRACTION);
    let (whole, by_whole) = rounding(all.bits + FRACTION);
    let (part, whole) = (_mm256_castsi256_si128(part), _mm256_castsi256_si128(whole));
    for (i, (((col, across), (line, down)), out)) in places.iter().zip(out).enumerate() {
        let Some(start) = all.start(from, (*col, *line)) else {
            outside.push(i);
            continue;
        };
        let [a, b] = &all.across[usize::from(*across) % super::PARTS];
        // SAFETY: `start` has found that what is read is there; there are as many weights.
        let (samples, a, b, down) = unsafe {
            let at = |y: usize| from.data.as_ptr().add(start + y * from.width).cast::<i32>().read_unaligned();
            let weights = all.weights.as_ptr().add(usize::from(*down) % super::PARTS * 4);
            (
                _mm_set_epi32(at(3), at(2), at(1), at(0)),
                _mm_loadu_si128(a.as_ptr().cast()),
                _mm_loadu_si128(b.as_ptr().cast()),
                _mm_loadl_epi64(weights.cast()),
            )
        };
        let a = _mm_madd_epi16(_mm_shuffle_epi8(samples, first), a);
        let b = _mm_madd_epi16(_mm_shuffle_epi8(samples, last), b);
        let rows = _mm_sra_epi32(_mm_add_epi32(part, _mm_add_epi32(a, b)), by_part);
        let two = _mm_madd_epi16(_mm_packs_epi32(rows, rows), down);
        let sum = _mm_add_epi32(_mm_add_epi32(two, _mm_srli_si128::<4>(two)), whole);
        *out = _mm_cvtsi128_si32(_mm_sra_epi32(sum, by_whole)).clamp(0, 255) as u8;
    }
}

/// Four numbers of 16 bits and four more become pairs of one and one.
const fn beside() -> [i8; 32] {
    let mut all = [0; 32];
    let mut i = 0;
    while i < 32 {
        let word = i % 16 / 2;
        all[i] = (word / 2 * 2 + word % 2 * 8 + i % 2) as i8;
        i += 1;
    }
    all
}
