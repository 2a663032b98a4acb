//! Stretches the stripes of a grid.

use crate::{BorderMode, Limit, PerChannel};
use pleach_core::warp::{Field, Interpolation};
use pleach_core::{Augmentation, Result, Rng, RowView, Warp, plugin, state};

/// Cuts the picture into `num_steps` columns and rows and stretches each of them by a random factor, with probability
/// 0.5 unless `p` says otherwise.
///
/// Follows `GridDistortion` of Albumentations 2.0.8; where the last stripe is cut off by the frame, its pixels keep the
/// end of the last whole one, as there.
#[plugin(augmentation, cite = "Albumentations 2.0.8, GridDistortion")]
pub struct GridDistortion {
    /// Columns, and rows.
    #[plugin(default = 5, range = 1..=1000)]
    pub num_steps: usize,
    /// What is added to a stripe's factor of 1.
    #[plugin(default = Limit(-0.3, 0.3), range = -1.0..=1.0)]
    pub distort_limit: Limit,
    /// How pixels between pixels are made; maps and masks always take the nearest.
    #[plugin(default = Interpolation::Bilinear)]
    pub interpolation: Interpolation,
    /// Albumentations' choice for masks; without effect here, where they take the nearest.
    #[plugin(idle)]
    pub mask_interpolation: Option<Interpolation>,
    /// Albumentations' choice of how key points move; without effect here: they move by the inverse of the field.
    #[plugin(idle)]
    pub keypoint_remapping_method: Option<String>,
    /// Whether the stripes together fill the picture, so that nothing outside comes into view.
    #[plugin(default = true)]
    pub normalized: bool,
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
pub struct Steps {
    /// Factor of each column, and of a rest behind the last.
    pub x: Vec<f64>,
    /// Factor of each row, and of a rest below the last.
    pub y: Vec<f64>,
}

impl GridDistortion {
    /// Factors that fill the side exactly.
    fn filled(&self, side: usize, mut steps: Vec<f64>) -> Vec<f64> {
        let n = self.num_steps;
        let step = side / n;
        if let Some(last) = steps.last_mut() {
            *last *= (side.min((n + 1) * step) - n * step) as f64 / step as f64;
        }
        let want = side as f64 / step as f64;
        let sum: f64 = steps.iter().sum();
        steps.iter().map(|s| s * want / sum).collect()
    }

    /// The place of each pixel along one side.
    fn places(&self, side: usize, steps: &[f64]) -> Vec<f64> {
        let step = (side / self.num_steps).max(1);
        let mut all = vec![0.0; side];
        let mut before = 0.0;
        for (i, factor) in steps.iter().enumerate() {
            let (start, end) = ((i * step).min(side), ((i + 1) * step).min(side));
            let now = before + step as f64 * factor;
            let n = end - start;
            for (k, place) in all[start..end].iter_mut().enumerate() {
                *place = before + if n > 1 { (now - before) * k as f64 / (n - 1) as f64 } else { 0.0 };
            }
            before = now;
        }
        all
    }
}

impl Augmentation for GridDistortion {
    type Draw = Steps;

    fn draw(&self, rng: &mut Rng, row: &RowView<'_>) -> Result<Option<Steps>> {
        let (w, h) = row.size;
        let Limit(low, high) = self.distort_limit;
        let mut steps = || (0..=self.num_steps).map(|_| 1.0 + rng.range(low, high)).collect::<Vec<_>>();
        let (x, y) = (steps(), steps());
        // A frame with fewer pixels than stripes has none to stretch.
        if w < self.num_steps || h < self.num_steps {
            return Ok(None);
        }
        let filled = |side, steps| if self.normalized { self.filled(side, steps) } else { steps };
        Ok(Some(Steps { x: filled(w, x), y: filled(h, y) }))
    }

    fn warp(&self, draw: &Steps, size: (usize, usize)) -> Option<Warp> {
        let (xs, ys) = (self.places(size.0, &draw.x), self.places(size.1, &draw.y));
        let field = Field::of_rows(size, |y, row| {
            row.iter_mut().zip(&xs).for_each(|(place, x)| *place = [*x as f32, ys[y] as f32]);
        });
        let field = field.ok()?;
        let border = self.border_mode.border(&self.fill, self.fill_mask);
        Some(Warp::field(field).with_interpolation(self.interpolation).with_border(border))
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
