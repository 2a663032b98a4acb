//! The innermost loops of matrix products: one tile of the result, held in registers.
//!
//! `strided` reads rows of even distance, `gathered` rows that begin anywhere, `keeping` lines of columns that begin anywhere. All are written
//! once for each instruction set and chosen at run time; the size of the tile goes with the choice.

#[cfg(target_arch = "x86_64")]
mod fused;
#[cfg(target_arch = "x86_64")]
mod sides;

use crate::turn::Rows;
use pleach_simd::{CACHE_LINE, Level, level};
use std::ops::Range;

/// Rows and columns of a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tile {
    pub rows: usize,
    pub cols: usize,
}

impl Tile {
    /// Elements.
    pub fn area(self) -> usize {
        self.rows * self.cols
    }
}

/// Elements from a row of the left side to the next with which products that call for memory are quickest, besides 1.
pub(crate) const SLAB: usize = 128;

/// Memory that is read soon: while a tile is multiplied, it is called for, a cache line with each step of the depth. Called for all at
/// once, it would hold up the reading of this tile.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Soon<'a, T> {
    from: &'a [T],
    /// Where its stretches begin.
    starts: &'a [usize],
    /// Cache lines of each stretch.
    each: usize,
    /// The first line of all, and how many from there on.
    first: usize,
    lines: usize,
}

impl<'a, T> Soon<'a, T> {
    /// What is in a cache already need not be called for.
    pub const NOTHING: Self = Self { from: &[], starts: &[], each: 1, first: 0, lines: 0 };

    /// Stretches of `len` elements that begin at `starts`.
    pub fn new(from: &'a [T], starts: &'a [usize], len: usize) -> Self {
        // Where a stretch begins within a line, it ends in a line more.
        let line = CACHE_LINE / size_of::<T>();
        let each = len.div_ceil(line) + 1;
        Self { from, starts, each, first: 0, lines: starts.len() * each }
    }

    /// Part `i` of `count` parts.
    pub fn part(&self, i: usize, count: usize) -> Self {
        let line = |i: usize| i * self.lines / count.max(1);
        Self { first: self.first + line(i), lines: line(i + 1) - line(i), ..*self }
    }
}

/// Two matrices as they lie, of which [`Tiled::strided`] multiplies some rows by a tile's width of columns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Factors<'a, T> {
    /// The left matrix: element (row r, depth k) is `a[r * down + k * along]`.
    pub a: &'a [T],
    pub down: usize,
    pub along: usize,
    /// The right matrix: element (depth k, column c) is `b[k * step + c]`.
    pub b: &'a [T],
    pub step: usize,
    pub depth: usize,
    /// Rows of the left matrix, at most a tile's.
    pub rows: usize,
    pub soon: Soon<'a, T>,
}

impl<T> Factors<'_, T> {
    /// Whether all elements exist, of the factors and of what is written to.
    fn fit(&self, tile: Tile, to: &Rows<'_, T>) -> bool {
        let Self { a, down, along, b, depth, rows, .. } = *self;
        (1..=tile.rows).contains(&rows)
            && to.hold(rows, tile.cols)
            && (depth == 0
                || a.len() > (rows - 1) * down + (depth - 1) * along && b.len() >= (depth - 1) * self.step + tile.cols)
    }
}

/// Rows that begin anywhere and a packed panel, for [`Tiled::gathered`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Strands<'a, T> {
    /// Element (row r, depth k) of the left side is `a[starts[r] + k]`.
    pub a: &'a [T],
    /// At least one row, and at most a tile's.
    pub starts: &'a [usize],
    /// The right side: a line of a tile's columns for each step of the depth.
    pub b: &'a [T],
    pub depth: usize,
    pub soon: Soon<'a, T>,
}

impl<T> Strands<'_, T> {
    /// Whether all elements exist, of the factors and of what is written to.
    fn fit(&self, tile: Tile, to: &Rows<'_, T>) -> bool {
        let rows = self.starts.len();
        let last = self.starts.iter().max().copied().unwrap_or(0);
        (1..=tile.rows).contains(&rows)
            && to.hold(rows, tile.cols)
            && self.b.len() >= self.depth * tile.cols
            && last.checked_add(self.depth).is_some_and(|end| end <= self.a.len())
    }
}

/// Where the lines of a right side begin that is not packed, and how far the farthest reaches.
#[derive(Clone, Debug)]
pub(crate) struct Starts {
    all: Vec<usize>,
    farthest: usize,
}

impl Starts {
    pub fn new(all: Vec<usize>) -> Self {
        Self { farthest: all.iter().max().copied().unwrap_or(0), all }
    }

    pub fn of(&self, depth: Range<usize>) -> &[usize] {
        &self.all[depth]
    }
}

/// A packed left side and lines of columns that begin anywhere, for [`Tiled::keeping`].
#[derive(Clone, Debug)]
pub(crate) struct Scattered<'a, T> {
    /// Element (row r, depth k) of the left side is `a[k * along + r]`.
    pub a: &'a [T],
    pub along: usize,
    pub rows: usize,
    /// Element (depth k, column c) of the right side is `b[starts[depth.start + k] + c]`.
    pub b: &'a [T],
    pub starts: &'a Starts,
    pub depth: Range<usize>,
    pub soon: Soon<'a, T>,
}

impl<T> Scattered<'_, T> {
    /// Whether all elements exist, of the factors, of what is written to, and of `kept`.
    fn fit(&self, tile: Tile, to: &Rows<'_, T>, kept: &[T]) -> bool {
        let Self { a, along, rows, b, starts, depth, .. } = self;
        let steps = depth.len();
        (1..=tile.rows).contains(rows)
            && to.hold(*rows, tile.cols)
            && kept.len() >= steps * tile.cols
            && depth.end <= starts.all.len()
            && (steps == 0 || a.len() >= (steps - 1) * along + rows && b.len() >= starts.farthest + tile.cols)
    }
}

/// What the results of a product are added to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Onto {
    /// Nothing: what stood there is overwritten.
    Nothing,
    /// What stands there.
    Sums,
}

/// Element types with tiles of their own.
pub(crate) trait Tiled: Copy + Send + Sync + 'static {
    /// Element (r, c) of `to` `(+)= sum over k of a(r, k) * b(k, c)`, for the rows of the factors and a tile's columns.
    fn strided(factors: &Factors<'_, Self>, onto: Onto, to: &mut Rows<'_, Self>);

    /// The tile of [`strided`](Self::strided) and [`gathered`](Self::gathered) on this machine.
    fn outer_tile() -> Tile;

    /// Element (r, c) of `to` `+= sum over k of a(r, k) * b(k, c)`, with the left side's rows anywhere.
    fn gathered(strands: &Strands<'_, Self>, to: &mut Rows<'_, Self>);

    /// Element (r, c) of `to` `(+)= sum over k of a(r, k) * b(k, c)`, with the right side's lines anywhere, which `kept` then holds packed for
    /// those who come after.
    fn keeping(lines: &Scattered<'_, Self>, onto: Onto, to: &mut Rows<'_, Self>, kept: &mut [Self]);
}

/// The loops for one instruction set: its features, the vector, the rows and vectors of a tile, distances of rows that have loops of
/// their own (layers have channels in powers of two), and its operations.
macro_rules! loops {
    (
        $module:ident, $features:literal, $t:ty, $vector:ty, $lanes:literal,
        $or:literal x $ov:literal ($($rows:literal)*), ($($apart:literal)*),
        $zero:path, $all:path, $load:path, $store:path, $fma:path
    ) => {
        #[cfg(target_arch = "x86_64")]
        mod $module {
            use super::sides::{Anywhere, Apart, Calls, Even, Left, Lines, Row};
            use super::{Factors, Onto, Rows, SLAB, Scattered, Strands, Tile};
            use std::arch::x86_64::*;

            pub const OUTER: Tile = Tile { rows: $or, cols: $ov * $lanes };

            #[target_feature(enable = $features)]
            pub fn strided(factors: &Factors<'_, $t>, onto: Onto, to: &mut Rows<'_, $t>) {
                match factors.rows {
                    $($rows => strided_rows::<$rows>(factors, onto, to),)*
                    _ => unreachable!("a tile's rows"),
                }
            }

            #[target_feature(enable = $features)]
            fn strided_rows<const ROWS: usize>(factors: &Factors<'_, $t>, onto: Onto, to: &mut Rows<'_, $t>) {
                let Factors { a, down, along, b, step: next, depth, rows, ref soon } = *factors;
                assert!(rows == ROWS && factors.fit(OUTER, to), "a tile's factors");
                let rows: [_; ROWS] = std::array::from_fn(|r| a.as_ptr().wrapping_add(r * down));
                let lines = Even { next: b.as_ptr(), step: next };
                let (out, calls) = ((to.start(), to.step()), Calls::new(soon));
                // SAFETY: all elements exist, by the assertion.
                #[allow(unsafe_code)]
                unsafe {
                    // Loops of their own, so that who calls for nothing looks for nothing.
                    let near = Apart::<_, 1>(a.as_ptr());
                    match (down, soon.lines) {
                        (1, 0) => accumulate::<ROWS, false>(near, along, lines, depth, onto, out, calls),
                        (1, _) => accumulate::<ROWS, true>(near, along, lines, depth, onto, out, calls),
                        $(($apart, 0) => {
                            let rows = Apart::<_, $apart>(a.as_ptr());
                            accumulate::<ROWS, false>(rows, along, lines, depth, onto, out, calls);
                        })*
                        (SLAB, _) => {
                            let rows = Apart::<_, SLAB>(a.as_ptr());
                            accumulate::<ROWS, true>(rows, along, lines, depth, onto, out, calls);
                        }
                        (_, 0) => accumulate::<ROWS, false>(rows, along, lines, depth, onto, out, calls),
                        _ => accumulate::<ROWS, true>(rows, along, lines, depth, onto, out, calls),
                    }
                }
            }

            #[target_feature(enable = $features)]
            pub fn gathered(strands: &Strands<'_, $t>, to: &mut Rows<'_, $t>) {
                match strands.starts.len() {
                    $($rows => gathered_rows::<$rows>(strands, to),)*
                    _ => unreachable!("a tile's rows"),
                }
            }

            #[target_feature(enable = $features)]
            fn gathered_rows<const ROWS: usize>(strands: &Strands<'_, $t>, to: &mut Rows<'_, $t>) {
                let Strands { a, starts, b, depth, ref soon } = *strands;
                assert!(starts.len() == ROWS && strands.fit(OUTER, to), "a tile's strands");
                let a: [_; ROWS] = std::array::from_fn(|r| a.as_ptr().wrapping_add(starts[r]));
                let (out, calls) = ((to.start(), to.step()), Calls::new(soon));
                let lines = Even { next: b.as_ptr(), step: OUTER.cols };
                // SAFETY: all elements exist, by the assertion.
                #[allow(unsafe_code)]
                unsafe {
                    match soon.lines {
                        0 => accumulate::<ROWS, false>(a, 1, lines, depth, Onto::Sums, out, calls),
                        _ => accumulate::<ROWS, true>(a, 1, lines, depth, Onto::Sums, out, calls),
                    }
                }
            }

            #[target_feature(enable = $features)]
            pub fn keeping(lines: &Scattered<'_, $t>, onto: Onto, to: &mut Rows<'_, $t>, kept: &mut [$t]) {
                match lines.rows {
                    $($rows => keeping_rows::<$rows>(lines, onto, to, kept),)*
                    _ => unreachable!("a tile's rows"),
                }
            }

            #[target_feature(enable = $features)]
            fn keeping_rows<const ROWS: usize>(
                lines: &Scattered<'_, $t>,
                onto: Onto,
                to: &mut Rows<'_, $t>,
                kept: &mut [$t],
            ) {
                assert!(lines.rows == ROWS && lines.fit(OUTER, to, kept), "a tile's lines");
                let Scattered { a, along, b, starts, depth, soon, .. } = lines;
                let (a, out, calls) = (Apart::<_, 1>(a.as_ptr()), (to.start(), to.step()), Calls::new(soon));
                let lines = Anywhere {
                    from: b,
                    starts: starts.of(depth.clone()).iter(),
                    kept: kept.as_mut_ptr(),
                    cols: OUTER.cols,
                };
                // SAFETY: all elements exist, by the assertion.
                #[allow(unsafe_code)]
                unsafe {
                    accumulate::<ROWS, true>(a, *along, lines, depth.len(), onto, out, calls);
                }
            }

            /// Adds the products of an element of each row and of a line of columns.
            ///
            /// # Safety
            /// The elements can be read.
            #[target_feature(enable = $features)]
            #[inline]
            #[allow(unsafe_code)]
            unsafe fn multiply<A: Left<$t>, const ROWS: usize>(
                a: A,
                at: usize,
                right: [$vector; $ov],
                sums: &mut [[$vector; $ov]; ROWS],
            ) {
                let first = a.row(0, at);
                $(
                    if $rows <= ROWS {
                        let sums = &mut sums[$rows - 1];
                        // SAFETY: the caller's.
                        unsafe {
                            // With two reads for a number all the way, reading would take longer than multiplying.
                            if A::DOWN.is_none() || $rows % 3 == 0 {
                                let left = $all(*a.row($rows - 1, at));
                                sums.iter_mut().zip(right).for_each(|(sum, right)| *sum = $fma(left, right, *sum));
                            } else {
                                for (sum, right) in sums.iter_mut().zip(right) {
                                    *sum = super::fused::$module::<Row<A, { $rows - 1 }>>(first, right, *sum);
                                }
                            }
                        }
                    }
                )*
            }

            /// # Safety
            /// For each of `depth` steps an element of each row, `along` apart, and a line of columns can be read, and written where it is to be
            /// kept; a line of each row of `out`, `step` apart, can be read and written.
            // Not inlined: its loop needs all registers.
            #[target_feature(enable = $features)]
            #[inline(never)]
            #[allow(unsafe_code)]
            unsafe fn accumulate<const ROWS: usize, const CALLS: bool>(
                a: impl Left<$t>,
                along: usize,
                mut lines: impl Lines<$t>,
                depth: usize,
                onto: Onto,
                (out, step): (*mut $t, usize),
                mut calls: Calls<'_, $t>,
            ) {
                let mut sums: [[$vector; $ov]; ROWS] = [[$zero(); $ov]; ROWS];
                if onto == Onto::Sums {
                    for (r, sums) in sums.iter_mut().enumerate() {
                        for (v, sum) in sums.iter_mut().enumerate() {
                            // SAFETY: the caller says so.
                            *sum = unsafe { $load(out.add(r * step + v * $lanes)) };
                        }
                    }
                }
                let mut at = 0;
                for _ in 0..depth {
                    if CALLS {
                        calls.next();
                    }
                    let (line, kept) = (lines.next(), lines.kept());
                    // SAFETY: the caller says so; behind the last step, the pointers are not read.
                    unsafe {
                        let mut right: [$vector; $ov] = [$zero(); $ov];
                        for (v, right) in right.iter_mut().enumerate() {
                            *right = $load(line.add(v * $lanes));
                            if let Some(kept) = kept {
                                $store(kept.add(v * $lanes), *right);
                            }
                        }
                        multiply(a, at, right, &mut sums);
                    }
                    at += along;
                }
                for (r, sums) in sums.iter().enumerate() {
                    for (v, sum) in sums.iter().enumerate() {
                        // SAFETY: the caller says so.
                        unsafe { $store(out.add(r * step + v * $lanes), *sum) };
                    }
                }
            }
        }
    };
}

loops!(
    avx2_f32, "avx2,fma", f32, __m256, 8, 6 x 2 (1 2 3 4 5 6), (),
    _mm256_setzero_ps, _mm256_set1_ps, _mm256_loadu_ps, _mm256_storeu_ps, _mm256_fmadd_ps
);
loops!(
    avx2_f64, "avx2,fma", f64, __m256d, 4, 6 x 2 (1 2 3 4 5 6), (),
    _mm256_setzero_pd, _mm256_set1_pd, _mm256_loadu_pd, _mm256_storeu_pd, _mm256_fmadd_pd
);
loops!(
    avx512_f32, "avx512f", f32, __m512, 16, 12 x 2 (1 2 3 4 5 6 7 8 9 10 11 12), (64 128 256 512 1024),
    _mm512_setzero_ps, _mm512_set1_ps, _mm512_loadu_ps, _mm512_storeu_ps, _mm512_fmadd_ps
);
loops!(
    avx512_f64, "avx512f", f64, __m512d, 8, 12 x 2 (1 2 3 4 5 6 7 8 9 10 11 12), (),
    _mm512_setzero_pd, _mm512_set1_pd, _mm512_loadu_pd, _mm512_storeu_pd, _mm512_fmadd_pd
);

/// The same without vectors of a known width: what the compiler makes of it.
mod portable {
    use super::{Factors, Onto, Rows, Scattered, Strands, Tile};
    use std::ops::{Add, Mul};

    pub const OUTER: Tile = Tile { rows: 4, cols: 8 };

    pub trait Number: Copy + Default + Add<Output = Self> + Mul<Output = Self> {}
    impl Number for f32 {}
    impl Number for f64 {}

    /// A tile's width of sums of row `r`, to which `add` adds.
    fn line<T: Number>(r: usize, onto: Onto, to: &mut Rows<'_, T>, add: impl FnOnce(&mut [T; OUTER.cols])) {
        assert!(to.hold(r + 1, OUTER.cols), "a tile's rows");
        let at = to.start().wrapping_add(r * to.step()).cast::<[T; OUTER.cols]>();
        // SAFETY: the elements exist, by the assertion, and have been written where they are read.
        #[allow(unsafe_code)]
        unsafe {
            let mut sums = if onto == Onto::Nothing { [T::default(); OUTER.cols] } else { at.read_unaligned() };
            add(&mut sums);
            at.write_unaligned(sums);
        }
    }

    pub fn strided<T: Number>(factors: &Factors<'_, T>, onto: Onto, to: &mut Rows<'_, T>) {
        assert!(factors.fit(OUTER, to), "a tile's factors");
        for r in 0..factors.rows {
            line(r, onto, to, |sums| {
                for k in 0..factors.depth {
                    let left = factors.a[r * factors.down + k * factors.along];
                    for (sum, &right) in sums.iter_mut().zip(&factors.b[k * factors.step..][..OUTER.cols]) {
                        *sum = *sum + left * right;
                    }
                }
            });
        }
    }

    pub fn gathered<T: Number>(strands: &Strands<'_, T>, to: &mut Rows<'_, T>) {
        assert!(strands.fit(OUTER, to), "a tile's strands");
        for (r, &start) in strands.starts.iter().enumerate() {
            line(r, Onto::Sums, to, |sums| {
                for (&left, b) in strands.a[start..][..strands.depth].iter().zip(strands.b.chunks_exact(OUTER.cols)) {
                    for (sum, &right) in sums.iter_mut().zip(b) {
                        *sum = *sum + left * right;
                    }
                }
            });
        }
    }

    pub fn keeping<T: Number>(lines: &Scattered<'_, T>, onto: Onto, to: &mut Rows<'_, T>, kept: &mut [T]) {
        assert!(lines.fit(OUTER, to, kept), "a tile's lines");
        let Scattered { a, along, rows, b, starts, depth, soon } = lines;
        for (&start, kept) in starts.of(depth.clone()).iter().zip(kept.chunks_exact_mut(OUTER.cols)) {
            kept.copy_from_slice(&b[start..][..OUTER.cols]);
        }
        let (b, depth) = (&*kept, depth.len());
        let factors = Factors { a, down: 1, along: *along, b, step: OUTER.cols, depth, rows: *rows, soon: *soon };
        strided(&factors, onto, to);
    }
}

macro_rules! tiled {
    ($t:ty, $avx2:ident, $avx512:ident) => {
        impl Tiled for $t {
            fn outer_tile() -> Tile {
                match level() {
                    #[cfg(target_arch = "x86_64")]
                    Level::Avx512 => $avx512::OUTER,
                    #[cfg(target_arch = "x86_64")]
                    Level::Avx2 => $avx2::OUTER,
                    _ => portable::OUTER,
                }
            }

            fn strided(factors: &Factors<'_, Self>, onto: Onto, to: &mut Rows<'_, Self>) {
                match level() {
                    // SAFETY: `level` has asked the processor for the features.
                    #[cfg(target_arch = "x86_64")]
                    #[allow(unsafe_code)]
                    Level::Avx512 => unsafe { $avx512::strided(factors, onto, to) },
                    // SAFETY: as above.
                    #[cfg(target_arch = "x86_64")]
                    #[allow(unsafe_code)]
                    Level::Avx2 => unsafe { $avx2::strided(factors, onto, to) },
                    _ => portable::strided(factors, onto, to),
                }
            }

            fn gathered(strands: &Strands<'_, Self>, to: &mut Rows<'_, Self>) {
                match level() {
                    // SAFETY: `level` has asked the processor for the features.
                    #[cfg(target_arch = "x86_64")]
                    #[allow(unsafe_code)]
                    Level::Avx512 => unsafe { $avx512::gathered(strands, to) },
                    // SAFETY: as above.
                    #[cfg(target_arch = "x86_64")]
                    #[allow(unsafe_code)]
                    Level::Avx2 => unsafe { $avx2::gathered(strands, to) },
                    _ => portable::gathered(strands, to),
                }
            }

            fn keeping(lines: &Scattered<'_, Self>, onto: Onto, to: &mut Rows<'_, Self>, kept: &mut [Self]) {
                match level() {
                    // SAFETY: `level` has asked the processor for the features.
                    #[cfg(target_arch = "x86_64")]
                    #[allow(unsafe_code)]
                    Level::Avx512 => unsafe { $avx512::keeping(lines, onto, to, kept) },
                    // SAFETY: as above.
                    #[cfg(target_arch = "x86_64")]
                    #[allow(unsafe_code)]
                    Level::Avx2 => unsafe { $avx2::keeping(lines, onto, to, kept) },
                    _ => portable::keeping(lines, onto, to, kept),
                }
            }
        }
    };
}

tiled!(f32, avx2_f32, avx512_f32);
tiled!(f64, avx2_f64, avx512_f64);

#[cfg(test)]
mod tests;
