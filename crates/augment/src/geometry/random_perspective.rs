//! Looks at the picture from aside, as torchvision does.

use crate::PerChannel;
use crate::geometry::perspective::Corners4;
use crate::geometry::quad::{forward, projective};
use pleach_core::warp::{Border, Interpolation};
use pleach_core::{Augmentation, Result, Rng, RowView, Warp, plugin};

/// Moves the four corners of the picture inwards by whole pixels, with probability 0.5 unless `p` says otherwise.
///
/// Follows `RandomPerspective` of torchvision's v2 transforms: a corner moves by at most half of `distortion_scale` of
/// each side, and outside the moved picture is `fill`, into which `bilinear` fades along its edge, as there.
#[plugin(augmentation, cite = "torchvision 0.29, v2.RandomPerspective")]
pub struct RandomPerspective {
    /// How far corners move, 0 to 1.
    #[plugin(default = 0.5, range = 0.0..=1.0)]
    pub distortion_scale: f64,
    /// How pixels between pixels are made; maps and masks always take the nearest.
    #[plugin(default = Interpolation::Bilinear)]
    pub interpolation: Interpolation,
    /// Brightness outside the image, 0 to 255, one number or one for each channel.
    #[plugin(default = PerChannel(vec![0.0]), range = 0.0..=255.0)]
    pub fill: PerChannel,
}

impl Augmentation for RandomPerspective {
    type Draw = Corners4;

    fn draw(&self, rng: &mut Rng, row: &RowView<'_>) -> Result<Option<Corners4>> {
        let (w, h) = row.size;
        let reach = |side: usize| (self.distortion_scale * (side / 2) as f64) as u64;
        let mut step = |side: usize| rng.below(reach(side) + 1) as f64;
        let (right, bottom) = (w as f64 - 1.0, h as f64 - 1.0);
        let points = [
            [step(w), step(h)],
            [right - step(w), step(h)],
            [right - step(w), bottom - step(h)],
            [step(w), bottom - step(h)],
        ];
        Ok(Some(Corners4 { points }))
    }

    fn warp(&self, draw: &Corners4, size: (usize, usize)) -> Option<Warp> {
        let (right, bottom) = (size.0 as f64 - 1.0, size.1 as f64 - 1.0);
        let corners = [[0.0, 0.0], [right, 0.0], [right, bottom], [0.0, bottom]];
        // torchvision counts from the corner of the first pixel.
        let [corners, points] = [corners, draw.points].map(|all| all.map(|p| p.map(|v| v - 0.5)));
        let border = Border::Faded { fill: self.fill.levels(), map_fill: 0 };
        let warp = forward(projective(corners, points)?, size, size)?;
        Some(warp.with_interpolation(self.interpolation).with_border(border))
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
