//! Replaces each byte by the entry of a table, many bytes at a time.

use crate::{Level, lanes, level};

/// What a table does where it takes each bit by itself: `table[v] = v & keep ^ flip`. The complement is such a one, fewer
/// levels, a value for all.
fn bitwise(table: &[u8; 256]) -> Option<(u8, u8)> {
    let (flip, keep) = (table[0], table[0] ^ table[255]);
    (0..=255).zip(table).all(|(v, entry): (u8, _)| v & keep ^ flip == *entry).then_some((keep, flip))
}

lanes! {
    fn change<T: Copy>(bytes: &mut [u8], keep: u8, flip: u8) {
        bytes.iter_mut().for_each(|b| *b = *b & keep ^ flip);
    }
}

/// Replaces each byte `b` by `table[b]`.
pub fn translate(bytes: &mut [u8], table: &[u8; 256]) {
    if let Some((keep, flip)) = bitwise(table) {
        return change::<u8>(bytes, keep, flip);
    }
    #[cfg(target_arch = "x86_64")]
    if level() != Level::Portable {
        // SAFETY: every level but the portable one has AVX2.
        #[allow(unsafe_code)]
        return unsafe { avx2(bytes, table) };
    }
    one_by_one(bytes, table);
}

lanes! {
    fn change_rgb<T: Copy>(pixels: &mut [u8], keep: &[u8; 96], flip: &[u8; 96]) {
        let (blocks, rest) = pixels.as_chunks_mut::<96>();
        for block in blocks {
            block.iter_mut().zip(keep).zip(flip).for_each(|((b, keep), flip)| *b = *b & keep ^ flip);
        }
        rest.iter_mut().zip(keep).zip(flip).for_each(|((b, keep), flip)| *b = *b & keep ^ flip);
    }
}

/// Replaces each byte of a pixel of three by the entry of its own table.
pub fn translate_rgb(pixels: &mut [u8], tables: [&[u8; 256]; 3]) {
    if let [Some(red), Some(green), Some(blue)] = tables.map(bitwise) {
        // 32 pixels side by side are whole registers.
        let of: [(u8, u8); 96] = std::array::from_fn(|i| [red, green, blue][i % 3]);
        let (keep, flip) = (of.map(|(keep, _)| keep), of.map(|(_, flip)| flip));
        let whole = pixels.len() / 3 * 3;
        return change_rgb::<u8>(&mut pixels[..whole], &keep, &flip);
    }
    #[cfg(target_arch = "x86_64")]
    let done = {
        #[allow(unsafe_code)]
        // SAFETY: every level but the portable one has AVX2.
        if level() == Level::Portable { 0 } else { unsafe { rgb_by_32(pixels, tables) } }
    };
    #[cfg(not(target_arch = "x86_64"))]
    let done = 0;
    let [red, green, blue] = tables;
    for [r, g, b] in pixels[done..].as_chunks_mut::<3>().0 {
        (*r, *g, *b) = (red[usize::from(*r)], green[usize::from(*g)], blue[usize::from(*b)]);
    }
}

/// 32 pixels at a time: their channels are taken apart, looked up, and put together; returns how many bytes that made.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn rgb_by_32(pixels: &mut [u8], tables: [&[u8; 256]; 3]) -> usize {
    use crate::rgb::Orders;
    let (to_channels, to_pixels) = (Orders::apart(), Orders::together());
    let tables = [Parts::new(tables[0]), Parts::new(tables[1]), Parts::new(tables[2])];
    let blocks = pixels.as_chunks_mut::<96>().0;
    for block in blocks.iter_mut() {
        let mut channels = to_channels.channels(block);
        for (channel, table) in channels.iter_mut().zip(&tables) {
            *channel = table.of(*channel);
        }
        to_pixels.write(channels, block);
    }
    blocks.len() * 96
}

fn one_by_one(bytes: &mut [u8], table: &[u8; 256]) {
    for byte in bytes {
        *byte = table[usize::from(*byte)];
    }
}

/// A table in sixteen registers of sixteen entries each, which stand in both halves.
#[cfg(target_arch = "x86_64")]
struct Parts([std::arch::x86_64::__m256i; 16]);

#[cfg(target_arch = "x86_64")]
impl Parts {
    #[target_feature(enable = "avx2")]
    #[inline]
    fn new(table: &[u8; 256]) -> Self {
        use std::arch::x86_64::{_mm_loadu_si128, _mm256_broadcastsi128_si256, _mm256_setzero_si256};
        let mut parts = [_mm256_setzero_si256(); 16];
        for (part, entries) in parts.iter_mut().zip(table.as_chunks::<16>().0) {
            // SAFETY: `entries` has the sixteen bytes that are read; the load needs no alignment.
            #[allow(unsafe_code)]
            let entries = unsafe { _mm_loadu_si128(entries.as_ptr().cast()) };
            *part = _mm256_broadcastsi128_si256(entries);
        }
        Self(parts)
    }

    /// The entries of 32 bytes: sixteen shuffles; the upper four bits of a byte choose among them, a bit at a time.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn of(&self, x: std::arch::x86_64::__m256i) -> std::arch::x86_64::__m256i {
        use std::arch::x86_64::{
            _mm256_and_si256, _mm256_blendv_epi8, _mm256_set1_epi8, _mm256_shuffle_epi8, _mm256_slli_epi16,
        };
        let index = _mm256_and_si256(x, _mm256_set1_epi8(15));
        // The bit that decides is moved to the top of its byte, where the blend looks.
        let (bit4, bit5, bit6) = (_mm256_slli_epi16(x, 3), _mm256_slli_epi16(x, 2), _mm256_slli_epi16(x, 1));
        let quarter = |i: usize| {
            let pair = |i: usize| {
                let (even, odd) = (_mm256_shuffle_epi8(self.0[i], index), _mm256_shuffle_epi8(self.0[i + 1], index));
                _mm256_blendv_epi8(even, odd, bit4)
            };
            _mm256_blendv_epi8(pair(i), pair(i + 2), bit5)
        };
        let lower = _mm256_blendv_epi8(quarter(0), quarter(4), bit6);
        let upper = _mm256_blendv_epi8(quarter(8), quarter(12), bit6);
        _mm256_blendv_epi8(lower, upper, x)
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn avx2(bytes: &mut [u8], table: &[u8; 256]) {
    use std::arch::x86_64::{__m256i, _mm256_loadu_si256, _mm256_storeu_si256};
    let parts = Parts::new(table);
    let (whole, rest) = bytes.as_chunks_mut::<32>();
    for chunk in whole {
        // SAFETY: `chunk` has the 32 bytes that are read and written; neither needs an alignment.
        #[allow(unsafe_code)]
        unsafe {
            let x = _mm256_loadu_si256(chunk.as_ptr().cast::<__m256i>());
            _mm256_storeu_si256(chunk.as_mut_ptr().cast::<__m256i>(), parts.of(x));
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

    #[test]
    fn tables_that_take_each_bit_by_itself_are_looked_up_alike() {
        let tables: [[u8; 256]; 4] = [
            std::array::from_fn(|v| !v as u8),
            std::array::from_fn(|v| v as u8 & 0xf0),
            [7; 256],
            std::array::from_fn(|v| v as u8),
        ];
        for length in [0, 1, 2, 48, 49, 50, 300, 1000] {
            let bytes: Vec<u8> = (0..length).map(|i| (i * 31 + i / 256) as u8).collect();
            for k in 0..4 {
                let three = [&tables[k], &tables[(k + 1) % 4], &tables[(k + 2) % 4]];
                let (mut one, mut colours) = (bytes.clone(), bytes.clone());
                translate(&mut one, &tables[k]);
                translate_rgb(&mut colours, three);
                for (i, v) in bytes.iter().enumerate() {
                    assert_eq!(one[i], tables[k][usize::from(*v)]);
                    // What makes no whole pixel stays.
                    let want = if i < length / 3 * 3 { three[i % 3][usize::from(*v)] } else { *v };
                    assert_eq!(colours[i], want);
                }
            }
        }
    }

    #[test]
    fn every_channel_is_looked_up_in_its_own_table() {
        let table = |k: usize| -> [u8; 256] { std::array::from_fn(|i| (i * (167 + 2 * k) + 13 * k) as u8) };
        let tables = [table(0), table(1), table(2)];
        for pixels in [0, 1, 31, 32, 33, 64, 300, 1000] {
            let mut bytes: Vec<u8> = (0..3 * pixels).map(|i| (i * 31 + i / 256) as u8).collect();
            let want: Vec<u8> = bytes.iter().enumerate().map(|(i, &b)| tables[i % 3][usize::from(b)]).collect();
            translate_rgb(&mut bytes, tables.each_ref());
            assert_eq!(bytes, want);
        }
    }
}
