//! Takes samples of rows at places that are the same in each.

/// Samples that are taken together.
const EIGHT: usize = 8;

/// Samples of which those are chosen.
const SIXTEEN: usize = 2 * EIGHT;

/// Where samples lie in a row.
#[derive(Debug)]
pub struct Picks {
    /// Whole eights; the last ones are again the last, and fall away.
    at: Vec<u32>,
    len: usize,
    /// Samples that a row must have.
    reach: usize,
    /// How each eight is chosen from neighbours, where every eight is.
    eights: Vec<Eight>,
}

/// Eight samples of 16 bits that lie among sixteen neighbours: where those begin, and the bytes of the first eight and of
/// the others that are wanted.
#[derive(Debug)]
struct Eight {
    start: u32,
    #[cfg_attr(not(target_arch = "x86_64"), expect(dead_code, reason = "there are no such shuffles"))]
    orders: [[u8; SIXTEEN]; 2],
}

impl Eight {
    fn new(at: &[u32; EIGHT], reach: usize) -> Option<Self> {
        let low = at.iter().copied().min()?.min(u32::try_from(reach.checked_sub(SIXTEEN)?).ok()?);
        let mut orders = [[0x80; SIXTEEN]; 2];
        for (i, at) in at.iter().enumerate() {
            let beyond = (at - low) as usize;
            let order = orders.get_mut(beyond / EIGHT)?;
            (order[2 * i], order[2 * i + 1]) = ((beyond % EIGHT * 2) as u8, (beyond % EIGHT * 2 + 1) as u8);
        }
        Some(Self { start: low, orders })
    }
}

impl Picks {
    /// Of the samples at `at`, in this order. Places beyond 2^32 are in no row.
    pub fn new(at: impl Iterator<Item = usize>) -> Self {
        let mut at: Vec<u32> = at.map(|at| u32::try_from(at).unwrap_or(u32::MAX)).collect();
        let len = at.len();
        let reach = at.iter().max().map_or(0, |most| *most as usize + 1);
        at.resize(len.next_multiple_of(EIGHT), at.last().copied().unwrap_or(0));
        let eights = at.as_chunks::<EIGHT>().0.iter().map(|at| Eight::new(at, reach)).collect::<Option<_>>();
        Self { at, len, reach, eights: eights.unwrap_or_default() }
    }

    /// Puts those of a row behind what `out` has.
    ///
    /// # Panics
    /// The row is too short.
    pub fn append<T: Copy>(&self, row: &[T], out: &mut Vec<T>) {
        assert!(row.len() >= self.reach, "a row of {} samples has none at {}", row.len(), self.reach);
        out.reserve(self.at.len());
        let begun = out.len();
        let to = out.spare_capacity_mut().as_mut_ptr().cast::<T>();
        #[cfg(target_arch = "x86_64")]
        let quick = size_of::<T>() == 2 && !self.eights.is_empty() && crate::level() != crate::Level::Portable;
        #[cfg(not(target_arch = "x86_64"))]
        let quick = false;
        #[allow(unsafe_code)]
        // SAFETY: the row has every sample that is read, since it has the one farthest behind; there is room for all
        // eights; samples are of two bytes where they are moved as such, and every level but the portable one has AVX2.
        unsafe {
            if quick {
                #[cfg(target_arch = "x86_64")]
                vectors::eights(&self.eights, row.as_ptr().cast(), to.cast());
            } else {
                for (i, at) in self.at.iter().enumerate() {
                    to.add(i).write(*row.get_unchecked(*at as usize));
                }
            }
            out.set_len(begun + self.len);
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod vectors {
    use super::{EIGHT, Eight};
    use std::arch::x86_64::{_mm_loadu_si128, _mm_or_si128, _mm_shuffle_epi8, _mm_storeu_si128};

    /// # Safety
    /// From each start on `row` has sixteen samples of two bytes, and `out` has room for eight for each.
    #[target_feature(enable = "avx2")]
    #[allow(unsafe_code)]
    pub(super) unsafe fn eights(all: &[Eight], row: *const [u8; 2], out: *mut [u8; 2]) {
        for (i, Eight { start, orders: [first, last] }) in all.iter().enumerate() {
            // SAFETY: by the caller's word; orders have 16 bytes each.
            unsafe {
                let from = row.add(*start as usize);
                let part = |from: *const [u8; 2], order: &[u8; 16]| {
                    _mm_shuffle_epi8(_mm_loadu_si128(from.cast()), _mm_loadu_si128(order.as_ptr().cast()))
                };
                let made = _mm_or_si128(part(from, first), part(from.add(EIGHT), last));
                _mm_storeu_si128(out.add(i * EIGHT).cast(), made);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::numbers;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn samples_are_those_at_the_places(n in 0usize..90, side in 1usize..200, step in 0usize..5, seed: u32) {
            let mut next = numbers(seed);
            let words: Vec<u16> = (0..side).map(|_| next()).collect();
            // Anywhere, or one behind the other, forwards and backwards.
            let at: Vec<usize> = (0..n).map(|i| match step {
                0 => usize::from(next()) % side,
                4 => side - 1 - i * 3 / 2 % side,
                step => i * step / 2 % side,
            }).collect();
            let picks = Picks::new(at.iter().copied());
            let mut out = vec![7];
            picks.append(&words, &mut out);
            picks.append(&words, &mut out);
            let want: Vec<u16> = [7].into_iter().chain(at.iter().chain(&at).map(|at| words[*at])).collect();
            prop_assert_eq!(out, want);
            let floats: Vec<f32> = words.iter().map(|v| f32::from(*v)).collect();
            let mut out = Vec::new();
            picks.append(&floats, &mut out);
            prop_assert_eq!(out, at.iter().map(|at| floats[*at]).collect::<Vec<_>>());
        }
    }

    #[test]
    #[should_panic(expected = "a row of 4 samples")]
    fn a_row_that_is_too_short_is_refused() {
        Picks::new([4].into_iter()).append(&[0u16; 4], &mut Vec::new());
    }
}
