//! Looks at the picture from aside.

use crate::geometry::matrices::fit;
use crate::geometry::quad::{forward, projective};
use crate::{BorderMode, PerChannel};
use pleach_core::warp::Interpolation;
use pleach_core::{Augmentation, Result, Rng, RowView, Warp, plugin, state};

/// Moves the four corners inwards by random shares and stretches what is between them to the frame, with probability
/// 0.5 unless `p` says otherwise.
///
/// Follows `Perspective` of Albumentations 2.0.8: each coordinate moves by |x| mod 0.32 with x normal of deviation
/// s, s uniform in `scale`. Unlike there, a frame by `fit_output` without `keep_size` is not rounded before the map
/// is made.
#[plugin(augmentation, cite = "Albumentations 2.0.8, Perspective")]
pub struct Perspective {
    /// Least and greatest deviation of the corners, in shares of the sides.
    #[plugin(default = (0.05, 0.1), range = 0.0..)]
    pub scale: (f64, f64),
    /// Whether the result has the size of the source; otherwise that of the longest sides between the four points.
    #[plugin(default = true)]
    pub keep_size: bool,
    /// Whether the whole of the source stays in view.
    #[plugin(default = false)]
    pub fit_output: bool,
    /// How pixels between pixels are made; maps and masks always take the nearest.
    #[plugin(default = Interpolation::Bilinear)]
    pub interpolation: Interpolation,
    /// Albumentations' choice for masks; without effect here, where they take the nearest.
    #[plugin(idle)]
    pub mask_interpolation: Option<Interpolation>,
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
}

/// What was decided.
#[state]
pub struct Corners4 {
    /// The points of the source that become the corners, from the top left one clockwise, x and y in pixels.
    pub points: [[f64; 2]; 4],
}

impl Augmentation for Perspective {
    type Draw = Corners4;

    fn draw(&self, rng: &mut Rng, row: &RowView<'_>) -> Result<Option<Corners4>> {
        let (w, h) = (row.size.0 as f64, row.size.1 as f64);
        let deviation = rng.range(self.scale.0, self.scale.1);
        let mut inwards = || (rng.normal() * deviation).abs() % 0.32;
        let mut corner = |right: f64, below: f64| {
            let (x, y) = (inwards(), inwards());
            [(right + (1.0 - 2.0 * right) * x) * w, (below + (1.0 - 2.0 * below) * y) * h]
        };
        let points = [corner(0.0, 0.0), corner(1.0, 0.0), corner(1.0, 1.0), corner(0.0, 1.0)];
        Ok(Some(Corners4 { points }))
    }

    fn warp(&self, draw: &Corners4, size: (usize, usize)) -> Option<Warp> {
        let (w, h) = (size.0 as f64, size.1 as f64);
        let [a, b, c, d] = draw.points;
        let matrix = projective(draw.points, [[0.0, 0.0], [w, 0.0], [w, h], [0.0, h]])?;
        let length = |p: [f64; 2], q: [f64; 2]| (p[0] - q[0]).hypot(p[1] - q[1]).max(2.0);
        let longest = (length(b, a).max(length(c, d)).trunc(), length(c, b).max(length(d, a)).trunc());
        let warp = if self.fit_output {
            let whole = fit(&forward(matrix, size, size)?, size);
            // One map there: nothing ends at the edge of the whole.
            if self.keep_size { Warp { within: None, ..whole.then(&Warp::resize(whole.size, size)) } } else { whole }
        } else if self.keep_size {
            // What the points enclose, in the size of its longest sides, and then stretched to the frame's.
            let (sx, sy) = (w / longest.0, h / longest.1);
            let [x, y, z] = matrix;
            forward([x.map(|v| v * sx), y.map(|v| v * sy), z], size, size)?
        } else {
            forward(matrix, size, (longest.0 as usize, longest.1 as usize))?
        };
        let border = self.border_mode.border(&self.fill, self.fill_mask);
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
