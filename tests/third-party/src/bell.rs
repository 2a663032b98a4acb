use pleach_core::kinds::observer::RunInfo;
use pleach_core::{Control, Error, Event, Observer, Result, Saved, Watcher, plugin, saved};
use std::path::PathBuf;

/// Writes how many epochs it has heard of into `bell.txt`.
#[plugin(observer)]
pub struct Bell {}

struct Rung {
    file: PathBuf,
    times: u32,
}

impl Observer for Bell {
    fn start(&self, run: &RunInfo) -> Result<Box<dyn Watcher>> {
        Ok(Box::new(Rung { file: run.dir.join("bell.txt"), times: 0 }))
    }
}

impl Watcher for Rung {
    fn on(&mut self, event: &Event<'_>, _: &mut Control<'_>) -> Result<()> {
        if let Event::Epoch { .. } = event {
            self.times += 1;
            std::fs::write(&self.file, self.times.to_string()).map_err(|e| Error::new("PL0501", e.to_string()))?;
        }
        Ok(())
    }

    fn save(&self) -> Result<Saved> {
        saved::save(&self.times)
    }

    fn restore(&mut self, state: &Saved) -> Result<()> {
        self.times = saved::load(state)?;
        Ok(())
    }
}
