//! Adds floating-point numbers without rounding, so that sums do not depend on how the data were cut.

use pleach_core::state;

/// A sum of floats that is exact: parts add up to the same value in any order (Shewchuk 1997, as Python's `fsum`).
///
/// A few numbers that do not overlap, in ascending order; only [`value`](Self::value) rounds, once.
#[state]
#[derive(Default)]
pub struct ExactSum {
    parts: Vec<f64>,
    beyond: f64,
}

impl ExactSum {
    /// Adds a number.
    pub fn add(&mut self, x: f64) {
        if !x.is_finite() {
            self.beyond += x;
            return;
        }
        let mut x = x;
        let mut parts = Vec::with_capacity(self.parts.len() + 1);
        for &part in &self.parts {
            let (large, small) = if x.abs() < part.abs() { (part, x) } else { (x, part) };
            let sum = large + small;
            let lost = small - (sum - large);
            if lost != 0.0 {
                parts.push(lost);
            }
            x = sum;
        }
        if x != 0.0 {
            parts.push(x);
        }
        self.parts = parts;
    }

    /// Adds a product, without rounding that either.
    pub fn add_product(&mut self, a: f64, b: f64) {
        let product = a * b;
        self.add(product);
        self.add(a.mul_add(b, -product));
    }

    /// Adds what another sum holds.
    pub fn merge(&mut self, other: &Self) {
        other.parts.iter().for_each(|&part| self.add(part));
        self.beyond += other.beyond;
    }

    /// `n` times the sum of squares less the square of the sum: n squared times the variance, rounded once.
    pub fn spread(n: u64, squares: &Self, sum: &Self) -> f64 {
        let mut total = Self::default();
        squares.parts.iter().for_each(|&part| total.add_product(n as f64, part));
        for &a in &sum.parts {
            sum.parts.iter().for_each(|&b| total.add_product(-a, b));
        }
        total.value()
    }

    /// The sum, rounded to the nearest float.
    pub fn value(&self) -> f64 {
        if self.beyond != 0.0 {
            return self.beyond;
        }
        let mut rest = self.parts.iter().rev();
        let Some(&first) = rest.next() else { return 0.0 };
        let mut sum = first;
        while let Some(&part) = rest.next() {
            let before = sum;
            sum = before + part;
            let lost = part - (sum - before);
            if lost == 0.0 {
                continue;
            }
            // Half way between two floats, what is below decides.
            if rest.next().is_some_and(|below| (lost < 0.0) == (*below < 0.0)) {
                let up = sum + 2.0 * lost;
                if up - sum == 2.0 * lost {
                    sum = up;
                }
            }
            break;
        }
        sum
    }
}

/// A mean whose sum is exact.
#[state]
#[derive(Default)]
pub struct ExactMean {
    sum: ExactSum,
    count: u64,
}

impl ExactMean {
    /// Adds a number.
    pub fn add(&mut self, x: f64) {
        self.sum.add(x);
        self.count += 1;
    }

    /// Adds what another mean is made of.
    pub fn merge(&mut self, other: &Self) {
        self.sum.merge(&other.sum);
        self.count += other.count;
    }

    /// The mean; `None` of nothing.
    pub fn value(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum.value() / self.count as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_floats_would_lose_is_kept() {
        let mut sum = ExactSum::default();
        [1e100, 1.0, -1e100, 1e-30, -1.0].iter().for_each(|&x| sum.add(x));
        assert_eq!(sum.value(), 1e-30);
    }

    #[test]
    fn numbers_that_are_all_alike_have_no_spread_at_all() {
        let (mut squares, mut sum) = (ExactSum::default(), ExactSum::default());
        for _ in 0..1000 {
            let x = f64::from(0.1f32);
            squares.add_product(x, x);
            sum.add(x);
        }
        assert_eq!(ExactSum::spread(1000, &squares, &sum), 0.0);
    }

    #[test]
    fn infinity_stays_infinity() {
        let mut sum = ExactSum::default();
        [1.0, f64::INFINITY, 2.0].iter().for_each(|&x| sum.add(x));
        assert_eq!(sum.value(), f64::INFINITY);
    }

    proptest! {
        #[test]
        fn the_order_does_not_matter(mut xs in prop::collection::vec(-1e9f64..1e9, 0..40), cut in 0usize..40) {
            let sum = |xs: &[f64]| {
                let mut sum = ExactSum::default();
                xs.iter().for_each(|&x| sum.add(x));
                sum
            };
            let whole = sum(&xs).value();
            let (a, b) = xs.split_at(cut.min(xs.len()));
            let mut merged = sum(b);
            merged.merge(&sum(a));
            prop_assert_eq!(merged.value(), whole);
            xs.reverse();
            prop_assert_eq!(sum(&xs).value(), whole);
        }
    }
}
