//! EMA: an exponential moving average of the weights, which evaluation uses in their place.

use candle_core::{CpuStorage, CustomOp2, Layout, Shape};
use pleach_core::kinds::observer::RunInfo;
use pleach_core::{Control, DType, Device, Error, Event, Observer, Result, Saved, Tensor, Watcher, plugin};
use pleach_core::{saved, state};
use std::collections::BTreeMap;

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
}

impl Observer for EMA {
    fn start(&self, _: &RunInfo) -> Result<Box<dyn Watcher>> {
        Ok(Box::new(Running { ema: self.clone(), updates: Updates { done: 0 }, average: BTreeMap::new() }))
    }
}

struct Running {
    ema: EMA,
    updates: Updates,
    average: BTreeMap<String, Tensor>,
}

/// The state beside the averages themselves.
#[state]
struct Updates {
    done: u64,
}

impl Running {
    fn update(&mut self, control: &Control<'_>) -> Result<()> {
        let share = 1.0 - self.ema.kept(self.updates.done);
        let mut next = BTreeMap::new();
        for (name, weight) in control.params.iter() {
            let now = weight.var().as_detached_tensor();
            let average = if weight.is_buffer() || self.updates.done == 0 {
                now.copy()?
            } else {
                let old = self.average.get(name).ok_or_else(|| {
                    Error::new("PL0204", format!("the average of the weights has no `{name}`"))
                        .hint("the averages of a checkpoint are in its ema.safetensors")
                })?;
                blend(old, &now, share)?
            };
            next.insert(name.to_owned(), average);
        }
        self.average = next;
        self.updates.done += 1;
        Ok(())
    }
}

impl Watcher for Running {
    fn on(&mut self, event: &Event<'_>, control: &mut Control<'_>) -> Result<()> {
        match *event {
            Event::Step { step, .. } if step >= self.ema.start_step && step.is_multiple_of(self.ema.every_n_steps) => {
                self.update(control)
            }
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

    fn restore_weights(&mut self, weights: BTreeMap<String, Tensor>) -> Result<()> {
        self.average = weights;
        Ok(())
    }
}

/// `old + share (now - old)`: in one pass over slices where there are some.
fn blend(old: &Tensor, now: &Tensor, share: f64) -> Result<Tensor> {
    let slices = matches!(old.device(), Device::Cpu)
        && old.dtype() == now.dtype()
        && matches!(old.dtype(), DType::F32 | DType::F64)
        && old.is_contiguous()
        && now.is_contiguous();
    if slices {
        return Ok(old.apply_op2_no_bwd(now, &Blend { share })?);
    }
    let far = (now - old)?.affine(share, 0.0)?;
    Ok((old + far)?)
}

struct Blend {
    share: f64,
}

impl CustomOp2 for Blend {
    fn name(&self) -> &'static str {
        "moving-average"
    }

    fn cpu_fwd(
        &self,
        old: &CpuStorage,
        old_layout: &Layout,
        now: &CpuStorage,
        now_layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let part = |l: &Layout| l.start_offset()..l.start_offset() + l.shape().elem_count();
        let (a, b) = (part(old_layout), part(now_layout));
        let blended = match (old, now) {
            (CpuStorage::F32(old), CpuStorage::F32(now)) => {
                let share = self.share as f32;
                let pairs = old.get(a).into_iter().flatten().zip(now.get(b).into_iter().flatten());
                CpuStorage::F32(pairs.map(|(o, n)| o + share * (n - o)).collect())
            }
            (CpuStorage::F64(old), CpuStorage::F64(now)) => {
                let pairs = old.get(a).into_iter().flatten().zip(now.get(b).into_iter().flatten());
                CpuStorage::F64(pairs.map(|(o, n)| o + self.share * (n - o)).collect())
            }
            _ => candle_core::bail!("a moving average of slices is of f32 or f64"),
        };
        Ok((blended, old_layout.shape().clone()))
    }
}
