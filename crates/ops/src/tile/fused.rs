//! A product with one number in memory, added to a sum: with AVX-512 one instruction, which the compiler would make two of wherever the
//! number is used twice. A processor that two programs share has the fewer instructions done sooner.

use super::sides::Place;
use std::arch::asm;
use std::arch::x86_64::*;

/// # Safety
/// The number at the place after `from` can be read.
#[target_feature(enable = "avx2,fma")]
#[inline]
#[allow(unsafe_code)]
pub unsafe fn avx2_f32<P: Place<f32>>(from: *const f32, right: __m256, sum: __m256) -> __m256 {
    // SAFETY: the caller's.
    _mm256_fmadd_ps(_mm256_set1_ps(unsafe { *from.add(P::OFFSET) }), right, sum)
}

/// # Safety
/// As for [`avx2_f32`].
#[target_feature(enable = "avx2,fma")]
#[inline]
#[allow(unsafe_code)]
pub unsafe fn avx2_f64<P: Place<f64>>(from: *const f64, right: __m256d, sum: __m256d) -> __m256d {
    // SAFETY: the caller's.
    _mm256_fmadd_pd(_mm256_set1_pd(unsafe { *from.add(P::OFFSET) }), right, sum)
}

/// # Safety
/// As for [`avx2_f32`].
#[target_feature(enable = "avx512f")]
#[inline]
#[allow(unsafe_code)]
pub unsafe fn avx512_f32<P: Place<f32>>(from: *const f32, right: __m512, mut sum: __m512) -> __m512 {
    // SAFETY: the instruction reads the number, as the caller allows, and changes the sum.
    unsafe {
        asm!(
            "vfmadd231ps {sum}, {right}, dword ptr [{from} + {at}]{{1to16}}",
            sum = inout(zmm_reg) sum,
            right = in(zmm_reg) right,
            from = in(reg) from,
            at = const P::OFFSET * size_of::<f32>(),
            options(pure, readonly, nostack, preserves_flags)
        );
    }
    sum
}

/// # Safety
/// As for [`avx2_f32`].
#[target_feature(enable = "avx512f")]
#[inline]
#[allow(unsafe_code)]
pub unsafe fn avx512_f64<P: Place<f64>>(from: *const f64, right: __m512d, mut sum: __m512d) -> __m512d {
    // SAFETY: as above.
    unsafe {
        asm!(
            "vfmadd231pd {sum}, {right}, qword ptr [{from} + {at}]{{1to8}}",
            sum = inout(zmm_reg) sum,
            right = in(zmm_reg) right,
            from = in(reg) from,
            at = const P::OFFSET * size_of::<f64>(),
            options(pure, readonly, nostack, preserves_flags)
        );
    }
    sum
}
