//! The noise of a camera's sensor.

use super::grid::{as_floats, channels, only_rgb};
use super::noise::{Noise, normal, quantiles};
use pleach_core::image::Image;
use pleach_core::read::Rules;
use pleach_core::{Augmentation, Result, Rng, RowView, plugin, state};

/// In hue, lightness and saturation: `h + color_shift intensity z` in degrees and `l + intensity k (1 - l)`, with `z`
/// normal and `k` a Poisson number whose mean is `intensity` times the standard deviation of the image's lightness.
///
/// Follows `ISONoise` of Albumentations 2.0.8, in single precision. The numbers are others: a function of the draw's
/// seed and the pixel's place. It needs the deviation of the whole image, so it is done on the host.
#[plugin(augmentation, cite = "Albumentations 2.0.8, ISONoise", check = Self::check)]
pub struct ISONoise {
    /// Least and greatest deviation of the hue.
    #[plugin(default = (0.01, 0.05), range = 0.0..=1.0)]
    pub color_shift: (f64, f64),
    /// Least and greatest strength.
    #[plugin(default = (0.1, 0.5), range = 0.0..)]
    pub intensity: (f64, f64),
}

/// What was decided.
#[state]
pub struct Grain {
    /// The deviation of the hue.
    pub color_shift: f64,
    /// The strength.
    pub intensity: f64,
    /// What the noise is made from.
    pub seed: u64,
}

impl ISONoise {
    fn check(&self, rules: &mut Rules) {
        for (key, (low, high)) in [("color_shift", self.color_shift), ("intensity", self.intensity)] {
            if low > high {
                rules.refuse(key, "the smaller number comes first");
            }
        }
    }
}

/// OpenCV's `COLOR_RGB2HLS` of floats, the hue in twelfths of the circle.
#[inline(always)]
fn to_hls([r, g, b]: [f32; 3]) -> [f32; 3] {
    let (high, low) = (r.max(g).max(b), r.min(g).min(b));
    let (range, sum) = (high - low, high + low);
    let lightness = sum * 0.5;
    if range <= f32::EPSILON {
        return [0.0, lightness, 0.0];
    }
    let saturation = if lightness < 0.5 { range / sum } else { range / (2.0 - sum) };
    let third = if high == g { (b - r) / range + 2.0 } else { (r - g) / range + 4.0 };
    let sixths = if high == r { (g - b) / range } else { third };
    [sixths * 2.0, lightness, saturation]
}

/// The way back; any hue.
#[inline(always)]
fn from_hls([hue, lightness, saturation]: [f32; 3]) -> [f32; 3] {
    let hue = hue - 12.0 * (hue * (1.0 / 12.0)).floor();
    let amplitude = saturation * lightness.min(1.0 - lightness);
    let channel = |from: f32| {
        let k = from + hue;
        let k = if k >= 12.0 { k - 12.0 } else { k };
        lightness - amplitude * (k - 3.0).min(9.0 - k).clamp(-1.0, 1.0)
    };
    [channel(0.0), channel(8.0), channel(4.0)]
}

/// The bounds of 16 random bits below which a Poisson number is 0, 1, ...
fn poisson(mean: f64) -> Vec<u32> {
    let (mut share, mut sum) = ((-mean).exp(), 0.0);
    let mut bounds = Vec::new();
    for k in 1..=256 {
        sum += share;
        bounds.push((sum * 65536.0).round() as u32);
        if sum > 1.0 - 1e-6 {
            break;
        }
        share *= mean / f64::from(k);
    }
    bounds
}

impl Augmentation for ISONoise {
    type Draw = Grain;

    fn draw(&self, rng: &mut Rng, row: &RowView<'_>) -> Result<Option<Grain>> {
        only_rgb("ISONoise", channels(row))?;
        let color_shift = rng.range(self.color_shift.0, self.color_shift.1);
        let intensity = rng.range(self.intensity.0, self.intensity.1);
        Ok(Some(Grain { color_shift, intensity, seed: rng.next_u64() }))
    }

    fn touch(&self, draw: &Grain, image: &mut Image) -> Result<()> {
        only_rgb("ISONoise", image.channels)?;
        as_floats(image, |grid| {
            let pixels = grid.samples.as_chunks_mut::<3>().0;
            let n = pixels.len();
            let (mut sum, mut squares) = (0.0, 0.0);
            for pixel in pixels.iter_mut() {
                *pixel = to_hls(*pixel);
                let lightness = f64::from(pixel[1]);
                (sum, squares) = (sum + lightness, squares + lightness * lightness);
            }
            let mean = sum / n as f64;
            let deviation = (squares / n as f64 - mean * mean).max(0.0).sqrt();
            let strength = draw.intensity as f32;
            let hue = (draw.color_shift * draw.intensity / 30.0 / 4096.0) as f32;
            let table = quantiles();
            Noise { seed: draw.seed, kind: 0 }.each(n, |first, bits| {
                for (pixel, &bits) in pixels[first..].iter_mut().zip(bits) {
                    pixel[0] += hue * normal(bits, table) as f32;
                }
            });
            let bounds = poisson(deviation * draw.intensity);
            Noise { seed: draw.seed, kind: 1 }.each(n, |first, bits| {
                for (pixel, &bits) in pixels[first..].iter_mut().zip(bits) {
                    let count = bounds.iter().take_while(|&&bound| u32::from(bits) >= bound).count();
                    pixel[1] = (pixel[1] + count as f32 * strength * (1.0 - pixel[1])).clamp(0.0, 1.0);
                    *pixel = from_hls(*pixel).map(|x| x.clamp(0.0, 1.0));
                }
            });
            Ok(())
        })
    }

    fn reduces(&self) -> bool {
        true
    }

    fn touches(&self) -> bool {
        true
    }

    fn default_p(&self) -> f64 {
        0.5
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hue_lightness_and_saturation_lead_back() {
        for i in 0..1000_u32 {
            let pixel = [i % 10, i / 10 % 10, i / 100].map(|x| x as f32 / 9.0);
            let back = from_hls(to_hls(pixel));
            assert!(pixel.iter().zip(back).all(|(a, b)| (a - b).abs() < 1e-5), "{pixel:?} {back:?}");
        }
    }

    #[test]
    fn poisson_numbers_have_their_mean() {
        for mean in [0.0, 0.05, 1.0, 7.5] {
            let bounds = poisson(mean);
            let sum: f64 = bounds.iter().map(|&b| 1.0 - f64::from(b) / 65536.0).sum();
            assert!((sum - mean).abs() < 1e-3 * (1.0 + mean), "{mean}: {sum}");
        }
    }
}
