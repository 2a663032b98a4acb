//! Moves, scales, turns and slants, as torchvision does.

use crate::geometry::affine::Affined;
use crate::geometry::matrices::{linear, middle};
use crate::{Limit, PerChannel};
use pleach_core::warp::{Border, Interpolation};
use pleach_core::{Augmentation, Result, Rng, RowView, Warp, plugin};

/// Slants, turns **clockwise** where the angle is positive, scales and moves a sample about its centre.
///
/// Follows `RandomAffine` of torchvision's v2 transforms: the nearest pixel by default, one scale for both axes,
/// and angles that go the other way round than those of `Affine` and of `RandomRotation`. `bilinear` fades into `fill` along
/// the edge of the source, as there.
#[plugin(augmentation, cite = "torchvision 0.29, v2.RandomAffine")]
pub struct RandomAffine {
    /// Least and greatest angle in degrees; one number `x` stands for `[-x, x]`.
    #[plugin(example = Limit(-10.0, 10.0), range = -360.0..=360.0)]
    pub degrees: Limit,
    /// Greatest moves in shares of width and height.
    #[plugin(range = 0.0..=1.0)]
    pub translate: Option<(f64, f64)>,
    /// Least and greatest scale.
    #[plugin(above = 0.0)]
    pub scale: Option<(f64, f64)>,
    /// Least and greatest slant along x in degrees, and along y in a second pair.
    #[plugin(range = -89.0..=89.0)]
    pub shear: Option<Vec<f64>>,
    /// How pixels between pixels are made; maps and masks always take the nearest.
    #[plugin(default = Interpolation::Nearest)]
    pub interpolation: Interpolation,
    /// Brightness outside the image, 0 to 255, one number or one for each channel.
    #[plugin(default = PerChannel(vec![0.0]), range = 0.0..=255.0)]
    pub fill: PerChannel,
    /// The point that stays, as x and y in pixels; the centre of the frame by default.
    pub center: Option<(f64, f64)>,
}

impl Augmentation for RandomAffine {
    type Draw = Affined;

    fn draw(&self, rng: &mut Rng, row: &RowView<'_>) -> Result<Option<Affined>> {
        let rotate = rng.range(self.degrees.0, self.degrees.1);
        let translate = self.translate.map_or([0.0, 0.0], |(x, y)| {
            let (x, y) = (x * row.size.0 as f64, y * row.size.1 as f64);
            [rng.range(-x, x).round(), rng.range(-y, y).round()]
        });
        let scale = self.scale.map_or(1.0, |(low, high)| rng.range(low, high));
        let shear = match self.shear.as_deref() {
            Some(&[x]) => [rng.range(-x, x), 0.0],
            Some(&[low, high]) => [rng.range(low, high), 0.0],
            Some(&[a, b, c, d]) => [rng.range(a, b), rng.range(c, d)],
            _ => [0.0, 0.0],
        };
        Ok(Some(Affined { scale: [scale, scale], translate, rotate, shear }))
    }

    fn warp(&self, draw: &Affined, size: (usize, usize)) -> Option<Warp> {
        // torchvision's matrix: turn by the angle less the slant of y, so that slants keep areas.
        let (rot, sx, sy) = (draw.rotate.to_radians(), draw.shear[0].to_radians(), draw.shear[1].to_radians());
        let a = (rot - sy).cos() / sy.cos();
        let b = -(rot - sy).cos() * sx.tan() / sy.cos() - rot.sin();
        let c = (rot - sy).sin() / sy.cos();
        let d = -(rot - sy).sin() * sx.tan() / sy.cos() + rot.cos();
        let m = [[a, b], [c, d]].map(|row| row.map(|x| x * draw.scale[0]));
        let about = self.center.map_or_else(|| middle(size), |(x, y)| [x - 0.5, y - 0.5]);
        let border = Border::Faded { fill: self.fill.levels(), map_fill: 0 };
        Some(linear(size, m, about, draw.translate).with_interpolation(self.interpolation).with_border(border))
    }

    fn looks(&self) -> bool {
        false
    }

    fn edits(&self) -> bool {
        false
    }
}
