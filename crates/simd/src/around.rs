//! Sums of the pixels around places by weights, rounded to 8 bits, as [`weigh_down`](crate::weigh_down) does it.

use crate::Grid;
use crate::weigh::{MARGIN, weigh_down};

/// Parts of a pixel that places are rounded to.
pub const PARTS: usize = 32;

/// Samples of a row of neighbours at most, in registers of eight.
const MOST: usize = 4;

/// The weights of the pixels around a place, along either axis, for each part of a pixel.
#[derive(Debug)]
pub struct Around {
    taps: usize,
    channels: usize,
    /// One for each neighbour.
    rows: Vec<f32>,
    /// One for each sample of a row of neighbours, in whole registers.
    samples: Vec<[f32; 8]>,
}

/// A place: the first of the neighbours along an axis, and the part of a pixel.
pub type Place = (i32, u8);

impl Around {
    /// For pixels of so many channels; `weights` has `taps` for each of the [`PARTS`]. None where there are more
    /// channels or neighbours than are known here.
    pub fn new(channels: usize, taps: usize, weights: &[f32]) -> Option<Self> {
        let registers = (taps * channels).div_ceil(8);
        if !(1..=4).contains(&channels) || registers > MOST || weights.len() != PARTS * taps || taps == 0 {
            return None;
        }
        let spread = |part: &[f32]| -> Vec<[f32; 8]> {
            let weight = |i: usize| part.get(i / channels).copied().unwrap_or(0.0);
            (0..registers).map(|r| std::array::from_fn(|i| weight(8 * r + i))).collect()
        };
        let samples = weights.chunks_exact(taps).flat_map(spread).collect();
        Some(Self { taps, channels, rows: weights.to_vec(), samples })
    }

    /// A row of pixels around places. Behind `doubtful` come the samples that are nearer than `doubt` to where another
    /// number would begin, and all those of pixels of which a neighbour is outside; they mean nothing.
    pub fn row(
        &self,
        from: &Grid<'_, u8>,
        places: &[(Place, Place)],
        doubt: f32,
        out: &mut [u8],
        doubtful: &mut Vec<usize>,
    ) {
        if from.channels != self.channels || from.data.len() != from.width * from.height * from.channels {
            doubtful.extend(0..out.len());
            return;
        }
        let mut sums = vec![0.0; places.len() * self.channels + MARGIN];
        match self.samples.len() / PARTS {
            1 => sum::<1>(self, from, places, &mut sums, doubtful),
            2 => sum::<2>(self, from, places, &mut sums, doubtful),
            3 => sum::<3>(self, from, places, &mut sums, doubtful),
            _ => sum::<MOST>(self, from, places, &mut sums, doubtful),
        }
        // The sums of pixels that are in doubt already are 0, and not so once more.
        weigh_down(&[&sums], &[1.0], doubt, out, doubtful);
    }

    /// Where the neighbours begin, if all of them, and what registers read behind them, are there.
    #[inline(always)]
    fn start(&self, from: &Grid<'_, u8>, (col, row): (i32, i32), registers: usize) -> Option<usize> {
        let inside = |first: i32, n: usize| first >= 0 && first as usize + self.taps <= n;
        if !inside(col, from.width) || !inside(row, from.height) {
            return None;
        }
        let start = (row as usize * from.width + col as usize) * self.channels;
        let last = start + (self.taps - 1) * from.width * self.channels + 8 * registers;
        (last <= from.data.len()).then_some(start)
    }
}

/// The sums of a pixel whose neighbours begin at a sample.
fn plain<const REGISTERS: usize>(
    all: &Around,
    data: &[u8],
    stride: usize,
    rows: &[f32],
    samples: &[[f32; 8]],
) -> [[f32; 8]; REGISTERS] {
    let mut made = [[0_f32; 8]; REGISTERS];
    for (r, weight) in rows.iter().enumerate() {
        let line = data[r * stride..].iter().take(all.taps * all.channels);
        made.as_flattened_mut().iter_mut().zip(line).for_each(|(made, v)| *made += f32::from(*v) * weight);
    }
    made.as_flattened_mut().iter_mut().zip(samples.as_flattened()).for_each(|(made, weight)| *made *= weight);
    made
}

fn sum<const REGISTERS: usize>(
    all: &Around,
    from: &Grid<'_, u8>,
    places: &[(Place, Place)],
    sums: &mut [f32],
    doubtful: &mut Vec<usize>,
) {
    let (channels, stride) = (all.channels, from.width * all.channels);
    #[cfg(target_arch = "x86_64")]
    let quick = crate::level() != crate::Level::Portable;
    for (i, ((col, across), (row, down))) in places.iter().enumerate() {
        let Some(start) = all.start(from, (*col, *row), REGISTERS) else {
            doubtful.extend(i * channels..(i + 1) * channels);
            continue;
        };
        let data = &from.data[start..];
        let rows = &all.rows[usize::from(*down) * all.taps..][..all.taps];
        let samples = &all.samples[usize::from(*across) * REGISTERS..][..REGISTERS];
        #[cfg(target_arch = "x86_64")]
        #[allow(unsafe_code)]
        let made = if quick {
            // SAFETY: every level but the portable one has AVX2 and FMA; `start` has found that registers of all rows end
            // within the samples, and there are so many weights.
            unsafe { vectors::pixel::<REGISTERS>(data, stride, rows, samples) }
        } else {
            plain::<REGISTERS>(all, data, stride, rows, samples)
        };
        #[cfg(not(target_arch = "x86_64"))]
        let made = plain::<REGISTERS>(all, data, stride, rows, samples);
        let (made, out) = (made.as_flattened(), &mut sums[i * channels..(i + 1) * channels]);
        let pixels = made[..all.taps * channels].chunks_exact(channels);
        match out {
            [r, g, b] => {
                for pixel in made[..3 * all.taps].as_chunks::<3>().0 {
                    (*r, *g, *b) = (*r + pixel[0], *g + pixel[1], *b + pixel[2]);
                }
            }
            out => pixels.for_each(|pixel| out.iter_mut().zip(pixel).for_each(|(o, v)| *o += v)),
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod vectors {
    use std::arch::x86_64::{
        _mm_loadl_epi64, _mm256_cvtepi32_ps, _mm256_cvtepu8_epi32, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_mul_ps,
        _mm256_set1_ps, _mm256_setzero_ps, _mm256_storeu_ps,
    };

    /// The sums of a pixel.
    ///
    /// # Safety
    /// From the start of each row on, a `stride` after the other, there are eight samples for each register, and for each
    /// of those there are weights.
    #[target_feature(enable = "avx2,fma")]
    #[inline]
    #[allow(unsafe_code)]
    pub(super) unsafe fn pixel<const REGISTERS: usize>(
        data: &[u8],
        stride: usize,
        rows: &[f32],
        samples: &[[f32; 8]],
    ) -> [[f32; 8]; REGISTERS] {
        let mut sums = [_mm256_setzero_ps(); REGISTERS];
        for (r, weight) in rows.iter().enumerate() {
            let weight = _mm256_set1_ps(*weight);
            for (k, sum) in sums.iter_mut().enumerate() {
                // SAFETY: by the caller's word.
                let bytes = unsafe { _mm_loadl_epi64(data.as_ptr().add(r * stride + 8 * k).cast()) };
                *sum = _mm256_fmadd_ps(_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes)), weight, *sum);
            }
        }
        let mut made = [[0.0; 8]; REGISTERS];
        for ((made, sum), weights) in made.iter_mut().zip(sums).zip(samples) {
            // SAFETY: either has eight floats.
            unsafe { _mm256_storeu_ps(made.as_mut_ptr(), _mm256_mul_ps(sum, _mm256_loadu_ps(weights.as_ptr()))) };
        }
        made
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_sample_that_is_not_in_doubt_is_rounded_as_the_exact_one(
            w in 4usize..30, h in 4usize..30, channels in 1usize..=4, taps in 1usize..=8, seed: u32,
        ) {
            let mut state = seed | 1;
            let mut next = move || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                state >> 16
            };
            let data: Vec<u8> = (0..w * h * channels).map(|_| next() as u8).collect();
            let weights: Vec<f32> = (0..PARTS * taps).map(|_| next() as f32 / 65536.0 - 0.3).collect();
            let from = Grid { data: &data, width: w, height: h, channels };
            let mut place = |n: usize| ((next() as usize % (n + 8)) as i32 - 6, (next() % 32) as u8);
            let places: Vec<(Place, Place)> = (0..25).map(|_| (place(w), place(h))).collect();
            let (mut out, mut doubtful) = (vec![0; 25 * channels], vec![]);
            Around::new(channels, taps, &weights).unwrap().row(&from, &places, 1e-2, &mut out, &mut doubtful);
            for (i, ((col, across), (row, down))) in places.into_iter().enumerate() {
                let inside = col >= 0 && row >= 0 && col as usize + taps <= w && row as usize + taps <= h;
                for k in (0..channels).filter(|k| !doubtful.contains(&(i * channels + k))) {
                    prop_assert!(inside);
                    let weight = |part: u8, t: usize| f64::from(weights[usize::from(part) * taps + t]);
                    let mut sum = 0.5;
                    for y in 0..taps {
                        for x in 0..taps {
                            let at = ((row as usize + y) * w + col as usize + x) * channels + k;
                            sum += weight(down, y) * weight(across, x) * f64::from(data[at]);
                        }
                    }
                    prop_assert_eq!(out[i * channels + k], sum as u8);
                }
            }
        }
    }
}
