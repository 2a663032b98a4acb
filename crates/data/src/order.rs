//! The order of an epoch, computed and never stored: any position at once, in no memory.

use pleach_core::rng::{Purpose, Rng, Stream, philox};

/// Whether an epoch has an order of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shuffle {
    /// Samples come as their source has them.
    Off,
    /// Each epoch has its own order.
    On,
}

// Four rounds do for large numbers; the orders of five samples are equally likely only after some fifteen.
const ROUNDS: u32 = 16;

/// A permutation of `0..n` chosen by a key: a Feistel network over the bits of the numbers
/// (Luby and Rackoff, "How to construct pseudorandom permutations from pseudorandom functions",
/// 1988) with Philox as its round function, walked along its cycles until it falls below `n`
/// (Black and Rogaway, "Ciphers with arbitrary finite domains", 2002).
#[derive(Debug, Clone, Copy)]
pub struct Permutation {
    key: [u32; 2],
    n: u64,
    low_bits: u32,
    high_bits: u32,
}

impl Permutation {
    /// The permutation of `0..n` that belongs to this seed, purpose and address.
    pub fn new(seed: u64, purpose: Purpose, at: Stream, n: u64) -> Self {
        let mut rng = Rng::new(seed, purpose, at);
        let bits = n.saturating_sub(1).checked_ilog2().map_or(0, |b| b + 1).max(2);
        Self { key: [rng.next_u32(), rng.next_u32()], n, low_bits: bits / 2, high_bits: bits - bits / 2 }
    }

    /// Where `i` goes. A number outside `0..n` stays where it is.
    pub fn at(&self, i: u64) -> u64 {
        if i >= self.n || self.n < 2 {
            return i;
        }
        // The domain has less than twice n numbers (4 at the least), so few walks are longer than two.
        let mut x = self.scramble(i);
        while x >= self.n {
            x = self.scramble(x);
        }
        x
    }

    fn scramble(&self, x: u64) -> u64 {
        let (low_mask, high_mask) = (mask(self.low_bits), mask(self.high_bits));
        let (mut high, mut low) = (x >> self.low_bits, x & low_mask);
        for round in (0..ROUNDS).step_by(2) {
            high ^= self.noise(low, round) & high_mask;
            low ^= self.noise(high, round + 1) & low_mask;
        }
        high << self.low_bits | low
    }

    fn noise(&self, half: u64, round: u32) -> u64 {
        let [a, b, ..] = philox([half as u32, (half >> 32) as u32, round, 0], self.key);
        u64::from(a) | u64::from(b) << 32
    }
}

fn mask(bits: u32) -> u64 {
    (1u64 << bits) - 1
}

/// The order of the samples in one epoch.
#[derive(Debug, Clone, Copy)]
pub struct Order(Option<Permutation>);

impl Order {
    /// The order of `n` samples in an epoch of a run with this seed.
    pub fn new(seed: u64, epoch: u32, n: usize, shuffle: Shuffle) -> Self {
        Self(match shuffle {
            Shuffle::Off => None,
            Shuffle::On => {
                Some(Permutation::new(seed, Purpose::Order, Stream { epoch, ..Stream::default() }, n as u64))
            }
        })
    }

    /// The sample at a position, in constant time.
    pub fn at(&self, position: usize) -> usize {
        self.0.map_or(position, |p| p.at(position as u64) as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn all(seed: u64, epoch: u32, n: usize) -> Vec<usize> {
        let order = Order::new(seed, epoch, n, Shuffle::On);
        (0..n).map(|i| order.at(i)).collect()
    }

    proptest! {
        #[test]
        fn every_sample_comes_exactly_once(seed: u64, epoch: u32, n in 0usize..3000) {
            let mut seen = all(seed, epoch, n);
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..n).collect::<Vec<_>>());
        }

        #[test]
        fn positions_of_huge_sets_stay_inside(seed: u64, n in 2u64.., i: u64) {
            let p = Permutation::new(seed, Purpose::Order, Stream::default(), n);
            prop_assert!(p.at(i % n) < n);
        }

        #[test]
        fn epochs_and_seeds_have_orders_of_their_own(seed: u64, epoch in 0u32..1000, n in 50usize..500) {
            prop_assert_ne!(all(seed, epoch, n), all(seed, epoch + 1, n));
            prop_assert_ne!(all(seed, epoch, n), all(seed ^ 1, epoch, n));
        }
    }

    #[test]
    fn without_shuffling_the_order_is_that_of_the_source() {
        let order = Order::new(1, 2, 10, Shuffle::Off);
        assert_eq!((0..10).map(|i| order.at(i)).collect::<Vec<_>>(), (0..10).collect::<Vec<_>>());
    }

    #[test]
    fn all_orders_of_a_few_samples_are_about_equally_likely() {
        for (n, orders) in [(2, 2), (3, 6), (4, 24), (5, 120)] {
            let mut counts = BTreeMap::new();
            let draws = orders * 200;
            for seed in 0..draws {
                *counts.entry(all(seed, 0, n)).or_insert(0u64) += 1;
            }
            assert_eq!(counts.len() as u64, orders, "of {n} samples");
            let chi2: f64 = counts.values().map(|&c| (c as f64 - 200.0).powi(2) / 200.0).sum();
            let degrees = (orders - 1) as f64;
            assert!(chi2 < degrees + 5.0 * (2.0 * degrees).sqrt(), "{n} samples: chi-square {chi2}");
        }
    }

    #[test]
    fn neighbours_do_not_stay_together() {
        let n = 1000;
        let order = all(3, 0, n);
        let close = order.windows(2).filter(|w| w[0].abs_diff(w[1]) == 1).count();
        assert!(close < 12, "{close} of 999 pairs are neighbours; 2 are expected");
    }
}
