//! Replaces each byte by the entry of a table, many bytes at a time.

use crate::{Level, level};

/// Replaces each byte `b` by `table[b]`.
pub fn translate(bytes: &mut [u8], table: &[u8; 256]) {
    #[cfg(target_arch = "x86_64")]
    if level() != Level::Portable {
        // SAFETY: every level but the portable one has AVX2.
        #[allow(unsafe_code)]
        return unsafe { avx2(bytes, table) };
    }
    one_by_one(bytes, table);
}

fn one_by_one(bytes: &mut [u8], table: &[u8; 256]) {
    for byte in bytes {
        *byte = table[usize::from(*byte)];
    }
}

/// Sixteen shuffles of sixteen entries each; the upper four bits of a byte choose among them, a bit at a time.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn avx2(bytes: &mut [u8], table: &[u8; 256]) {
    use std::arch::x86_64::{
        __m256i, _mm_loadu_si128, _mm256_and_si256, _mm256_blendv_epi8, _mm256_broadcastsi128_si256,
        _mm256_loadu_si256, _mm256_set1_epi8, _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_slli_epi16,
        _mm256_storeu_si256,
    };
    let mut parts = [_mm256_setzero_si256(); 16];
    for (part, entries) in parts.iter_mut().zip(table.as_chunks::<16>().0) {
        // SAFETY: `entries` has the sixteen bytes that are read; the load needs no alignment.
        #[allow(unsafe_code)]
        let entries = unsafe { _mm_loadu_si128(entries.as_ptr().cast()) };
        *part = _mm256_broadcastsi128_si256(entries);
    }
    let low = _mm256_set1_epi8(15);
    let (whole, rest) = bytes.as_chunks_mut::<32>();
    for chunk in whole {
        // SAFETY: `chunk` has the 32 bytes that are read; the load needs no alignment.
        #[allow(unsafe_code)]
        let x = unsafe { _mm256_loadu_si256(chunk.as_ptr().cast::<__m256i>()) };
        let index = _mm256_and_si256(x, low);
        // The bit that decides is moved to the top of its byte, where the blend looks.
        let (bit4, bit5, bit6) = (_mm256_slli_epi16(x, 3), _mm256_slli_epi16(x, 2), _mm256_slli_epi16(x, 1));
        let quarter = |i: usize| {
            let pair = |i: usize| {
                let (even, odd) = (_mm256_shuffle_epi8(parts[i], index), _mm256_shuffle_epi8(parts[i + 1], index));
                _mm256_blendv_epi8(even, odd, bit4)
            };
            _mm256_blendv_epi8(pair(i), pair(i + 2), bit5)
        };
        let lower = _mm256_blendv_epi8(quarter(0), quarter(4), bit6);
        let upper = _mm256_blendv_epi8(quarter(8), quarter(12), bit6);
        let y = _mm256_blendv_epi8(lower, upper, x);
        // SAFETY: `chunk` has the 32 bytes that are written; the store needs no alignment.
        #[allow(unsafe_code)]
        unsafe {
            _mm256_storeu_si256(chunk.as_mut_ptr().cast::<__m256i>(), y);
        }
    }
    one_by_one(rest, table);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_at_every_place_is_looked_up() {
        let table: [u8; 256] = std::array::from_fn(|i| (i * 167 + 13) as u8);
        for length in [0, 1, 31, 32, 33, 300, 1000] {
            let mut bytes: Vec<u8> = (0..length).map(|i| (i * 31 + i / 256) as u8).collect();
            let want: Vec<u8> = bytes.iter().map(|&b| table[usize::from(b)]).collect();
            translate(&mut bytes, &table);
            assert_eq!(bytes, want);
        }
    }
}
