//! Sums of the pixels of 8 bits around places by weights in fixed point, as [`Weights`](crate::Weights) has them along
//! rows and [`weigh_down`](crate::weigh_down) between them.

use crate::Grid;
use crate::weigh::{part, whole};

/// Parts of a pixel that places are rounded to.
pub const PARTS: usize = 32;

/// A place: the first of the neighbours along an axis, and the part of a pixel.
pub type Place = (i32, u8);

/// Places all of whose neighbours are there, one for each pixel of a row.
#[derive(Debug)]
pub struct Spots {
    /// Where the neighbours begin, in samples.
    pub start: Vec<i32>,
    /// The part of a pixel along the row.
    pub across: Vec<u8>,
    /// The same down the column.
    pub down: Vec<u8>,
}

impl Spots {
    /// So many at the first pixel.
    pub fn new(n: usize) -> Self {
        Self { start: vec![0; n], across: vec![0; n], down: vec![0; n] }
    }
}

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
    /// The same with the second and the third of each four exchanged.
    #[cfg(target_arch = "x86_64")]
    apart: Vec<[i16; 4]>,
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
            apart: weights.as_chunks::<4>().0.iter().map(|w| [w[0], w[2], w[1], w[3]]).collect(),
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

    /// A row of pixels around places that have all neighbours; false, and nothing done, where one of them has not, or there
    /// are no vectors.
    pub fn row_within(&self, from: &Grid<'_, u8>, spots: &Spots, out: &mut [u8]) -> bool {
        let n = spots.start.len();
        let alike = spots.across.len() == n && spots.down.len() == n && out.len() == n * self.channels;
        if from.channels != self.channels || from.data.len() != from.width * from.height * from.channels || !alike {
            return false;
        }
        let reach = ((self.taps - 1) * from.width + self.taps - 4) * self.channels + READ;
        let Some(last) = from.data.len().checked_sub(reach) else { return false };
        // What is negative is beyond every length as well.
        let most = spots.start.iter().fold(0, |most, &start| most.max(start as u32));
        if most as usize > last {
            return false;
        }
        #[cfg(target_arch = "x86_64")]
        if crate::level() != crate::Level::Portable {
            #[allow(unsafe_code)]
            // SAFETY: every level but the portable one has AVX2; all neighbours, and what is read behind them, are there, and
            // `out` has room.
            unsafe {
                match (self.channels, self.taps) {
                    (1, 4) => vectors::gray_within(self, from, spots, out),
                    (1, _) => vectors::within::<1, 8>(self, from, spots, out),
                    (2, _) => vectors::within::<2, 0>(self, from, spots, out),
                    (3, 4) => vectors::within::<3, 4>(self, from, spots, out),
                    (3, _) => vectors::within::<3, 8>(self, from, spots, out),
                    _ => vectors::within::<4, 0>(self, from, spots, out),
                }
            }
            return true;
        }
        false
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
    use super::{Around, Grid, Place, Spots};
    use crate::weigh::FRACTION;
    use crate::weigh::vectors::{pairs, rounding, spread};
    use std::arch::x86_64::{
        __m128i, __m256i, _mm_add_epi32, _mm_cvtsi128_si32, _mm_loadl_epi64, _mm_loadu_si128, _mm_madd_epi16,
        _mm_packs_epi32, _mm_packus_epi16, _mm_set_epi32, _mm_shuffle_epi8, _mm_sra_epi32, _mm_srli_si128,
        _mm256_add_epi32, _mm256_and_si256, _mm256_castsi256_si128, _mm256_cvtepu8_epi32, _mm256_extracti128_si256,
        _mm256_i32gather_epi32, _mm256_loadu_si256, _mm256_madd_epi16, _mm256_packs_epi32, _mm256_packus_epi16,
        _mm256_set_m128i, _mm256_set1_epi16, _mm256_set1_epi32, _mm256_setzero_si256, _mm256_shuffle_epi8,
        _mm256_sra_epi32, _mm256_srli_epi16,
    };

    /// Tables and constants of a kernel for so many channels; `TAPS` is 0 where it is not known.
    struct Kernel<'a, const CHANNELS: usize, const TAPS: usize> {
        all: &'a Around,
        data: *const u8,
        stride: usize,
        first: __m256i,
        last: __m256i,
        beside: __m256i,
        part: (__m256i, __m128i),
        whole: (__m256i, __m128i),
    }

    impl<'a, const CHANNELS: usize, const TAPS: usize> Kernel<'a, CHANNELS, TAPS> {
        #[target_feature(enable = "avx2")]
        #[inline]
        fn new(all: &'a Around, from: &Grid<'a, u8>) -> Self {
            let table = |bytes: [i8; 32]| {
                #[allow(unsafe_code)]
                // SAFETY: it has 32 bytes.
                unsafe {
                    _mm256_loadu_si256(bytes.as_ptr().cast())
                }
            };
            Self {
                all,
                data: from.data.as_ptr(),
                stride: from.width * CHANNELS,
                first: table(const { pairs(CHANNELS, 0) }),
                last: table(const { pairs(CHANNELS, 2) }),
                // Of two rows in each half the channels side by side.
                beside: table(const { beside() }),
                part: rounding(all.bits - FRACTION),
                whole: rounding(all.bits + FRACTION),
            }
        }

        /// The samples of the pixel whose neighbours begin at `start`.
        ///
        /// # Safety
        /// All neighbours, and what is read behind them, are there.
        #[target_feature(enable = "avx2")]
        #[inline]
        #[allow(unsafe_code)]
        unsafe fn pixel(&self, start: usize, across: u8, down: u8) -> [u8; 4] {
            let taps = if TAPS == 0 { self.all.taps } else { TAPS };
            let (across, down) = (usize::from(across) % super::PARTS, usize::from(down) % super::PARTS);
            let across = &self.all.across[across * taps / 4..][..taps / 4];
            // The sums along two rows that follow each other.
            let two = |y: usize| {
                let mut sum = self.part.0;
                for (four, [a, b]) in across.iter().enumerate() {
                    // SAFETY: by the caller's word; there are 16 weights each.
                    let (samples, a, b) = unsafe {
                        let at = |y: usize| self.data.add(start + y * self.stride + 4 * four * CHANNELS);
                        let load = |y: usize| _mm_loadu_si128(at(y).cast());
                        let weights = |w: &[i16; 16]| _mm256_loadu_si256(w.as_ptr().cast());
                        (_mm256_set_m128i(load(y + 1), load(y)), weights(a), weights(b))
                    };
                    let a = _mm256_madd_epi16(_mm256_shuffle_epi8(samples, self.first), a);
                    let b = _mm256_madd_epi16(_mm256_shuffle_epi8(samples, self.last), b);
                    sum = _mm256_add_epi32(sum, _mm256_add_epi32(a, b));
                }
                _mm256_sra_epi32(sum, self.part.1)
            };
            let mut sum = _mm256_setzero_si256();
            for (four, weights) in self.all.down[down * taps / 4..][..taps / 4].iter().enumerate() {
                // Rows 0 and 2 in the one half, 1 and 3 in the other.
                let rows = _mm256_shuffle_epi8(_mm256_packs_epi32(two(4 * four), two(4 * four + 2)), self.beside);
                // SAFETY: there are 16 weights.
                let weights = unsafe { _mm256_loadu_si256(weights.as_ptr().cast()) };
                sum = _mm256_add_epi32(sum, _mm256_madd_epi16(rows, weights));
            }
            let sum = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256::<1>(sum));
            let sum = _mm_sra_epi32(_mm_add_epi32(sum, _mm256_castsi256_si128(self.whole.0)), self.whole.1);
            let words = _mm_packs_epi32(sum, sum);
            _mm_cvtsi128_si32(_mm_packus_epi16(words, words)).to_le_bytes()
        }
    }

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
        let kernel = Kernel::<CHANNELS, TAPS>::new(all, from);
        for (i, ((col, across), (line, down))) in places.iter().enumerate() {
            let Some(start) = all.start(from, (*col, *line)) else {
                outside.push(i);
                continue;
            };
            // SAFETY: `start` has found that what is read is there.
            let made = unsafe { kernel.pixel(start, *across, *down) };
            if let Some(out) = out.get_mut(i * CHANNELS..(i + 1) * CHANNELS) {
                out.copy_from_slice(&made[..CHANNELS]);
            }
        }
    }

    /// The same at spots.
    ///
    /// # Safety
    /// All neighbours, and what is read behind them, are there.
    #[target_feature(enable = "avx2")]
    #[allow(unsafe_code)]
    pub(super) unsafe fn within<const CHANNELS: usize, const TAPS: usize>(
        all: &Around,
        from: &Grid<'_, u8>,
        spots: &Spots,
        out: &mut [u8],
    ) {
        let kernel = Kernel::<CHANNELS, TAPS>::new(all, from);
        let spots = spots.start.iter().zip(&spots.across).zip(&spots.down);
        for (((start, across), down), out) in spots.zip(out.chunks_exact_mut(CHANNELS)) {
            // SAFETY: by the caller's word.
            let made = unsafe { kernel.pixel(*start as usize, *across, *down) };
            out.copy_from_slice(&made[..CHANNELS]);
        }
    }

    /// Eight gray pixels at a time, of four neighbours by four; the rest one by one.
    ///
    /// # Safety
    /// All neighbours, and what is read behind them, are there, and `out` has a byte for each.
    #[target_feature(enable = "avx2")]
    #[allow(unsafe_code)]
    pub(super) unsafe fn gray_within(all: &Around, from: &Grid<'_, u8>, spots: &Spots, out: &mut [u8]) {
        let bytes = _mm256_set1_epi16(0xff);
        let table = const { beside() };
        // SAFETY: it has 32 bytes.
        let beside = unsafe { _mm256_loadu_si256(table.as_ptr().cast()) };
        let ((part, by_part), (whole, by_whole)) = (rounding(all.bits - FRACTION), rounding(all.bits + FRACTION));
        let low = _mm256_set1_epi32(super::PARTS as i32 - 1);
        let starts = spots.start.as_chunks::<8>().0;
        let eights = starts.iter().zip(spots.across.as_chunks::<8>().0).zip(spots.down.as_chunks::<8>().0);
        for (((start, across), down), out) in eights.zip(out.as_chunks_mut::<8>().0) {
            // SAFETY: eight numbers each; four bytes are read at each place of four rows, by the caller's word, and weights
            // of parts that were brought within the table: four of 16 bits each, of which the halves are read.
            let (rows, [a, b], [c, d]) = unsafe {
                let at = _mm256_loadu_si256(start.as_ptr().cast());
                let row =
                    |y: usize| _mm256_i32gather_epi32::<1>(from.data.as_ptr().add(y * from.width).cast::<i32>(), at);
                let weights = |table: *const u8, parts: &[u8; 8]| {
                    let parts = _mm256_and_si256(_mm256_cvtepu8_epi32(_mm_loadl_epi64(parts.as_ptr().cast())), low);
                    let half = |n: usize| _mm256_i32gather_epi32::<8>(table.add(4 * n).cast::<i32>(), parts);
                    [half(0), half(1)]
                };
                let rows = [row(0), row(1), row(2), row(3)];
                (rows, weights(all.apart.as_ptr().cast(), across), weights(all.weights.as_ptr().cast(), down))
            };
            // The first and the third neighbour of each pixel, and the second and the fourth.
            let along = |row: __m256i| {
                let even = _mm256_madd_epi16(_mm256_and_si256(row, bytes), a);
                let odd = _mm256_madd_epi16(_mm256_srli_epi16::<8>(row), b);
                _mm256_sra_epi32(_mm256_add_epi32(part, _mm256_add_epi32(even, odd)), by_part)
            };
            let two = |y: usize| _mm256_packs_epi32(along(rows[y]), along(rows[y + 1]));
            let upper = _mm256_madd_epi16(_mm256_shuffle_epi8(two(0), beside), c);
            let lower = _mm256_madd_epi16(_mm256_shuffle_epi8(two(2), beside), d);
            let sum = _mm256_sra_epi32(_mm256_add_epi32(whole, _mm256_add_epi32(upper, lower)), by_whole);
            let words = _mm256_packs_epi32(sum, sum);
            let made = _mm256_packus_epi16(words, words);
            let half = |made: __m128i| _mm_cvtsi128_si32(made).to_le_bytes();
            out[..4].copy_from_slice(&half(_mm256_castsi256_si128(made)));
            out[4..].copy_from_slice(&half(_mm256_extracti128_si256::<1>(made)));
        }
        let kernel = Kernel::<1, 4>::new(all, from);
        for i in 8 * starts.len()..spots.start.len() {
            // SAFETY: by the caller's word.
            out[i] = unsafe { kernel.pixel(spots.start[i] as usize, spots.across[i], spots.down[i])[0] };
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
            // Those inside once more, by where their neighbours begin.
            let inside: Vec<usize> = (0..25).filter(|i| !known.contains(i)).collect();
            let start = |((col, _), (row, _)): (Place, Place)| (row * w as i32 + col) * channels as i32;
            let mut spots = Spots {
                start: inside.iter().map(|&i| start(places[i])).collect(),
                across: inside.iter().map(|&i| places[i].0.1).collect(),
                down: inside.iter().map(|&i| places[i].1.1).collect(),
            };
            let mut within = vec![0; inside.len() * channels];
            if around.row_within(&from, &spots, &mut within) {
                let want: Vec<u8> = inside.iter().flat_map(|i| &plain[i * channels..][..channels]).copied().collect();
                prop_assert_eq!(&within, &want);
            } else {
                prop_assert!(crate::level() == crate::Level::Portable || inside.is_empty());
            }
            for beyond in [-1, (w * h * channels) as i32 - 3] {
                if let Some(first) = spots.start.first_mut() {
                    *first = beyond;
                    prop_assert!(!around.row_within(&from, &spots, &mut within));
                }
            }
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
