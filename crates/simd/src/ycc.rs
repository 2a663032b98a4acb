//! Colours as luma and the differences to blue and red, and the way back, in libjpeg's whole numbers.

use crate::lanes;

/// Takes pixels apart, the first of whose bytes is blue and the last red.
pub fn split_ycc(pixels: &[[u8; 3]], luma: &mut [u8], blue: &mut [u8], red: &mut [u8]) {
    let n = pixels.len();
    assert!(luma.len() >= n && blue.len() >= n && red.len() >= n, "room for each pixel");
    #[cfg(target_arch = "x86_64")]
    let done = {
        #[allow(unsafe_code)]
        // SAFETY: every level but the portable one has AVX2.
        if crate::level() == crate::Level::Portable { 0 } else { unsafe { vectors::split(pixels, [luma, blue, red]) } }
    };
    #[cfg(not(target_arch = "x86_64"))]
    let done = 0;
    split::<u8>(&pixels[done..], &mut luma[done..], &mut blue[done..], &mut red[done..]);
}

lanes! {
    fn split<T: Copy>(pixels: &[[u8; 3]], luma: &mut [u8], blue: &mut [u8], red: &mut [u8]) {
        for (((pixel, luma), blue), red) in pixels.iter().zip(luma).zip(blue).zip(red) {
            let [b, g, r] = pixel.map(i32::from);
            *luma = ((19595 * r + 38470 * g + 7471 * b + 32768) >> 16) as u8;
            *blue = ((32768 * b - 11059 * r - 21709 * g + (128 << 16) + 32767) >> 16) as u8;
            *red = ((32768 * r - 27439 * g - 5329 * b + (128 << 16) + 32767) >> 16) as u8;
        }
    }
}

/// Puts pixels together again, blue first.
pub fn join_ycc(luma: &[u8], blue: &[u8], red: &[u8], pixels: &mut [[u8; 3]]) {
    let n = pixels.len();
    assert!(luma.len() >= n && blue.len() >= n && red.len() >= n, "a number for each pixel");
    #[cfg(target_arch = "x86_64")]
    let done = {
        #[allow(unsafe_code)]
        // SAFETY: every level but the portable one has AVX2.
        if crate::level() == crate::Level::Portable { 0 } else { unsafe { vectors::join([luma, blue, red], pixels) } }
    };
    #[cfg(not(target_arch = "x86_64"))]
    let done = 0;
    join::<u8>(&luma[done..], &blue[done..], &red[done..], &mut pixels[done..]);
}

lanes! {
    fn join<T: Copy>(luma: &[u8], blue: &[u8], red: &[u8], pixels: &mut [[u8; 3]]) {
        for (((pixel, &luma), &blue), &red) in pixels.iter_mut().zip(luma).zip(blue).zip(red) {
            let (y, blue, red) = (i32::from(luma), i32::from(blue) - 128, i32::from(red) - 128);
            let b = y + ((116_130 * blue + 32768) >> 16);
            let g = y + ((-22554 * blue - 46802 * red + 32768) >> 16);
            let r = y + ((91881 * red + 32768) >> 16);
            *pixel = [b, g, r].map(|x| x.clamp(0, 255) as u8);
        }
    }
}

/// 32 pixels at a time; each function says how many pixels that made.
#[cfg(target_arch = "x86_64")]
mod vectors {
    use crate::rgb::{Orders, Pairs, Sum};
    use std::arch::x86_64::{
        __m256i, _mm256_add_epi16, _mm256_add_epi32, _mm256_loadu_si256, _mm256_madd_epi16, _mm256_mulhi_epi16,
        _mm256_packs_epi32, _mm256_packus_epi16, _mm256_set1_epi16, _mm256_set1_epi32, _mm256_setzero_si256,
        _mm256_srai_epi16, _mm256_srai_epi32, _mm256_storeu_si256, _mm256_sub_epi16, _mm256_unpackhi_epi8,
        _mm256_unpackhi_epi16, _mm256_unpacklo_epi8, _mm256_unpacklo_epi16,
    };

    /// Weights beyond 15 bits in two parts: 38470 is 22086 and 16384, 32768 twice 16384.
    const PARTS: [Sum; 3] = [
        Sum { last_middle: [19595, 22086], first_middle: [7471, 16384], first: 0, last: 0, add: 32768 },
        Sum { last_middle: [-11059, -21709], first_middle: [0; 2], first: 16384, last: 0, add: (128 << 16) + 32767 },
        Sum { last_middle: [0; 2], first_middle: [-5329, -27439], first: 0, last: 16384, add: (128 << 16) + 32767 },
    ];

    #[target_feature(enable = "avx2")]
    pub(super) fn split(pixels: &[[u8; 3]], planes: [&mut [u8]; 3]) -> usize {
        let pairs = Pairs::new();
        let blocks = pixels.as_flattened().as_chunks::<96>().0;
        let [luma, blue, red] = planes.map(|plane| plane.as_chunks_mut::<32>().0);
        for (((block, luma), blue), red) in blocks.iter().zip(luma).zip(blue).zip(red) {
            let sums = pairs.sums::<16, 3>(block, &PARTS);
            for (to, sum) in [luma, blue, red].into_iter().zip(sums) {
                #[allow(unsafe_code)]
                // SAFETY: there are 32 bytes.
                unsafe {
                    _mm256_storeu_si256(to.as_mut_ptr().cast(), sum);
                }
            }
        }
        32 * blocks.len()
    }

    /// 16 pixels: `y`, and the differences less 128, as 16 bits; blue, green, red.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn joined(y: __m256i, blue: __m256i, red: __m256i) -> [__m256i; 3] {
        // round(x weight / 2^16): the product of twice x, without 16 bits, has one bit of fraction.
        let share = |x: __m256i, weight: i16| {
            let product = _mm256_mulhi_epi16(_mm256_add_epi16(x, x), _mm256_set1_epi16(weight));
            _mm256_srai_epi16::<1>(_mm256_add_epi16(product, _mm256_set1_epi16(1)))
        };
        // 116130 is 2 * 65536 - 14942, 91881 is 65536 + 26345, and -46802 is 18734 - 65536.
        let to_blue = _mm256_add_epi16(_mm256_add_epi16(blue, blue), share(blue, -14942));
        let to_red = _mm256_add_epi16(red, share(red, 26345));
        let weights = _mm256_set1_epi32(18734 << 16 | i32::from(-22554_i16 as u16));
        let half = |pairs: __m256i| {
            let sum = _mm256_add_epi32(_mm256_madd_epi16(pairs, weights), _mm256_set1_epi32(32768));
            _mm256_srai_epi32::<16>(sum)
        };
        let shares = _mm256_packs_epi32(half(_mm256_unpacklo_epi16(blue, red)), half(_mm256_unpackhi_epi16(blue, red)));
        let to_green = _mm256_sub_epi16(shares, red);
        [_mm256_add_epi16(y, to_blue), _mm256_add_epi16(y, to_green), _mm256_add_epi16(y, to_red)]
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn join(planes: [&[u8]; 3], pixels: &mut [[u8; 3]]) -> usize {
        let together = Orders::together();
        let (zero, middle) = (_mm256_setzero_si256(), _mm256_set1_epi16(128));
        let blocks = pixels.as_flattened_mut().as_chunks_mut::<96>().0;
        let [luma, blue, red] = planes.map(|plane| plane.as_chunks::<32>().0);
        for (((block, luma), blue), red) in blocks.iter_mut().zip(luma).zip(blue).zip(red) {
            #[allow(unsafe_code)]
            // SAFETY: there are 32 bytes.
            let load = |from: &[u8; 32]| unsafe { _mm256_loadu_si256(from.as_ptr().cast()) };
            let (y, b, r) = (load(luma), load(blue), load(red));
            let difference = |wide: __m256i| _mm256_sub_epi16(wide, middle);
            // Lower and upper eight bytes of each half, which packing puts behind each other again.
            let low = joined(
                _mm256_unpacklo_epi8(y, zero),
                difference(_mm256_unpacklo_epi8(b, zero)),
                difference(_mm256_unpacklo_epi8(r, zero)),
            );
            let high = joined(
                _mm256_unpackhi_epi8(y, zero),
                difference(_mm256_unpackhi_epi8(b, zero)),
                difference(_mm256_unpackhi_epi8(r, zero)),
            );
            let mut channels = low;
            for (channel, high) in channels.iter_mut().zip(high) {
                *channel = _mm256_packus_epi16(*channel, high);
            }
            together.write(channels, block);
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
        fn every_level_gives_the_numbers_of_the_definition(pixels in prop::collection::vec(any::<[u8; 3]>(), 0..200)) {
            let n = pixels.len();
            let [mut a, mut b, mut c] = [vec![1; n], vec![2; n], vec![3; n]];
            let [mut x, mut y, mut z] = [vec![4; n], vec![5; n], vec![6; n]];
            split_ycc(&pixels, &mut a, &mut b, &mut c);
            split::<u8>(&pixels, &mut x, &mut y, &mut z);
            prop_assert_eq!((&a, &b, &c), (&x, &y, &z));
            // Any three planes, whether a colour has them or not.
            let planes: [Vec<u8>; 3] = [0, 1, 2].map(|k| pixels.iter().map(|p| p[k]).collect());
            let (mut quick, mut plain) = (vec![[1; 3]; n], vec![[2; 3]; n]);
            join_ycc(&planes[0], &planes[1], &planes[2], &mut quick);
            join::<u8>(&planes[0], &planes[1], &planes[2], &mut plain);
            prop_assert_eq!(quick, plain);
        }
    }

    #[test]
    fn all_pairs_of_differences_come_back_alike() {
        let (blue, red): (Vec<u8>, Vec<u8>) = (0..=65535_u16).map(|i| ((i >> 8) as u8, i as u8)).unzip();
        for y in [0, 100, 255] {
            let luma = vec![y; blue.len()];
            let (mut quick, mut plain) = (vec![[1; 3]; blue.len()], vec![[2; 3]; blue.len()]);
            join_ycc(&luma, &blue, &red, &mut quick);
            join::<u8>(&luma, &blue, &red, &mut plain);
            assert_eq!(quick, plain);
        }
    }
}
