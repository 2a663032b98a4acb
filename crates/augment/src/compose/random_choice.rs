//! One of several augmentations, as torchvision chooses.

use super::children::{Repeats, Toss, again, draw, flips, pick, run};
use pleach_core::kinds::augmentation::{AugmentConfig, Work};
use pleach_core::read::Rules;
use pleach_core::{DynAugmentation, Result, Rng, RowView, Saved, plugin};
use std::borrow::Cow;

/// One of several augmentations, which then runs with its own `p`.
///
/// Follows `RandomChoice` of torchvision's v2 transforms, whose list `p` is `weights` here, because `p` is how often the
/// whole applies.
#[plugin(augmentation, cite = "torchvision 0.29, v2.RandomChoice", check = Self::check)]
pub struct RandomChoice {
    /// The augmentations, each with its `p`.
    #[plugin(example = flips())]
    pub transforms: Vec<AugmentConfig>,
    /// How likely each is; all alike where it is not given.
    #[plugin(range = 0.0..)]
    pub weights: Option<Vec<f64>>,
}

impl RandomChoice {
    fn check(&self, rules: &mut Rules) {
        let Some(weights) = &self.weights else { return };
        if weights.len() != self.transforms.len() || weights.iter().sum::<f64>() <= 0.0 {
            rules.refuse("weights", "one number for each of `transforms` is wanted, and one of them above 0");
        }
    }
}

impl DynAugmentation for RandomChoice {
    fn go(&self, rng: &mut Rng, work: &mut Work<'_>, keep: Option<&mut Option<Saved>>) -> Result<bool> {
        let alike = || Cow::Owned(vec![1.0; self.transforms.len()]);
        let weights = self.weights.as_ref().map_or_else(alike, |weights| Cow::Borrowed(weights.as_slice()));
        let order = pick(rng, &weights, 1, Repeats::No);
        run(&self.transforms, &order, Toss::Own, rng, work, keep)
    }

    fn again(&self, draw: &Saved, work: &mut Work<'_>) -> Result<()> {
        again(&self.transforms, draw, work)
    }

    fn draw(&self, rng: &mut Rng, row: &RowView<'_>) -> Result<Option<Saved>> {
        draw(row, |work, keep| self.go(rng, work, keep))
    }

    fn parts(&self) -> &[AugmentConfig] {
        &self.transforms
    }
}
