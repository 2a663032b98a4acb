//! Sums of neighbouring pixels of 8 bits by weights in fixed point: along rows, and then between them.
//!
//! Products are added in 32 bits, and between the two passes a sample has [`FRACTION`] bits behind the point: every
//! machine gives the same bytes, and no order of adding matters.

#[cfg(target_arch = "x86_64")]
pub(crate) mod vectors;

/// Bits behind the point of a sample that was summed along its row.
pub const FRACTION: u32 = 6;

/// Samples that a row must have behind those that are read or made.
pub const MARGIN: usize = 32;

/// Neighbours that are added together.
const FOUR: usize = 4;

/// Pixels whose sums are made together.
const TOGETHER: usize = 8;

/// The weights of neighbouring pixels for each pixel of a row.
#[derive(Debug)]
pub struct Weights {
    channels: usize,
    /// Neighbours in fours.
    fours: usize,
    /// Bits of a weight behind the point.
    bits: u32,
    /// Pixels that are made.
    pixels: usize,
    /// Samples that a row must have.
    reach: usize,
    /// Where each pixel's neighbours begin, in samples; of whole [`TOGETHER`].
    starts: Vec<i32>,
    /// For each [`TOGETHER`] and each four neighbours the weights of every pixel.
    each: Vec<[i16; FOUR]>,
    /// The same of gray pixels side by side, where there are such.
    #[cfg(target_arch = "x86_64")]
    blocks: Vec<vectors::Block>,
}

impl Weights {
    /// Of pixels of so many channels, each the sum of `taps` pixels from the sample `starts` on, times `weights` of so many
    /// `bits` behind the point ([`FRACTION`] at least). The magnitudes of a pixel's weights times 255 are below 2^31.
    pub fn new(channels: usize, taps: usize, starts: &[usize], weights: &[i16], bits: u32) -> Self {
        let (channels, taps) = (channels.max(1), taps.max(1));
        let (fours, pixels) = (taps.div_ceil(FOUR), starts.len().min(weights.len() / taps));
        let reach = starts.iter().take(pixels).max().map_or(0, |s| s + fours * FOUR * channels + MARGIN);
        let mut starts: Vec<i32> = starts[..pixels].iter().map(|s| *s as i32).collect();
        // The last registers are filled with pixels that nobody reads.
        starts.resize(pixels.next_multiple_of(TOGETHER), starts.last().copied().unwrap_or(0));
        let mut each = vec![[0; FOUR]; starts.len() * fours];
        for (i, pixel) in weights.chunks_exact(taps).take(pixels).enumerate() {
            for (t, weight) in pixel.iter().enumerate() {
                each[place(i, fours, t / FOUR)][t % FOUR] = *weight;
            }
        }
        Self {
            channels,
            fours,
            bits: bits.max(FRACTION),
            pixels,
            reach,
            #[cfg(target_arch = "x86_64")]
            blocks: if (channels, fours) == (1, 1) { vectors::blocks(&starts, &each) } else { Vec::new() },
            starts,
            each,
        }
    }

    /// The sums of a row into `out`; `row` and `out` have a [`MARGIN`] behind what is summed and what is made, and what is
    /// written there means nothing. Without effect where they are shorter.
    pub fn along(&self, row: &[u8], out: &mut [i16]) {
        if row.len() < self.reach || out.len() < self.pixels * self.channels + MARGIN {
            return;
        }
        #[cfg(target_arch = "x86_64")]
        if self.channels <= 4 && row.len() <= i32::MAX as usize && crate::level() != crate::Level::Portable {
            #[allow(unsafe_code)]
            // SAFETY: every level but the portable one has AVX2; the row and `out` were found to be long enough.
            unsafe {
                match (self.channels, self.fours) {
                    (1, _) if self.blocks.is_empty() => vectors::gray(self, row, out),
                    (1, _) => vectors::gray_blocks(self, row, out),
                    (2, _) => vectors::colours::<2, 0>(self, row, out),
                    (3, 1) => vectors::colours::<3, 1>(self, row, out),
                    (3, _) => vectors::colours::<3, 0>(self, row, out),
                    _ => vectors::colours::<4, 0>(self, row, out),
                }
            }
            return;
        }
        self.along_plain(row, out);
    }

    /// The definition.
    fn along_plain(&self, row: &[u8], out: &mut [i16]) {
        let pixels = out.chunks_exact_mut(self.channels).zip(&self.starts).take(self.pixels);
        for (i, (out, &start)) in pixels.enumerate() {
            for (k, out) in out.iter_mut().enumerate() {
                let weights = (0..self.fours).flat_map(|four| &self.each[place(i, self.fours, four)]);
                let samples = row[start as usize + k..].iter().step_by(self.channels);
                let sum: i32 = samples.zip(weights).map(|(v, w)| i32::from(*v) * i32::from(*w)).sum();
                *out = part(sum, self.bits);
            }
        }
    }
}

/// Where the weights of a pixel and four of its neighbours are.
fn place(pixel: usize, fours: usize, four: usize) -> usize {
    (pixel / TOGETHER * fours + four) * TOGETHER + pixel % TOGETHER
}

/// A sum of samples of 8 bits by weights of so many bits, rounded to [`FRACTION`] bits.
pub fn part(sum: i32, bits: u32) -> i16 {
    shifted(sum, bits - FRACTION).clamp(i16::MIN.into(), i16::MAX.into()) as i16
}

/// A sum of such parts by weights of so many bits, rounded to 8 bits.
pub fn whole(sum: i32, bits: u32) -> u8 {
    shifted(sum, bits + FRACTION).clamp(0, 255) as u8
}

/// Rounded to the nearest, a half upwards.
fn shifted(sum: i32, by: u32) -> i32 {
    if by == 0 { sum } else { (sum + (1 << (by - 1))) >> by }
}

/// The sums of rows by weights of so many `bits`, rounded, into `out`. Rows have a [`MARGIN`]; without effect where one is
/// shorter. The magnitudes of the weights times those of the samples are below 2^31.
pub fn weigh_down(rows: &[&[i16]], weights: &[i16], bits: u32, out: &mut [u8]) {
    if rows.iter().any(|row| row.len() < out.len() + MARGIN) || rows.len() != weights.len() {
        return;
    }
    #[cfg(target_arch = "x86_64")]
    if crate::level() != crate::Level::Portable {
        #[allow(unsafe_code)]
        // SAFETY: every level but the portable one has AVX2, and each row has a block behind the last sample.
        unsafe {
            match rows.len() {
                2 => vectors::down::<2>(rows, weights, bits, out),
                4 => vectors::down::<4>(rows, weights, bits, out),
                _ => vectors::down::<0>(rows, weights, bits, out),
            }
        }
        return;
    }
    down_plain(rows, weights, bits, out);
}

fn down_plain(rows: &[&[i16]], weights: &[i16], bits: u32, out: &mut [u8]) {
    for (i, out) in out.iter_mut().enumerate() {
        *out = whole(rows.iter().zip(weights).map(|(row, w)| i32::from(row[i]) * i32::from(*w)).sum(), bits);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::{bytes, numbers};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn sums_along_are_those_of_the_definition(
            n in 1usize..40, taps in 1usize..12, channels in 1usize..=6, bits in 6u32..18, near in 0usize..7, seed: u32,
        ) {
            let row = bytes(300 + taps * channels + 4 * channels + MARGIN, seed);
            let mut next = numbers(seed ^ 5);
            // Anywhere, or one behind the other.
            let start = |i: usize| if near > 4 { next() as usize } else { i * near + next() as usize % 2 } % 300;
            let starts: Vec<usize> = (0..n).map(start).collect();
            let weights: Vec<i16> = (0..n * taps).map(|_| next() as i16 >> 3).collect();
            let all = Weights::new(channels, taps, &starts, &weights, bits);
            let (mut out, mut plain) = (vec![7; n * channels + MARGIN], vec![9; n * channels + MARGIN]);
            all.along(&row, &mut out);
            all.along_plain(&row, &mut plain);
            prop_assert_eq!(&out[..n * channels], &plain[..n * channels]);
            for (i, out) in out[..n * channels].iter().enumerate() {
                let (pixel, k) = (i / channels, i % channels);
                let tap = |t: usize| i64::from(row[starts[pixel] + t * channels + k]) * i64::from(weights[pixel * taps + t]);
                let sum: i64 = (0..taps).map(tap).sum();
                let want = (sum as f64 / f64::from(1 << (bits - FRACTION)) + 0.5).floor();
                prop_assert_eq!(f64::from(*out), want.clamp(-32768.0, 32767.0));
            }
        }

        #[test]
        fn sums_down_are_those_of_the_definition(n in 1usize..90, count in 1usize..9, bits in 6u32..16, seed: u32) {
            let mut next = numbers(seed);
            let rows: Vec<Vec<i16>> =
                (0..count).map(|_| (0..n + MARGIN).map(|_| next() as i16 >> 1).collect()).collect();
            let rows: Vec<&[i16]> = rows.iter().map(Vec::as_slice).collect();
            let weights: Vec<i16> = (0..count).map(|_| next() as i16 >> 3).collect();
            let (mut out, mut plain) = (vec![7; n], vec![9; n]);
            weigh_down(&rows, &weights, bits, &mut out);
            down_plain(&rows, &weights, bits, &mut plain);
            prop_assert_eq!(&out, &plain);
            for (i, out) in out.iter().enumerate() {
                let sum: i64 = rows.iter().zip(&weights).map(|(r, w)| i64::from(r[i]) * i64::from(*w)).sum();
                let want = (sum as f64 / f64::from(1 << (bits + FRACTION)) + 0.5).floor();
                prop_assert_eq!(f64::from(*out), want.clamp(0.0, 255.0));
            }
        }
    }
}
