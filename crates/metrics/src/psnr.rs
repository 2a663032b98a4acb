//! The peak signal-to-noise ratio of predicted images.

use crate::exact::ExactSum;
use crate::pairs;
use pleach_core::kinds::metric::Part;
use pleach_core::{Better, DataInfo, Metric, Named, Result, Row, plugin, state};

/// The peak signal-to-noise ratio of predicted images.
///
/// 10 log_base(data_range^2 / mean squared error), over the samples of all images together, in decibels; more is
/// better. Equals torchmetrics' `PeakSignalNoiseRatio`; the mean over images, as papers on restoration have it, is `per
/// = "sample"`. Images without any error have an infinite one. The value is called `psnr`; a split without images has
/// none.
#[plugin(metric, alias = ["PeakSignalNoiseRatio"])]
pub struct PSNR {
    /// The range of the numbers as they stand in the images (255, 1 ...). By default the white of the images' type, 255
    /// for 8 bits, 65535 for 16, 1 for floats, with both images scaled by their own; normalised images have no white,
    /// and need a number here.
    #[plugin(above = 0.0)]
    pub data_range: Option<f64>,
    /// The base of the logarithm; decibels are of base 10.
    #[plugin(default = 10.0, above = 1.0)]
    pub base: f64,
}

/// The squared errors of all samples of all images.
#[state]
#[derive(Default)]
pub struct SquaredErrors {
    sum: ExactSum,
    count: u64,
}

impl Metric for PSNR {
    type State = SquaredErrors;

    fn start(&self, _: &DataInfo) -> SquaredErrors {
        SquaredErrors::default()
    }

    fn update(&self, state: &mut SquaredErrors, predicted: &Row, truth: &Row) -> Result<()> {
        for (p, t) in pairs::images(predicted, truth)? {
            let p = pairs::pixels(p, self.data_range, "PL0230", truth)?;
            let t = pairs::pixels(t, self.data_range, "PL0330", truth)?;
            state.sum.add(p.iter().zip(&t).map(|(p, t)| (p - t).powi(2)).sum());
            state.count += t.len() as u64;
        }
        Ok(())
    }

    fn merge(&self, state: &mut SquaredErrors, other: SquaredErrors) {
        state.sum.merge(&other.sum);
        state.count += other.count;
    }

    fn values(&self, state: &SquaredErrors) -> Named<f64> {
        if state.count == 0 {
            return Named::new();
        }
        let error = state.sum.value() / state.count as f64;
        let range = self.data_range.unwrap_or(1.0);
        Named::one("psnr", 10.0 * (range * range / error).ln() / self.base.ln())
    }

    fn names(&self, _: &DataInfo) -> Vec<String> {
        vec!["psnr".to_owned()]
    }

    fn better(&self) -> Better {
        Better::Higher
    }

    fn reads(&self) -> Part {
        Part::Frames
    }

    fn unit(&self) -> &'static str {
        "dB"
    }
}
