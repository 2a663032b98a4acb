//! Pixels of three bytes in registers: their channels side by side, taken apart, and put together again.
#![cfg(target_arch = "x86_64")]

use std::arch::x86_64::{
    __m128i, __m256i, _mm_loadu_si128, _mm_storeu_si128, _mm256_add_epi32, _mm256_broadcastsi128_si256,
    _mm256_castsi256_si128, _mm256_extracti128_si256, _mm256_loadu_si256, _mm256_madd_epi16, _mm256_or_si256,
    _mm256_packs_epi32, _mm256_packus_epi16, _mm256_permutevar8x32_epi32, _mm256_set_m128i, _mm256_set1_epi32,
    _mm256_setr_epi32, _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_srli_epi32,
};

/// 32 pixels.
pub(crate) type Block = [u8; 96];

/// Stands in both halves of a register.
#[target_feature(enable = "avx2")]
#[inline]
pub(crate) fn twice(bytes: &[i8; 16]) -> __m256i {
    #[allow(unsafe_code)]
    // SAFETY: there are the 16 bytes that are read.
    unsafe {
        _mm256_broadcastsi128_si256(_mm_loadu_si128(bytes.as_ptr().cast()))
    }
}

/// Which byte of register `part` (of three) goes where in the 16 bytes of a channel.
const fn apart(channel: usize, part: usize) -> [i8; 16] {
    let mut order = [-1; 16];
    let mut pixel = 0;
    while pixel < 16 {
        let at = 3 * pixel + channel;
        if at / 16 == part {
            order[pixel] = (at % 16) as i8;
        }
        pixel += 1;
    }
    order
}

/// The way back: which byte of a channel goes where in register `part`.
const fn together(channel: usize, part: usize) -> [i8; 16] {
    let mut order = [-1; 16];
    let mut byte = 0;
    while byte < 16 {
        let at = 16 * part + byte;
        if at % 3 == channel {
            order[byte] = (at / 3) as i8;
        }
        byte += 1;
    }
    order
}

const APART: [[[i8; 16]; 3]; 3] = [
    [apart(0, 0), apart(0, 1), apart(0, 2)],
    [apart(1, 0), apart(1, 1), apart(1, 2)],
    [apart(2, 0), apart(2, 1), apart(2, 2)],
];
// By register, and then by channel.
const TOGETHER: [[[i8; 16]; 3]; 3] = [
    [together(0, 0), together(1, 0), together(2, 0)],
    [together(0, 1), together(1, 1), together(2, 1)],
    [together(0, 2), together(1, 2), together(2, 2)],
];

/// What moves bytes between pixels and channels of 32 bytes each.
pub(crate) struct Orders([[__m256i; 3]; 3]);

impl Orders {
    #[target_feature(enable = "avx2")]
    #[inline]
    fn new(orders: &[[[i8; 16]; 3]; 3]) -> Self {
        let mut all = [[_mm256_setzero_si256(); 3]; 3];
        for (all, orders) in all.iter_mut().zip(orders) {
            for (all, bytes) in all.iter_mut().zip(orders) {
                *all = twice(bytes);
            }
        }
        Self(all)
    }

    /// From pixels to channels.
    #[target_feature(enable = "avx2")]
    #[inline]
    pub(crate) fn apart() -> Self {
        Self::new(&APART)
    }

    /// From channels to pixels.
    #[target_feature(enable = "avx2")]
    #[inline]
    pub(crate) fn together() -> Self {
        Self::new(&TOGETHER)
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn moved(&self, from: [__m256i; 3]) -> [__m256i; 3] {
        let mut to = from;
        for (to, orders) in to.iter_mut().zip(&self.0) {
            let one = |i: usize| _mm256_shuffle_epi8(from[i], orders[i]);
            *to = _mm256_or_si256(_mm256_or_si256(one(0), one(1)), one(2));
        }
        to
    }

    /// The channels of 32 pixels; wants the orders of [`apart`](Self::apart).
    #[target_feature(enable = "avx2")]
    #[inline]
    pub(crate) fn channels(&self, block: &Block) -> [__m256i; 3] {
        let mut parts = [_mm256_setzero_si256(); 3];
        for (i, part) in parts.iter_mut().enumerate() {
            #[allow(unsafe_code)]
            // SAFETY: the last 16 bytes that are read end at 48 + 32 + 16, the block's end.
            let load = |at: usize| unsafe { _mm_loadu_si128(block.as_ptr().add(at).cast::<__m128i>()) };
            *part = _mm256_set_m128i(load(48 + 16 * i), load(16 * i));
        }
        self.moved(parts)
    }

    /// Writes 32 pixels; wants the orders of [`together`](Self::together).
    #[target_feature(enable = "avx2")]
    #[inline]
    pub(crate) fn write(&self, channels: [__m256i; 3], block: &mut Block) {
        for (i, part) in self.moved(channels).into_iter().enumerate() {
            #[allow(unsafe_code)]
            // SAFETY: as for the loads.
            unsafe {
                let at = block.as_mut_ptr().add(16 * i);
                _mm_storeu_si128(at.cast(), _mm256_castsi256_si128(part));
                _mm_storeu_si128(at.add(48).cast(), _mm256_extracti128_si256::<1>(part));
            }
        }
    }
}

/// Two channels of four pixels as pairs of 16 bits, whose bytes lie at the beginning of a half.
const fn pairs(first: i8, second: i8) -> [i8; 16] {
    let mut order = [-1; 16];
    let mut pixel = 0;
    while pixel < 4 {
        order[4 * pixel] = 3 * pixel as i8 + first;
        if second >= 0 {
            order[4 * pixel + 2] = 3 * pixel as i8 + second;
        }
        pixel += 1;
    }
    order
}

/// Orders that pair channels for products: the last with the middle one, the first with the middle one, and the first
/// and the last each with itself.
pub(crate) struct Pairs {
    last_middle: __m256i,
    first_middle: __m256i,
    first: __m256i,
    last: __m256i,
}

/// The weights of a sum over pairs of channels, 32 bits with the second weight in the upper half, and what is added.
#[derive(Clone, Copy)]
pub(crate) struct Sum {
    pub(crate) last_middle: [i16; 2],
    pub(crate) first_middle: [i16; 2],
    pub(crate) first: i16,
    pub(crate) last: i16,
    pub(crate) add: i32,
}

impl Pairs {
    #[target_feature(enable = "avx2")]
    #[inline]
    pub(crate) fn new() -> Self {
        Self {
            last_middle: twice(&pairs(2, 1)),
            first_middle: twice(&pairs(0, 1)),
            first: twice(&pairs(0, 0)),
            last: twice(&pairs(2, 2)),
        }
    }

    /// Weighted sums of the channels of 32 pixels, without their `BITS` lowest bits; they are 0 to 255.
    #[target_feature(enable = "avx2")]
    #[inline]
    pub(crate) fn sums<const BITS: i32, const N: usize>(&self, block: &Block, sums: &[Sum; N]) -> [__m256i; N] {
        let mut eights = [[_mm256_setzero_si256(); 4]; N];
        for k in 0..4 {
            // Four pixels at the beginning of either half; the last eight are read 8 bytes early.
            let (at, order) = if k < 3 {
                (24 * k, _mm256_setr_epi32(0, 1, 2, 2, 3, 4, 5, 5))
            } else {
                (64, _mm256_setr_epi32(2, 3, 4, 4, 5, 6, 7, 7))
            };
            #[allow(unsafe_code)]
            // SAFETY: `at` is at most 64, and 96 bytes are there.
            let bytes = unsafe { _mm256_loadu_si256(block.as_ptr().add(at).cast()) };
            let pixels = _mm256_permutevar8x32_epi32(bytes, order);
            for (eights, sum) in eights.iter_mut().zip(sums) {
                let part = |order: __m256i, [a, b]: [i16; 2]| {
                    let weights = _mm256_set1_epi32(i32::from(b) << 16 | i32::from(a as u16));
                    _mm256_madd_epi16(_mm256_shuffle_epi8(pixels, order), weights)
                };
                let mut all = _mm256_set1_epi32(sum.add);
                // What has no weight is known where this is compiled into its caller.
                for (order, weights) in [
                    (self.last_middle, sum.last_middle),
                    (self.first_middle, sum.first_middle),
                    (self.first, [sum.first; 2]),
                    (self.last, [sum.last; 2]),
                ] {
                    if weights != [0; 2] {
                        all = _mm256_add_epi32(all, part(order, weights));
                    }
                }
                eights[k] = _mm256_srli_epi32::<BITS>(all);
            }
        }
        let mut out = [_mm256_setzero_si256(); N];
        for (out, [a, b, c, d]) in out.iter_mut().zip(eights) {
            // Numbers are packed within halves of a register.
            let packed = _mm256_packus_epi16(_mm256_packs_epi32(a, b), _mm256_packs_epi32(c, d));
            *out = _mm256_permutevar8x32_epi32(packed, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
        }
        out
    }
}
