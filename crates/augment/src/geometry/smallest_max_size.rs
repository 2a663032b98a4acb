//! Stretches so that the shorter side has a given length.

use crate::geometry::max_size::{MaxSize, scaled};
use crate::geometry::resize::Resized;
use crate::geometry::shorter::AreaFor;
use pleach_core::read::Rules;
use pleach_core::warp::Interpolation;
use pleach_core::{Augmentation, Result, Rng, RowView, Warp, plugin};

/// Stretches a sample so that its shorter side has `max_size` pixels; the ratio of the sides stays.
///
/// Follows `SmallestMaxSize` of Albumentations 2.0.8.
#[plugin(augmentation, cite = "Albumentations 2.0.8, SmallestMaxSize", check = Self::check)]
pub struct SmallestMaxSize {
    /// The shorter side in pixels: one number, or several of which one is drawn.
    #[plugin(sample = Some(MaxSize(vec![64])), range = 1..)]
    pub max_size: Option<MaxSize>,
    /// Height and width that are reached by both sides, in place of `max_size`.
    #[plugin(range = 1..)]
    pub max_size_hw: Option<(usize, usize)>,
    /// How pixels between pixels are made; maps and masks always take the nearest.
    #[plugin(default = Interpolation::Bilinear)]
    pub interpolation: Interpolation,
    /// Albumentations' way to ask for `area` where it shrinks.
    pub area_for_downscale: Option<AreaFor>,
    /// Albumentations' choice for masks; without effect here, where they take the nearest.
    #[plugin(idle)]
    pub mask_interpolation: Option<Interpolation>,
}

impl SmallestMaxSize {
    fn check(&self, rules: &mut Rules) {
        if self.max_size.is_some() == self.max_size_hw.is_some() {
            rules.refuse("max_size", "give either it or `max_size_hw`");
        }
    }
}

impl Augmentation for SmallestMaxSize {
    type Draw = Resized;

    fn draw(&self, rng: &mut Rng, row: &RowView<'_>) -> Result<Option<Resized>> {
        let (w, h) = (row.size.0 as f64, row.size.1 as f64);
        let scale = match (&self.max_size, self.max_size_hw) {
            (Some(sizes), _) => sizes.draw(rng) / w.min(h),
            (_, Some((height, width))) => (height as f64 / h).max(width as f64 / w),
            _ => 1.0,
        };
        Ok(Some(scaled(row.size, scale)))
    }

    fn warp(&self, draw: &Resized, size: (usize, usize)) -> Option<Warp> {
        let to = (draw.width, draw.height);
        let how = AreaFor::or(self.area_for_downscale, self.interpolation, size, to);
        Some(Warp::resize(size, to).with_interpolation(how))
    }

    fn looks(&self) -> bool {
        false
    }

    fn edits(&self) -> bool {
        false
    }

    fn is_random(&self) -> bool {
        self.max_size.as_ref().is_some_and(|sizes| sizes.0.len() > 1)
    }
}
