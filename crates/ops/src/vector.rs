//! Vectors of the width that the machine has, for code that is written once for all widths.

use crate::host::Real;

/// A vector register: some numbers that are worked on at once.
///
/// # Safety
/// The functions of a type may be called where the processor has its instructions, pointers must be good for as many
/// elements as each function says.
#[allow(unsafe_code)]
pub(crate) unsafe trait Vector<T>: Copy {
    /// Numbers of a vector.
    const LANES: usize;
    /// Reads [`LANES`](Self::LANES) elements.
    unsafe fn load(from: *const T) -> Self;
    /// Writes [`LANES`](Self::LANES) elements.
    unsafe fn store(self, to: *mut T);
    unsafe fn all(value: T) -> Self;
    unsafe fn plus(self, other: Self) -> Self;
    unsafe fn minus(self, other: Self) -> Self;
    unsafe fn times(self, other: Self) -> Self;
    /// Turns up to [`SQUARE`](Self::SQUARE) rows and columns: element (r, c) of rows `from_step` apart becomes (c, r) of rows
    /// `to_step` apart. Elements of other rows and columns are neither read nor written.
    unsafe fn turn(from: *const T, from_step: usize, size: [usize; 2], to: *mut T, to_step: usize);
    /// Side of the largest square that [`turn`](Self::turn) turns.
    const SQUARE: usize;
}

/// The vectors of an element type, one for each instruction set.
pub(crate) trait Vectors: Sized + Copy {
    #[cfg(target_arch = "x86_64")]
    type Avx2: Vector<Self>;
    #[cfg(target_arch = "x86_64")]
    type Avx512: Vector<Self>;
    type Portable: Vector<Self>;
}

macro_rules! vectors {
    ($t:ty, $avx2:ty, $avx512:ty) => {
        impl Vectors for $t {
            #[cfg(target_arch = "x86_64")]
            type Avx2 = $avx2;
            #[cfg(target_arch = "x86_64")]
            type Avx512 = $avx512;
            type Portable = [$t; 4];
        }
    };
}
vectors!(f32, std::arch::x86_64::__m256, std::arch::x86_64::__m512);
vectors!(f64, std::arch::x86_64::__m256d, std::arch::x86_64::__m512d);

/// Compiles a function over a vector `V` of elements `T` once for each instruction set and calls the widest that the machine has.
macro_rules! widest {
    ($(#[$meta:meta])* $vis:vis fn $name:ident<$T:ident, $V:ident>($($arg:ident: $ty:ty),* $(,)?) $body:block) => {
        $(#[$meta])*
        $vis fn $name<$T: Real>($($arg: $ty),*) {
            #[inline(always)]
            fn body<$T: Real, $V: Vector<$T>>($($arg: $ty),*) $body

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            fn avx2<$T: Real>($($arg: $ty),*) {
                body::<$T, $T::Avx2>($($arg),*)
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")]
            fn avx512<$T: Real>($($arg: $ty),*) {
                body::<$T, $T::Avx512>($($arg),*)
            }

            match pleach_simd::level() {
                // SAFETY: `level` has asked the processor for every feature that the function names.
                #[cfg(target_arch = "x86_64")]
                #[allow(unsafe_code)]
                pleach_simd::Level::Avx512 => unsafe { avx512::<$T>($($arg),*) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                #[allow(unsafe_code)]
                pleach_simd::Level::Avx2 => unsafe { avx2::<$T>($($arg),*) },
                _ => body::<$T, $T::Portable>($($arg),*),
            }
        }
    };
}
pub(crate) use widest;

// SAFETY: plain arithmetic, which every processor has.
#[allow(unsafe_code)]
unsafe impl<T: Real> Vector<T> for [T; 4] {
    const LANES: usize = 4;
    const SQUARE: usize = 4;

    #[inline(always)]
    unsafe fn load(from: *const T) -> Self {
        // SAFETY: the caller's pointer is good for four elements.
        unsafe { from.cast::<Self>().read_unaligned() }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut T) {
        // SAFETY: as for `load`.
        unsafe { to.cast::<Self>().write_unaligned(self) }
    }

    #[inline(always)]
    unsafe fn all(value: T) -> Self {
        [value; 4]
    }

    #[inline(always)]
    unsafe fn plus(self, other: Self) -> Self {
        std::array::from_fn(|i| self[i] + other[i])
    }

    #[inline(always)]
    unsafe fn minus(self, other: Self) -> Self {
        std::array::from_fn(|i| self[i] - other[i])
    }

    #[inline(always)]
    unsafe fn times(self, other: Self) -> Self {
        std::array::from_fn(|i| self[i] * other[i])
    }

    #[inline(always)]
    unsafe fn turn(from: *const T, from_step: usize, size: [usize; 2], to: *mut T, to_step: usize) {
        // SAFETY: the caller's.
        unsafe { turn_one_by_one(from, from_step, size, to, to_step) }
    }
}

/// [`Vector::turn`] without vectors.
///
/// # Safety
/// The pointers must be good for so many rows and columns.
#[inline(always)]
#[allow(unsafe_code)]
unsafe fn turn_one_by_one<T: Copy>(
    from: *const T,
    from_step: usize,
    [rows, cols]: [usize; 2],
    to: *mut T,
    to_step: usize,
) {
    for r in 0..rows {
        for c in 0..cols {
            // SAFETY: the caller's.
            unsafe { to.add(c * to_step + r).write(*from.add(r * from_step + c)) }
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Vector, turn_one_by_one};
    use std::arch::x86_64::*;

    macro_rules! vector {
        (
            $vector:ty, $t:ty, $lanes:literal, $load:ident, $store:ident, $all:ident, $add:ident, $sub:ident,
            $mul:ident, $turn:ident, $square:literal
        ) => {
            // SAFETY: the instructions are those of the set that the trait's contract asks for.
            #[allow(unsafe_code)]
            unsafe impl Vector<$t> for $vector {
                const LANES: usize = $lanes;
                const SQUARE: usize = $square;

                #[inline(always)]
                unsafe fn load(from: *const $t) -> Self {
                    // SAFETY: the caller's, here and below.
                    unsafe { $load(from) }
                }

                #[inline(always)]
                unsafe fn store(self, to: *mut $t) {
                    // SAFETY: as above.
                    unsafe { $store(to, self) }
                }

                #[inline(always)]
                unsafe fn all(value: $t) -> Self {
                    // SAFETY: as above.
                    unsafe { $all(value) }
                }

                #[inline(always)]
                unsafe fn plus(self, other: Self) -> Self {
                    // SAFETY: as above.
                    unsafe { $add(self, other) }
                }

                #[inline(always)]
                unsafe fn minus(self, other: Self) -> Self {
                    // SAFETY: as above.
                    unsafe { $sub(self, other) }
                }

                #[inline(always)]
                unsafe fn times(self, other: Self) -> Self {
                    // SAFETY: as above.
                    unsafe { $mul(self, other) }
                }

                #[inline(always)]
                unsafe fn turn(from: *const $t, from_step: usize, size: [usize; 2], to: *mut $t, to_step: usize) {
                    // SAFETY: as above.
                    unsafe { $turn(from, from_step, size, to, to_step) }
                }
            }
        };
    }

    vector!(
        __m256,
        f32,
        8,
        _mm256_loadu_ps,
        _mm256_storeu_ps,
        _mm256_set1_ps,
        _mm256_add_ps,
        _mm256_sub_ps,
        _mm256_mul_ps,
        turn8,
        8
    );
    vector!(
        __m256d,
        f64,
        4,
        _mm256_loadu_pd,
        _mm256_storeu_pd,
        _mm256_set1_pd,
        _mm256_add_pd,
        _mm256_sub_pd,
        _mm256_mul_pd,
        turn4,
        4
    );
    vector!(
        __m512,
        f32,
        16,
        _mm512_loadu_ps,
        _mm512_storeu_ps,
        _mm512_set1_ps,
        _mm512_add_ps,
        _mm512_sub_ps,
        _mm512_mul_ps,
        turn16,
        16
    );
    vector!(
        __m512d,
        f64,
        8,
        _mm512_loadu_pd,
        _mm512_storeu_pd,
        _mm512_set1_pd,
        _mm512_add_pd,
        _mm512_sub_pd,
        _mm512_mul_pd,
        turn4,
        4
    );

    /// Turns up to sixteen rows of sixteen. A register takes four elements of each fourth row, so that turning four by four
    /// within it leaves whole rows.
    ///
    /// # Safety
    /// The pointers must be good for so many rows and columns, the processor must have AVX-512 F, DQ and VL.
    #[inline(always)]
    #[allow(unsafe_code)]
    unsafe fn turn16(from: *const f32, from_step: usize, [rows, cols]: [usize; 2], to: *mut f32, to_step: usize) {
        // SAFETY: the caller's; masks leave out what is not there.
        unsafe {
            let all_rows = u16::MAX >> (16 - rows.min(16));
            for c in (0..cols).step_by(4) {
                let some_cols = 0xf >> (4 - (cols - c).min(4));
                // Not closures: those would be compiled without the caller's instructions.
                macro_rules! four {
                    ($r:expr) => {
                        if $r >= rows {
                            _mm_setzero_ps()
                        } else if some_cols == 0xf {
                            _mm_loadu_ps(from.add($r * from_step + c))
                        } else {
                            _mm_maskz_loadu_ps(some_cols, from.add($r * from_step + c))
                        }
                    };
                }
                macro_rules! each_fourth {
                    ($r:literal) => {{
                        let v = _mm512_castps128_ps512(four!($r));
                        let v = _mm512_insertf32x4::<1>(v, four!($r + 4));
                        let v = _mm512_insertf32x4::<2>(v, four!($r + 8));
                        _mm512_insertf32x4::<3>(v, four!($r + 12))
                    }};
                }
                let (r0, r1, r2, r3) = (each_fourth!(0), each_fourth!(1), each_fourth!(2), each_fourth!(3));
                let (a0, a1) = (_mm512_unpacklo_ps(r0, r1), _mm512_unpackhi_ps(r0, r1));
                let (a2, a3) = (_mm512_unpacklo_ps(r2, r3), _mm512_unpackhi_ps(r2, r3));
                macro_rules! put {
                    ($c:literal, $v:expr) => {
                        if c + $c < cols {
                            _mm512_mask_storeu_ps(to.add((c + $c) * to_step), all_rows, $v)
                        }
                    };
                }
                put!(0, _mm512_shuffle_ps::<0x44>(a0, a2));
                put!(1, _mm512_shuffle_ps::<0xee>(a0, a2));
                put!(2, _mm512_shuffle_ps::<0x44>(a1, a3));
                put!(3, _mm512_shuffle_ps::<0xee>(a1, a3));
            }
        }
    }

    /// Turns up to eight rows of eight.
    ///
    /// # Safety
    /// The pointers must be good for so many rows and columns, the processor must have AVX.
    #[inline(always)]
    #[allow(unsafe_code)]
    unsafe fn turn8(from: *const f32, from_step: usize, size: [usize; 2], to: *mut f32, to_step: usize) {
        // SAFETY: the caller's.
        unsafe {
            if size != [8, 8] {
                return turn_one_by_one(from, from_step, size, to, to_step);
            }
            // Not closures: those would be compiled without the caller's instructions.
            macro_rules! row {
                ($r:literal) => {
                    _mm256_loadu_ps(from.add($r * from_step))
                };
            }
            let (r0, r1, r2, r3) = (row!(0), row!(1), row!(2), row!(3));
            let (r4, r5, r6, r7) = (row!(4), row!(5), row!(6), row!(7));
            let (a0, a1) = (_mm256_unpacklo_ps(r0, r1), _mm256_unpackhi_ps(r0, r1));
            let (a2, a3) = (_mm256_unpacklo_ps(r2, r3), _mm256_unpackhi_ps(r2, r3));
            let (a4, a5) = (_mm256_unpacklo_ps(r4, r5), _mm256_unpackhi_ps(r4, r5));
            let (a6, a7) = (_mm256_unpacklo_ps(r6, r7), _mm256_unpackhi_ps(r6, r7));
            let (b0, b1) = (_mm256_shuffle_ps::<0x44>(a0, a2), _mm256_shuffle_ps::<0xee>(a0, a2));
            let (b2, b3) = (_mm256_shuffle_ps::<0x44>(a1, a3), _mm256_shuffle_ps::<0xee>(a1, a3));
            let (b4, b5) = (_mm256_shuffle_ps::<0x44>(a4, a6), _mm256_shuffle_ps::<0xee>(a4, a6));
            let (b6, b7) = (_mm256_shuffle_ps::<0x44>(a5, a7), _mm256_shuffle_ps::<0xee>(a5, a7));
            macro_rules! put {
                ($c:literal, $v:expr) => {
                    _mm256_storeu_ps(to.add($c * to_step), $v)
                };
            }
            put!(0, _mm256_permute2f128_ps::<0x20>(b0, b4));
            put!(1, _mm256_permute2f128_ps::<0x20>(b1, b5));
            put!(2, _mm256_permute2f128_ps::<0x20>(b2, b6));
            put!(3, _mm256_permute2f128_ps::<0x20>(b3, b7));
            put!(4, _mm256_permute2f128_ps::<0x31>(b0, b4));
            put!(5, _mm256_permute2f128_ps::<0x31>(b1, b5));
            put!(6, _mm256_permute2f128_ps::<0x31>(b2, b6));
            put!(7, _mm256_permute2f128_ps::<0x31>(b3, b7));
        }
    }

    /// Turns up to four rows of four.
    ///
    /// # Safety
    /// The pointers must be good for so many rows and columns, the processor must have AVX.
    #[inline(always)]
    #[allow(unsafe_code)]
    unsafe fn turn4(from: *const f64, from_step: usize, size: [usize; 2], to: *mut f64, to_step: usize) {
        // SAFETY: the caller's.
        unsafe {
            if size != [4, 4] {
                return turn_one_by_one(from, from_step, size, to, to_step);
            }
            // Not closures: those would be compiled without the caller's instructions.
            macro_rules! row {
                ($r:literal) => {
                    _mm256_loadu_pd(from.add($r * from_step))
                };
            }
            let (r0, r1, r2, r3) = (row!(0), row!(1), row!(2), row!(3));
            let (a0, a1) = (_mm256_unpacklo_pd(r0, r1), _mm256_unpackhi_pd(r0, r1));
            let (a2, a3) = (_mm256_unpacklo_pd(r2, r3), _mm256_unpackhi_pd(r2, r3));
            macro_rules! put {
                ($c:literal, $v:expr) => {
                    _mm256_storeu_pd(to.add($c * to_step), $v)
                };
            }
            put!(0, _mm256_permute2f128_pd::<0x20>(a0, a2));
            put!(1, _mm256_permute2f128_pd::<0x20>(a1, a3));
            put!(2, _mm256_permute2f128_pd::<0x31>(a0, a2));
            put!(3, _mm256_permute2f128_pd::<0x31>(a1, a3));
        }
    }
}
