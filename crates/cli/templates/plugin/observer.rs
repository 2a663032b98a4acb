use pleach_core::kinds::observer::RunInfo;
use pleach_core::{Control, Event, Observer, Result, Saved, Watcher, plugin, saved};

/// Ends the run when the training loss is below a limit.
#[plugin(observer)]
pub struct MyPlugin {
    /// The limit.
    #[plugin(default = 0.001, range = 0.0..)]
    pub limit: f64,
}

impl Observer for MyPlugin {
    fn start(&self, _: &RunInfo) -> Result<Box<dyn Watcher>> {
        Ok(Box::new(Watch { limit: self.limit, below: 0 }))
    }
}

struct Watch {
    limit: f64,
    below: u32,
}

impl Watcher for Watch {
    fn on(&mut self, event: &Event<'_>, control: &mut Control<'_>) -> Result<()> {
        if let Event::Epoch { metrics, .. } = event
            && metrics.get("train_loss").is_some_and(|loss| *loss < self.limit)
        {
            self.below += 1;
            control.stop = Some(format!("the training loss is below {}", self.limit));
        }
        Ok(())
    }

    fn save(&self) -> Result<Saved> {
        saved::save(&self.below)
    }

    fn restore(&mut self, state: &Saved) -> Result<()> {
        self.below = saved::load(state)?;
        Ok(())
    }
}
