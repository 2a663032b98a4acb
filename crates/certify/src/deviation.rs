//! How far two lists of numbers are from each other, held against what is tolerated.

use pleach_core::{Error, Result};

/// What is tolerated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tolerance {
    /// Of optimizers and losses in single precision.
    Single,
    /// Of optimizers and losses in double precision.
    Double,
    /// Of the curves of schedulers.
    Schedule,
    /// Of metrics.
    Metric,
}

impl Tolerance {
    /// At a number of the reference; `base` is the rate or momentum with which a curve begins, and of a tensor its
    /// greatest number.
    fn at(self, b: f64, base: f64) -> f64 {
        match self {
            Self::Single => 1e-6 + 1e-5 * b.abs(),
            Self::Double => 1e-12 * b.abs().max(base.abs()).max(1.0),
            Self::Schedule => 1e-12 * b.abs().max(base.abs()),
            Self::Metric => 1e-6,
        }
    }

    /// In words, for a number `b` of the reference.
    pub fn words(self) -> &'static str {
        match self {
            Self::Single => "1e-6 + 1e-5 |b|",
            Self::Double => "1e-12 max(|b| of the tensor, 1)",
            Self::Schedule => "1e-12 max(|b|, base_lr)",
            Self::Metric => "1e-6",
        }
    }
}

/// The largest differences between our numbers and those of a reference.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Deviation {
    /// What is tolerated.
    pub tolerance: Tolerance,
    /// The largest |a - b|; infinite where ours is no number.
    pub error: f64,
    /// The largest share of what is tolerated.
    pub share: f64,
    /// How many numbers were compared.
    pub numbers: usize,
}

impl Deviation {
    pub(crate) fn none(tolerance: Tolerance) -> Self {
        Self { tolerance, error: 0.0, share: 0.0, numbers: 0 }
    }

    /// Whether everything is within the tolerance.
    pub fn passes(&self) -> bool {
        self.share <= 1.0
    }

    /// Compares two numbers.
    pub(crate) fn see(&mut self, ours: f64, reference: f64, base: f64) {
        self.numbers += 1;
        let error = (ours - reference).abs();
        let share = if error == 0.0 { 0.0 } else { error / self.tolerance.at(reference, base) };
        // A maximum takes no notice of NaN.
        let or_infinite = |x: f64| if x.is_nan() { f64::INFINITY } else { x };
        self.error = self.error.max(or_infinite(error));
        self.share = self.share.max(or_infinite(share));
    }

    /// Compares two lists.
    ///
    /// # Errors
    /// They are not of one length.
    pub(crate) fn see_all(&mut self, what: &str, ours: &[f64], reference: &[f64]) -> Result<()> {
        if ours.len() != reference.len() {
            let message = format!("`{what}` has {} numbers, ours are {}", reference.len(), ours.len());
            return Err(Error::new("PL0363", message));
        }
        let greatest = reference.iter().fold(0.0f64, |m, b| m.max(b.abs()));
        for (a, b) in ours.iter().zip(reference) {
            self.see(*a, *b, greatest);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_is_infinitely_far() {
        let mut d = Deviation::none(Tolerance::Single);
        d.see(f64::NAN, 1.0, 0.0);
        d.see(1.0, 1.0, 0.0);
        assert!(!d.passes() && d.error == f64::INFINITY && d.numbers == 2);
    }

    #[test]
    fn equal_numbers_pass_where_nothing_is_tolerated() {
        let mut d = Deviation::none(Tolerance::Schedule);
        d.see(0.0, 0.0, 0.0);
        assert!(d.passes());
        d.see(1e-300, 0.0, 0.0);
        assert!(!d.passes());
    }
}
