//! Random numbers that depend on where they are used, never on who used the generator before.
//!
//! Philox 4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3",
//! SC 2011) is a function of a counter and a key. The key of a stream is made from the run's seed
//! and the stream's address (purpose, epoch, sample, frame, op); the counter counts the draws. So
//! any thread can draw for any sample, and resuming a run needs no generator state.

use serde::{Deserialize, Serialize};

/// What random numbers are for; streams of different purposes are independent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[repr(u32)]
pub enum Purpose {
    /// First values of parameters.
    Init = 1,
    /// The order of samples in an epoch.
    Order = 2,
    /// Augmentation of a sample.
    Augment = 3,
    /// Inside a net: dropout, stochastic depth, sampling.
    Net = 4,
    /// Splitting a data set.
    Split = 5,
    /// Whatever a plugin needs besides.
    Other = 6,
    /// Views of a sample in test-time augmentation.
    View = 7,
}

/// The address of a stream of random numbers within a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Stream {
    /// The epoch, or the step where a stream belongs to a step.
    pub epoch: u32,
    /// The sample.
    pub sample: u64,
    /// The frame of a clip.
    pub frame: u32,
    /// Which operation of several on the same sample.
    pub op: u32,
}

/// One stream of random numbers.
#[derive(Debug, Clone)]
pub struct Rng {
    key: [u32; 2],
    counter: u64,
    block: [u32; 4],
    used: usize,
}

const ROUNDS: usize = 10;

/// The Philox 4x32-10 function: four random words from a counter and a key.
pub fn philox(mut c: [u32; 4], mut k: [u32; 2]) -> [u32; 4] {
    const M: [u64; 2] = [0xD251_1F53, 0xCD9E_8D57];
    const W: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];
    for _ in 0..ROUNDS {
        let (p0, p1) = (M[0] * u64::from(c[0]), M[1] * u64::from(c[2]));
        c = [(p1 >> 32) as u32 ^ c[1] ^ k[0], p1 as u32, (p0 >> 32) as u32 ^ c[3] ^ k[1], p0 as u32];
        k = [k[0].wrapping_add(W[0]), k[1].wrapping_add(W[1])];
    }
    c
}

impl Rng {
    /// The stream at an address of a run with this seed.
    pub fn new(seed: u64, purpose: Purpose, at: Stream) -> Self {
        let key = [seed as u32, (seed >> 32) as u32];
        let a = philox([at.sample as u32, (at.sample >> 32) as u32, at.epoch, purpose as u32], key);
        let b = philox([at.frame, at.op, a[2], a[3]], [a[0], a[1]]);
        Self { key: [b[0], b[1]], counter: 0, block: [0; 4], used: 4 }
    }

    /// The stream for a thing with a name (a parameter's first values), whatever the order of things.
    pub fn named(seed: u64, purpose: Purpose, name: &str) -> Self {
        // FNV-1a: a fixed, well-known hash, so that a name means the same stream everywhere.
        let hash =
            name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
        Self::new(seed, purpose, Stream { sample: hash, ..Stream::default() })
    }

    /// 32 random bits.
    pub fn next_u32(&mut self) -> u32 {
        if self.used == 4 {
            self.block = philox([self.counter as u32, (self.counter >> 32) as u32, 0, 0], self.key);
            self.counter += 1;
            self.used = 0;
        }
        let word = self.block[self.used];
        self.used += 1;
        word
    }

    /// 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        u64::from(self.next_u32()) | u64::from(self.next_u32()) << 32
    }

    /// Uniform in `[0, 1)`, 53 bits.
    pub fn uniform(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Uniform in `[low, high)`; `low` where both are equal.
    pub fn range(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.uniform()
    }

    /// Uniform in `0..n`, without bias (Lemire, "Fast random integer generation in an interval", 2019).
    pub fn below(&mut self, n: u64) -> u64 {
        if n <= 1 {
            return 0;
        }
        let threshold = n.wrapping_neg() % n;
        loop {
            let m = u128::from(self.next_u64()) * u128::from(n);
            if m as u64 >= threshold {
                return (m >> 64) as u64;
            }
        }
    }

    /// True with the given probability.
    pub fn chance(&mut self, p: f64) -> bool {
        self.uniform() < p
    }

    /// Normal with mean 0 and variance 1 (Box and Muller, 1958).
    pub fn normal(&mut self) -> f64 {
        let r = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        r * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Known answers of the Random123 distribution (kat_vectors, philox4x32 10 rounds).
    #[test]
    fn philox_gives_the_published_answers() {
        assert_eq!(philox([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        assert_eq!(philox([!0; 4], [!0; 2]), [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]);
        let c = [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344];
        assert_eq!(philox(c, [0xa409_3822, 0x299f_31d0]), [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]);
    }

    #[test]
    fn streams_differ_by_every_part_of_their_address() {
        let base = Stream { epoch: 1, sample: 2, frame: 3, op: 4 };
        let first = |purpose, at| Rng::new(7, purpose, at).next_u64();
        let mut all = vec![
            first(Purpose::Augment, base),
            first(Purpose::Order, base),
            first(Purpose::Augment, Stream { epoch: 2, ..base }),
            first(Purpose::Augment, Stream { sample: 3, ..base }),
            first(Purpose::Augment, Stream { frame: 4, ..base }),
            first(Purpose::Augment, Stream { op: 5, ..base }),
            Rng::new(8, Purpose::Augment, base).next_u64(),
        ];
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 7);
    }

    #[test]
    fn moments_are_those_of_the_distributions() {
        let mut r = Rng::new(1, Purpose::Other, Stream::default());
        let n = 100_000;
        let (mut u, mut g, mut g2, mut b) = (0.0, 0.0, 0.0, 0);
        for _ in 0..n {
            u += r.uniform();
            let z = r.normal();
            g += z;
            g2 += z * z;
            b += r.below(3);
        }
        let n = f64::from(n);
        assert!((u / n - 0.5).abs() < 0.005);
        assert!((g / n).abs() < 0.02 && (g2 / n - 1.0).abs() < 0.03);
        assert!((b as f64 / n - 1.0).abs() < 0.02);
    }
}
