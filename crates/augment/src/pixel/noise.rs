//! Random numbers for every sample: a function of the draw's seed and the sample's place, whatever computes it when.

use std::sync::LazyLock;

/// Philox calls that are made side by side.
const CALLS: usize = 16;

/// Words that a batch gives.
const BATCH: usize = 4 * CALLS;

/// One of the noises of a draw.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Noise {
    /// From the draw.
    pub seed: u64,
    /// Which of several.
    pub kind: u32,
}

pleach_simd::lanes! {
    #[allow(clippy::needless_range_loop, reason = "four words of a call, of which each has a line")]
    /// Philox 4x32-10 of the counters from `first` on; the words of a call lie `CALLS` apart.
    fn batch<T: Copy>(key: [u32; 2], kind: u32, first: u64, out: &mut [u32; BATCH]) {
        let mut c = [[0_u32; CALLS]; 4];
        for i in 0..CALLS {
            let at = first + i as u64;
            (c[0][i], c[1][i], c[2][i]) = (at as u32, (at >> 32) as u32, kind);
        }
        let mut k = key;
        for _ in 0..10 {
            for i in 0..CALLS {
                let p0 = u64::from(c[0][i]) * 0xD251_1F53;
                let p1 = u64::from(c[2][i]) * 0xCD9E_8D57;
                c[0][i] = (p1 >> 32) as u32 ^ c[1][i] ^ k[0];
                c[1][i] = p1 as u32;
                c[2][i] = (p0 >> 32) as u32 ^ c[3][i] ^ k[1];
                c[3][i] = p0 as u32;
            }
            k = [k[0].wrapping_add(0x9E37_79B9), k[1].wrapping_add(0xBB67_AE85)];
        }
        for (out, c) in out.as_chunks_mut::<CALLS>().0.iter_mut().zip(c) {
            *out = c;
        }
    }
}

impl Noise {
    /// Calls `use_it(first sample, 16 random bits of each)` for `n` samples, many at a time.
    pub fn each(self, n: usize, mut use_it: impl FnMut(usize, &[u16])) {
        let key = [self.seed as u32, (self.seed >> 32) as u32];
        let (mut words, mut halves) = ([0; BATCH], [0; 2 * BATCH]);
        for first in (0..n).step_by(2 * BATCH) {
            batch::<u32>(key, self.kind, (first / (2 * BATCH) * CALLS) as u64, &mut words);
            for (two, word) in halves.as_chunks_mut::<2>().0.iter_mut().zip(words) {
                *two = [word as u16, (word >> 16) as u16];
            }
            use_it(first, &halves[..(n - first).min(2 * BATCH)]);
        }
    }
}

/// The normal distribution's quantiles of `1/2 + (i + 1/2) / 2^16`, with 12 bits of fraction.
static QUANTILES: LazyLock<Vec<i16>> = LazyLock::new(|| {
    (0..32768).map(|i| (4096.0 * quantile(0.5 + (f64::from(i) + 0.5) / 65536.0)).round() as i16).collect()
});

/// A normal number with 12 bits of fraction from 16 random bits: the uppermost is the sign.
#[inline(always)]
pub(crate) fn normal(bits: u16, quantiles: &[i16; 32768]) -> i32 {
    let size = i32::from(quantiles[usize::from(bits & 0x7fff)]);
    if bits & 0x8000 == 0 { size } else { -size }
}

/// The table that [`normal`] takes.
pub(crate) fn quantiles() -> &'static [i16; 32768] {
    static NONE: [i16; 32768] = [0; 32768];
    QUANTILES.first_chunk().unwrap_or(&NONE)
}

/// The inverse of the normal distribution function above 1/2 (Acklam's rational approximation, relative error 1e-9).
fn quantile(p: f64) -> f64 {
    const A: [f64; 6] = [
        -3.969_683_028_665_376e1,
        2.209_460_984_245_205e2,
        -2.759_285_104_469_687e2,
        1.383_577_518_672_69e2,
        -3.066_479_806_614_716e1,
        2.506_628_277_459_239,
    ];
    const B: [f64; 5] = [
        -5.447_609_879_822_406e1,
        1.615_858_368_580_409e2,
        -1.556_989_798_598_866e2,
        6.680_131_188_771_972e1,
        -1.328_068_155_288_572e1,
    ];
    const C: [f64; 6] = [
        -7.784_894_002_430_293e-3,
        -3.223_964_580_411_365e-1,
        -2.400_758_277_161_838,
        -2.549_732_539_343_734,
        4.374_664_141_464_968,
        2.938_163_982_698_783,
    ];
    const D: [f64; 4] =
        [7.784_695_709_041_462e-3, 3.224_671_290_700_398e-1, 2.445_134_137_142_996, 3.754_408_661_907_416];
    let horner = |all: &[f64], x: f64| all.iter().fold(0.0, |sum, &a| sum * x + a);
    if p > 1.0 - 0.02425 {
        let q = (-2.0 * (1.0 - p).ln()).sqrt();
        return -horner(&C, q) / (horner(&D, q) * q + 1.0);
    }
    let q = p - 0.5;
    let r = q * q;
    horner(&A, r) * q / (horner(&B, r) * r + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pleach_core::rng::philox;

    #[test]
    fn many_calls_at_once_are_those_one_by_one() {
        let mut words = [0; BATCH];
        batch::<u32>([7, 9], 3, 5_000_000_000, &mut words);
        for i in 0..CALLS {
            let at = 5_000_000_000 + i as u64;
            let want = philox([at as u32, (at >> 32) as u32, 3, 0], [7, 9]);
            assert_eq!(std::array::from_fn(|k| words[k * CALLS + i]), want);
        }
    }

    #[test]
    fn the_quantiles_have_the_moments_of_the_normal_distribution() {
        let table = quantiles();
        let mean_square = table.iter().map(|&z| (f64::from(z) / 4096.0).powi(2)).sum::<f64>() / 32768.0;
        assert!((mean_square - 1.0).abs() < 1e-3, "{mean_square}");
        // The upper quartile of the normal distribution, and its 99.9 %.
        assert!((f64::from(table[16384]) / 4096.0 - 0.674_49).abs() < 1e-3);
        assert!((f64::from(table[(0.499 * 65536.0) as usize]) / 4096.0 - 3.0902).abs() < 1e-2);
    }
}
