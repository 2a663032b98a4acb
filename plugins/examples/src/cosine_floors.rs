use pleach_core::quantity::Span;
use pleach_core::read::Rules;
use pleach_core::{GroupRates, Plan, Result, Scheduler, Tick, plugin};
use std::f64::consts::PI;

/// Cosine cycles, each with a floor of its own, above which it stays.
///
/// After t of the T ticks of a cycle the rate is `lr (floor + (1 - floor) (1 + cos(pi t / T)) / 2)`, with lr the group's
/// first rate; a new cycle begins at the top.
#[plugin(scheduler, cite = "arXiv:1608.03983", check = Self::check)]
pub struct CosineFloors {
    /// Length of a cycle in ticks, or "500 steps", "3 epochs", "10%".
    #[plugin(example = Span::Ticks(10))]
    pub cycle: Span,
    /// The floor of each cycle as a share of the first rate; the last one holds for all cycles after it.
    #[plugin(default = vec![0.1, 0.01, 0.001], range = 0.0..=1.0)]
    pub floors: Vec<f64>,
}

impl CosineFloors {
    fn check(&self, rules: &mut Rules) {
        if self.floors.is_empty() {
            rules.refuse("floors", "the first cycle needs a floor; 0 lets it fall to nothing");
        }
    }
}

impl Scheduler for CosineFloors {
    type State = u64;

    fn start(&self, plan: &Plan, _: &mut [GroupRates]) -> Result<u64> {
        Ok(plan.count("cycle", self.cycle)?.max(1))
    }

    fn rate(&self, length: &mut u64, tick: &Tick, now: &mut [GroupRates]) -> Result<()> {
        let cycle = usize::try_from(tick.count / *length).unwrap_or(usize::MAX);
        let floor = self.floors.get(cycle).or(self.floors.last()).copied().unwrap_or(0.0);
        let cosine = (PI * (tick.count % *length) as f64 / *length as f64).cos();
        now.iter_mut().for_each(|g| g.lr = g.initial_lr * (floor + (1.0 - floor) * (1.0 + cosine) / 2.0));
        Ok(())
    }
}
