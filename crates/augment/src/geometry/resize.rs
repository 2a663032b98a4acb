//! Brings samples to one size.

use pleach_core::read::Rules;
use pleach_core::warp::Interpolation;
use pleach_core::{Augmentation, Result, Rng, RowView, Warp, plugin, state};

/// Stretches a sample to `height` and `width`, or so that its shorter side has `size` pixels.
///
/// Follows `Resize` of Albumentations 2.0.8 (`height`, `width`; OpenCV's `INTER_LINEAR`) and, with
/// `size`, torchvision's `Resize` of one number (the longer side is rounded down). Maps and masks take
/// the nearest pixel by its centre, as `INTER_NEAREST_EXACT` does, so that they lie where the image
/// lies; Albumentations' `INTER_NEAREST` shifts them by up to half a pixel. `bilinear` that shrinks to
/// less than half leaves pixels out, as OpenCV does; `antialias` takes them all, as Pillow and
/// torchvision do.
#[plugin(augmentation, cite = ["Albumentations 2.0.8, Resize", "torchvision 0.29, v2.Resize"], check = Self::check)]
pub struct Resize {
    /// Height in pixels.
    #[plugin(sample = Some(64), range = 1..)]
    pub height: Option<usize>,
    /// Width in pixels.
    #[plugin(sample = Some(64), range = 1..)]
    pub width: Option<usize>,
    /// The shorter side in pixels, in place of `height` and `width`.
    #[plugin(range = 1..)]
    pub size: Option<usize>,
    /// How pixels between pixels are made; maps and masks always take the nearest.
    #[plugin(default = Interpolation::Bilinear)]
    pub interpolation: Interpolation,
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
    }
}

impl Augmentation for Resize {
    type Draw = Resized;

    fn draw(&self, _: &mut Rng, row: &RowView<'_>) -> Result<Option<Resized>> {
        let (w, h) = row.size;
        let (width, height) = match (self.width, self.height, self.size) {
            (Some(width), Some(height), _) => (width, height),
            (_, _, Some(size)) => {
                let long = |side: usize| (size as f64 * side as f64 / w.min(h) as f64) as usize;
                if w <= h { (size, long(h)) } else { (long(w), size) }
            }
            _ => (w, h),
        };
        Ok(Some(Resized { width, height }))
    }

    fn warp(&self, draw: &Resized, size: (usize, usize)) -> Option<Warp> {
        Some(Warp::resize(size, (draw.width, draw.height)).with_interpolation(self.interpolation))
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
