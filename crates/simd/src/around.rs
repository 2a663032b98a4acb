//! Sums of the pixels of 8 bits around places by weights in fixed point, as [`Weights`](crate::Weights) has them along
//! rows and [`weigh_down`](crate::weigh_down) between them.

use crate::Grid;
use crate::weigh::{part, whole};

/// Parts of a pixel that places are rounded to.
pub const PARTS: usize = 32;

/// A place: the first of the neighbours along an axis, and the part of a pixel.
pub type Place = (i32, u8);

/// Bytes of a row of neighbours that are read together: four pixels of up to four channels.
const READ: usize = 16;

/// The weights of the pixels around a place, along either axis, for each part of a pixel.
#[derive(Debug)]
pub struct Around {
    taps: usize,
    channels: usize,
    /// Bits of a weight behind the point.
    bits: u32,
    /// For each part one for each neighbour.
    weights: Vec<i16>,
    /// The same of columns for registers: for each four neighbours the first two for each channel of two rows, and the
    /// others.
    #[cfg(target_arch = "x86_64")]
    across: Vec<[[i16; 16]; 2]>,
    /// The same of rows: for each four the first and third for each channel, and the second and fourth.
    #[cfg(target_arch = "x86_64")]
    down: Vec<[i16; 16]>,
}

impl Around {
    /// For pixels of so many channels; `weights` has `taps` of so many `bits` for each of the [`PARTS`]. None where there
    /// are more channels than are known here, or the neighbours are neither four nor eight.
    pub fn new(channels: usize, taps: usize, weights: &[i16], bits: u32) -> Option<Self> {
        if !(1..=4).contains(&channels) || ![4, 8].contains(&taps) || weights.len() != PARTS * taps {
            return None;
        }
        Some(Self {
            taps,
            channels,
            bits,
            weights: weights.to_vec(),
            #[cfg(target_arch = "x86_64")]
            across: {
                let pair = |w: &[i16; 4], from: usize| std::array::from_fn(|i| w[from + i % 2]);
                weights.as_chunks::<4>().0.iter().map(|w| [pair(w, 0), pair(w, 2)]).collect()
            },
            #[cfg(target_arch = "x86_64")]
            down: weights.as_chunks::<4>().0.iter().map(|w| std::array::from_fn(|i| w[i / 8 + i % 2 * 2])).collect(),
        })
    }

    /// A row of pixels around places. Behind `outside` come those pixels of which a neighbour is outside; they stay as they
    /// are.
    pub fn row(&self, from: &Grid<'_, u8>, places: &[(Place, Place)], out: &mut [u8], outside: &mut Vec<usize>) {
        if from.channels != self.channels || from.data.len() != from.width * from.height * from.channels {
            outside.extend(0..places.len());
            return;
        }
        #[cfg(target_arch = "x86_64")]
        if crate::level() != crate::Level::Portable {
            #[allow(unsafe_code)]
            // SAFETY: every level but the portable one has AVX2.
            unsafe {
                match (self.channels, self.taps) {
                    (1, 4) => vectors::gray(self, from, places, out, outside),
                    (1, _) => vectors::row::<1, 8>(self, from, places, out, outside),
                    (2, _) => vectors::row::<2, 0>(self, from, places, out, outside),
                    (3, 4) => vectors::row::<3, 4>(self, from, places, out, outside),
                    (3, _) => vectors::row::<3, 8>(self, from, places, out, outside),
                    _ => vectors::row::<4, 0>(self, from, places, out, outside),
                }
            }
            return;
        }
        self.row_plain(from, places, out, outside);
    }

    fn row_plain(&self, from: &Grid<'_, u8>, places: &[(Place, Place)], out: &mut [u8], outside: &mut Vec<usize>) {
        for (i, ((col, across), (row, down))) in places.iter().enumerate() {
            match self.start(from, (*col, *row)) {
                Some(start) => {
                    let out = &mut out[i * self.channels..][..self.channels];
                    out.iter_mut().enumerate().for_each(|(k, out)| {
                        let row = |y: usize| start + y * from.width * self.channels + k;
                        *out = self.sum((*across, *down), |x, y| from.data[row(y) + x * self.channels]);
                    });
                }
                None => outside.push(i),
            }
        }
    }

    /// A sample, whatever its neighbours are: `at` gives the one of a column and a row. The definition.
    pub fn sum(&self, (across, down): (u8, u8), at: impl Fn(usize, usize) -> u8) -> u8 {
        let weights = |of: u8| &self.weights[usize::from(of) % PARTS * self.taps..][..self.taps];
        let along = |y: usize| {
            let all = weights(across).iter().enumerate();
            part(all.map(|(x, w)| i32::from(*w) * i32::from(at(x, y))).sum(), self.bits)
        };
        let rows = weights(down).iter().enumerate();
        whole(rows.map(|(y, w)| i32::from(*w) * i32::from(along(y))).sum(), self.bits)
    }

    /// Where the neighbours begin, if all of them, and what is read behind them, are there.
    #[inline(always)]
    fn start(&self, from: &Grid<'_, u8>, (col, row): (i32, i32)) -> Option<usize> {
        let inside = |first: i32, n: usize| first >= 0 && first as usize + self.taps <= n;
        if !inside(col, from.width) || !inside(row, from.height) {
            return None;
        }
        let start = (row as usize * from.width + col as usize) * self.channels;
        let last = start + ((self.taps - 1) * from.width + self.taps - 4) * self.channels + READ;
        (last <= from.data.len()).then_some(start)
    }
}

#[cfg(target_arch = "x86_64")]
mod vectors {
    use super::{Around, Grid, Place};
    use crate::weigh::FRACTION;
    use crate::weigh::vectors::{pairs, rounding, spread};
    use std::arch::x86_64::{
        _mm_add_epi32, _mm_cvtsi128_si32, _mm_loadl_epi64, _mm_loadu_si128, _mm_madd_epi16, _mm_packs_epi32,
        _mm_packus_epi16, _mm_set_epi32, _mm_shuffle_epi8, _mm_sra_epi32, _mm_srli_si128, _mm256_add_epi32,
        _mm256_castsi256_si128, _mm256_extracti128_si256, _mm256_loadu_si256, _mm256_madd_epi16, _mm256_packs_epi32,
        _mm256_set_m128i, _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_sra_epi32,
    };

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
        let taps = if TAPS == 0 { all.taps } else { TAPS };
        let stride = from.width * CHANNELS;
        let table = |bytes: [i8; 32]| {
            // SAFETY: it has 32 bytes.
            unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
        };
        let (first, last) = (table(const { pairs(CHANNELS, 0) }), table(const { pairs(CHANNELS, 2) }));
        // Of two rows in each half the channels side by side.
        let beside = table(const { beside() });
        let (part, by_part) = rounding(all.bits - FRACTION);
        let (whole, by_whole) = rounding(all.bits + FRACTION);
        for (i, ((col, across), (line, down))) in places.iter().enumerate() {
            let Some(start) = all.start(from, (*col, *line)) else {
                outside.push(i);
                continue;
            };
            let (across, down) = (usize::from(*across) % super::PARTS, usize::from(*down) % super::PARTS);
            let across = &all.across[across * taps / 4..][..taps / 4];
            // The sums along two rows that follow each other.
            let two = |y: usize| {
                let mut sum = part;
                for (four, [a, b]) in across.iter().enumerate() {
                    // SAFETY: `start` has found that what is read is there; there are 16 weights each.
                    let (samples, a, b) = unsafe {
                        let at = |y: usize| from.data.as_ptr().add(start + y * stride + 4 * four * CHANNELS);
                        let load = |y: usize| _mm_loadu_si128(at(y).cast());
                        let weights = |w: &[i16; 16]| _mm256_loadu_si256(w.as_ptr().cast());
                        (_mm256_set_m128i(load(y + 1), load(y)), weights(a), weights(b))
                    };
                    let a = _mm256_madd_epi16(_mm256_shuffle_epi8(samples, first), a);
                    let b = _mm256_madd_epi16(_mm256_shuffle_epi8(samples, last), b);
                    sum = _mm256_add_epi32(sum, _mm256_add_epi32(a, b));
                }
                _mm256_sra_epi32(sum, by_part)
            };
            let mut sum = _mm256_setzero_si256();
            for (four, weights) in all.down[down * taps / 4..][..taps / 4].iter().enumerate() {
                // Rows 0 and 2 in the one half, 1 and 3 in the other.
                let rows = _mm256_shuffle_epi8(_mm256_packs_epi32(two(4 * four), two(4 * four + 2)), beside);
                // SAFETY: there are 16 weights.
                let weights = unsafe { _mm256_loadu_si256(weights.as_ptr().cast()) };
                sum = _mm256_add_epi32(sum, _mm256_madd_epi16(rows, weights));
            }
            let sum = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256::<1>(sum));
            let sum = _mm_sra_epi32(_mm_add_epi32(sum, _mm256_castsi256_si128(whole)), by_whole);
            let words = _mm_packs_epi32(sum, sum);
            let made = _mm_cvtsi128_si32(_mm_packus_epi16(words, words)).to_le_bytes();
            if let Some(out) = out.get_mut(i * CHANNELS..(i + 1) * CHANNELS) {
                out.copy_from_slice(&made[..CHANNELS]);
            }
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::{bytes, numbers};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn pixels_around_places_are_those_of_the_definition(
            w in 4usize..30, h in 4usize..30, channels in 1usize..=4, eight: bool, seed: u32,
        ) {
            let taps = if eight { 8 } else { 4 };
            let data = bytes(w * h * channels, seed);
            let mut next = numbers(seed ^ 3);
            let weights: Vec<i16> = (0..PARTS * taps).map(|_| next() as i16 >> 4).collect();
            let from = Grid { data: &data, width: w, height: h, channels };
            let mut place = |n: usize| ((next() as usize % (n + 8)) as i32 - 6, (next() >> 8) as u8 % 32);
            let places: Vec<(Place, Place)> = (0..25).map(|_| (place(w), place(h))).collect();
            let around = Around::new(channels, taps, &weights, 13).unwrap();
            let (mut out, mut outside) = (vec![0; 25 * channels], vec![]);
            around.row(&from, &places, &mut out, &mut outside);
            let (mut plain, mut known) = (vec![0; 25 * channels], vec![]);
            around.row_plain(&from, &places, &mut plain, &mut known);
            prop_assert_eq!(&out, &plain);
            prop_assert_eq!(&outside, &known);
            for (i, ((col, across), (row, down))) in places.into_iter().enumerate().filter(|(i, _)| !known.contains(i)) {
                prop_assert!(col >= 0 && row >= 0 && col as usize + taps <= w && row as usize + taps <= h);
                for k in 0..channels {
                    let weight = |part: u8, t: usize| f64::from(weights[usize::from(part) * taps + t]) / 8192.0;
                    let mut sum = 0.0;
                    for y in 0..taps {
                        for x in 0..taps {
                            let at = ((row as usize + y) * w + col as usize + x) * channels + k;
                            sum += weight(down, y) * weight(across, x) * f64::from(data[at]);
                        }
                    }
                    // Eight parts of a row, each within half of a 64th, by weights of at most a quarter.
                    prop_assert!((f64::from(out[i * channels + k]) - sum.clamp(0.0, 255.0)).abs() < 0.5 + 1.0 / 64.0);
                }
            }
        }
    }
}
