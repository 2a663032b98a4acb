//! Takes pixels of three bytes apart into their channels, and puts them together again.

/// Writes the channels of pixels.
pub fn split_rgb(pixels: &[[u8; 3]], channels: [&mut [u8]; 3]) {
    let n = pixels.len();
    let [red, green, blue] = channels.map(|channel| &mut channel[..n]);
    #[cfg(target_arch = "x86_64")]
    let done = {
        #[allow(unsafe_code)]
        // SAFETY: every level but the portable one has AVX2.
        if crate::level() == crate::Level::Portable { 0 } else { unsafe { vectors::split(pixels, [red, green, blue]) } }
    };
    #[cfg(not(target_arch = "x86_64"))]
    let done = 0;
    let rest = red[done..].iter_mut().zip(&mut green[done..]).zip(&mut blue[done..]);
    for (pixel, ((red, green), blue)) in pixels[done..].iter().zip(rest) {
        [*red, *green, *blue] = *pixel;
    }
}

/// Writes pixels from their channels.
pub fn join_rgb(channels: [&[u8]; 3], pixels: &mut [[u8; 3]]) {
    let n = pixels.len();
    let [red, green, blue] = channels.map(|channel| &channel[..n]);
    #[cfg(target_arch = "x86_64")]
    let done = {
        #[allow(unsafe_code)]
        // SAFETY: every level but the portable one has AVX2.
        if crate::level() == crate::Level::Portable { 0 } else { unsafe { vectors::join([red, green, blue], pixels) } }
    };
    #[cfg(not(target_arch = "x86_64"))]
    let done = 0;
    let rest = red[done..].iter().zip(&green[done..]).zip(&blue[done..]);
    for (pixel, ((red, green), blue)) in pixels[done..].iter_mut().zip(rest) {
        *pixel = [*red, *green, *blue];
    }
}

/// 32 pixels at a time; each function says how many pixels that made.
#[cfg(target_arch = "x86_64")]
mod vectors {
    use crate::rgb::Orders;
    use std::arch::x86_64::{__m256i, _mm256_loadu_si256, _mm256_storeu_si256};

    #[target_feature(enable = "avx2")]
    pub(super) fn split(pixels: &[[u8; 3]], channels: [&mut [u8]; 3]) -> usize {
        let orders = Orders::apart();
        let blocks = pixels.as_flattened().as_chunks::<96>().0;
        let [a, b, c] = channels.map(|channel| channel.as_chunks_mut::<32>().0);
        for (((block, a), b), c) in blocks.iter().zip(a).zip(b).zip(c) {
            for (to, channel) in [a, b, c].into_iter().zip(orders.channels(block)) {
                #[allow(unsafe_code)]
                // SAFETY: there are 32 bytes.
                unsafe {
                    _mm256_storeu_si256(to.as_mut_ptr().cast::<__m256i>(), channel);
                }
            }
        }
        32 * blocks.len()
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn join(channels: [&[u8]; 3], pixels: &mut [[u8; 3]]) -> usize {
        let orders = Orders::together();
        let blocks = pixels.as_flattened_mut().as_chunks_mut::<96>().0;
        let [a, b, c] = channels.map(|channel| channel.as_chunks::<32>().0);
        for (((block, a), b), c) in blocks.iter_mut().zip(a).zip(b).zip(c) {
            #[allow(unsafe_code)]
            // SAFETY: there are 32 bytes.
            let load = |from: &[u8; 32]| unsafe { _mm256_loadu_si256(from.as_ptr().cast::<__m256i>()) };
            orders.write([load(a), load(b), load(c)], block);
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
        fn channels_put_together_are_the_pixels(pixels in prop::collection::vec(any::<[u8; 3]>(), 0..200)) {
            let mut channels = [0, 1, 2].map(|_| vec![7; pixels.len()]);
            split_rgb(&pixels, channels.each_mut().map(Vec::as_mut_slice));
            for (k, channel) in channels.iter().enumerate() {
                prop_assert!(channel.iter().zip(&pixels).all(|(x, pixel)| *x == pixel[k]));
            }
            let mut again = vec![[7; 3]; pixels.len()];
            join_rgb(channels.each_ref().map(Vec::as_slice), &mut again);
            prop_assert_eq!(again, pixels);
        }
    }
}
