//! Bends the picture like a cloth.

use crate::geometry::smooth::gaussian;
use crate::{BorderMode, PerChannel};
use pleach_core::rng::{Purpose, Stream};
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
/// which Albumentations approximates through masks.
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
    fn noise(&self, seed: u64, lane: u32, (w, h): (usize, usize)) -> Vec<f32> {
        let mut rng = Rng::new(seed, Purpose::Augment, Stream { frame: lane, ..Stream::default() });
        let mut all: Vec<f32> = match self.noise_distribution {
            NoiseDistribution::Gaussian => (0..w * h).map(|_| rng.normal() as f32).collect(),
            NoiseDistribution::Uniform => (0..w * h).map(|_| rng.range(-1.0, 1.0) as f32).collect(),
        };
        if matches!(self.noise_distribution, NoiseDistribution::Gaussian) {
            let most = all.iter().fold(0f32, |m, v| m.max(v.abs()));
            if most > 1e-6 {
                all.iter_mut().for_each(|v| *v /= most);
            }
        }
        // OpenCV's size of a kernel for floats: four deviations on each side.
        let radius = if self.approximate { 8 } else { (self.sigma * 4.0).round() as usize };
        gaussian(&mut all, (w, h), self.sigma, radius);
        all.iter_mut().for_each(|v| *v *= self.alpha as f32);
        all
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
        let by = |all: &[f32], x: usize, y: usize| f64::from(all.get(y * size.0 + x).copied().unwrap_or(0.0));
        let field = Field::new(size, |x, y| [x as f64 + by(&dx, x, y), y as f64 + by(&dy, x, y)]).ok()?;
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
