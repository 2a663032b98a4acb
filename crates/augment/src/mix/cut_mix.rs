//! Replaces a window by that of another picture.

use super::pixels::{beta, fitted, labels, paste_all, uncovered};
use pleach_core::{Augmentation, Result, Rng, Row, RowView, Warp, plugin, state};

/// Replaces a window of a sample by the same window of another (Yun and others, 2019).
///
/// Follows `CutMix` of torchvision's v2 transforms, sample by sample and with a partner by chance, stretched to the size
/// of the sample: the window has the share 1 - lambda of the frame, lambda by the beta distribution, its middle being
/// anywhere. Masks lose what the window covers, and an object of which nothing is left is dropped, as is one
/// without a mask whose box has its middle in the window; the partner's objects are cut by the window. Labels are
/// mixed as by `MixUp`.
#[plugin(augmentation, alias = ["Cutmix"], cite = ["arXiv:1905.04899", "torchvision 0.29, v2.CutMix"])]
pub struct CutMix {
    /// Both parameters of the beta distribution.
    #[plugin(default = 1.0, above = 0.0)]
    pub alpha: f64,
    /// torchvision's number of classes; without effect here: the task knows it.
    #[plugin(idle)]
    pub num_classes: Option<usize>,
}

/// What was decided.
#[state]
pub struct CutMixed {
    /// The window: left, top, right, bottom, the last two being the first outside.
    pub window: [usize; 4],
}

impl Augmentation for CutMix {
    type Draw = CutMixed;

    fn draw(&self, rng: &mut Rng, row: &RowView<'_>) -> Result<Option<CutMixed>> {
        let half = 0.5 * (1.0 - beta(rng, self.alpha)).sqrt();
        let mut along = |side: usize| {
            let (middle, reach) = (rng.below(side as u64) as usize, (half * side as f64) as usize);
            (middle.saturating_sub(reach), (middle + reach).min(side))
        };
        let ((x0, x1), (y0, y1)) = (along(row.size.0), along(row.size.1));
        Ok((x1 > x0 && y1 > y0).then_some(CutMixed { window: [x0, y0, x1, y1] }))
    }

    fn looks(&self) -> bool {
        false
    }

    fn partners(&self) -> usize {
        1
    }

    fn mix(&self, draw: &CutMixed, row: &mut Row, partners: Vec<Row>) -> Result<()> {
        let [x0, y0, x1, y1] = draw.window;
        let covered = |x: usize, y: usize| (x0..x1).contains(&x) && (y0..y1).contains(&y);
        let size = row.size().unwrap_or_default();
        for partner in partners {
            let mut partner = fitted(row, partner)?;
            paste_all(row, &partner, draw.window);
            let share = ((x1 - x0) * (y1 - y0)) as f64 / (size.0 * size.1) as f64;
            labels(row, &partner, 1.0 - share);
            let old = std::mem::take(&mut row.instances);
            row.instances = old.into_iter().filter_map(|i| uncovered(i, covered, 0.0)).collect();
            Warp::crop(x0 as i64, y0 as i64, (x1 - x0, y1 - y0)).apply(&mut partner)?;
            Warp::crop(-(x0 as i64), -(y0 as i64), size).apply(&mut partner)?;
            row.instances.extend(partner.instances);
        }
        Ok(())
    }
}
