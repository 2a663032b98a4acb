//! Exchanges rows and columns.

use crate::geometry::points::Flipped;
use pleach_core::{Augmentation, Result, Rng, RowView, Warp, plugin};

/// Exchanges rows and columns, with probability 0.5 unless `p` says otherwise.
///
/// Follows `Transpose` of Albumentations 2.0.8.
#[plugin(augmentation, cite = "Albumentations 2.0.8, Transpose")]
pub struct Transpose {}

impl Augmentation for Transpose {
    type Draw = Flipped;

    fn draw(&self, _: &mut Rng, _: &RowView<'_>) -> Result<Option<Flipped>> {
        Ok(Some(Flipped {}))
    }

    fn warp(&self, _: &Flipped, size: (usize, usize)) -> Option<Warp> {
        Some(Warp::transpose(size))
    }

    fn looks(&self) -> bool {
        false
    }

    fn edits(&self) -> bool {
        false
    }

    fn every_draw(&self) -> Vec<Flipped> {
        vec![Flipped {}]
    }

    fn default_p(&self) -> f64 {
        0.5
    }
}
