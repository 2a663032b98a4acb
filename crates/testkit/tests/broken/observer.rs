//! Observers that break a law.

use pleach_core::kinds::observer::RunInfo;
use pleach_core::*;

pub const BREAKS: &[(&str, &[&str])] = &[("Amnesiac", &["observer saved"])];

/// Stops after three epochs and does not remember how many there were.
#[plugin(observer)]
struct Amnesiac {}

struct Epochs(u32);

impl Watcher for Epochs {
    fn on(&mut self, event: &Event<'_>, control: &mut Control<'_>) -> Result<()> {
        if let Event::Epoch { .. } = event {
            self.0 += 1;
            if self.0 == 3 {
                control.stop = Some("three epochs are enough".into());
            }
        }
        Ok(())
    }
}

impl Observer for Amnesiac {
    fn start(&self, _: &RunInfo) -> Result<Box<dyn Watcher>> {
        Ok(Box::new(Epochs(0)))
    }
}
