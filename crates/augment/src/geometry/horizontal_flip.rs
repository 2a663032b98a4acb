//! Mirrors left to right.

use crate::geometry::points::{Flipped, swap_names};
use pleach_core::kinds::augmentation::Unedit;
use pleach_core::{Augmentation, Result, Rng, Row, RowView, Warp, plugin};

/// Mirrors a sample left to right, with probability 0.5 unless `p` says otherwise.
///
/// Follows `HorizontalFlip` of Albumentations 2.0.8 and `RandomHorizontalFlip` of torchvision. Unlike theirs it
/// can also exchange the names of key points, because the mirror image of a left eye is a right one.
#[plugin(augmentation, alias = ["RandomHorizontalFlip"], cite = "Albumentations 2.0.8, HorizontalFlip")]
pub struct HorizontalFlip {
    /// Pairs of key points that exchange their names, such as `[["left_eye", "right_eye"]]`.
    #[plugin(default = Vec::new())]
    pub swap_points: Vec<(String, String)>,
}

impl Augmentation for HorizontalFlip {
    type Draw = Flipped;

    fn draw(&self, _: &mut Rng, _: &RowView<'_>) -> Result<Option<Flipped>> {
        Ok(Some(Flipped {}))
    }

    fn warp(&self, _: &Flipped, size: (usize, usize)) -> Option<Warp> {
        Some(Warp::hflip(size))
    }

    fn looks(&self) -> bool {
        false
    }

    fn edits(&self) -> bool {
        !self.swap_points.is_empty()
    }

    fn edit(&self, _: &Flipped, row: &mut Row) -> Result<()> {
        swap_names(row, &self.swap_points);
        Ok(())
    }

    fn undoes(&self) -> bool {
        true
    }

    fn unedit(&self, _: &Flipped) -> Option<Unedit> {
        let pairs = self.swap_points.clone();
        Some(Box::new(move |row| swap_names(row, &pairs)))
    }

    fn every_draw(&self) -> Vec<Flipped> {
        vec![Flipped {}]
    }

    fn default_p(&self) -> f64 {
        0.5
    }
}
