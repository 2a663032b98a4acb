use pleach_core::{GroupRates, Plan, Result, Scheduler, Tick, plugin, state};

/// Halves the learning rate after a number of ticks, once.
#[plugin(scheduler)]
pub struct HalveAt {
    /// The tick.
    #[plugin(example = 3)]
    pub tick: u64,
}

/// Whether it has happened.
#[state]
pub struct Halved(bool);

impl Scheduler for HalveAt {
    type State = Halved;

    fn start(&self, _: &Plan, _: &mut [GroupRates]) -> Result<Halved> {
        Ok(Halved(false))
    }

    fn rate(&self, state: &mut Halved, tick: &Tick, now: &mut [GroupRates]) -> Result<()> {
        if tick.count >= self.tick && !state.0 {
            state.0 = true;
            now.iter_mut().for_each(|g| g.lr *= 0.5);
        }
        Ok(())
    }
}
