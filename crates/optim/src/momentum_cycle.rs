//! What the schedulers that cycle the momentum, too, ask of the optimizer.

use pleach_core::{Error, GroupRates, Result};

/// Whether every group has a momentum or a first beta.
///
/// # Errors
/// One has none.
pub(crate) fn check(scheduler: &str, now: &[GroupRates]) -> Result<()> {
    if now.iter().all(|g| g.momentum.is_some()) {
        return Ok(());
    }
    let text = format!("{scheduler} cycles the momentum, and the optimizer has neither momentum nor a first beta");
    Err(Error::new("PL0162", text).hint("write `cycle_momentum = false`, or take SGD or Adam"))
}
