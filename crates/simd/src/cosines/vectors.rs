//! Two blocks at a time, one in each half of a register of 16 bits.
//!
//! Sixteen bits hold all there is: rows of cosines have 2 bits of fraction and are at most 8 * 128 * 4 = 4096 in magnitude,
//! and eight of them, as the columns sum them up, 2^15 at most, which is met on the negative side alone. Quantisers of 255
//! move a cosine by 128 at most, and so what comes back from a column by less than 7.5 * 4 * 129 beyond 4096. Products are
//! summed up in 32 bits, with the same sums as in the definition.

use std::arch::x86_64::{
    __m128i, __m256i, _mm_loadl_epi64, _mm_loadu_si128, _mm_storel_epi64, _mm_storeu_si128, _mm256_abs_epi16,
    _mm256_add_epi16, _mm256_add_epi32, _mm256_adds_epi16, _mm256_broadcastsi128_si256, _mm256_castsi256_si128,
    _mm256_cvtepu8_epi16, _mm256_extracti128_si256, _mm256_madd_epi16, _mm256_mulhi_epu16, _mm256_mullo_epi16,
    _mm256_packs_epi32, _mm256_packus_epi16, _mm256_permute4x64_epi64, _mm256_set1_epi16, _mm256_set1_epi32,
    _mm256_setzero_si256, _mm256_sign_epi16, _mm256_slli_epi16, _mm256_srai_epi16, _mm256_srai_epi32, _mm256_sub_epi16,
    _mm256_sub_epi32, _mm256_unpackhi_epi16, _mm256_unpackhi_epi32, _mm256_unpackhi_epi64, _mm256_unpacklo_epi16,
    _mm256_unpacklo_epi32, _mm256_unpacklo_epi64,
};

/// One row of either block in each register.
type Rows = [__m256i; 8];

/// Sums of products of two numbers of 16 bits each, as 32 bits: the lower and the upper four of either block.
#[derive(Clone, Copy)]
struct Wide(__m256i, __m256i);

/// `a x + b y`.
#[target_feature(enable = "avx2")]
#[inline]
fn products(x: __m256i, y: __m256i, a: i16, b: i16) -> Wide {
    let weights = _mm256_set1_epi32(i32::from(b) << 16 | i32::from(a as u16));
    let low = _mm256_madd_epi16(_mm256_unpacklo_epi16(x, y), weights);
    Wide(low, _mm256_madd_epi16(_mm256_unpackhi_epi16(x, y), weights))
}

#[target_feature(enable = "avx2")]
#[inline]
fn sum(a: Wide, b: Wide) -> Wide {
    Wide(_mm256_add_epi32(a.0, b.0), _mm256_add_epi32(a.1, b.1))
}

#[target_feature(enable = "avx2")]
#[inline]
fn difference(a: Wide, b: Wide) -> Wide {
    Wide(_mm256_sub_epi32(a.0, b.0), _mm256_sub_epi32(a.1, b.1))
}

/// Half of what is cut off.
#[target_feature(enable = "avx2")]
#[inline]
fn half<const BITS: i32>() -> Wide {
    let half = _mm256_set1_epi32(1 << (BITS - 1));
    Wide(half, half)
}

/// Cuts bits off.
#[target_feature(enable = "avx2")]
#[inline]
fn cut<const BITS: i32>(x: Wide) -> __m256i {
    _mm256_packs_epi32(_mm256_srai_epi32::<BITS>(x.0), _mm256_srai_epi32::<BITS>(x.1))
}

/// The odd half of either direction, of four numbers.
#[target_feature(enable = "avx2")]
#[inline]
fn odd(a: __m256i, b: __m256i, c: __m256i, d: __m256i) -> [Wide; 4] {
    let (z3, z4) = (_mm256_add_epi16(a, c), _mm256_add_epi16(b, d));
    let (y3, y4) = (products(z3, z4, 9633 - 16069, 9633), products(z3, z4, 9633, 9633 - 3196));
    [
        sum(products(a, d, 2446 - 7373, -7373), y3),
        sum(products(b, c, 16819 - 20995, -20995), y4),
        sum(products(b, c, -20995, 25172 - 20995), y3),
        sum(products(a, d, -7373, 12299 - 7373), y4),
    ]
}

/// Cosines of each column; those of the rows (`BITS` is 11) are scaled up.
#[target_feature(enable = "avx2")]
#[inline]
fn forward<const BITS: i32>(d: Rows) -> Rows {
    let (add, sub) = (_mm256_add_epi16, _mm256_sub_epi16);
    let (s0, s1, s2, s3) = (add(d[0], d[7]), add(d[1], d[6]), add(d[2], d[5]), add(d[3], d[4]));
    let (t0, t1, t2, t3) = (add(s0, s3), add(s1, s2), sub(s1, s2), sub(s0, s3));
    let [o7, o5, o3, o1] = odd(sub(d[3], d[4]), sub(d[2], d[5]), sub(d[1], d[6]), sub(d[0], d[7]));
    let half = half::<BITS>();
    let flat = |x: __m256i| {
        if BITS == 11 {
            _mm256_slli_epi16::<2>(x)
        } else {
            _mm256_srai_epi16::<2>(_mm256_add_epi16(x, _mm256_set1_epi16(2)))
        }
    };
    [
        flat(add(t0, t1)),
        cut::<BITS>(sum(o1, half)),
        cut::<BITS>(sum(products(t2, t3, 4433, 4433 + 6270), half)),
        cut::<BITS>(sum(o3, half)),
        flat(sub(t0, t1)),
        cut::<BITS>(sum(o5, half)),
        cut::<BITS>(sum(products(t2, t3, 4433 - 15137, 4433), half)),
        cut::<BITS>(sum(o7, half)),
    ]
}

/// Each column from its cosines.
#[target_feature(enable = "avx2")]
#[inline]
fn backward<const BITS: i32>(d: Rows) -> Rows {
    let half = half::<BITS>();
    // In the upper half of 32 bits a number is multiplied by 2^16.
    let scaled = |x: __m256i| {
        let zero = _mm256_setzero_si256();
        let low = _mm256_srai_epi32::<3>(_mm256_unpacklo_epi16(zero, x));
        sum(Wide(low, _mm256_srai_epi32::<3>(_mm256_unpackhi_epi16(zero, x))), half)
    };
    let (t0, t1) = (scaled(_mm256_add_epi16(d[0], d[4])), scaled(_mm256_sub_epi16(d[0], d[4])));
    let (t2, t3) = (products(d[2], d[6], 4433, 4433 - 15137), products(d[2], d[6], 4433 + 6270, 4433));
    let [e0, e1, e2, e3] = [sum(t0, t3), sum(t1, t2), difference(t1, t2), difference(t0, t3)];
    let [o3, o2, o1, o0] = odd(d[7], d[5], d[3], d[1]);
    [
        cut::<BITS>(sum(e0, o0)),
        cut::<BITS>(sum(e1, o1)),
        cut::<BITS>(sum(e2, o2)),
        cut::<BITS>(sum(e3, o3)),
        cut::<BITS>(difference(e3, o3)),
        cut::<BITS>(difference(e2, o2)),
        cut::<BITS>(difference(e1, o1)),
        cut::<BITS>(difference(e0, o0)),
    ]
}

/// Exchanges rows and columns of either block.
#[target_feature(enable = "avx2")]
#[inline]
fn turned(r: Rows) -> Rows {
    let (low, high) = (_mm256_unpacklo_epi16, _mm256_unpackhi_epi16);
    let (a0, a1, a2, a3) = (low(r[0], r[1]), high(r[0], r[1]), low(r[2], r[3]), high(r[2], r[3]));
    let (a4, a5, a6, a7) = (low(r[4], r[5]), high(r[4], r[5]), low(r[6], r[7]), high(r[6], r[7]));
    let (low, high) = (_mm256_unpacklo_epi32, _mm256_unpackhi_epi32);
    let (b0, b1, b2, b3) = (low(a0, a2), high(a0, a2), low(a1, a3), high(a1, a3));
    let (b4, b5, b6, b7) = (low(a4, a6), high(a4, a6), low(a5, a7), high(a5, a7));
    let (low, high) = (_mm256_unpacklo_epi64, _mm256_unpackhi_epi64);
    [low(b0, b4), high(b0, b4), low(b1, b5), high(b1, b5), low(b2, b6), high(b2, b6), low(b3, b7), high(b3, b7)]
}

/// Eight quantisers, and how 8 times each divides `n < 2^15` without a division: `n m / 2^16 / 2^s` with
/// `m = ceil(2^(16 + s) / 8q)`. With `2^s < 8q <= 2^(s + 1)` m exceeds the exact quotient by less than one, so the
/// result by less than `n / 2^(16 + s) < 1 / 8q`, and no whole number is passed.
#[derive(Clone, Copy)]
pub(super) struct Divisors {
    q: __m256i,
    multiplier: __m256i,
    /// `2^(16 - s)`.
    shift: __m256i,
}

impl Divisors {
    #[target_feature(enable = "avx2")]
    #[inline]
    pub(super) fn new(quantisers: &[u8; 8]) -> Self {
        let (mut q, mut multiplier, mut shift) = ([0_u16; 8], [0_u16; 8], [0_u16; 8]);
        for (i, &quantiser) in quantisers.iter().enumerate() {
            let d = 8 * u32::from(quantiser.max(1));
            let s = d.next_power_of_two().trailing_zeros() - 1;
            q[i] = u16::from(quantiser);
            multiplier[i] = (1_u32 << (16 + s)).div_ceil(d) as u16;
            shift[i] = 1 << (16 - s);
        }
        #[allow(unsafe_code)]
        // SAFETY: there are the 16 bytes that are read.
        let twice = |v: &[u16; 8]| unsafe { _mm256_broadcastsi128_si256(_mm_loadu_si128(v.as_ptr().cast())) };
        Self { q: twice(&q), multiplier: twice(&multiplier), shift: twice(&shift) }
    }

    /// The multiple of each quantiser next to an eighth of a cosine below 2^14 in magnitude.
    #[target_feature(enable = "avx2")]
    #[inline]
    pub(super) fn quantised(self, x: __m256i) -> __m256i {
        let size = _mm256_add_epi16(_mm256_abs_epi16(x), _mm256_slli_epi16::<2>(self.q));
        let times = _mm256_mulhi_epu16(_mm256_mulhi_epu16(size, self.multiplier), self.shift);
        _mm256_sign_epi16(_mm256_mullo_epi16(times, self.q), x)
    }
}

#[target_feature(enable = "avx2")]
#[inline]
fn through(mut block: Rows, divisors: &[Divisors; 8]) -> Rows {
    block = forward::<15>(turned(forward::<11>(turned(block))));
    for (row, divisors) in block.iter_mut().zip(divisors) {
        *row = divisors.quantised(*row);
    }
    turned(backward::<18>(turned(backward::<11>(block))))
}

#[target_feature(enable = "avx2")]
pub(super) fn lose(plane: &mut [u8], width: usize, quantisers: &[u8; 64]) {
    let mut divisors = [Divisors::new(&[1; 8]); 8];
    for (divisors, quantisers) in divisors.iter_mut().zip(quantisers.as_chunks::<8>().0) {
        *divisors = Divisors::new(quantisers);
    }
    let middle = _mm256_set1_epi16(128);
    for strip in plane.chunks_exact_mut(8 * width) {
        for x in (0..width).step_by(16) {
            // The last block of a row may be alone.
            let two = x + 16 <= width;
            let mut block = [_mm256_setzero_si256(); 8];
            for (y, row) in block.iter_mut().enumerate() {
                let from = &strip[y * width + x..];
                assert!(from.len() >= if two { 16 } else { 8 });
                #[allow(unsafe_code)]
                // SAFETY: as many bytes were just seen to be there.
                let bytes = unsafe {
                    let from = from.as_ptr().cast::<__m128i>();
                    if two { _mm_loadu_si128(from) } else { _mm_loadl_epi64(from) }
                };
                *row = _mm256_sub_epi16(_mm256_cvtepu8_epi16(bytes), middle);
            }
            let block = through(block, &divisors);
            for (y, pair) in block.as_chunks::<2>().0.iter().enumerate() {
                let bytes = _mm256_packus_epi16(_mm256_adds_epi16(pair[0], middle), _mm256_adds_epi16(pair[1], middle));
                // Packed are halves: the first blocks of both rows, and then the second ones.
                let bytes = _mm256_permute4x64_epi64::<0b11_01_10_00>(bytes);
                let rows = [_mm256_castsi256_si128(bytes), _mm256_extracti128_si256::<1>(bytes)];
                for (k, row) in rows.into_iter().enumerate() {
                    let to = &mut strip[(2 * y + k) * width + x..];
                    assert!(to.len() >= if two { 16 } else { 8 });
                    #[allow(unsafe_code)]
                    // SAFETY: as for the loads.
                    unsafe {
                        let to = to.as_mut_ptr().cast::<__m128i>();
                        if two { _mm_storeu_si128(to, row) } else { _mm_storel_epi64(to, row) }
                    }
                }
            }
        }
    }
}
