//! Sums of the pixels of 8 bits around places by weights in fixed point, as [`Weights`](crate::Weights) has them along
//! rows and [`weigh_down`](crate::weigh_down) between them.

#[cfg(target_arch = "x86_64")]
mod vectors;

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
