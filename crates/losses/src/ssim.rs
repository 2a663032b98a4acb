//! One minus the structural similarity of images.

use crate::pointwise::{WANTS, inputs};
use crate::reduction::{Reduction, sum};
use pleach_core::read::Rules;
use pleach_core::{Error, Loss, LossInput, Result, Target, Tensor, Wants, plugin};
use pleach_ops::{Conv2d, conv2d};

/// One minus the structural similarity of images (N, C, H, W): 0 for equal ones, about 1 for unrelated ones.
///
/// `1 - SSIM`, SSIM being the mean over samples, channels and pixels of
/// `(2 m_x m_t + c1) (2 s_xt + c2) / ((m_x^2 + m_t^2 + c1) (s_xx + s_tt + c2))`, where m are means and s covariances in
/// a window about each pixel, borders mirrored, `c1 = (k1 data_range)^2` and `c2 = (k2 data_range)^2`. Variances are at
/// least 0. It equals one minus torchmetrics' `StructuralSimilarityIndexMeasure` and has its defaults, except that
/// `data_range` is given and never taken from a batch. (pytorch-msssim's differs: its window stays inside the image.)
#[plugin(
    loss,
    cite = [
        "doi:10.1109/TIP.2003.819861",
        "https://lightning.ai/docs/torchmetrics/stable/image/structural_similarity.html",
    ],
    check = Self::check
)]
pub struct SSIM {
    /// Whether the window is a Gaussian of `sigma`; otherwise all its `kernel_size` x `kernel_size` pixels count alike.
    #[plugin(default = true)]
    pub gaussian_kernel: bool,
    /// Standard deviation of the Gaussian, pixels; the window reaches 3.5 times as far.
    #[plugin(default = 1.5, above = 0.0)]
    pub sigma: f64,
    /// Side of the window that is not Gaussian, pixels; odd.
    #[plugin(default = 11, range = 1..)]
    pub kernel_size: usize,
    /// Keeps the quotient of means steady, as a share of the data's range.
    #[plugin(default = 0.01, above = 0.0)]
    pub k1: f64,
    /// Keeps the quotient of variances steady, as a share of the data's range.
    #[plugin(default = 0.03, above = 0.0)]
    pub k2: f64,
    /// The distance between the least and the greatest value that an image can have.
    #[plugin(default = 1.0, above = 0.0)]
    pub data_range: f64,
    /// Whether the loss is the mean over samples or their sum.
    #[plugin(default = Reduction::Mean)]
    pub reduction: Reduction,
}

impl SSIM {
    fn check(&self, rules: &mut Rules) {
        if self.kernel_size.is_multiple_of(2) {
            rules.refuse("kernel_size", "a window without a middle shifts the image: give an odd number");
        }
    }

    /// How far the window reaches from its middle, in pixels.
    fn reach(&self) -> usize {
        if self.gaussian_kernel { (3.5 * self.sigma + 0.5) as usize } else { self.kernel_size / 2 }
    }

    /// The window along one side; its sum is 1.
    fn window(&self) -> Vec<f64> {
        let reach = self.reach();
        let weight = |i: usize| match self.gaussian_kernel {
            true => (-0.5 * ((i as f64 - reach as f64) / self.sigma).powi(2)).exp(),
            false => 1.0,
        };
        let weights: Vec<f64> = (0..=2 * reach).map(weight).collect();
        let sum: f64 = weights.iter().sum();
        weights.iter().map(|w| w / sum).collect()
    }

    /// Means of planes (P, 1, H, W) in the window about each pixel.
    fn blurred(&self, planes: &Tensor) -> Result<Tensor> {
        let reach = self.reach();
        let size = 2 * reach + 1;
        let window = Tensor::from_vec(self.window(), size, planes.device())?.to_dtype(planes.dtype())?;
        let mut means = planes.clone();
        for (dim, shape) in [(2, (1, 1, size, 1)), (3, (1, 1, 1, size))] {
            let pixels = mirrored(means.dim(dim)?, reach);
            let wide = means.index_select(&Tensor::new(pixels, planes.device())?, dim)?;
            means = conv2d(&wide, &window.reshape(shape)?, None, &Conv2d::default())?;
        }
        Ok(means)
    }
}

/// The pixels of a side with so many more at both ends, which repeat those beside the first and the last.
fn mirrored(side: usize, reach: usize) -> Vec<u32> {
    let last = side - 1;
    (0..side + 2 * reach).map(|i| last.abs_diff(last.abs_diff(i.abs_diff(reach))) as u32).collect()
}

impl Loss for SSIM {
    fn wants(&self) -> Wants {
        WANTS
    }

    fn forward(&self, x: &LossInput<'_>) -> Result<Tensor> {
        let (x, t) = inputs(x, Target::Values)?;
        let reach = self.reach();
        let &[samples, channels, h, w] = x.dims() else {
            return Err(Error::new("PL0328", format!("a prediction of shape {:?} is no batch of images", x.dims()))
                .hint("similarity is that of images of shape (samples, channels, height, width)"));
        };
        if h <= reach || w <= reach {
            let text = format!("images of {h} x {w} pixels are too small for a window that reaches {reach} pixels far");
            let key = if self.gaussian_kernel { "sigma" } else { "kernel_size" };
            return Err(Error::new("PL0328", text).hint(format!("a smaller `{key}` has a smaller one")));
        }
        let planes = samples * channels;
        let (x, t) = (x.reshape((planes, 1, h, w))?, t.reshape((planes, 1, h, w))?);
        // Variances do not depend on what is 0; near the mean they lose nothing to rounding.
        let middle = t.mean_keepdim((2, 3))?;
        let (x, t) = (x.broadcast_sub(&middle)?, t.broadcast_sub(&middle)?);
        let stack = Tensor::cat(&[&x, &t, &x.sqr()?, &t.sqr()?, &(&x * &t)?], 0)?;
        let means = self.blurred(&stack)?;
        let part = |i: usize| means.narrow(0, i * planes, planes);
        let (mx, mt) = (part(0)?, part(1)?);
        let variance_x = (part(2)? - mx.sqr()?)?.relu()?;
        let variance_t = (part(3)? - mt.sqr()?)?.relu()?;
        let covariance = (part(4)? - (&mx * &mt)?)?;
        let (mx, mt) = (mx.broadcast_add(&middle)?, mt.broadcast_add(&middle)?);
        let (c1, c2) = ((self.k1 * self.data_range).powi(2), (self.k2 * self.data_range).powi(2));
        let above = ((((&mx * &mt)? * 2.0)? + c1)? * ((covariance * 2.0)? + c2)?)?;
        let below = (((mx.sqr()? + mt.sqr()?)? + c1)? * ((variance_x + variance_t)? + c2)?)?;
        let unlike = (1.0 - (above / below)?)?;
        let places = unlike.elem_count() as f64;
        let scale = match self.reduction {
            Reduction::Mean => 1.0 / places,
            Reduction::Sum => samples as f64 / places,
        };
        Ok((sum(&unlike)? * scale)?.to_dtype(unlike.dtype())?)
    }
}
