use pleach_core::{GroupRates, Plan, Result, Scheduler, Tick, plugin, state};

/// Multiplies the rate by `factor` every `patience` ticks.
#[plugin(scheduler)]
pub struct MyPlugin {
    /// Ticks between two drops.
    #[plugin(default = 2, range = 1..)]
    pub patience: u64,
    /// What the rate is multiplied by, 0 to 1.
    #[plugin(default = 0.5, range = 0.0..=1.0)]
    pub factor: f64,
}

/// What is remembered from tick to tick.
#[state]
pub struct Waiting {
    ticks: u64,
}

impl Scheduler for MyPlugin {
    type State = Waiting;

    fn start(&self, _: &Plan, _: &mut [GroupRates]) -> Result<Waiting> {
        Ok(Waiting { ticks: 0 })
    }

    fn rate(&self, state: &mut Waiting, _: &Tick, now: &mut [GroupRates]) -> Result<()> {
        state.ticks += 1;
        if state.ticks >= self.patience {
            state.ticks = 0;
            now.iter_mut().for_each(|group| group.lr *= self.factor);
        }
        Ok(())
    }
}
