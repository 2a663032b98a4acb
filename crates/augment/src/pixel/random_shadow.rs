//! Shadows.

use super::grid::{Grid, by_type};
use super::limits::whole;
use super::shapes::polygon;
use pleach_core::image::Image;
use pleach_core::read::Rules;
use pleach_core::{Augmentation, Result, Rng, RowView, plugin, state};

/// Darkens polygons: `(1 - intensity) x`.
///
/// Follows `RandomShadow` of Albumentations 2.0.8: corners anywhere in a part of the image, inside by the even-odd rule;
/// 8 bits drop fractions.
#[plugin(augmentation, cite = "Albumentations 2.0.8, RandomShadow", check = Self::check)]
pub struct RandomShadow {
    /// Where corners may lie: left, top, right and bottom as shares of the image.
    #[plugin(default = [0.0, 0.5, 1.0, 1.0], range = 0.0..=1.0)]
    pub shadow_roi: [f64; 4],
    /// Least and greatest number of shadows.
    #[plugin(default = (1, 2), range = 1..=1000)]
    pub num_shadows_limit: (u32, u32),
    /// Corners of a shadow.
    #[plugin(default = 5, range = 3..=1000)]
    pub shadow_dimension: u32,
    /// Least and greatest darkness, 1 being black.
    #[plugin(default = (0.5, 0.5), range = 0.0..=1.0)]
    pub shadow_intensity_range: (f64, f64),
}

/// What was decided.
#[state]
pub struct Shadows {
    /// Corners of each, in pixels.
    pub polygons: Vec<Vec<(i64, i64)>>,
    /// Darkness of each.
    pub intensities: Vec<f64>,
}

impl RandomShadow {
    fn check(&self, rules: &mut Rules) {
        let [left, top, right, bottom] = self.shadow_roi;
        if left > right || top > bottom {
            rules.refuse("shadow_roi", "left comes before right, top before bottom");
        }
        if self.num_shadows_limit.0 > self.num_shadows_limit.1 {
            rules.refuse("num_shadows_limit", "the smaller number comes first");
        }
        if self.shadow_intensity_range.0 > self.shadow_intensity_range.1 {
            rules.refuse("shadow_intensity_range", "the smaller number comes first");
        }
    }
}

fn darken<T>(draw: &Shadows, grid: &mut Grid<T>, mut change: impl FnMut(&mut [T], f64)) {
    let (w, h, c) = (grid.width, grid.height, grid.channels);
    for (points, &intensity) in draw.polygons.iter().zip(&draw.intensities) {
        let covered = polygon(points, w, h);
        for (row, covered) in grid.samples.chunks_exact_mut(w * c).zip(covered.chunks_exact(w)) {
            let mut x = 0;
            while x < w {
                let end = x + covered[x..].iter().take_while(|&&b| b == covered[x]).count();
                if covered[x] {
                    change(&mut row[x * c..end * c], intensity);
                }
                x = end;
            }
        }
    }
}

impl Augmentation for RandomShadow {
    type Draw = Shadows;

    fn draw(&self, rng: &mut Rng, row: &RowView<'_>) -> Result<Option<Shadows>> {
        let (w, h) = row.size;
        let [left, top, right, bottom] = self.shadow_roi;
        let count = whole(rng, self.num_shadows_limit.0.into(), self.num_shadows_limit.1.into());
        let mut one = |from: f64, to: f64, side: usize| {
            let (from, to) = ((from * side as f64) as i64, (to * side as f64) as i64);
            whole(rng, from, (to - 1).max(from))
        };
        let mut corner = || (one(left, right, w), one(top, bottom, h));
        let polygons = (0..count).map(|_| (0..self.shadow_dimension).map(|_| corner()).collect()).collect();
        let (low, high) = self.shadow_intensity_range;
        Ok(Some(Shadows { polygons, intensities: (0..count).map(|_| rng.range(low, high)).collect() }))
    }

    fn touch(&self, draw: &Shadows, image: &mut Image) -> Result<()> {
        by_type(
            image,
            |grid| {
                let mut known: Option<(f64, [u8; 256])> = None;
                darken(draw, grid, |run, intensity| {
                    let table = match known {
                        Some((of, table)) if of == intensity => table,
                        // Double precision, as there.
                        _ => std::array::from_fn(|i| (i as f64 * (1.0 - intensity)).clamp(0.0, 255.0) as u8),
                    };
                    known = Some((intensity, table));
                    pleach_simd::translate(run, &table);
                });
                Ok(())
            },
            |grid| {
                darken(draw, grid, |run, intensity| run.iter_mut().for_each(|x| *x *= (1.0 - intensity) as f32));
                Ok(())
            },
        )
    }

    fn touches(&self) -> bool {
        true
    }

    fn default_p(&self) -> f64 {
        0.5
    }
}
