//! Takes blocks of 8 by 8 samples through their quantised cosines and back, in the whole numbers of libjpeg's slow
//! transform (Loeffler, Ligtenberg and Moschytz, 1989): what JPEG loses.

use crate::lanes;

#[cfg(target_arch = "x86_64")]
mod vectors;

type Block = [[i32; 8]; 8];

/// Takes every block of a plane through its quantised cosines; the sides are multiples of 8, the quantisers stand row by
/// row and none is 0.
pub fn quantised_cosines(plane: &mut [u8], width: usize, quantisers: &[u8; 64]) {
    assert!(width.is_multiple_of(8) && quantisers.iter().all(|q| *q > 0), "whole blocks, and no quantiser of 0");
    if width == 0 {
        return;
    }
    assert!(plane.len().is_multiple_of(8 * width), "whole blocks");
    #[cfg(target_arch = "x86_64")]
    if crate::level() != crate::Level::Portable {
        // SAFETY: every level but the portable one has AVX2.
        #[allow(unsafe_code)]
        unsafe {
            vectors::lose(plane, width, quantisers);
        }
        return;
    }
    lose::<u8>(plane, width, quantisers);
}

#[inline(always)]
fn each<const N: usize>(f: impl Fn([i32; N]) -> [i32; 8], rows: [[i32; 8]; N]) -> Block {
    let mut out = [[0; 8]; 8];
    for x in 0..8 {
        let done = f(std::array::from_fn(|i| rows[i][x]));
        for (row, value) in out.iter_mut().zip(done) {
            row[x] = value;
        }
    }
    out
}

#[inline(always)]
fn turned(block: &Block) -> Block {
    std::array::from_fn(|y| std::array::from_fn(|x| block[x][y]))
}

#[inline(always)]
fn cut(x: i32, bits: u32) -> i32 {
    (x + (1 << (bits - 1))) >> bits
}

/// The odd half that both directions share.
#[inline(always)]
fn odd([a, b, c, d]: [i32; 4]) -> [i32; 4] {
    let (z1, z2, z3, z4) = ((a + d) * -7373, (b + c) * -20995, a + c, b + d);
    let z5 = (z3 + z4) * 9633;
    let (z3, z4) = (z3 * -16069 + z5, z4 * -3196 + z5);
    [a * 2446 + z1 + z3, b * 16819 + z2 + z4, c * 25172 + z2 + z3, d * 12299 + z1 + z4]
}

/// Cosines of eight samples, scaled up by `up` bits on the way in (the rows) or down (the columns).
#[inline(always)]
fn forward(d: [i32; 8], flat: impl Fn(i32) -> i32, bits: u32) -> [i32; 8] {
    let (s0, s1, s2, s3) = (d[0] + d[7], d[1] + d[6], d[2] + d[5], d[3] + d[4]);
    let (t0, t1, t2, t3) = (s0 + s3, s1 + s2, s1 - s2, s0 - s3);
    let z = (t2 + t3) * 4433;
    let [o7, o5, o3, o1] = odd([d[3] - d[4], d[2] - d[5], d[1] - d[6], d[0] - d[7]]);
    [
        flat(t0 + t1),
        cut(o1, bits),
        cut(z + t3 * 6270, bits),
        cut(o3, bits),
        flat(t0 - t1),
        cut(o5, bits),
        cut(z - t2 * 15137, bits),
        cut(o7, bits),
    ]
}

/// Eight samples from their cosines.
#[inline(always)]
fn backward(d: [i32; 8], bits: u32) -> [i32; 8] {
    let z = (d[2] + d[6]) * 4433;
    let (t2, t3) = (z - d[6] * 15137, z + d[2] * 6270);
    let (t0, t1) = ((d[0] + d[4]) << 13, (d[0] - d[4]) << 13);
    let even = [t0 + t3, t1 + t2, t1 - t2, t0 - t3];
    let [o0, o1, o2, o3] = odd([d[7], d[5], d[3], d[1]]);
    let odd = [o3, o2, o1, o0];
    std::array::from_fn(|i| if i < 4 { cut(even[i] + odd[i], bits) } else { cut(even[7 - i] - odd[7 - i], bits) })
}

/// The multiple of a quantiser next to an eighth of a cosine, halves away from zero: half a step more and the fraction
/// dropped; another half keeps exact quotients whole in single precision.
#[inline(always)]
fn quantised(value: i32, q: i32, eighth: f32) -> i32 {
    let size = ((value.abs() + 4 * q) as f32 + 0.5) * eighth;
    size as i32 * q * value.signum()
}

lanes! {
    fn lose<T: Copy>(plane: &mut [u8], width: usize, quantisers: &[u8; 64]) {
        let eighths = quantisers.map(|q| 1.0 / f32::from(q) / 8.0);
        for strip in plane.chunks_exact_mut(8 * width) {
            for x in (0..width).step_by(8) {
                let mut block = [[0; 8]; 8];
                for (row, samples) in block.iter_mut().zip(strip.chunks_exact(width)) {
                    for (value, &sample) in row.iter_mut().zip(&samples[x..x + 8]) {
                        *value = i32::from(sample) - 128;
                    }
                }
                let block = turned(&each(|d| forward(d, |v| v << 2, 11), turned(&block)));
                let mut block = each(|d| forward(d, |v| cut(v, 2), 15), block);
                for ((value, &q), &eighth) in block.as_flattened_mut().iter_mut().zip(quantisers).zip(&eighths) {
                    *value = quantised(*value, i32::from(q), eighth);
                }
                let block = turned(&each(|d| backward(d, 11), block));
                let block = turned(&each(|d| backward(d, 18), block));
                for (row, samples) in block.iter().zip(strip.chunks_exact_mut(width)) {
                    for (value, sample) in row.iter().zip(&mut samples[x..x + 8]) {
                        *sample = (value + 128).clamp(0, 255) as u8;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::bytes;
    use proptest::prelude::*;

    fn alike(plane: &[u8], width: usize, quantisers: &[u8; 64]) -> Result<(), TestCaseError> {
        let (mut quick, mut plain) = (plane.to_vec(), plane.to_vec());
        quantised_cosines(&mut quick, width, quantisers);
        lose::<u8>(&mut plain, width, quantisers);
        prop_assert_eq!(quick, plain);
        Ok(())
    }

    proptest! {
        #[test]
        fn every_level_gives_the_numbers_of_the_definition(
            across in 1usize..6, down in 1usize..3, seed: u32, extreme: bool, q in prop::collection::vec(1u8.., 64),
        ) {
            let mut plane = bytes(64 * across * down, seed);
            if extreme {
                plane.iter_mut().for_each(|x| *x = if *x & 1 == 0 { 0 } else { 255 });
            }
            let mut quantisers = [0; 64];
            quantisers.copy_from_slice(&q);
            alike(&plane, 8 * across, &quantisers)?;
        }
    }

    #[test]
    fn blocks_with_the_greatest_cosines_stay_within_16_bits() {
        // The sign of each product of two cosines, which makes their sum the greatest there is, and its opposite.
        let cosine = |k: usize, x: usize| ((2 * x + 1) as f64 * k as f64 * std::f64::consts::PI / 16.0).cos();
        for q in [1, 2, 16, 255] {
            for k in 0..64 {
                for sign in [1.0, -1.0] {
                    let sample = |i: usize| cosine(k / 8, i / 8) * cosine(k % 8, i % 8) * sign;
                    let plane: Vec<u8> = (0..64).map(|i| if sample(i) > 0.0 { 255 } else { 0 }).collect();
                    alike(&plane, 8, &[q; 64]).unwrap();
                }
            }
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn no_cosine_is_quantised_otherwise_than_by_division() {
        use std::arch::x86_64::{__m256i, _mm256_loadu_si256, _mm256_storeu_si256};
        #[target_feature(enable = "avx2")]
        fn sixteen(q: u8, from: [i16; 16]) -> [i16; 16] {
            let mut out = from;
            #[allow(unsafe_code)]
            // SAFETY: 16 numbers of 16 bits are 32 bytes.
            unsafe {
                let x = _mm256_loadu_si256(from.as_ptr().cast::<__m256i>());
                _mm256_storeu_si256(out.as_mut_ptr().cast::<__m256i>(), vectors::Divisors::new(&[q; 8]).quantised(x));
            }
            out
        }
        for q in 1..=255_u8 {
            for from in (-16384..16384).step_by(16) {
                let values: [i16; 16] = std::array::from_fn(|i| from + i as i16);
                let eighth = 1.0 / f32::from(q) / 8.0;
                let want = values.map(|x| {
                    let (x, q) = (i32::from(x), i32::from(q));
                    (x.abs() + 4 * q) / (8 * q) * q * x.signum()
                });
                assert_eq!(values.map(|x| quantised(i32::from(x), i32::from(q), eighth)), want, "{q} {from}");
                if crate::level() != crate::Level::Portable {
                    #[allow(unsafe_code)]
                    // SAFETY: every level but the portable one has AVX2.
                    let got = unsafe { sixteen(q, values) };
                    assert_eq!(got.map(i32::from), want, "{q} {from}");
                }
            }
        }
    }
}
