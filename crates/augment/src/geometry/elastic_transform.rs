//! Bends the picture like a cloth.

use crate::geometry::smooth::gaussian;
use crate::pixel::noise::{Noise, normal, quantiles};
use crate::{BorderMode, PerChannel};
use pleach_core::warp::{Field, Interpolation};
use pleach_core::{Augmentation, Result, Rng, RowView, Warp, config, plugin, state};

/// Where the noise of an elastic field comes from.
#[config]
#[derive(Default)]
pub enum NoiseDistribution {
    /// Normal numbers, divided by the greatest magnitude among them.
    #[default]
    Gaussian,
    /// Uniform between -1 and 1.
    Uniform,
}

/// Moves every pixel by `alpha` times noise that a Gaussian of `sigma` pixels has smoothed (Simard, Steinkraus and Platt,
/// 2003), with probability 0.5 unless `p` says otherwise.
///
/// Follows `ElasticTransform` of Albumentations 2.0.8. Boxes, polygons and points move by the inverse of the field,
/// which Albumentations approximates through masks. There the noise of x and that of y are smoothed as one picture, one
/// above the other, so that each runs into the other at the edge; here each is smoothed by itself. torchvision's
/// defaults are `alpha = 50`, `sigma = 5`, and always.
#[plugin(augmentation, cite = "Albumentations 2.0.8, ElasticTransform")]
pub struct ElasticTransform {
    /// How far pixels move; the smoothing takes most of it away again.
    #[plugin(default = 1.0, range = 0.0..)]
    pub alpha: f64,
    /// Deviation of the Gaussian in pixels.
    #[plugin(default = 50.0, above = 0.0)]
    pub sigma: f64,
    /// How pixels between pixels are made; maps and masks always take the nearest.
    #[plugin(default = Interpolation::Bilinear)]
    pub interpolation: Interpolation,
    /// Albumentations' choice for masks; without effect here, where they take the nearest.
    #[plugin(idle)]
    pub mask_interpolation: Option<Interpolation>,
    /// Albumentations' choice of how key points move; without effect here: they move by the inverse of the field.
    #[plugin(idle)]
    pub keypoint_remapping_method: Option<String>,
    /// Whether the Gaussian is cut off to 17 pixels, whatever its deviation.
    #[plugin(default = false)]
    pub approximate: bool,
    /// Whether x and y move alike.
    #[plugin(default = false)]
    pub same_dxdy: bool,
    /// What the noise is.
    #[plugin(default = NoiseDistribution::Gaussian)]
    pub noise_distribution: NoiseDistribution,
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
pub struct Elastic {
    /// Of the noise.
    pub seed: u64,
}

impl ElasticTransform {
    fn noise(&self, seed: u64, kind: u32, (w, h): (usize, usize)) -> Vec<f32> {
        let mut all = Vec::with_capacity(w * h);
        let quantiles = quantiles();
        Noise { seed, kind }.each(w * h, |_, bits| match self.noise_distribution {
            NoiseDistribution::Gaussian => all.extend(bits.iter().map(|&b| normal(b, quantiles) as f32 / 4096.0)),
            NoiseDistribution::Uniform => all.extend(bits.iter().map(|&b| (f32::from(b) + 0.5) / 32768.0 - 1.0)),
        });
        self.smoothed(&mut all, (w, h));
        all
    }

    /// Noise as moves in pixels.
    fn smoothed(&self, all: &mut [f32], size: (usize, usize)) {
        if matches!(self.noise_distribution, NoiseDistribution::Gaussian) {
            let most = all.iter().fold(0f32, |m, v| m.max(v.abs()));
            if most > 1e-6 {
                all.iter_mut().for_each(|v| *v /= most);
            }
        }
        // OpenCV's size of a kernel for floats: four deviations on each side.
        let radius = if self.approximate { 8 } else { (self.sigma * 4.0).round() as usize };
        gaussian(all, size, self.sigma, radius);
        all.iter_mut().for_each(|v| *v *= self.alpha as f32);
    }
}

impl Augmentation for ElasticTransform {
    type Draw = Elastic;

    fn draw(&self, rng: &mut Rng, _: &RowView<'_>) -> Result<Option<Elastic>> {
        Ok(Some(Elastic { seed: rng.next_u64() }))
    }

    fn warp(&self, draw: &Elastic, size: (usize, usize)) -> Option<Warp> {
        let dx = self.noise(draw.seed, 0, size);
        let dy = if self.same_dxdy { dx.clone() } else { self.noise(draw.seed, 1, size) };
        let field = Field::of_rows(size, |y, row| {
            let by = |all: &[f32]| all[y * size.0..][..size.0].iter().map(|v| f64::from(*v)).collect::<Vec<_>>();
            for ((x, place), (dx, dy)) in row.iter_mut().enumerate().zip(by(&dx).into_iter().zip(by(&dy))) {
                *place = [(x as f64 + dx) as f32, (y as f64 + dy) as f32];
            }
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

#[cfg(test)]
mod tests {
    use super::*;
    use pleach_core::export::serde_json::{self, Value};

    #[test]
    fn given_noise_is_smoothed_as_albumentations_does() {
        let golden: Value = serde_json::from_str(include_str!("../../tests/golden/rows.json")).unwrap();
        let numbers = |v: &Value| v.as_array().unwrap().iter().map(|x| x.as_f64().unwrap() as f32).collect::<Vec<_>>();
        for case in golden["elastic"].as_array().unwrap() {
            let plugin = ElasticTransform {
                alpha: case["alpha"].as_f64().unwrap(),
                sigma: case["sigma"].as_f64().unwrap(),
                approximate: case["approximate"].as_bool().unwrap(),
                ..ElasticTransform::default()
            };
            let (mut moves, want) = (numbers(&case["noise"]), numbers(&case["dx"]));
            let width = case["width"].as_u64().unwrap() as usize;
            let height = moves.len() / width;
            plugin.smoothed(&mut moves, (width, height));
            let far = moves.iter().zip(&want).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(far < 1e-4 * plugin.alpha as f32, "{far}");
        }
    }
}
