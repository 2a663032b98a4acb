//! The mean absolute error of the scores of binary maps.

use crate::exact::ExactMean;
use crate::pairs;
use pleach_core::kinds::metric::Part;
use pleach_core::{Better, DataInfo, Metric, Named, Result, Row, plugin, state};

/// The mean absolute error of the scores of binary maps.
///
/// The mean over pixels of |probability of the foreground - 1 or 0|, of each map, and of these the mean over maps: what
/// papers on salient objects and polyps call MAE. A share, less is better. A map without a pixel that counts is left
/// out. The value is called `pixel_mae`.
#[plugin(metric)]
pub struct PixelMAE {
    /// Pixels of this true class count nowhere; by default those of the class that the data ignore.
    pub ignore_index: Option<u32>,
}

/// The mean over maps.
#[state]
pub struct MapErrors {
    ignore_index: Option<u32>,
    mean: ExactMean,
}

impl Metric for PixelMAE {
    type State = MapErrors;

    fn start(&self, data: &DataInfo) -> MapErrors {
        MapErrors { ignore_index: self.ignore_index.or(data.ignore_index), mean: ExactMean::default() }
    }

    fn update(&self, state: &mut MapErrors, predicted: &Row, truth: &Row) -> Result<()> {
        for (guess, map) in pairs::maps(predicted, truth)? {
            let pixels = pairs::scored_pixels(guess, map, state.ignore_index, truth)?;
            let errors =
                pixels.iter().map(|&(score, positive)| (f64::from(score) - f64::from(u8::from(positive))).abs());
            if let Some(error) = crate::confusion::mean(errors) {
                state.mean.add(error);
            }
        }
        Ok(())
    }

    fn merge(&self, state: &mut MapErrors, other: MapErrors) {
        state.mean.merge(&other.mean);
    }

    fn values(&self, state: &MapErrors) -> Named<f64> {
        state.mean.value().map(|v| ("pixel_mae", v)).into_iter().collect()
    }

    fn names(&self, _: &DataInfo) -> Vec<String> {
        vec!["pixel_mae".to_owned()]
    }

    fn better(&self) -> Better {
        Better::Lower
    }

    fn reads(&self) -> Part {
        Part::Maps
    }
}
