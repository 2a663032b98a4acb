use pleach_core::kinds::metric::Part;
use pleach_core::{Better, DataInfo, Error, Metric, Named, Result, Row, plugin, state};

/// The Brier score: how far predicted probabilities are from what is true, 0 to 2; less is better.
///
/// The mean over samples of `sum over classes (p - t)^2`, with t 1 for the true class and 0 for the others. Unlike
/// accuracy it sees whether a net is too sure of itself.
#[plugin(metric, cite = "doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2")]
pub struct BrierScore {}

/// What has been added up.
#[state]
pub struct Squares {
    sum: f64,
    samples: u64,
}

impl Metric for BrierScore {
    type State = Squares;

    fn start(&self, _: &DataInfo) -> Squares {
        Squares { sum: 0.0, samples: 0 }
    }

    fn update(&self, state: &mut Squares, predicted: &Row, truth: &Row) -> Result<()> {
        let (scores, class) = (&predicted.labels.scores, truth.labels.class.map(|c| c as usize));
        let Some(of_class) = class.and_then(|c| scores.get(c)) else {
            return Err(Error::new("PL0302", format!("class {class:?} of `{}` has no probability", truth.id.key)));
        };
        state.sum += scores.iter().map(|&p| f64::from(p).powi(2)).sum::<f64>() + 1.0 - 2.0 * f64::from(*of_class);
        state.samples += 1;
        Ok(())
    }

    fn merge(&self, state: &mut Squares, other: Squares) {
        state.sum += other.sum;
        state.samples += other.samples;
    }

    fn values(&self, state: &Squares) -> Named<f64> {
        Named::one("brier_score", state.sum / state.samples as f64)
    }

    fn better(&self) -> Better {
        Better::Lower
    }

    fn reads(&self) -> Part {
        Part::Labels
    }
}
