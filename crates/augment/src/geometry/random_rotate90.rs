//! Turns by right angles.

use pleach_core::{Augmentation, Result, Rng, RowView, Warp, plugin, state};

/// Turns a sample counterclockwise by none, one, two or three right angles, each equally likely.
///
/// Follows `RandomRotate90` of Albumentations 2.0.8.
#[plugin(augmentation, cite = "Albumentations 2.0.8, RandomRotate90")]
pub struct RandomRotate90 {}

/// What was decided.
#[state]
pub struct Quarters {
    /// Right angles, counterclockwise.
    pub factor: i32,
}

impl Augmentation for RandomRotate90 {
    type Draw = Quarters;

    fn draw(&self, rng: &mut Rng, _: &RowView<'_>) -> Result<Option<Quarters>> {
        Ok(Some(Quarters { factor: rng.below(4) as i32 }))
    }

    fn warp(&self, draw: &Quarters, size: (usize, usize)) -> Option<Warp> {
        Some(Warp::turn(size, draw.factor))
    }

    fn looks(&self) -> bool {
        false
    }

    fn edits(&self) -> bool {
        false
    }

    fn every_draw(&self) -> Vec<Quarters> {
        (1..4).map(|factor| Quarters { factor }).collect()
    }
}
