//! The observers of a run while it runs: events go out, wishes come back.

use pleach_core::kinds::observer::RunInfo;
use pleach_core::{Control, Error, Event, Follow, Observer, Params, Plug, Result, Saved, Tensor, Watcher};
use std::collections::BTreeMap;

/// All watchers in order, each under a key that outlives the process.
#[derive(Default)]
pub struct Watch {
    watchers: Vec<(String, Box<dyn Watcher>)>,
}

/// What watchers asked for.
#[derive(Debug, Default)]
pub struct Wishes {
    /// Why the run should end.
    pub stop: Option<String>,
    /// Lines for the person who watches.
    pub notes: Vec<String>,
}

impl Watch {
    /// Starts all observers.
    pub fn start(observers: &[Plug<dyn Observer>], run: &RunInfo) -> Result<Self> {
        let mut watchers = Vec::new();
        for (i, observer) in observers.iter().enumerate() {
            let name = observer.name();
            let watcher = observer.start(run).map_err(|e| e.context(format!("starting the observer {name}")))?;
            watchers.push((format!("{i}-{name}"), watcher));
        }
        Ok(Self { watchers })
    }

    /// Tells all of them what happened.
    pub fn tell(&mut self, event: &Event<'_>, params: &Params) -> Result<Wishes> {
        let mut control = Control { params, stop: None, notes: Vec::new() };
        for (key, watcher) in &mut self.watchers {
            watcher
                .on(event, &mut control)
                .map_err(|e| e.context(format!("the observer {key} was told of an event")))?;
        }
        Ok(Wishes { stop: control.stop, notes: control.notes })
    }

    /// The averages of the first that has some to move along with this step.
    pub fn follows(&self, step: u64) -> Option<Follow<'_>> {
        self.watchers.iter().find_map(|(_, watcher)| watcher.follows(step))
    }

    /// Tells it which were moved.
    pub fn followed(&mut self, step: u64, names: Vec<String>) {
        if let Some((_, watcher)) = self.watchers.iter_mut().find(|(_, watcher)| watcher.follows(step).is_some()) {
            watcher.followed(names);
        }
    }

    /// Their states as data.
    pub fn save(&self) -> Result<BTreeMap<String, Saved>> {
        self.watchers.iter().map(|(key, w)| Ok((key.clone(), w.save()?))).collect()
    }

    /// The averaged weights and who keeps them.
    pub fn weights(&self) -> Option<(&str, &BTreeMap<String, Tensor>)> {
        self.watchers.iter().find_map(|(key, w)| w.weights().map(|weights| (key.as_str(), weights)))
    }

    /// All of them go on from saved states.
    ///
    /// # Errors
    /// The observers of the run are not those of the checkpoint.
    pub fn restore(
        &mut self,
        saved: &BTreeMap<String, Saved>,
        averages: Option<(String, BTreeMap<String, Tensor>)>,
    ) -> Result<()> {
        for (key, watcher) in &mut self.watchers {
            let state = saved.get(key).ok_or_else(|| {
                Error::new("PL0507", format!("the checkpoint knows nothing of the observer {key}"))
                    .hint("a run goes on with the observers with which it began")
            })?;
            watcher.restore(state).map_err(|e| e.context(format!("restoring the observer {key}")))?;
        }
        if let Some((key, weights)) = averages
            && let Some((_, watcher)) = self.watchers.iter_mut().find(|(k, _)| *k == key)
        {
            watcher.restore_weights(weights)?;
        }
        Ok(())
    }
}
