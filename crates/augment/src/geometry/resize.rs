//! Brings samples to one size.

use crate::geometry::shorter::{AreaFor, Shorter};
use pleach_core::read::Rules;
use pleach_core::warp::Interpolation;
use pleach_core::{Augmentation, Result, Rng, RowView, Warp, plugin, state};

/// Stretches a sample to `height` and `width`, or so that its shorter side has `size` pixels.
///
/// Follows `Resize` of Albumentations 2.0.8 (`height`, `width`; OpenCV's interpolations) and, with
/// `size`, torchvision's `Resize` (the longer side is rounded down, and shrinking takes all pixels into account). Maps and
/// masks take the nearest pixel by its centre, as `INTER_NEAREST_EXACT` does, so that they lie where the image
/// lies; Albumentations' `INTER_NEAREST` shifts them by up to half a pixel. `bilinear` that shrinks to
/// less than half leaves pixels out, as OpenCV does; `antialias` takes them all, as Pillow and
/// torchvision do, and `area` takes what each pixel covers. 8 bits are within 1 level.
#[plugin(augmentation, cite = ["Albumentations 2.0.8, Resize", "torchvision 0.29, v2.Resize"], check = Self::check)]
pub struct Resize {
    /// Height in pixels.
    #[plugin(sample = Some(64), range = 1..)]
    pub height: Option<usize>,
    /// Width in pixels.
    #[plugin(sample = Some(64), range = 1..)]
    pub width: Option<usize>,
    /// The shorter side in pixels, or a list of height and width, in place of `height` and `width`: torchvision's way.
    #[plugin(range = 1..)]
    pub size: Option<Shorter>,
    /// With one number as `size`: the longer side is at most this, and the shorter one then less than `size`.
    #[plugin(range = 1..)]
    pub max_size: Option<usize>,
    /// How pixels between pixels are made; maps and masks always take the nearest.
    #[plugin(default = Interpolation::Bilinear)]
    pub interpolation: Interpolation,
    /// Whether `bilinear` takes all pixels into account where it shrinks; by default with `size`, as in torchvision.
    pub antialias: Option<bool>,
    /// Albumentations' way to ask for `area` where it shrinks.
    pub area_for_downscale: Option<AreaFor>,
    /// Albumentations' choice for masks; without effect here, where they take the nearest.
    #[plugin(idle)]
    pub mask_interpolation: Option<Interpolation>,
}

/// What was decided.
#[state]
pub struct Resized {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
}

impl Resize {
    fn check(&self, rules: &mut Rules) {
        match (self.height, self.width, self.size) {
            (Some(_), Some(_), None) | (None, None, Some(_)) => {}
            (None, None, None) => rules.refuse("height", "to which size? give `height` and `width`, or `size`"),
            (Some(_), None, None) => rules.refuse("height", "`width` is missing"),
            (None, Some(_), None) => rules.refuse("width", "`height` is missing"),
            _ => rules.refuse("size", "it is given beside `height` or `width`: give one or the other"),
        }
        if self.max_size.is_some() && !matches!(self.size, Some(Shorter::One(_))) {
            rules.refuse("max_size", "it goes with a `size` of one number");
        }
    }
}

impl Augmentation for Resize {
    type Draw = Resized;

    fn draw(&self, _: &mut Rng, row: &RowView<'_>) -> Result<Option<Resized>> {
        let (w, h) = row.size;
        let (width, height) = match (self.width, self.height, self.size) {
            (Some(width), Some(height), _) => (width, height),
            (_, _, Some(Shorter::Both(height, width))) => (width, height),
            (_, _, Some(Shorter::One(size))) => {
                let (short, long) = (w.min(h), w.max(h));
                let grown = (size as f64 * long as f64 / short as f64) as usize;
                let (short, long) = match self.max_size {
                    Some(most) if grown > most => ((most as f64 * size as f64 / grown as f64) as usize, most),
                    _ => (size, grown),
                };
                let (short, long) = (short.max(1), long.max(1));
                if w <= h { (short, long) } else { (long, short) }
            }
            _ => (w, h),
        };
        Ok(Some(Resized { width, height }))
    }

    fn warp(&self, draw: &Resized, size: (usize, usize)) -> Option<Warp> {
        let all = self.antialias.unwrap_or(self.size.is_some()) && self.interpolation == Interpolation::Bilinear;
        let interpolation = if all { Interpolation::Antialias } else { self.interpolation };
        let to = (draw.width, draw.height);
        Some(Warp::resize(size, to).with_interpolation(AreaFor::or(self.area_for_downscale, interpolation, size, to)))
    }

    fn looks(&self) -> bool {
        false
    }

    fn edits(&self) -> bool {
        false
    }

    fn is_random(&self) -> bool {
        false
    }
}
