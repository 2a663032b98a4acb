//! One of several augmentations.

use super::children::{Repeats, Toss, again, draw, flips, pick, run};
use pleach_core::kinds::augmentation::{AugmentConfig, Work};
use pleach_core::{DynAugmentation, Result, Rng, RowView, Saved, plugin};

/// One of several augmentations, with probability 0.5 as a whole unless `p` says otherwise; each is chosen as often as its
/// own `p` says, compared with the others', and then runs in any case.
///
/// Follows `OneOf` of Albumentations 2.0.8.
#[plugin(augmentation, cite = "Albumentations 2.0.8, OneOf")]
pub struct OneOf {
    /// The augmentations, each with its `p`.
    #[plugin(example = flips())]
    pub transforms: Vec<AugmentConfig>,
}

impl DynAugmentation for OneOf {
    fn go(&self, rng: &mut Rng, work: &mut Work<'_>, keep: Option<&mut Option<Saved>>) -> Result<bool> {
        let weights: Vec<f64> = self.transforms.iter().map(AugmentConfig::p).collect();
        let order = pick(rng, &weights, 1, Repeats::No);
        run(&self.transforms, &order, Toss::Never, rng, work, keep)
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

    fn default_p(&self) -> f64 {
        0.5
    }

    fn is_random(&self) -> bool {
        true
    }
}
