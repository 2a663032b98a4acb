//! Cuts out a window of random size and stretches it to a fixed one.

use crate::Sides;
use crate::geometry::region::Region;
use crate::geometry::shorter::AreaFor;
use pleach_core::warp::Interpolation;
use pleach_core::{Augmentation, Result, Rng, RowView, Warp, plugin};

/// Cuts out a window whose area is a uniform share of the frame's and whose ratio of width to height is uniform in its
/// logarithm, and stretches it to `size`.
///
/// Follows `RandomResizedCrop` of Albumentations 2.0.8 and torchvision: ten trials, and then the middle with the nearest
/// ratio. torchvision has `antialias = true` by default.
#[plugin(augmentation, cite = ["Albumentations 2.0.8, RandomResizedCrop", "torchvision 0.29, v2.RandomResizedCrop"])]
pub struct RandomResizedCrop {
    /// Height and width of the result; one number for both.
    #[plugin(example = Sides(64, 64), range = 1..)]
    pub size: Sides,
    /// Least and greatest share of the frame's area.
    #[plugin(default = (0.08, 1.0), above = 0.0)]
    pub scale: (f64, f64),
    /// Least and greatest ratio of width to height.
    #[plugin(default = (0.75, 4.0 / 3.0), above = 0.0)]
    pub ratio: (f64, f64),
    /// How pixels between pixels are made; maps and masks always take the nearest.
    #[plugin(default = Interpolation::Bilinear)]
    pub interpolation: Interpolation,
    /// torchvision's name for `interpolation = "antialias"`; off by default, as in Albumentations.
    #[plugin(default = false)]
    pub antialias: bool,
    /// Albumentations' way to ask for `area` where it shrinks.
    pub area_for_downscale: Option<AreaFor>,
    /// Albumentations' choice for masks; without effect here, where they take the nearest.
    #[plugin(idle)]
    pub mask_interpolation: Option<Interpolation>,
}

impl Augmentation for RandomResizedCrop {
    type Draw = Region;

    fn draw(&self, rng: &mut Rng, row: &RowView<'_>) -> Result<Option<Region>> {
        let (w, h) = row.size;
        let area = (w * h) as f64;
        for _ in 0..10 {
            let target = rng.range(self.scale.0, self.scale.1) * area;
            let ratio = rng.range(self.ratio.0.ln(), self.ratio.1.ln()).exp();
            let (width, height) = ((target * ratio).sqrt().round(), (target / ratio).sqrt().round());
            if width >= 1.0 && width <= w as f64 && height >= 1.0 && height <= h as f64 {
                let (width, height) = (width as usize, height as usize);
                let mut place = |room: usize| rng.below(room as u64 + 1) as i64;
                return Ok(Some(Region { x: place(w - width), y: place(h - height), width, height }));
            }
        }
        let (fw, fh) = (w as f64, h as f64);
        let (width, height) = match fw / fh {
            r if r < self.ratio.0 => (fw, (fw / self.ratio.0).round()),
            r if r > self.ratio.1 => ((fh * self.ratio.1).round(), fh),
            _ => (fw, fh),
        };
        let (width, height) = ((width as usize).clamp(1, w), (height as usize).clamp(1, h));
        Ok(Some(Region { x: ((w - width) / 2) as i64, y: ((h - height) / 2) as i64, width, height }))
    }

    fn warp(&self, draw: &Region, _: (usize, usize)) -> Option<Warp> {
        let (from, to) = ((draw.width, draw.height), (self.size.1, self.size.0));
        let how = if self.antialias { Interpolation::Antialias } else { self.interpolation };
        Some(draw.stretched(to, AreaFor::or(self.area_for_downscale, how, from, to)))
    }

    fn looks(&self) -> bool {
        false
    }

    fn edits(&self) -> bool {
        false
    }
}
