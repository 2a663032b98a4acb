//! Cuts out a window that overlaps an object well enough.

use crate::geometry::boxes::around;
use crate::geometry::region::Region;
use pleach_core::{Augmentation, Error, Result, Rng, Row, RowView, plugin};

/// Cuts out a window that overlaps some box by at least a random intersection over union, and drops the objects whose
/// centre is outside it (Liu and others, "SSD", 2016).
///
/// Follows `RandomIoUCrop` of torchvision's v2 transforms: of `sampler_options` one is drawn, 1 or more leaving the sample
/// alone, and after `trials` windows without success another. There the draws are repeated for ever; here the sample
/// is left alone after 64 options.
#[plugin(augmentation, cite = "torchvision 0.29, v2.RandomIoUCrop")]
pub struct RandomIoUCrop {
    /// Least share of the sides.
    #[plugin(default = 0.3, range = 0.0..=1.0)]
    pub min_scale: f64,
    /// Greatest share of the sides.
    #[plugin(default = 1.0, range = 0.0..=1.0)]
    pub max_scale: f64,
    /// Least ratio of width to height.
    #[plugin(default = 0.5, above = 0.0)]
    pub min_aspect_ratio: f64,
    /// Greatest ratio of width to height.
    #[plugin(default = 2.0, above = 0.0)]
    pub max_aspect_ratio: f64,
    /// Least overlaps to draw from.
    #[plugin(default = vec![0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0])]
    pub sampler_options: Vec<f64>,
    /// Windows that are tried for each.
    #[plugin(default = 40, range = 1..)]
    pub trials: u32,
}

impl RandomIoUCrop {
    fn window(&self, rng: &mut Rng, (w, h): (f64, f64)) -> Option<[f64; 4]> {
        let width = (w * rng.range(self.min_scale, self.max_scale)).trunc();
        let height = (h * rng.range(self.min_scale, self.max_scale)).trunc();
        let ratio = width / height;
        if !(self.min_aspect_ratio..=self.max_aspect_ratio).contains(&ratio) {
            return None;
        }
        let left = ((w - width) * rng.uniform()).trunc();
        let top = ((h - height) * rng.uniform()).trunc();
        (width >= 1.0 && height >= 1.0).then_some([left, top, left + width, top + height])
    }
}

fn overlap(a: [f64; 4], b: [f64; 4]) -> f64 {
    let side = |low: usize, high: usize| (a[high].min(b[high]) - a[low].max(b[low])).max(0.0);
    let area = |r: [f64; 4]| (r[2] - r[0]) * (r[3] - r[1]);
    let both = side(0, 2) * side(1, 3);
    both / (area(a) + area(b) - both)
}

fn holds_centre([x0, y0, x1, y1]: [f64; 4], b: [f64; 4]) -> bool {
    let (cx, cy) = (0.5 * (b[0] + b[2]), 0.5 * (b[1] + b[3]));
    x0 < cx && cx < x1 && y0 < cy && cy < y1
}

impl Augmentation for RandomIoUCrop {
    type Draw = Region;

    fn draw(&self, rng: &mut Rng, row: &RowView<'_>) -> Result<Option<Region>> {
        if self.sampler_options.is_empty() {
            return Err(Error::new("PL0347", "RandomIoUCrop has no `sampler_options` to draw from"));
        }
        let size = (row.size.0 as f64, row.size.1 as f64);
        let all: Vec<[f64; 4]> = row.row.instances.iter().filter_map(around).collect();
        for _ in 0..64 {
            let option = rng.below(self.sampler_options.len() as u64) as usize;
            let least = self.sampler_options.get(option).copied().unwrap_or(1.0);
            if least >= 1.0 {
                return Ok(None);
            }
            for _ in 0..self.trials {
                let Some(window) = self.window(rng, size) else { continue };
                let inside: Vec<_> = all.iter().filter(|b| holds_centre(window, **b)).collect();
                if inside.iter().any(|b| overlap(window, **b) >= least) {
                    let [x0, y0, x1, y1] = window.map(|v| v as i64);
                    return Ok(Some(Region::between(x0, y0, x1, y1)));
                }
            }
        }
        Ok(None)
    }

    fn edit(&self, draw: &Region, row: &mut Row) -> Result<()> {
        // Before the cut, as centres are those of whole boxes.
        let [x0, y0] = [draw.x as f64, draw.y as f64];
        let window = [x0, y0, x0 + draw.width as f64, y0 + draw.height as f64];
        row.instances.retain(|i| around(i).is_none_or(|b| holds_centre(window, b)));
        draw.cut().apply(row)
    }
}
