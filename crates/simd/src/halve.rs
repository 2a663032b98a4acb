//! Means of two by two pixels.

use crate::lanes;

/// Samples of two rows that are added together.
const BLOCK: usize = 768;

/// Half a row of pixels: each is the rounded mean of two in the upper and two in the lower row, a half being rounded up.
pub fn halve(top: &[u8], bottom: &[u8], channels: usize, out: &mut [u8]) {
    let channels = channels.max(1);
    let whole = (BLOCK / (2 * channels)).max(1) * channels;
    for (n, out) in out.chunks_mut(whole).enumerate() {
        let (from, to) = (2 * n * whole, 2 * (n * whole + out.len()));
        let (Some(top), Some(bottom)) = (top.get(from..to), bottom.get(from..to)) else { return };
        match channels {
            1 => means::<u8, 1>(top, bottom, out),
            2 => means::<u8, 2>(top, bottom, out),
            3 => means::<u8, 3>(top, bottom, out),
            4 => means::<u8, 4>(top, bottom, out),
            _ => plain(top, bottom, channels, out),
        }
    }
}

fn plain(top: &[u8], bottom: &[u8], channels: usize, out: &mut [u8]) {
    for (i, out) in out.iter_mut().enumerate() {
        let at = 2 * (i - i % channels) + i % channels;
        let sum: u16 = [top[at], top[at + channels], bottom[at], bottom[at + channels]].map(u16::from).iter().sum();
        *out = ((sum + 2) >> 2) as u8;
    }
}

lanes! {
    fn means<T: Copy; const CHANNELS: usize>(top: &[u8], bottom: &[u8], out: &mut [u8]) {
        let mut sums = [0_u16; BLOCK + 4];
        let mut mean = [0_u8; BLOCK];
        let n = top.len().min(BLOCK);
        for ((sum, a), b) in sums.iter_mut().zip(&top[..n]).zip(&bottom[..n]) {
            *sum = u16::from(*a) + u16::from(*b);
        }
        // Also between pairs, where it means nothing: without steps it runs in vectors.
        for ((mean, a), b) in mean.iter_mut().zip(&sums[..n]).zip(&sums[CHANNELS..]) {
            *mean = ((a + b + 2) >> 2) as u8;
        }
        for (out, pair) in out.as_chunks_mut::<CHANNELS>().0.iter_mut().zip(mean.chunks_exact(2 * CHANNELS)) {
            out.copy_from_slice(&pair[..CHANNELS]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_number_of_channels_has_the_means_of_the_definition(n in 0usize..900, channels in 1usize..7, seed: u32) {
            let mut state = seed | 1;
            let mut row = || -> Vec<u8> {
                let mut next = || {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (state >> 24) as u8
                };
                (0..2 * n * channels).map(|_| next()).collect()
            };
            let (top, bottom) = (row(), row());
            let (mut quick, mut want) = (vec![0; n * channels], vec![1; n * channels]);
            halve(&top, &bottom, channels, &mut quick);
            plain(&top, &bottom, channels, &mut want);
            prop_assert_eq!(quick, want);
        }
    }
}
