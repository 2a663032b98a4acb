//! Some of several augmentations.

use super::children::{Toss, again, draw, flips, pick, repeats, run};
use pleach_core::kinds::augmentation::{AugmentConfig, Work};
use pleach_core::{DynAugmentation, Result, Rng, RowView, Saved, plugin};

/// `n` of several augmentations, each chosen as often as the others, in the order of the list; each then runs with its
/// own `p`.
///
/// Follows `SomeOf` of Albumentations 2.0.8.
#[plugin(augmentation, cite = "Albumentations 2.0.8, SomeOf")]
pub struct SomeOf {
    /// The augmentations, each with its `p`.
    #[plugin(example = flips())]
    pub transforms: Vec<AugmentConfig>,
    /// How many.
    #[plugin(default = 1, range = 1..)]
    pub n: usize,
    /// Whether one may be chosen several times.
    #[plugin(default = false)]
    pub replace: bool,
}

impl DynAugmentation for SomeOf {
    fn go(&self, rng: &mut Rng, work: &mut Work<'_>, keep: Option<&mut Option<Saved>>) -> Result<bool> {
        let mut order = pick(rng, &vec![1.0; self.transforms.len()], self.n, repeats(self.replace));
        order.sort_unstable();
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

    fn default_p(&self) -> f64 {
        1.0
    }

    fn is_random(&self) -> bool {
        true
    }
}
