//! Several augmentations as one.

use super::children::{Toss, again, draw, fixed, flips, run};
use pleach_core::kinds::augmentation::{AugmentConfig, Work};
use pleach_core::{DynAugmentation, Result, Rng, RowView, Saved, plugin};

/// Several augmentations in their order, with probability 0.5 as a whole unless `p` says otherwise.
///
/// Follows `Sequential` of Albumentations 2.0.8.
#[plugin(augmentation, cite = "Albumentations 2.0.8, Sequential")]
pub struct Sequential {
    /// The augmentations, each with its `p`.
    #[plugin(example = flips())]
    pub transforms: Vec<AugmentConfig>,
}

impl DynAugmentation for Sequential {
    fn go(&self, rng: &mut Rng, work: &mut Work<'_>, keep: Option<&mut Option<Saved>>) -> Result<bool> {
        let order: Vec<usize> = (0..self.transforms.len()).collect();
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
        0.5
    }

    fn is_random(&self) -> bool {
        !fixed(&self.transforms)
    }
}

/// Several augmentations in their order. A split's `augment` is such a list already.
///
/// Follows `Compose` of Albumentations 2.0.8 and of torchvision; rules for boxes (`min_area`, `min_visibility`) are keys
/// of each step here.
#[plugin(augmentation, cite = ["Albumentations 2.0.8, Compose", "torchvision 0.29, v2.Compose"])]
pub struct Compose {
    /// The augmentations, each with its `p`.
    #[plugin(example = flips())]
    pub transforms: Vec<AugmentConfig>,
}

impl DynAugmentation for Compose {
    fn go(&self, rng: &mut Rng, work: &mut Work<'_>, keep: Option<&mut Option<Saved>>) -> Result<bool> {
        let order: Vec<usize> = (0..self.transforms.len()).collect();
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
        !fixed(&self.transforms)
    }
}

/// Several augmentations in their order, with probability 0.5 as a whole unless `p` says otherwise.
///
/// Follows `RandomApply` of torchvision's v2 transforms.
#[plugin(augmentation, cite = "torchvision 0.29, v2.RandomApply")]
pub struct RandomApply {
    /// The augmentations, each with its `p`.
    #[plugin(example = flips())]
    pub transforms: Vec<AugmentConfig>,
}

impl DynAugmentation for RandomApply {
    fn go(&self, rng: &mut Rng, work: &mut Work<'_>, keep: Option<&mut Option<Saved>>) -> Result<bool> {
        let order: Vec<usize> = (0..self.transforms.len()).collect();
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
        0.5
    }

    fn is_random(&self) -> bool {
        !fixed(&self.transforms)
    }
}
