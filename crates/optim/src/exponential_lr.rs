//! The learning rate along a geometric sequence.

use pleach_core::{GroupRates, Plan, Result, Scheduler, Tick, plugin};

/// Multiplies the learning rate by `gamma` at every tick.
#[plugin(
    scheduler,
    cite = "https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ExponentialLR.html"
)]
pub struct ExponentialLR {
    /// What the rate is multiplied by; above 1 it rises.
    #[plugin(example = 0.95, range = 0.0..)]
    pub gamma: f64,
}

impl Scheduler for ExponentialLR {
    type State = ();

    fn start(&self, _: &Plan, _: &mut [GroupRates]) -> Result<()> {
        Ok(())
    }

    fn rate(&self, (): &mut (), _: &Tick, now: &mut [GroupRates]) -> Result<()> {
        now.iter_mut().for_each(|g| g.lr *= self.gamma);
        Ok(())
    }
}
