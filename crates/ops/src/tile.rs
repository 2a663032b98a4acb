//! The innermost loops of matrix products: one tile of the result, held in registers.
//!
//! `strided` reads rows of even distance, `gathered` rows that begin anywhere. Both are written once for each instruction set and chosen at run time; the size of the tile goes with the choice.

use pleach_simd::{Level, level};

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
}

impl<T> Factors<'_, T> {
    /// Whether all elements exist, of the factors and of `out`, whose rows are `step` apart.
    fn fit(&self, tile: Tile, out: &[T], step: usize) -> bool {
        let Self { a, down, along, b, depth, rows, .. } = *self;
        (1..=tile.rows).contains(&rows)
            && out.len() >= (rows - 1) * step + tile.cols
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
}

impl<T> Strands<'_, T> {
    /// Whether all elements exist, of the factors and of `out`, whose rows are `step` apart.
    fn fit(&self, tile: Tile, out: &[T], step: usize) -> bool {
        let rows = self.starts.len();
        let last = self.starts.iter().max().copied().unwrap_or(0);
        (1..=tile.rows).contains(&rows)
            && out.len() >= (rows - 1) * step + tile.cols
            && self.b.len() >= self.depth * tile.cols
            && last.checked_add(self.depth).is_some_and(|end| end <= self.a.len())
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
    /// `out[r * step + c] (+)= sum over k of a(r, k) * b(k, c)`, for the rows of the factors and a tile's columns.
    fn strided(factors: &Factors<'_, Self>, onto: Onto, out: &mut [Self], step: usize);

    /// The tile of [`strided`](Self::strided) and [`gathered`](Self::gathered) on this machine.
    fn outer_tile() -> Tile;

    /// `out[r * step + c] += sum over k of a(r, k) * b(k, c)`, with the left side's rows anywhere.
    fn gathered(strands: &Strands<'_, Self>, out: &mut [Self], step: usize);
}

/// The loops for one instruction set: its features, the vector and its operations.
macro_rules! loops {
    (
        $module:ident, $features:literal, $t:ty, $vector:ty, $lanes:literal,
        $or:literal x $ov:literal ($($rows:literal)*),
        $zero:path, $all:path, $load:path, $store:path, $fma:path
    ) => {
        #[cfg(target_arch = "x86_64")]
        mod $module {
            use super::{Factors, Onto, Strands, Tile};
            use std::arch::x86_64::*;

            pub const OUTER: Tile = Tile { rows: $or, cols: $ov * $lanes };

            #[target_feature(enable = $features)]
            pub fn strided(factors: &Factors<'_, $t>, onto: Onto, out: &mut [$t], step: usize) {
                match factors.rows {
                    $($rows => strided_rows::<$rows>(factors, onto, out, step),)*
                    _ => unreachable!("a tile's rows"),
                }
            }

            #[target_feature(enable = $features)]
            fn strided_rows<const ROWS: usize>(factors: &Factors<'_, $t>, onto: Onto, out: &mut [$t], step: usize) {
                let Factors { a, down, along, b, step: next, depth, rows } = *factors;
                assert!(rows == ROWS && factors.fit(OUTER, out, step), "a tile's factors");
                let a = std::array::from_fn(|r| a.as_ptr().wrapping_add(r * down));
                // SAFETY: all elements exist, by the assertion.
                #[allow(unsafe_code)]
                unsafe {
                    accumulate::<ROWS>(a, along, b.as_ptr(), next, depth, onto, out.as_mut_ptr(), step);
                }
            }

            #[target_feature(enable = $features)]
            pub fn gathered(strands: &Strands<'_, $t>, out: &mut [$t], step: usize) {
                match strands.starts.len() {
                    $($rows => gathered_rows::<$rows>(strands, out, step),)*
                    _ => unreachable!("a tile's rows"),
                }
            }

            #[target_feature(enable = $features)]
            fn gathered_rows<const ROWS: usize>(strands: &Strands<'_, $t>, out: &mut [$t], step: usize) {
                let Strands { a, starts, b, depth } = *strands;
                assert!(starts.len() == ROWS && strands.fit(OUTER, out, step), "a tile's strands");
                let a = std::array::from_fn(|r| a.as_ptr().wrapping_add(starts[r]));
                // SAFETY: all elements exist, by the assertion.
                #[allow(unsafe_code)]
                unsafe {
                    accumulate::<ROWS>(a, 1, b.as_ptr(), OUTER.cols, depth, Onto::Sums, out.as_mut_ptr(), step);
                }
            }

            /// # Safety
            /// For each of `depth` steps an element of each row, `along` apart, and a line of columns, `next` apart, can be read; a
            /// line of each row of `out`, `step` apart, can be read and written.
            #[target_feature(enable = $features)]
            #[inline]
            #[allow(clippy::too_many_arguments)]
            #[allow(unsafe_code)]
            unsafe fn accumulate<const ROWS: usize>(
                a: [*const $t; ROWS],
                along: usize,
                mut b: *const $t,
                next: usize,
                depth: usize,
                onto: Onto,
                out: *mut $t,
                step: usize,
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
                    // SAFETY: the caller says so; behind the last step, the pointers are not read.
                    unsafe {
                        let mut right: [$vector; $ov] = [$zero(); $ov];
                        for (v, right) in right.iter_mut().enumerate() {
                            *right = $load(b.add(v * $lanes));
                        }
                        for (sums, a) in sums.iter_mut().zip(a) {
                            let left = $all(*a.add(at));
                            for (sum, right) in sums.iter_mut().zip(right) {
                                *sum = $fma(left, right, *sum);
                            }
                        }
                    }
                    at += along;
                    b = b.wrapping_add(next);
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
    avx2_f32, "avx2,fma", f32, __m256, 8, 6 x 2 (1 2 3 4 5 6),
    _mm256_setzero_ps, _mm256_set1_ps, _mm256_loadu_ps, _mm256_storeu_ps, _mm256_fmadd_ps
);
loops!(
    avx2_f64, "avx2,fma", f64, __m256d, 4, 6 x 2 (1 2 3 4 5 6),
    _mm256_setzero_pd, _mm256_set1_pd, _mm256_loadu_pd, _mm256_storeu_pd, _mm256_fmadd_pd
);
loops!(
    avx512_f32, "avx512f", f32, __m512, 16, 12 x 2 (1 2 3 4 5 6 7 8 9 10 11 12),
    _mm512_setzero_ps, _mm512_set1_ps, _mm512_loadu_ps, _mm512_storeu_ps, _mm512_fmadd_ps
);
loops!(
    avx512_f64, "avx512f", f64, __m512d, 8, 12 x 2 (1 2 3 4 5 6 7 8 9 10 11 12),
    _mm512_setzero_pd, _mm512_set1_pd, _mm512_loadu_pd, _mm512_storeu_pd, _mm512_fmadd_pd
);

/// The same without vectors of a known width: what the compiler makes of it.
mod portable {
    use super::{Factors, Onto, Strands, Tile};
    use std::ops::{Add, Mul};

    pub const OUTER: Tile = Tile { rows: 4, cols: 8 };

    pub trait Number: Copy + Default + Add<Output = Self> + Mul<Output = Self> {}
    impl Number for f32 {}
    impl Number for f64 {}

    pub fn strided<T: Number>(factors: &Factors<'_, T>, onto: Onto, out: &mut [T], step: usize) {
        assert!(factors.fit(OUTER, out, step), "a tile's factors");
        for (r, out) in out.chunks_mut(step).take(factors.rows).enumerate() {
            let out = &mut out[..OUTER.cols];
            if onto == Onto::Nothing {
                out.fill(T::default());
            }
            for k in 0..factors.depth {
                let left = factors.a[r * factors.down + k * factors.along];
                for (sum, &right) in out.iter_mut().zip(&factors.b[k * factors.step..][..OUTER.cols]) {
                    *sum = *sum + left * right;
                }
            }
        }
    }

    pub fn gathered<T: Number>(strands: &Strands<'_, T>, out: &mut [T], step: usize) {
        assert!(strands.fit(OUTER, out, step), "a tile's strands");
        for (&start, out) in strands.starts.iter().zip(out.chunks_mut(step)) {
            let out = &mut out[..OUTER.cols];
            for (&left, b) in strands.a[start..][..strands.depth].iter().zip(strands.b.chunks_exact(OUTER.cols)) {
                for (sum, &right) in out.iter_mut().zip(b) {
                    *sum = *sum + left * right;
                }
            }
        }
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

            fn strided(factors: &Factors<'_, Self>, onto: Onto, out: &mut [Self], step: usize) {
                match level() {
                    // SAFETY: `level` has asked the processor for the features.
                    #[cfg(target_arch = "x86_64")]
                    #[allow(unsafe_code)]
                    Level::Avx512 => unsafe { $avx512::strided(factors, onto, out, step) },
                    // SAFETY: as above.
                    #[cfg(target_arch = "x86_64")]
                    #[allow(unsafe_code)]
                    Level::Avx2 => unsafe { $avx2::strided(factors, onto, out, step) },
                    _ => portable::strided(factors, onto, out, step),
                }
            }

            fn gathered(strands: &Strands<'_, Self>, out: &mut [Self], step: usize) {
                match level() {
                    // SAFETY: `level` has asked the processor for the features.
                    #[cfg(target_arch = "x86_64")]
                    #[allow(unsafe_code)]
                    Level::Avx512 => unsafe { $avx512::gathered(strands, out, step) },
                    // SAFETY: as above.
                    #[cfg(target_arch = "x86_64")]
                    #[allow(unsafe_code)]
                    Level::Avx2 => unsafe { $avx2::gathered(strands, out, step) },
                    _ => portable::gathered(strands, out, step),
                }
            }
        }
    };
}

tiled!(f32, avx2_f32, avx512_f32);
tiled!(f64, avx2_f64, avx512_f64);
