//! The pixels between pixels in registers of 32 bytes, four at a time: the arithmetic of [`blend`](super::blend), to
//! the bit.

use super::{BLOCK, Channels, Pixels, ROUND};
use std::arch::x86_64::{
    __m128i, __m256i, _mm_castpd_si128, _mm_castsi128_pd, _mm_loadh_pd, _mm_loadl_epi64, _mm_loadu_si128,
    _mm_storel_epi64, _mm_storeu_si128, _mm256_add_epi16, _mm256_broadcastsi128_si256, _mm256_castsi256_si128,
    _mm256_extracti128_si256, _mm256_loadu_si256, _mm256_mulhi_epi16, _mm256_packus_epi16, _mm256_set_m128i,
    _mm256_set1_epi16, _mm256_shuffle_epi8, _mm256_slli_epi16, _mm256_srai_epi16, _mm256_sub_epi16,
};

/// Bytes that are read for two pixels side by side, however many they have.
const PAIR: usize = 8;

/// The bytes of one pixel of each pair as 16 bits.
const fn pixels(channels: usize, second: usize) -> [i8; 32] {
    let mut order = [-1; 32];
    let mut pixel = 0;
    while pixel < 4 {
        let mut k = 0;
        while k < channels {
            order[8 * pixel + 2 * k] = (8 * (pixel % 2) + channels * second + k) as i8;
            k += 1;
        }
        pixel += 1;
    }
    order
}

/// Closes the gap behind each pixel of less than four samples of `size` bytes.
const fn closed(channels: usize, size: usize) -> [i8; 32] {
    let mut order = [-1; 32];
    let mut half = 0;
    while half < 2 {
        let mut k = 0;
        while k < 2 * channels * size {
            let (pixel, byte) = (k / (channels * size), k % (channels * size));
            order[16 * half + k] = (4 * size * pixel + byte) as i8;
            k += 1;
        }
        half += 1;
    }
    order
}

/// The weight of each of four pixels for its four samples.
const WEIGHTS: [i8; 32] =
    [0, 1, 0, 1, 0, 1, 0, 1, 4, 5, 4, 5, 4, 5, 4, 5, 8, 9, 8, 9, 8, 9, 8, 9, 12, 13, 12, 13, 12, 13, 12, 13];

/// Orders of bytes for a number of channels.
struct Orders<C>(std::marker::PhantomData<C>);

impl<C: Channels> Orders<C> {
    const FIRST: [i8; 32] = pixels(C::N, 0);
    const SECOND: [i8; 32] = pixels(C::N, 1);
    const BYTES: [i8; 32] = closed(C::N, 1);
    const WORDS: [i8; 32] = closed(C::N, 2);
}

#[inline(always)]
fn load(order: &[i8; 32]) -> __m256i {
    #[allow(unsafe_code)]
    // SAFETY: 32 bytes are read, and are there; the caller has AVX2.
    unsafe {
        _mm256_loadu_si256(order.as_ptr().cast())
    }
}

/// Four weights for four pixels of four samples.
#[target_feature(enable = "avx2")]
#[inline]
fn spread(weights: &[i32; 4], order: __m256i) -> __m256i {
    #[allow(unsafe_code)]
    // SAFETY: 16 bytes are read, and are there.
    let four = unsafe { _mm_loadu_si128(weights.as_ptr().cast()) };
    _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(four), order)
}

/// Four pairs of pixels.
///
/// # Safety
/// [`PAIR`] bytes can be read from each place.
#[target_feature(enable = "avx2")]
#[inline]
#[allow(unsafe_code)]
unsafe fn pairs(data: *const u8, at: &[i32; 4]) -> __m256i {
    let [a, b, c, d] = at.map(|o| o as usize);
    // SAFETY: by the caller's word.
    unsafe {
        let two = |a: usize, b: usize| -> __m128i {
            let low = _mm_castsi128_pd(_mm_loadl_epi64(data.add(a).cast()));
            _mm_castpd_si128(_mm_loadh_pd(low, data.add(b).cast()))
        };
        _mm256_set_m128i(two(c, d), two(a, b))
    }
}

/// Between the pixels of each pair, with six bits after the point.
#[target_feature(enable = "avx2")]
#[inline]
fn between(pairs: __m256i, first: __m256i, second: __m256i, weights: __m256i) -> __m256i {
    let (a, b) = (_mm256_shuffle_epi8(pairs, first), _mm256_shuffle_epi8(pairs, second));
    let step = _mm256_slli_epi16::<7>(_mm256_sub_epi16(b, a));
    _mm256_add_epi16(_mm256_slli_epi16::<6>(a), _mm256_mulhi_epi16(step, weights))
}

/// Whether [`PAIR`] bytes can be read from each place of `data` and, where there is one, from the row below.
#[inline(always)]
fn within(data: &[u8], below: usize, at: &[i32]) -> bool {
    let Some(last) = data.len().checked_sub(below + PAIR) else { return false };
    // What is negative is beyond every length as well.
    let last = u32::try_from(last).unwrap_or(u32::MAX);
    at.iter().fold(0, |most, &o| most.max(o as u32)) <= last
}

/// The pixels of a block, without gaps; false, and nothing done, where a pair lies too near to the end of `data`.
#[target_feature(enable = "avx2")]
pub(super) fn block<C: Channels>(
    data: &[u8],
    stride: usize,
    at: &[i32; BLOCK],
    wx: &[i32; BLOCK],
    wy: &[i32; BLOCK],
    out: &mut Pixels,
) -> bool {
    if !within(data, stride, at) {
        return false;
    }
    let (first, second) = (load(&Orders::<C>::FIRST), load(&Orders::<C>::SECOND));
    let (closed, order, round) = (load(&Orders::<C>::BYTES), load(&WEIGHTS), _mm256_set1_epi16(ROUND));
    let (top, bottom) = (data.as_ptr(), data[stride..].as_ptr());
    let fours = at.as_chunks::<4>().0.iter().zip(wx.as_chunks::<4>().0).zip(wy.as_chunks::<4>().0);
    for (i, ((at, wx), wy)) in fours.enumerate() {
        let (wx, wy) = (spread(wx, order), spread(wy, order));
        #[allow(unsafe_code)]
        // SAFETY: all places were found to be within `data` with the row below.
        let (top, bottom) = unsafe { (pairs(top, at), pairs(bottom, at)) };
        let (top, bottom) = (between(top, first, second, wx), between(bottom, first, second, wx));
        let step = _mm256_slli_epi16::<1>(_mm256_sub_epi16(bottom, top));
        let all = _mm256_add_epi16(_mm256_add_epi16(top, _mm256_mulhi_epi16(step, wy)), round);
        let all = _mm256_srai_epi16::<6>(all);
        let all = _mm256_shuffle_epi8(_mm256_packus_epi16(all, all), closed);
        #[allow(unsafe_code)]
        // SAFETY: the last store begins at most at 62 times 4, eight bytes before the end of `out`.
        unsafe {
            let out = out.as_mut_ptr().add(4 * i * C::N);
            _mm_storel_epi64(out.cast(), _mm256_castsi256_si128(all));
            _mm_storel_epi64(out.add(2 * C::N).cast(), _mm256_extracti128_si256::<1>(all));
        }
    }
    true
}

/// A row between its own pixels, with six bits after the point; false, and nothing done, where a pair lies too near to
/// the end of `row` or `out` is too short for it. Places and weights are whole fours; the pixels have no gaps, and what
/// is behind the last of them is written over.
#[target_feature(enable = "avx2")]
pub(super) fn along<C: Channels>(row: &[u8], at: &[i32], weights: &[i32], out: &mut [i16]) -> bool {
    let n = at.len().min(weights.len());
    if !n.is_multiple_of(4) || !within(row, 0, &at[..n]) || out.len() < n * C::N + 8 {
        return false;
    }
    let (first, second) = (load(&Orders::<C>::FIRST), load(&Orders::<C>::SECOND));
    let (closed, order) = (load(&Orders::<C>::WORDS), load(&WEIGHTS));
    let fours = at.as_chunks::<4>().0.iter().zip(weights.as_chunks::<4>().0);
    for (i, (at, weights)) in fours.enumerate() {
        #[allow(unsafe_code)]
        // SAFETY: all places were found to be within `row`.
        let pairs = unsafe { pairs(row.as_ptr(), at) };
        let all = _mm256_shuffle_epi8(between(pairs, first, second, spread(weights, order)), closed);
        #[allow(unsafe_code)]
        // SAFETY: the last store begins two pixels before the n-th, and `out` has room for eight samples behind that.
        unsafe {
            let out = out.as_mut_ptr().add(4 * i * C::N);
            _mm_storeu_si128(out.cast(), _mm256_castsi256_si128(all));
            _mm_storeu_si128(out.add(2 * C::N).cast(), _mm256_extracti128_si256::<1>(all));
        }
    }
    true
}
