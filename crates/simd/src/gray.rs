//! One gray for the three bytes of a pixel: OpenCV's luma in whole numbers, many pixels at a time.

/// The luma of red, green and blue, with 15 bits of fraction that are rounded.
#[inline(always)]
fn luma([r, g, b]: [u8; 3]) -> u8 {
    ((u32::from(r) * 9798 + u32::from(g) * 19235 + u32::from(b) * 3735 + (1 << 14)) >> 15) as u8
}

/// Replaces each of the three bytes of a pixel by their luma, `(9798 r + 19235 g + 3735 b + 2^14) / 2^15`.
pub fn gray_rgb(pixels: &mut [[u8; 3]]) {
    #[cfg(target_arch = "x86_64")]
    let done = {
        #[allow(unsafe_code)]
        // SAFETY: every level but the portable one has AVX2.
        if crate::level() == crate::Level::Portable { 0 } else { unsafe { vectors::spread(pixels) } }
    };
    #[cfg(not(target_arch = "x86_64"))]
    let done = 0;
    for pixel in &mut pixels[done..] {
        *pixel = [luma(*pixel); 3];
    }
}

/// The luma of each pixel, as [`gray_rgb`] has it.
pub fn luma_rgb(pixels: &[[u8; 3]], out: &mut [u8]) {
    assert_eq!(pixels.len(), out.len(), "one luma for each pixel");
    #[cfg(target_arch = "x86_64")]
    let done = {
        #[allow(unsafe_code)]
        // SAFETY: every level but the portable one has AVX2.
        if crate::level() == crate::Level::Portable { 0 } else { unsafe { vectors::alone(pixels, out) } }
    };
    #[cfg(not(target_arch = "x86_64"))]
    let done = 0;
    for (pixel, out) in pixels[done..].iter().zip(&mut out[done..]) {
        *out = luma(*pixel);
    }
}

/// The sum of red, green and blue by weights in single precision, product by product, without its fraction.
#[inline(always)]
fn shade([r, g, b]: [u8; 3], weights: [f32; 3]) -> u8 {
    (f32::from(r) * weights[0] + f32::from(g) * weights[1] + f32::from(b) * weights[2]) as u8
}

/// Replaces each of the three bytes of a pixel by their sum `r w0 + g w1 + b w2` in single precision, whose fraction is
/// dropped.
pub fn shade_rgb(pixels: &mut [[u8; 3]], weights: [f32; 3]) {
    #[cfg(target_arch = "x86_64")]
    let done = {
        #[allow(unsafe_code)]
        // SAFETY: every level but the portable one has AVX2.
        if crate::level() == crate::Level::Portable { 0 } else { unsafe { vectors::shade(pixels, weights) } }
    };
    #[cfg(not(target_arch = "x86_64"))]
    let done = 0;
    for pixel in &mut pixels[done..] {
        *pixel = [shade(*pixel, weights); 3];
    }
}

/// The sum of each pixel, as [`shade_rgb`] has it.
pub fn shaded_rgb(pixels: &[[u8; 3]], weights: [f32; 3], out: &mut [u8]) {
    assert_eq!(pixels.len(), out.len(), "one sum for each pixel");
    #[cfg(target_arch = "x86_64")]
    let done = {
        #[allow(unsafe_code)]
        // SAFETY: every level but the portable one has AVX2.
        if crate::level() == crate::Level::Portable { 0 } else { unsafe { vectors::shaded(pixels, weights, out) } }
    };
    #[cfg(not(target_arch = "x86_64"))]
    let done = 0;
    for (pixel, out) in pixels[done..].iter().zip(&mut out[done..]) {
        *out = shade(*pixel, weights);
    }
}

/// 32 pixels at a time; each function says how many pixels that made.
#[cfg(target_arch = "x86_64")]
mod vectors {
    use crate::rgb::{Block, Orders, Pairs, Sum, twice};
    use std::arch::x86_64::{
        __m128i, __m256i, _mm_srli_si128, _mm256_add_ps, _mm256_blend_epi32, _mm256_castsi256_si128,
        _mm256_cvtepi32_ps, _mm256_cvtepu8_epi32, _mm256_cvttps_epi32, _mm256_extracti128_si256, _mm256_mul_ps,
        _mm256_packs_epi32, _mm256_packus_epi16, _mm256_permute4x64_epi64, _mm256_permutevar8x32_epi32, _mm256_set1_ps,
        _mm256_setr_epi32, _mm256_shuffle_epi8, _mm256_storeu_si256,
    };

    const LUMA: [Sum; 1] =
        [Sum { last_middle: [3735, 19235], first_middle: [9798, 0], first: 0, last: 0, add: 1 << 14 }];

    /// Which pixel each of 16 bytes is of, from the given byte on.
    const fn thrice(from: i8) -> [i8; 16] {
        let mut order = [0; 16];
        let mut i = 0;
        while i < 16 {
            order[i as usize] = (from + i) / 3 % 16;
            i += 1;
        }
        order
    }

    /// The orders that put each of 32 grays three times side by side.
    struct Thrice([__m256i; 3]);

    impl Thrice {
        #[target_feature(enable = "avx2")]
        #[inline]
        fn new() -> Self {
            let (a, b, c) = (twice(&thrice(0)), twice(&thrice(16)), twice(&thrice(32)));
            // In each register the halves are of different orders.
            Self([_mm256_blend_epi32::<0xf0>(a, b), _mm256_blend_epi32::<0xf0>(c, a), _mm256_blend_epi32::<0xf0>(b, c)])
        }

        #[target_feature(enable = "avx2")]
        #[inline]
        fn write(&self, gray: __m256i, block: &mut Block) {
            let halves = [
                _mm256_permute4x64_epi64::<0b01_00_01_00>(gray),
                gray,
                _mm256_permute4x64_epi64::<0b11_10_11_10>(gray),
            ];
            for (i, (half, order)) in halves.into_iter().zip(self.0).enumerate() {
                #[allow(unsafe_code)]
                // SAFETY: three times 32 bytes are the block's 96.
                unsafe {
                    _mm256_storeu_si256(block.as_mut_ptr().add(32 * i).cast(), _mm256_shuffle_epi8(half, order));
                }
            }
        }
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn store(gray: __m256i, out: &mut [u8; 32]) {
        #[allow(unsafe_code)]
        // SAFETY: there are 32 bytes.
        unsafe {
            _mm256_storeu_si256(out.as_mut_ptr().cast(), gray);
        }
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn spread(pixels: &mut [[u8; 3]]) -> usize {
        let (pairs, thrice) = (Pairs::new(), Thrice::new());
        let blocks = pixels.as_flattened_mut().as_chunks_mut::<96>().0;
        for block in blocks.iter_mut() {
            let [gray] = pairs.sums::<15, 1>(block, &LUMA);
            thrice.write(gray, block);
        }
        32 * blocks.len()
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn alone(pixels: &[[u8; 3]], out: &mut [u8]) -> usize {
        let pairs = Pairs::new();
        let blocks = pixels.as_flattened().as_chunks::<96>().0;
        for (block, out) in blocks.iter().zip(out.as_chunks_mut::<32>().0) {
            let [gray] = pairs.sums::<15, 1>(block, &LUMA);
            store(gray, out);
        }
        32 * blocks.len()
    }

    /// The sums of 32 pixels in single precision, in the order of [`shade`](super::shade).
    #[target_feature(enable = "avx2")]
    #[inline]
    fn sums(apart: &Orders, block: &Block, weights: [f32; 3]) -> __m256i {
        let eights = |c: __m256i| {
            let (low, high) = (_mm256_castsi256_si128(c), _mm256_extracti128_si256::<1>(c));
            [low, _mm_srli_si128::<8>(low), high, _mm_srli_si128::<8>(high)]
        };
        let [red, green, blue] = apart.channels(block);
        let (red, green, blue) = (eights(red), eights(green), eights(blue));
        let [wr, wg, wb] = weights;
        let (wr, wg, wb) = (_mm256_set1_ps(wr), _mm256_set1_ps(wg), _mm256_set1_ps(wb));
        let eight = |i: usize| {
            let wide = |bytes: __m128i| _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes));
            let two = _mm256_add_ps(_mm256_mul_ps(wide(red[i]), wr), _mm256_mul_ps(wide(green[i]), wg));
            _mm256_cvttps_epi32(_mm256_add_ps(two, _mm256_mul_ps(wide(blue[i]), wb)))
        };
        // Numbers are packed within halves of a register.
        let packed =
            _mm256_packus_epi16(_mm256_packs_epi32(eight(0), eight(1)), _mm256_packs_epi32(eight(2), eight(3)));
        _mm256_permutevar8x32_epi32(packed, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7))
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn shade(pixels: &mut [[u8; 3]], weights: [f32; 3]) -> usize {
        let (apart, thrice) = (Orders::apart(), Thrice::new());
        let blocks = pixels.as_flattened_mut().as_chunks_mut::<96>().0;
        for block in blocks.iter_mut() {
            thrice.write(sums(&apart, block, weights), block);
        }
        32 * blocks.len()
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn shaded(pixels: &[[u8; 3]], weights: [f32; 3], out: &mut [u8]) -> usize {
        let apart = Orders::apart();
        let blocks = pixels.as_flattened().as_chunks::<96>().0;
        for (block, out) in blocks.iter().zip(out.as_chunks_mut::<32>().0) {
            store(sums(&apart, block, weights), out);
        }
        32 * blocks.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn grays_are_those_of_the_formula(pixels in prop::collection::vec(any::<[u8; 3]>(), 0..200)) {
            let want: Vec<u8> = pixels.iter().map(|&p| luma(p)).collect();
            let mut alone = vec![7; pixels.len()];
            luma_rgb(&pixels, &mut alone);
            prop_assert_eq!(&alone, &want);
            let mut three = pixels;
            gray_rgb(&mut three);
            prop_assert_eq!(three, want.iter().map(|&x| [x; 3]).collect::<Vec<_>>());
        }
    }

    proptest! {
        #[test]
        fn shades_are_those_of_the_formula(
            pixels in prop::collection::vec(any::<[u8; 3]>(), 0..200), weights in prop::array::uniform3(0f32..0.5),
        ) {
            let want: Vec<u8> = pixels.iter().map(|&p| shade(p, weights)).collect();
            let mut alone = vec![7; pixels.len()];
            shaded_rgb(&pixels, weights, &mut alone);
            prop_assert_eq!(&alone, &want);
            let mut three = pixels;
            shade_rgb(&mut three, weights);
            prop_assert_eq!(three, want.iter().map(|&x| [x; 3]).collect::<Vec<_>>());
        }
    }

    #[test]
    fn the_darkest_and_the_brightest_stay() {
        let mut pixels = [[0; 3], [255; 3]].repeat(40);
        let before = pixels.clone();
        gray_rgb(&mut pixels);
        assert_eq!(pixels, before);
    }
}
