//! The structural similarity of predicted images.

use crate::exact::ExactMean;
use crate::pairs;
use pleach_core::image::Image;
use pleach_core::kinds::metric::Part;
use pleach_core::read::Rules;
use pleach_core::{Better, DataInfo, Error, Metric, Named, Result, Row, plugin};

/// The structural similarity of predicted images.
///
/// The mean over pixels and channels of (2 mu_p mu_t + c1)(2 cov + c2) / ((mu_p^2 + mu_t^2 + c1)(var_p + var_t + c2)),
/// with moments in a window about each pixel, borders mirrored, c1 = (k1 range)^2 and c2 = (k2 range)^2; then the mean
/// over images. At most 1, for equal images; more is better. Equals torchmetrics' `StructuralSimilarityIndexMeasure`.
/// The value is called `ssim`; a split without images has none.
#[plugin(
    metric,
    alias = ["StructuralSimilarityIndexMeasure"],
    cite = "doi:10.1109/TIP.2003.819861",
    check = Self::check
)]
pub struct SSIM {
    /// Whether the window is a Gaussian of `sigma`; otherwise all its `kernel_size` x `kernel_size` pixels count alike.
    #[plugin(default = true)]
    pub gaussian_kernel: bool,
    /// Standard deviation of the Gaussian in pixels; the window reaches to 3.5 times as far.
    #[plugin(default = 1.5, above = 0.0)]
    pub sigma: f64,
    /// Pixels along a side of the window that is not Gaussian; an odd number.
    #[plugin(default = 11, range = 1..)]
    pub kernel_size: usize,
    /// The range of the numbers as they stand in the images (255, 1 ...). By default the white of the images' type, 255
    /// for 8 bits, 65535 for 16, 1 for floats, with both images scaled by their own; normalised images have no white,
    /// and need a number here.
    #[plugin(above = 0.0)]
    pub data_range: Option<f64>,
    /// Keeps the quotient of means from dividing by nothing.
    #[plugin(default = 0.01, range = 0.0..)]
    pub k1: f64,
    /// Keeps the quotient of variances from dividing by nothing.
    #[plugin(default = 0.03, range = 0.0..)]
    pub k2: f64,
}

impl Metric for SSIM {
    type State = ExactMean;

    fn start(&self, _: &DataInfo) -> ExactMean {
        ExactMean::default()
    }

    fn update(&self, state: &mut ExactMean, predicted: &Row, truth: &Row) -> Result<()> {
        let window = self.window();
        let reach = window.len() / 2;
        for (p, t) in pairs::images(predicted, truth)? {
            if t.width <= reach || t.height <= reach {
                let (w, h, key) = (t.width, t.height, &truth.id.key);
                return Err(Error::new("PL0330", format!("an image of sample `{key}` is {w}x{h}, too small for SSIM"))
                    .hint(format!("its window reaches {reach} pixels far; a smaller `sigma` has a smaller one")));
            }
            let guess = pairs::pixels(p, self.data_range, "PL0230", truth)?;
            let right = pairs::pixels(t, self.data_range, "PL0330", truth)?;
            let value = self.similarity(t, &guess, &right, &window);
            if value.is_finite() {
                state.add(value);
            }
        }
        Ok(())
    }

    fn merge(&self, state: &mut ExactMean, other: ExactMean) {
        state.merge(&other);
    }

    fn values(&self, state: &ExactMean) -> Named<f64> {
        state.value().map(|v| ("ssim", v)).into_iter().collect()
    }

    fn names(&self, _: &DataInfo) -> Vec<String> {
        vec!["ssim".to_owned()]
    }

    fn better(&self) -> Better {
        Better::Higher
    }

    fn reads(&self) -> Part {
        Part::Frames
    }
}

impl SSIM {
    fn check(&self, rules: &mut Rules) {
        if self.kernel_size.is_multiple_of(2) {
            rules.refuse("kernel_size", "a window has a middle only if its size is odd");
        }
    }

    /// The weights along one side of the window, which sum to 1.
    fn window(&self) -> Vec<f64> {
        if !self.gaussian_kernel {
            return vec![1.0 / self.kernel_size as f64; self.kernel_size];
        }
        let reach = (3.5 * self.sigma + 0.5) as i64;
        let raw: Vec<f64> = (-reach..=reach).map(|d| (-(d as f64 / self.sigma).powi(2) / 2.0).exp()).collect();
        let sum: f64 = raw.iter().sum();
        raw.into_iter().map(|w| w / sum).collect()
    }

    /// The mean over all pixels and channels of two images of the size of `image`.
    fn similarity(&self, image: &Image, p: &[f64], t: &[f64], window: &[f64]) -> f64 {
        let (width, height) = (image.width, image.height);
        let range = self.data_range.unwrap_or(1.0);
        let (c1, c2) = ((self.k1 * range).powi(2), (self.k2 * range).powi(2));
        let mut sum = 0.0;
        for channel in 0..image.channels {
            let plane = |all: &[f64]| all.iter().skip(channel).step_by(image.channels).copied().collect::<Vec<f64>>();
            let (p, t) = (plane(p), plane(t));
            let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).collect::<Vec<f64>>();
            let smooth = |plane: &[f64]| blur(&blur(plane, width, window), height, window);
            let (mean_p, mean_t) = (smooth(&p), smooth(&t));
            let (pp, tt, pt) = (smooth(&product(&p, &p)), smooth(&product(&t, &t)), smooth(&product(&p, &t)));
            let moments = mean_p.iter().zip(&mean_t).zip(pp.iter().zip(&tt).zip(&pt));
            for ((mp, mt), ((pp, tt), pt)) in moments {
                let (var_p, var_t) = ((pp - mp * mp).max(0.0), (tt - mt * mt).max(0.0));
                let upper = (2.0 * mp * mt + c1) * (2.0 * (pt - mp * mt) + c2);
                sum += upper / ((mp * mp + mt * mt + c1) * (var_p + var_t + c2));
            }
        }
        sum / p.len() as f64
    }
}

/// Weighted means along lines of `length`, borders mirrored without the border itself; the result is transposed.
fn blur(plane: &[f64], length: usize, window: &[f64]) -> Vec<f64> {
    let (reach, lines) = (window.len() / 2, plane.len() / length.max(1));
    let mut out = vec![0.0; plane.len()];
    let mut padded: Vec<f64> = Vec::with_capacity(length + 2 * reach);
    for (y, line) in plane.chunks_exact(length.max(1)).enumerate() {
        padded.clear();
        padded.extend(line.iter().skip(1).take(reach).rev());
        padded.extend(line);
        padded.extend(line.iter().rev().skip(1).take(reach));
        for (x, near) in padded.windows(window.len()).enumerate() {
            if let Some(out) = out.get_mut(x * lines + y) {
                *out = near.iter().zip(window).map(|(v, w)| v * w).sum();
            }
        }
    }
    out
}
