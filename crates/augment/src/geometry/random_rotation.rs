//! Turns by a random angle, as torchvision does.

use crate::{Limit, PerChannel};
use pleach_core::warp::{Border, Interpolation};
use pleach_core::{Augmentation, Result, Rng, RowView, Warp, plugin};

use super::matrices::linear;
use super::rotate::Rotated;

/// Turns a sample by an angle that is uniform in `degrees`, counterclockwise where it is positive.
///
/// Follows `RandomRotation` of torchvision's v2 transforms, whose defaults differ from those of `Rotate`: the nearest
/// pixel, and always. `center` counts from the top left corner of the frame. `bilinear` fades into `fill` along the edge of
/// the source, as there. `whole` is that of the video polyp segmentation network PolypNextLSTM.
#[plugin(augmentation, cite = ["torchvision 0.29, v2.RandomRotation", "https://github.com/KonradReuter/PVS"])]
pub struct RandomRotation {
    /// Least and greatest angle in degrees; one number `x` stands for `[-x, x]`.
    #[plugin(example = Limit(-15.0, 15.0), range = -360.0..=360.0)]
    pub degrees: Limit,
    /// Whether only whole degrees are drawn, both ends included.
    #[plugin(default = false)]
    pub whole: bool,
    /// How pixels between pixels are made; maps and masks always take the nearest.
    #[plugin(default = Interpolation::Nearest)]
    pub interpolation: Interpolation,
    /// Whether the frame grows so that nothing is cut off.
    #[plugin(default = false)]
    pub expand: bool,
    /// The point that stays, as x and y in pixels; the centre of the frame by default.
    pub center: Option<(f64, f64)>,
    /// Brightness outside the image, 0 to 255, one number or one for each channel.
    #[plugin(default = PerChannel(vec![0.0]), range = 0.0..=255.0)]
    pub fill: PerChannel,
}

/// The same map with a frame that holds the whole source and ends on whole pixels of it, as torchvision counts: what is left of a
/// pixel to within 1e-4 is dust of rounding.
fn grown(warp: &Warp, (w, h): (usize, usize), degrees: f64) -> Warp {
    let (sin, cos) = degrees.to_radians().sin_cos();
    let side = |along: usize, across: usize| {
        let half = 0.5 * (along as f64 * cos.abs() + across as f64 * sin.abs());
        let end = |at: f64| (at * 1e4).trunc() * 1e-4;
        let (low, high) = (end(0.5 * along as f64 - half).floor(), end(0.5 * along as f64 + half).ceil());
        (high - low).max(1.0) as usize
    };
    let size = (side(w, h), side(h, w));
    let shift = |from: usize, to: usize| 0.5 * (to as f64 - from as f64);
    warp.then(&Warp { size, ..Warp::translate(size, shift(w, size.0), shift(h, size.1)) }.with_border(warp.border))
}

impl Augmentation for RandomRotation {
    type Draw = Rotated;

    fn draw(&self, rng: &mut Rng, _: &RowView<'_>) -> Result<Option<Rotated>> {
        let (low, high) = (self.degrees.0, self.degrees.1);
        if !self.whole {
            return Ok(Some(Rotated { degrees: rng.range(low, high) }));
        }
        let (low, high) = (low.ceil(), high.floor());
        Ok(Some(Rotated { degrees: low + rng.below((high - low).max(0.0) as u64 + 1) as f64 }))
    }

    fn warp(&self, draw: &Rotated, size: (usize, usize)) -> Option<Warp> {
        let warp = match self.center {
            Some((x, y)) if !self.expand => {
                let (sin, cos) = draw.degrees.to_radians().sin_cos();
                linear(size, [[cos, sin], [-sin, cos]], [x - 0.5, y - 0.5], [0.0, 0.0])
            }
            _ => Warp::rotate(size, draw.degrees),
        };
        let warp = if self.expand { grown(&warp, size, draw.degrees) } else { warp };
        let border = Border::Faded { fill: self.fill.levels(), map_fill: 0 };
        Some(warp.with_interpolation(self.interpolation).with_border(border))
    }

    fn looks(&self) -> bool {
        false
    }

    fn edits(&self) -> bool {
        false
    }
}
