//! Counts how often each number was seen, in ascending order: what ranks and medians are made of.

use pleach_core::export::serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;

/// What was counted for each number that was seen, in ascending order.
///
/// It grows with the numbers that differ, by some 40 bytes for each.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Counts<K, C>(BTreeMap<K, C>);

impl<K, C> Default for Counts<K, C> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Ord, C: Default> Counts<K, C> {
    /// What is counted for a number.
    pub(crate) fn at(&mut self, key: K) -> &mut C {
        self.0.entry(key).or_default()
    }

    /// Adds what another has counted.
    pub(crate) fn merge(&mut self, other: Self, add: impl Fn(&mut C, C)) {
        other.0.into_iter().for_each(|(key, count)| add(self.at(key), count));
    }

    /// The numbers in ascending order with what was counted for them.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &C)> {
        self.0.iter()
    }
}

/// A list of pairs: keys of JSON objects would be text.
impl<K: Serialize, C: Serialize> Serialize for Counts<K, C> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_seq(self.0.iter())
    }
}

impl<'de, K: Deserialize<'de> + Ord, C: Deserialize<'de>> Deserialize<'de> for Counts<K, C> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Ok(Self(Vec::<(K, C)>::deserialize(d)?.into_iter().collect()))
    }
}

/// Floats as whole numbers of the same order; both zeros are one.
pub(crate) fn ordered(x: f32) -> u32 {
    let bits = (x + 0.0).to_bits();
    if bits >> 31 == 1 { !bits } else { bits | 1 << 31 }
}

#[cfg(test)]
mod tests {
    use super::ordered;

    #[test]
    fn floats_keep_their_order() {
        let xs = [f32::NEG_INFINITY, -2.5, -1e-40, -0.0, 1e-40, 0.5, 0.500_000_06, 3.0, f32::INFINITY];
        assert!(xs.windows(2).all(|w| ordered(w[0]) < ordered(w[1])));
        assert_eq!(ordered(-0.0), ordered(0.0));
    }
}
