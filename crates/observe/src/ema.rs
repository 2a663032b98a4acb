//! EMA: an exponential moving average of the weights, which evaluation uses in their place.

use pleach_core::kinds::observer::RunInfo;
use pleach_core::{Control, Error, Event, Follow, Observer, Result, Saved, Tensor, Watcher, follow, plugin};
use pleach_core::{saved, state};
use std::collections::{BTreeMap, BTreeSet};

/// An exponential moving average of the weights: `average = d average + (1 - d) weight` after each
/// optimizer step, where `d` is `decay`. The first update copies the weights. Buffers (running
/// statistics) are copied as they are. Evaluation, checkpoints and exports use the average.
///
/// The values are those of PyTorch's `AveragedModel` with `get_ema_multi_avg_fn(decay)`.
#[plugin(observer, alias = ["ExponentialMovingAverage"], cite = "Polyak and Juditsky, 1992")]
pub struct EMA {
    /// Share of the old average that an update keeps; 0.999 averages about the last 1000 updates.
    #[plugin(default = 0.999, range = 0.0..=1.0)]
    pub decay: f64,
    /// Keeps less in the beginning: `min(decay, (1 + n) / (10 + n))` at update `n`, counted from 0.
    #[plugin(default = false)]
    pub use_num_updates: bool,
    /// Optimizer steps between two updates.
    #[plugin(default = 1, range = 1..)]
    pub every_n_steps: u64,
    /// The first step whose weights count; until then evaluation uses the weights themselves.
    #[plugin(default = 0)]
    pub start_step: u64,
}

impl EMA {
    /// Share of the old average that the update keeps of which `done` came before.
    fn kept(&self, done: u64) -> f64 {
        let n = done as f64;
        if self.use_num_updates { self.decay.min((1.0 + n) / (10.0 + n)) } else { self.decay }
    }

    /// Whether a step makes an update.
    fn counts(&self, step: u64) -> bool {
        step >= self.start_step && step.is_multiple_of(self.every_n_steps)
    }
}

impl Observer for EMA {
    fn start(&self, _: &RunInfo) -> Result<Box<dyn Watcher>> {
        let (average, moved) = (BTreeMap::new(), BTreeSet::new());
        Ok(Box::new(Running { ema: self.clone(), updates: Updates { done: 0 }, average, moved }))
    }
}

struct Running {
    ema: EMA,
    updates: Updates,
    average: BTreeMap<String, Tensor>,
    /// Those that the optimizer has moved in the step whose event is to come.
    moved: BTreeSet<String>,
}

/// The state beside the averages themselves.
#[state]
struct Updates {
    done: u64,
}

impl Running {
    fn update(&mut self, control: &Control<'_>) -> Result<()> {
        let share = 1.0 - self.ema.kept(self.updates.done);
        let moved = std::mem::take(&mut self.moved);
        for (name, weight) in control.params.iter().filter(|(name, _)| !moved.contains(*name)) {
            let now = weight.var().as_detached_tensor();
            let average = if weight.is_buffer() || self.updates.done == 0 {
                now.copy()?
            } else {
                let old = self.average.get(name).ok_or_else(|| {
                    Error::new("PL0204", format!("the average of the weights has no `{name}`"))
                        .hint("the averages of a checkpoint are in its ema.safetensors")
                })?;
                follow(old, &now, share)?
            };
            self.average.insert(name.to_owned(), average);
        }
        self.updates.done += 1;
        Ok(())
    }
}

impl Watcher for Running {
    fn on(&mut self, event: &Event<'_>, control: &mut Control<'_>) -> Result<()> {
        match *event {
            Event::Step { step, .. } if self.ema.counts(step) => self.update(control),
            _ => Ok(()),
        }
    }

    fn save(&self) -> Result<Saved> {
        saved::save(&self.updates)
    }

    fn restore(&mut self, saved: &Saved) -> Result<()> {
        self.updates = saved::load(saved)?;
        Ok(())
    }

    fn weights(&self) -> Option<&BTreeMap<String, Tensor>> {
        (!self.average.is_empty()).then_some(&self.average)
    }

    fn follows(&self, step: u64) -> Option<Follow<'_>> {
        let now = self.updates.done > 0 && self.ema.counts(step);
        Follow::new(1.0 - self.ema.kept(self.updates.done), &self.average).filter(|_| now)
    }

    fn followed(&mut self, names: Vec<String>) {
        self.moved.extend(names);
    }

    fn restore_weights(&mut self, weights: BTreeMap<String, Tensor>) -> Result<()> {
        self.average = weights;
        Ok(())
    }
}
