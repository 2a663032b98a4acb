//! Moves, scales, turns and slants.

use crate::geometry::matrices::{fit, linear, middle, turned};
use crate::{BorderMode, PerAxis, PerChannel, Range};
use pleach_core::read::Rules;
use pleach_core::warp::{Corners, Interpolation};
use pleach_core::{Augmentation, Result, Rng, RowView, Warp, plugin, state};

/// Scales, turns counterclockwise, slants and moves a sample, in this order and about its centre; with probability 0.5
/// unless `p` says otherwise.
///
/// Follows `Affine` of Albumentations 2.0.8. A frame by `fit_output` has whole pixels around the moved corners of the
/// source; Albumentations' may have one more.
#[plugin(augmentation, cite = "Albumentations 2.0.8, Affine", check = Self::check)]
pub struct Affine {
    /// Scale factors: one number, a range, or `{ x = ..., y = ... }`.
    #[plugin(default = PerAxis::both(1.0, 1.0), above = 0.0)]
    pub scale: PerAxis,
    /// Moves in shares of width and height.
    pub translate_percent: Option<PerAxis>,
    /// Moves in pixels, in place of `translate_percent`; whole numbers are drawn.
    pub translate_px: Option<PerAxis>,
    /// The angle in degrees: one number, or a range.
    #[plugin(default = Range(0.0, 0.0), range = -360.0..=360.0)]
    pub rotate: Range,
    /// Slants in degrees.
    #[plugin(default = PerAxis::both(0.0, 0.0), range = -89.0..=89.0)]
    pub shear: PerAxis,
    /// How pixels between pixels are made; maps and masks always take the nearest.
    #[plugin(default = Interpolation::Bilinear)]
    pub interpolation: Interpolation,
    /// Albumentations' choice for masks; without effect here, where they take the nearest.
    #[plugin(idle)]
    pub mask_interpolation: Option<Interpolation>,
    /// Whether the frame changes its size so that the whole sample is in it, and nothing else.
    #[plugin(default = false)]
    pub fit_output: bool,
    /// Whether y is scaled as x is.
    #[plugin(default = false)]
    pub keep_ratio: bool,
    /// Whether growing and shrinking are equally likely, however `scale` lies about 1.
    #[plugin(default = false)]
    pub balanced_scale: bool,
    /// What is put where the image has no pixels.
    #[plugin(default = BorderMode::Constant)]
    pub border_mode: BorderMode,
    /// Brightness of a constant border, one number or one for each channel: 0 to 255, which is white in images of every
    /// type.
    #[plugin(default = PerChannel(vec![0.0]), range = 0.0..=255.0)]
    pub fill: PerChannel,
    /// Class of a constant border in maps.
    #[plugin(default = 0)]
    pub fill_mask: u16,
    /// How an axis box moves: around its four corners, or around the ellipse in it.
    #[plugin(default = Corners::LargestBox)]
    pub rotate_method: Corners,
}

/// What was decided.
#[state]
pub struct Affined {
    /// Scale factors along x and y.
    pub scale: [f64; 2],
    /// Moves along x and y in pixels.
    pub translate: [f64; 2],
    /// The angle in degrees, counterclockwise.
    pub rotate: f64,
    /// Slants along x and y in degrees.
    pub shear: [f64; 2],
}

impl Affine {
    fn check(&self, rules: &mut Rules) {
        if self.translate_percent.is_some() && self.translate_px.is_some() {
            rules.refuse("translate_px", "it is given beside `translate_percent`: give one or the other");
        }
    }

    fn factor(&self, rng: &mut Rng, Range(low, high): Range) -> f64 {
        if !self.balanced_scale {
            return rng.range(low, high);
        }
        match (low < 1.0, high > 1.0) {
            (true, true) if rng.chance(0.5) => rng.range(low, 1.0),
            (_, true) => rng.range(1.0, high),
            (true, false) => rng.range(low, 1.0),
            (false, false) => 1.0,
        }
    }
}

/// The map of a draw.
pub(crate) fn affine(draw: &Affined, size: (usize, usize)) -> Warp {
    // Albumentations counts slants the other way round.
    let matrix = turned(draw.rotate, draw.scale, draw.shear.map(|s| -s));
    linear(size, matrix, middle(size), draw.translate)
}

impl Augmentation for Affine {
    type Draw = Affined;

    fn draw(&self, rng: &mut Rng, row: &RowView<'_>) -> Result<Option<Affined>> {
        let (w, h) = (row.size.0 as f64, row.size.1 as f64);
        let translate = match (self.translate_px, self.translate_percent) {
            (Some(px), _) => [px.x.whole(rng) as f64, px.y.whole(rng) as f64],
            (_, Some(share)) => [(share.x.draw(rng) * w).trunc(), (share.y.draw(rng) * h).trunc()],
            _ => [0.0, 0.0],
        };
        let shear = [self.shear.x.draw(rng), self.shear.y.draw(rng)];
        let x = self.factor(rng, self.scale.x);
        let y = self.factor(rng, self.scale.y);
        let scale = [x, if self.keep_ratio { x } else { y }];
        Ok(Some(Affined { scale, translate, rotate: self.rotate.draw(rng), shear }))
    }

    fn warp(&self, draw: &Affined, size: (usize, usize)) -> Option<Warp> {
        let warp = affine(draw, size);
        let warp = if self.fit_output { fit(&warp, size) } else { warp };
        Some(
            warp.with_interpolation(self.interpolation)
                .with_border(self.border_mode.border(&self.fill, self.fill_mask))
                .with_corners(self.rotate_method),
        )
    }

    fn looks(&self) -> bool {
        false
    }

    fn edits(&self) -> bool {
        false
    }

    fn default_p(&self) -> f64 {
        0.5
    }
}
