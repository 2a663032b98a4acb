//! The innermost loops of matrix products: one tile of the result, held in registers.
//!
//! `outer` adds up outer products of packed panels, `inner` takes inner products of rows as they lie. Both are
//! written once for each instruction set and chosen at run time; the sizes of the tiles go with the choice.

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

    /// The tile of [`outer`](Self::outer) on this machine.
    fn outer_tile() -> Tile;

    /// `out[r * cols + c] += sum over k of a[k * rows + r] * b[k * cols + c]`, for as many `k` as `a` has.
    fn outer(a: &[Self], b: &[Self], out: &mut [Self]);

    /// The tile of [`inner`](Self::inner) on this machine.
    fn inner_tile() -> Tile;

    /// Lanes of a vector: rows of `a` and `b` must be as long as a multiple of this.
    fn lanes() -> usize;

    /// Adds the products of each row of `a` with each row of `b`, rows of `k` elements each, to `sums`: for row r and
    /// column c the lanes `(c * rows + r) * lanes ..`, which stay apart until the end.
    fn inner(a: &[Self], b: &[Self], k: usize, sums: &mut [Self]);
}

/// The loops for one instruction set: its features, the vector and its operations.
macro_rules! loops {
    (
        $module:ident, $features:literal, $t:ty, $vector:ty, $lanes:literal,
        outer $or:literal x $ov:literal ($($rows:literal)*), inner $ir:literal x $ic:literal,
        $zero:path, $all:path, $load:path, $store:path, $fma:path
    ) => {
        #[cfg(target_arch = "x86_64")]
        mod $module {
            use super::{Factors, Onto, Tile};
            use std::arch::x86_64::*;

            pub const OUTER: Tile = Tile { rows: $or, cols: $ov * $lanes };
            pub const INNER: Tile = Tile { rows: $ir, cols: $ic };
            pub const STEP: usize = $lanes;

            #[target_feature(enable = $features)]
            pub fn outer(a: &[$t], b: &[$t], out: &mut [$t]) {
                let k = a.len() / OUTER.rows;
                assert!(b.len() >= k * OUTER.cols && out.len() >= OUTER.area(), "a tile's panels");
                let mut sums: [[$vector; $ov]; $or] = [[$zero(); $ov]; $or];
                for (sum, out) in sums.iter_mut().flatten().zip(out.chunks_exact($lanes)) {
                    // SAFETY: the chunk has as many elements as the vector.
                    #[allow(unsafe_code)]
                    unsafe {
                        *sum = $load(out.as_ptr());
                    }
                }
                let (mut a, mut b) = (a.as_ptr(), b.as_ptr());
                for _ in 0..k {
                    // SAFETY: k steps of `rows` and `cols` elements lie within `a` and `b`, by the assertion above.
                    #[allow(unsafe_code)]
                    unsafe {
                        let mut right: [$vector; $ov] = [$zero(); $ov];
                        for (v, right) in right.iter_mut().enumerate() {
                            *right = $load(b.add(v * $lanes));
                        }
                        for (r, sums) in sums.iter_mut().enumerate() {
                            let left = $all(*a.add(r));
                            for (sum, right) in sums.iter_mut().zip(right) {
                                *sum = $fma(left, right, *sum);
                            }
                        }
                        a = a.add(OUTER.rows);
                        b = b.add(OUTER.cols);
                    }
                }
                for (out, sum) in out.chunks_exact_mut($lanes).zip(sums.iter().flatten()) {
                    // SAFETY: the chunk has as many elements as the vector.
                    #[allow(unsafe_code)]
                    unsafe {
                        $store(out.as_mut_ptr(), *sum);
                    }
                }
            }

            #[target_feature(enable = $features)]
            pub fn strided(factors: &Factors<'_, $t>, onto: Onto, out: &mut [$t], step: usize) {
                match factors.rows {
                    $($rows => strided_rows::<$rows>(factors, onto, out, step),)*
                    _ => unreachable!("a tile's rows"),
                }
            }

            #[target_feature(enable = $features)]
            fn strided_rows<const ROWS: usize>(factors: &Factors<'_, $t>, onto: Onto, out: &mut [$t], step: usize) {
                assert!(factors.rows == ROWS && factors.fit(OUTER, out, step), "a tile's factors");
                let mut sums: [[$vector; $ov]; ROWS] = [[$zero(); $ov]; ROWS];
                if onto == Onto::Sums {
                    for (r, sums) in sums.iter_mut().enumerate() {
                        for (v, sum) in sums.iter_mut().enumerate() {
                            // SAFETY: `out` has a tile's columns of each row, by the assertion above.
                            #[allow(unsafe_code)]
                            unsafe {
                                *sum = $load(out.as_ptr().add(r * step + v * $lanes));
                            }
                        }
                    }
                }
                let (mut a, mut b) = (factors.a.as_ptr(), factors.b.as_ptr());
                for _ in 0..factors.depth {
                    // SAFETY: each step of the depth has its elements in `a` and `b`, by the assertion above; behind the
                    // last, the pointers are not read.
                    #[allow(unsafe_code)]
                    unsafe {
                        let mut right: [$vector; $ov] = [$zero(); $ov];
                        for (v, right) in right.iter_mut().enumerate() {
                            *right = $load(b.add(v * $lanes));
                        }
                        for (r, sums) in sums.iter_mut().enumerate() {
                            let left = $all(*a.add(r * factors.down));
                            for (sum, right) in sums.iter_mut().zip(right) {
                                *sum = $fma(left, right, *sum);
                            }
                        }
                        a = a.wrapping_add(factors.along);
                        b = b.wrapping_add(factors.step);
                    }
                }
                for (r, sums) in sums.iter().enumerate() {
                    for (v, sum) in sums.iter().enumerate() {
                        // SAFETY: as where the sums were read.
                        #[allow(unsafe_code)]
                        unsafe {
                            $store(out.as_mut_ptr().add(r * step + v * $lanes), *sum);
                        }
                    }
                }
            }

            #[target_feature(enable = $features)]
            pub fn inner(a: &[$t], b: &[$t], k: usize, all: &mut [$t]) {
                assert!(k % $lanes == 0 && a.len() >= INNER.rows * k && b.len() >= INNER.cols * k, "a tile's rows");
                assert!(all.len() >= INNER.area() * $lanes, "a tile's sums");
                let mut sums: [[$vector; $ir]; $ic] = [[$zero(); $ir]; $ic];
                for (sum, all) in sums.iter_mut().flatten().zip(all.chunks_exact($lanes)) {
                    // SAFETY: the chunk has as many elements as the vector.
                    #[allow(unsafe_code)]
                    unsafe {
                        *sum = $load(all.as_ptr());
                    }
                }
                let (a, b) = (a.as_ptr(), b.as_ptr());
                for at in (0..k).step_by($lanes) {
                    // SAFETY: `at` and the lanes behind it are below k, and so many rows of k elements lie within `a` and `b`.
                    #[allow(unsafe_code)]
                    unsafe {
                        let mut left: [$vector; $ir] = [$zero(); $ir];
                        for (r, left) in left.iter_mut().enumerate() {
                            *left = $load(a.add(r * k + at));
                        }
                        for (c, sums) in sums.iter_mut().enumerate() {
                            let right = $load(b.add(c * k + at));
                            for (sum, left) in sums.iter_mut().zip(left) {
                                *sum = $fma(left, right, *sum);
                            }
                        }
                    }
                }
                for (all, sum) in all.chunks_exact_mut($lanes).zip(sums.iter().flatten()) {
                    // SAFETY: the chunk has as many elements as the vector.
                    #[allow(unsafe_code)]
                    unsafe {
                        $store(all.as_mut_ptr(), *sum);
                    }
                }
            }
        }
    };
}

loops!(
    avx2_f32, "avx2,fma", f32, __m256, 8, outer 6 x 2 (1 2 3 4 5 6), inner 3 x 4,
    _mm256_setzero_ps, _mm256_set1_ps, _mm256_loadu_ps, _mm256_storeu_ps, _mm256_fmadd_ps
);
loops!(
    avx2_f64, "avx2,fma", f64, __m256d, 4, outer 6 x 2 (1 2 3 4 5 6), inner 3 x 4,
    _mm256_setzero_pd, _mm256_set1_pd, _mm256_loadu_pd, _mm256_storeu_pd, _mm256_fmadd_pd
);
loops!(
    avx512_f32, "avx512f", f32, __m512, 16, outer 12 x 2 (1 2 3 4 5 6 7 8 9 10 11 12), inner 4 x 6,
    _mm512_setzero_ps, _mm512_set1_ps, _mm512_loadu_ps, _mm512_storeu_ps, _mm512_fmadd_ps
);
loops!(
    avx512_f64, "avx512f", f64, __m512d, 8, outer 12 x 2 (1 2 3 4 5 6 7 8 9 10 11 12), inner 4 x 6,
    _mm512_setzero_pd, _mm512_set1_pd, _mm512_loadu_pd, _mm512_storeu_pd, _mm512_fmadd_pd
);

/// The same without vectors of a known width: what the compiler makes of it.
mod portable {
    use super::{Factors, Onto, Tile};
    use std::ops::{Add, Mul};

    pub const OUTER: Tile = Tile { rows: 4, cols: 8 };
    pub const INNER: Tile = Tile { rows: 2, cols: 2 };
    pub const STEP: usize = 8;

    pub trait Number: Copy + Default + Add<Output = Self> + Mul<Output = Self> {}
    impl Number for f32 {}
    impl Number for f64 {}

    pub fn outer<T: Number>(a: &[T], b: &[T], out: &mut [T]) {
        let mut sums = [[T::default(); OUTER.cols]; OUTER.rows];
        for (sum, &out) in sums.iter_mut().flatten().zip(out.iter()) {
            *sum = out;
        }
        for (a, b) in a.chunks_exact(OUTER.rows).zip(b.chunks_exact(OUTER.cols)) {
            for (sums, &left) in sums.iter_mut().zip(a) {
                for (sum, &right) in sums.iter_mut().zip(b) {
                    *sum = *sum + left * right;
                }
            }
        }
        for (out, &sum) in out.iter_mut().zip(sums.iter().flatten()) {
            *out = sum;
        }
    }

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

    pub fn inner<T: Number>(a: &[T], b: &[T], k: usize, sums: &mut [T]) {
        let pairs = (0..INNER.cols).flat_map(|c| (0..INNER.rows).map(move |r| (r, c)));
        for ((r, c), sums) in pairs.zip(sums.chunks_exact_mut(STEP)) {
            let (a, b) = (a[r * k..][..k].chunks_exact(STEP), b[c * k..][..k].chunks_exact(STEP));
            for (a, b) in a.zip(b) {
                for (sum, (&a, &b)) in sums.iter_mut().zip(a.iter().zip(b)) {
                    *sum = *sum + a * b;
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

            fn outer(a: &[Self], b: &[Self], out: &mut [Self]) {
                match level() {
                    // SAFETY: `level` has asked the processor for the features.
                    #[cfg(target_arch = "x86_64")]
                    #[allow(unsafe_code)]
                    Level::Avx512 => unsafe { $avx512::outer(a, b, out) },
                    // SAFETY: as above.
                    #[cfg(target_arch = "x86_64")]
                    #[allow(unsafe_code)]
                    Level::Avx2 => unsafe { $avx2::outer(a, b, out) },
                    _ => portable::outer(a, b, out),
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

            fn inner_tile() -> Tile {
                match level() {
                    #[cfg(target_arch = "x86_64")]
                    Level::Avx512 => $avx512::INNER,
                    #[cfg(target_arch = "x86_64")]
                    Level::Avx2 => $avx2::INNER,
                    _ => portable::INNER,
                }
            }

            fn lanes() -> usize {
                match level() {
                    #[cfg(target_arch = "x86_64")]
                    Level::Avx512 => $avx512::STEP,
                    #[cfg(target_arch = "x86_64")]
                    Level::Avx2 => $avx2::STEP,
                    _ => portable::STEP,
                }
            }

            fn inner(a: &[Self], b: &[Self], k: usize, sums: &mut [Self]) {
                match level() {
                    // SAFETY: `level` has asked the processor for the features.
                    #[cfg(target_arch = "x86_64")]
                    #[allow(unsafe_code)]
                    Level::Avx512 => unsafe { $avx512::inner(a, b, k, sums) },
                    // SAFETY: as above.
                    #[cfg(target_arch = "x86_64")]
                    #[allow(unsafe_code)]
                    Level::Avx2 => unsafe { $avx2::inner(a, b, k, sums) },
                    _ => portable::inner(a, b, k, sums),
                }
            }
        }
    };
}

tiled!(f32, avx2_f32, avx512_f32);
tiled!(f64, avx2_f64, avx512_f64);
