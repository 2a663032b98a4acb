use pleach_core::kinds::metric::Part;
use pleach_core::{Better, DataInfo, Metric, Named, Result, Row, plugin, state};

/// The share of samples whose class is predicted right, with a probability of at least `sure`.
#[plugin(metric)]
pub struct MyPlugin {
    /// The least probability with which a right prediction counts.
    #[plugin(default = 0.5, range = 0.0..=1.0)]
    pub sure: f32,
}

/// Sums and counts alone: what two workers have seen is added up.
#[state]
pub struct Counts {
    right: u64,
    all: u64,
}

impl Metric for MyPlugin {
    type State = Counts;

    fn start(&self, _: &DataInfo) -> Counts {
        Counts { right: 0, all: 0 }
    }

    fn update(&self, state: &mut Counts, predicted: &Row, truth: &Row) -> Result<()> {
        let labels = &predicted.labels;
        let sure = labels.class.and_then(|c| labels.scores.get(c as usize)).is_some_and(|p| *p >= self.sure);
        state.right += u64::from(sure && labels.class == truth.labels.class);
        state.all += 1;
        Ok(())
    }

    fn merge(&self, state: &mut Counts, other: Counts) {
        state.right += other.right;
        state.all += other.all;
    }

    fn values(&self, state: &Counts) -> Named<f64> {
        Named::one("my_plugin", state.right as f64 / state.all as f64)
    }

    fn better(&self) -> Better {
        Better::Higher
    }

    fn reads(&self) -> Part {
        Part::Labels
    }
}
