use pleach_core::kinds::metric::Part;
use pleach_core::{Better, DataInfo, Metric, Named, Result, Row, plugin, state};

/// The share of samples whose class is predicted right.
#[plugin(metric)]
pub struct HitRate {}

/// Counts.
#[state]
pub struct Hits {
    right: u64,
    all: u64,
}

impl Metric for HitRate {
    type State = Hits;

    fn start(&self, _: &DataInfo) -> Hits {
        Hits { right: 0, all: 0 }
    }

    fn update(&self, state: &mut Hits, predicted: &Row, truth: &Row) -> Result<()> {
        state.all += 1;
        state.right += u64::from(predicted.labels.class == truth.labels.class);
        Ok(())
    }

    fn merge(&self, state: &mut Hits, other: Hits) {
        state.right += other.right;
        state.all += other.all;
    }

    fn values(&self, state: &Hits) -> Named<f64> {
        Named::one("hit_rate", state.right as f64 / state.all.max(1) as f64)
    }

    fn better(&self) -> Better {
        Better::Higher
    }

    fn reads(&self) -> Part {
        Part::Labels
    }
}
