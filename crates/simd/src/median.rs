//! The median of the square around each byte of rows, many bytes at a time: sorting networks of minima and maxima.
//!
//! Columns are sorted once for all the squares that they are in, then the rows of what has one rank in its column. Of a
//! square whose rows and columns are in order most places cannot have the median; the rest takes a network that was
//! found by search: it settles all states of zeros and ones that such a square can have.

/// Bytes that are compared side by side.
trait Lane: Copy {
    const WIDTH: usize;
    /// # Safety
    /// There are [`WIDTH`](Self::WIDTH) bytes at `from`.
    #[allow(unsafe_code)]
    unsafe fn load(from: *const u8) -> Self;
    /// # Safety
    /// There is room for [`WIDTH`](Self::WIDTH) bytes at `to`.
    #[allow(unsafe_code)]
    unsafe fn store(self, to: *mut u8);
    fn least(self, other: Self) -> Self;
    fn greatest(self, other: Self) -> Self;
}

/// What every machine has.
type Plain = [u8; 16];

#[allow(unsafe_code)]
impl Lane for Plain {
    const WIDTH: usize = 16;
    #[inline(always)]
    unsafe fn load(from: *const u8) -> Self {
        // SAFETY: by the caller's word.
        unsafe { from.cast::<Self>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut u8) {
        // SAFETY: by the caller's word.
        unsafe { to.cast::<Self>().write_unaligned(self) }
    }
    #[inline(always)]
    fn least(self, other: Self) -> Self {
        std::array::from_fn(|i| self[i].min(other[i]))
    }
    #[inline(always)]
    fn greatest(self, other: Self) -> Self {
        std::array::from_fn(|i| self[i].max(other[i]))
    }
}

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{__m256i, _mm256_loadu_si256, _mm256_max_epu8, _mm256_min_epu8, _mm256_storeu_si256};

/// Used only in functions that have AVX2.
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
impl Lane for __m256i {
    const WIDTH: usize = 32;
    #[inline(always)]
    unsafe fn load(from: *const u8) -> Self {
        // SAFETY: by the caller's word; nothing needs an alignment.
        unsafe { _mm256_loadu_si256(from.cast()) }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut u8) {
        // SAFETY: by the caller's word; nothing needs an alignment.
        unsafe { _mm256_storeu_si256(to.cast(), self) }
    }
    #[inline(always)]
    fn least(self, other: Self) -> Self {
        // SAFETY: whoever has such lanes has AVX2.
        unsafe { _mm256_min_epu8(self, other) }
    }
    #[inline(always)]
    fn greatest(self, other: Self) -> Self {
        // SAFETY: whoever has such lanes has AVX2.
        unsafe { _mm256_max_epu8(self, other) }
    }
}

/// Brings pairs into order, one after the other.
macro_rules! order {
    ($v:ident: $(($i:literal $j:literal))*) => {{ $(
        ($v[$i], $v[$j]) = ($v[$i].least($v[$j]), $v[$i].greatest($v[$j]));
    )* }};
}

/// Sorts 3, 5 or 7 lanes by the shortest networks known.
#[inline(always)]
fn sorted<L: Lane, const N: usize>(mut v: [L; N]) -> [L; N] {
    match N {
        3 => order!(v: (0 2) (0 1) (1 2)),
        5 => order!(v: (0 3) (1 4) (0 2) (1 3) (0 1) (2 4) (1 2) (3 4) (2 3)),
        _ => order!(v: (0 6) (2 3) (4 5) (0 2) (1 4) (3 6) (0 1) (2 5) (3 4) (1 2) (4 6) (2 3) (4 5) (1 2) (3 4) (5 6)),
    }
    v
}

/// The median of `N` by `N` lanes whose columns are sorted; `row` gives those of one rank.
#[inline(always)]
fn middle<L: Lane, const N: usize>(row: impl Fn(usize) -> [L; N]) -> L {
    let row = |rank| sorted(row(rank));
    match N {
        3 => {
            let (a, b, c) = (row(0), row(1), row(2));
            sorted([a[2], b[1], c[0]])[1]
        }
        5 => {
            let (a, b, c, d, e) = (row(0), row(1), row(2), row(3), row(4));
            let mut v = [a[3], a[4], b[2], b[3], b[4], c[1], c[2], c[3], d[0], d[1], d[2], e[0], e[1]];
            order!(v: (0 2) (1 10) (2 9) (3 12) (1 5) (4 7) (4 9) (3 8) (4 5) (6 8) (4 6) (5 8) (5 6) (5 11) (6 11));
            v[6]
        }
        _ => {
            let (a, b, c, d, e, f, g) = (row(0), row(1), row(2), row(3), row(4), row(5), row(6));
            let mut v = [
                a[4], a[5], a[6], b[3], b[4], b[5], b[6], c[2], c[3], c[4], c[5], c[6], d[1], d[2], d[3], d[4], d[5],
                e[0], e[1], e[2], e[3], e[4], f[0], f[1], f[2], f[3], g[0], g[1], g[2],
            ];
            order!(v: (0 8) (8 22) (15 27) (11 15) (1 25) (6 12) (1 13) (10 20) (4 18) (12 24) (3 13) (5 28) (5 17)
                (12 16) (2 7) (12 21) (9 23) (7 14) (7 26) (7 9) (14 26) (23 26) (14 18) (9 14) (11 18) (10 18) (10 12)
                (12 23) (10 22) (10 13) (11 17) (11 19) (11 12) (12 17) (17 19) (12 13) (12 14) (12 17) (13 14) (14 17)
                (13 14) (13 22) (14 22));
            v[14]
        }
    }
}

/// Rows behind each other, each with room for the last lane to begin at its end.
struct Rows {
    stride: usize,
    bytes: Vec<u8>,
}

impl Rows {
    fn new(rows: usize, length: usize) -> Self {
        let stride = length.next_multiple_of(32) + 32;
        Self { stride, bytes: vec![0; rows * stride] }
    }
}

/// Sorts the columns of `N` rows, which begin at `from`, up to `length`.
#[inline(always)]
#[allow(unsafe_code)]
fn columns<L: Lane, const N: usize>(kept: &Rows, from: [usize; N], length: usize, to: &mut Rows) {
    let last = length.next_multiple_of(L::WIDTH);
    assert!(
        from.iter().all(|at| at + last <= kept.bytes.len()) && last <= to.stride && N * to.stride <= to.bytes.len()
    );
    let (source, place) = (kept.bytes.as_ptr(), to.bytes.as_mut_ptr());
    for i in (0..length).step_by(L::WIDTH) {
        // SAFETY: i + WIDTH <= last, and so far reach the rows on either side, as was just asserted.
        unsafe {
            let column = sorted::<L, N>(from.map(|at| L::load(source.add(at + i))));
            for (rank, lane) in column.into_iter().enumerate() {
                lane.store(place.add(rank * to.stride + i));
            }
        }
    }
}

/// The medians of squares of sorted columns, the first of which begins with each row.
#[inline(always)]
#[allow(unsafe_code)]
fn squares<L: Lane, const N: usize>(ranks: &Rows, channels: usize, out: &mut [u8]) {
    let n = out.len();
    assert!(n + L::WIDTH + (N - 1) * channels <= ranks.stride + 1 && N * ranks.stride <= ranks.bytes.len());
    let source = ranks.bytes.as_ptr();
    for i in (0..n).step_by(L::WIDTH) {
        let row = |rank: usize| {
            let at = rank * ranks.stride + i;
            // SAFETY: i < n, so the last lane ends within its row, as was just asserted.
            std::array::from_fn(|x| unsafe { L::load(source.add(at + x * channels)) })
        };
        let median = middle::<L, N>(row);
        store(median, &mut out[i..]);
    }
}

/// Writes as much of a lane as there is room for.
#[inline(always)]
#[allow(unsafe_code)]
fn store<L: Lane>(lane: L, out: &mut [u8]) {
    if out.len() >= L::WIDTH {
        // SAFETY: a lane has room.
        unsafe { lane.store(out.as_mut_ptr()) };
    } else {
        let mut block = [0; 32];
        // SAFETY: no lane is longer.
        unsafe { lane.store(block.as_mut_ptr()) };
        out.copy_from_slice(&block[..out.len()]);
    }
}

#[inline(always)]
fn row<L: Lane, const N: usize>(kept: &Rows, from: [usize; N], ranks: &mut Rows, channels: usize, out: &mut [u8]) {
    columns::<L, N>(kept, from, out.len() + (N - 1) * channels, ranks);
    squares::<L, N>(ranks, channels, out);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn row_avx2<const N: usize>(kept: &Rows, from: [usize; N], ranks: &mut Rows, channels: usize, out: &mut [u8]) {
    row::<__m256i, N>(kept, from, ranks, channels, out);
}

/// Rows of an image as they were before medians took their place.
struct Kept {
    rows: Rows,
    slots: usize,
    /// Samples of a row, without what is repeated on either side.
    length: usize,
    height: usize,
    channels: usize,
    half: usize,
}

impl Kept {
    fn new(samples: &[u8], width: usize, channels: usize, size: usize, slots: usize) -> Self {
        let length = width * channels;
        let rows = Rows::new(slots, length + (size - 1) * channels);
        Self { rows, slots, length, height: samples.len() / length, channels, half: size / 2 }
    }

    /// Keeps a row, where there is such a one, with its ends repeated on either side.
    fn keep(&mut self, samples: &[u8], y: usize) {
        let (n, c, margin) = (self.length, self.channels, self.half * self.channels);
        let Some(row) = samples.get(y * n..(y + 1) * n) else { return };
        let place = &mut self.rows.bytes[y % self.slots * self.rows.stride..][..n + 2 * margin];
        place[margin..margin + n].copy_from_slice(row);
        place[..margin].chunks_exact_mut(c).for_each(|p| p.copy_from_slice(&row[..c]));
        place[margin + n..].chunks_exact_mut(c).for_each(|p| p.copy_from_slice(&row[n - c..]));
    }

    /// Where the rows around one begin, from the highest on.
    fn around<const M: usize>(&self, y: usize) -> [usize; M] {
        let place = |k: usize| (y + k).saturating_sub(self.half).min(self.height - 1) % self.slots * self.rows.stride;
        std::array::from_fn(place)
    }
}

fn blur<const N: usize>(samples: &mut [u8], width: usize, channels: usize, level: crate::Level) {
    let mut kept = Kept::new(samples, width, channels, N, N);
    let mut ranks = Rows::new(N, kept.length + (N - 1) * channels);
    (0..N / 2).for_each(|y| kept.keep(samples, y));
    for y in 0..kept.height {
        kept.keep(samples, y + N / 2);
        let (from, n) = (kept.around(y), kept.length);
        let out = &mut samples[y * n..][..n];
        #[cfg(target_arch = "x86_64")]
        if level != crate::Level::Portable {
            // SAFETY: every level but the portable one has AVX2.
            #[allow(unsafe_code)]
            unsafe {
                row_avx2::<N>(&kept.rows, from, &mut ranks, channels, out);
            }
            continue;
        }
        row::<Plain, N>(&kept.rows, from, &mut ranks, channels, out);
    }
}

/// Two rows of medians of nine at a time: the rows between which they lie are brought into order once for both, and
/// nothing is stored in between, which would take longer than the few minima and maxima.
#[inline(always)]
#[allow(unsafe_code)]
fn nines<L: Lane>(kept: &Kept, y: usize, upper: &mut [u8], lower: &mut [u8]) {
    let n = kept.length;
    let from: [usize; 4] = kept.around(y);
    let reach = n + L::WIDTH + 2 * kept.channels;
    assert!(from.iter().all(|at| at + reach <= kept.rows.bytes.len()) && upper.len() == n && lower.len() == n);
    let source = kept.rows.bytes.as_ptr();
    for i in (0..n).step_by(L::WIDTH) {
        // SAFETY: i < n, so the last lane ends within `reach` of where its row begins.
        let lane = |row: usize, x: usize| unsafe { L::load(source.add(from[row] + i + x * kept.channels)) };
        let (a, b, c) = (inner(lane(1, 0), lane(2, 0)), inner(lane(1, 1), lane(2, 1)), inner(lane(1, 2), lane(2, 2)));
        let above = [outer(lane(0, 0), a), outer(lane(0, 1), b), outer(lane(0, 2), c)];
        let below = [outer(lane(3, 0), a), outer(lane(3, 1), b), outer(lane(3, 2), c)];
        store(nine(above), &mut upper[i..]);
        store(nine(below), &mut lower[i..]);
    }
}

/// Two lanes in order.
#[inline(always)]
fn inner<L: Lane>(a: L, b: L) -> [L; 2] {
    [a.least(b), a.greatest(b)]
}

/// Two lanes in order and a third.
#[inline(always)]
fn outer<L: Lane>(l: L, [low, high]: [L; 2]) -> [L; 3] {
    [l.least(low), l.least(high).greatest(low), l.greatest(high)]
}

/// The median of three sorted columns.
#[inline(always)]
fn nine<L: Lane>([a, b, c]: [[L; 3]; 3]) -> L {
    let low = a[0].greatest(b[0]).greatest(c[0]);
    let high = a[2].least(b[2]).least(c[2]);
    sorted([low, sorted([a[1], b[1], c[1]])[1], high])[1]
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn nines_avx2(kept: &Kept, y: usize, upper: &mut [u8], lower: &mut [u8]) {
    nines::<__m256i>(kept, y, upper, lower);
}

fn blur_nine(samples: &mut [u8], width: usize, channels: usize, level: crate::Level) {
    let mut kept = Kept::new(samples, width, channels, 3, 4);
    let n = kept.length;
    kept.keep(samples, 0);
    let mut beyond = vec![0; n];
    for y in (0..kept.height).step_by(2) {
        kept.keep(samples, y + 1);
        kept.keep(samples, y + 2);
        let (upper, rest) = samples[y * n..].split_at_mut(n);
        // The last row may be alone.
        let lower = rest.get_mut(..n).unwrap_or(&mut beyond);
        #[cfg(target_arch = "x86_64")]
        if level != crate::Level::Portable {
            // SAFETY: every level but the portable one has AVX2.
            #[allow(unsafe_code)]
            unsafe {
                nines_avx2(&kept, y, upper, lower);
            }
            continue;
        }
        nines::<Plain>(&kept, y, upper, lower);
    }
}

/// Replaces each sample by the median of the square of 3, 5 or 7 pixels around it, the edge repeated beyond the border;
/// false, and nothing done, for another size.
pub fn median_square(samples: &mut [u8], width: usize, channels: usize, size: usize) -> bool {
    at_level(samples, width, channels, size, crate::level())
}

fn at_level(samples: &mut [u8], width: usize, channels: usize, size: usize, level: crate::Level) -> bool {
    let by = match size {
        3 => blur_nine,
        5 => blur::<5>,
        7 => blur::<7>,
        _ => return false,
    };
    if !samples.is_empty() {
        assert!(width * channels > 0 && samples.len().is_multiple_of(width * channels), "rows of whole pixels");
        by(samples, width, channels, level);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::bytes;
    use proptest::prelude::*;

    fn by_definition(samples: &[u8], width: usize, channels: usize, size: usize) -> Vec<u8> {
        let (height, half) = (samples.len() / (width * channels), size / 2);
        let near = |i: usize, k: usize, n: usize| (i + k).saturating_sub(half).min(n - 1);
        let one = |i: usize| {
            let (y, x, c) = (i / (width * channels), i / channels % width, i % channels);
            let mut square: Vec<u8> = (0..size * size)
                .map(|k| samples[(near(y, k / size, height) * width + near(x, k % size, width)) * channels + c])
                .collect();
            square.sort_unstable();
            square[size * size / 2]
        };
        (0..samples.len()).map(one).collect()
    }

    proptest! {
        #[test]
        fn every_level_gives_the_middle_of_the_sorted_square(
            width in 1usize..40, height in 1usize..12, channels in 1usize..6, seed: u32, few: bool,
        ) {
            let mut samples = bytes(width * height * channels, seed);
            if few {
                samples.iter_mut().for_each(|x| *x &= 1);
            }
            for size in [3, 5, 7] {
                let want = by_definition(&samples, width, channels, size);
                for level in [crate::level(), crate::Level::Portable] {
                    let mut got = samples.clone();
                    prop_assert!(at_level(&mut got, width, channels, size, level));
                    prop_assert_eq!(&got, &want, "size {} at {:?}", size, level);
                }
            }
        }
    }

    #[test]
    fn other_sizes_and_no_samples_stay_as_they_are() {
        assert!(!median_square(&mut [1, 2, 3], 3, 1, 9));
        assert!(median_square(&mut [], 0, 3, 5));
    }
}
