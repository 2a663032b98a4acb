//! The eight ways to lay a picture on itself.

use pleach_core::{Augmentation, Result, Rng, RowView, Warp, plugin, state};

/// Turns by right angles and mirrors: each of the eight symmetries of the square is equally likely.
///
/// Follows `D4` of Albumentations 2.0.8.
#[plugin(augmentation, cite = "Albumentations 2.0.8, D4")]
pub struct D4 {}

/// What was decided.
#[state]
pub struct Symmetry {
    /// Whether rows and columns are exchanged first.
    pub transposed: bool,
    /// Right angles, counterclockwise.
    pub quarters: i32,
}

impl Augmentation for D4 {
    type Draw = Symmetry;

    fn draw(&self, rng: &mut Rng, _: &RowView<'_>) -> Result<Option<Symmetry>> {
        let one = rng.below(8);
        Ok(Some(Symmetry { transposed: one >= 4, quarters: (one % 4) as i32 }))
    }

    fn warp(&self, draw: &Symmetry, size: (usize, usize)) -> Option<Warp> {
        let first = if draw.transposed { Warp::transpose(size) } else { Warp::identity(size) };
        Some(first.then(&Warp::turn(first.size, draw.quarters)))
    }

    fn looks(&self) -> bool {
        false
    }

    fn edits(&self) -> bool {
        false
    }

    fn every_draw(&self) -> Vec<Symmetry> {
        let turned = |transposed| (0..4).map(move |quarters| Symmetry { transposed, quarters });
        turned(false).skip(1).chain(turned(true)).collect()
    }
}
