//! Fog.

use super::filter::{gaussian, symmetric_bytes};
use super::grid::{as_bytes, channels, only_rgb};
use super::limits::whole;
use super::shapes::disk;
use pleach_core::image::Image;
use pleach_core::read::Rules;
use pleach_core::{Augmentation, Result, Rng, RowView, plugin, state};

/// White disks, denser towards the middle, each blended in by `alpha_coef` times the fog's strength, and a blur.
///
/// Follows `RandomFog` of Albumentations 2.0.8: each blend is rounded, the blur's width is a thirtieth of the shorter
/// side, at least 3. RGB only; other types become 8 bits first. Within 1 level.
#[plugin(augmentation, cite = "Albumentations 2.0.8, RandomFog", check = Self::check)]
pub struct RandomFog {
    /// How much of a disk is seen at full strength.
    #[plugin(default = 0.08, range = 0.0..=1.0)]
    pub alpha_coef: f64,
    /// Least and greatest strength.
    #[plugin(default = (0.3, 1.0), range = 0.0..=1.0)]
    pub fog_coef_range: (f64, f64),
}

/// What was decided.
#[state]
pub struct Fog {
    /// Centre and radius of each disk, in pixels.
    pub particles: Vec<(i64, i64, i64)>,
    /// The strength.
    pub intensity: f64,
}

impl RandomFog {
    fn check(&self, rules: &mut Rules) {
        if self.fog_coef_range.0 > self.fog_coef_range.1 {
            rules.refuse("fog_coef_range", "the smaller number comes first");
        }
    }
}

impl Augmentation for RandomFog {
    type Draw = Fog;

    fn draw(&self, rng: &mut Rng, row: &RowView<'_>) -> Result<Option<Fog>> {
        only_rgb("RandomFog", channels(row))?;
        let intensity = rng.range(self.fog_coef_range.0, self.fog_coef_range.1);
        let (w, h) = (row.size.0 as i64, row.size.1 as i64);
        let region = (((w / 3) as f64 * intensity) as i64).max(1);
        let greatest = ((w.min(h) as f64 * 0.1 * intensity) as i64).max(2);
        let least = (greatest / 2).max(1);
        let (cx, cy) = ((w - 1) / 2, (h - 1) / 2);
        let (mut width, mut height) = (w, h);
        let mut particles = Vec::new();
        for _ in 0..10 {
            if width <= region || height <= region {
                break;
            }
            let count = ((width * height) as f64 / (region * region) as f64 * intensity * 10.0) as usize;
            for _ in 0..count {
                let x = whole(rng, cx - width / 2, cx + width / 2);
                let y = whole(rng, cy - height / 2, cy + height / 2);
                particles.push((x, y, whole(rng, least, greatest - 1)));
            }
            (width, height) = ((width as f64 * 0.9) as i64, (height as f64 * 0.9) as i64);
        }
        Ok(Some(Fog { particles, intensity }))
    }

    fn touch(&self, draw: &Fog, image: &mut Image) -> Result<()> {
        only_rgb("RandomFog", image.channels)?;
        let alpha = self.alpha_coef * draw.intensity;
        let table: [u8; 256] = std::array::from_fn(|i| {
            (255.0 * alpha as f32 + i as f32 * (1.0 - alpha) as f32).round_ties_even().clamp(0.0, 255.0) as u8
        });
        as_bytes(image, |grid| {
            let (w, h) = (grid.width as i64, grid.height as i64);
            let mut disks: Vec<Option<Vec<i64>>> = Vec::new();
            for &(x, y, radius) in &draw.particles {
                let radius = radius.clamp(0, 10_000);
                if disks.len() <= radius as usize {
                    disks.resize(radius as usize + 1, None);
                }
                let reach = disks[radius as usize].get_or_insert_with(|| disk(radius));
                for dy in -radius..=radius {
                    let reach = reach[dy.unsigned_abs() as usize];
                    let (from, to) = ((x - reach).max(0), (x + reach + 1).min(w));
                    if (0..h).contains(&(y + dy)) && from < to {
                        let row = (y + dy) * w;
                        for sample in &mut grid.samples[3 * (row + from) as usize..3 * (row + to) as usize] {
                            *sample = table[usize::from(*sample)];
                        }
                    }
                }
            }
            let size = (grid.width.min(grid.height) / 30).max(3) | 1;
            symmetric_bytes(grid, &gaussian(size, 0.0));
            Ok(())
        })
    }

    fn touches(&self) -> bool {
        true
    }

    fn default_p(&self) -> f64 {
        0.5
    }
}
