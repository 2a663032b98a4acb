//! Schedulers side by side.

use crate::exponential_lr::ExponentialLR;
use crate::linear_lr::LinearLR;
use crate::sequential_lr::part;
use pleach_core::kinds::scheduler::{Part, Running};
use pleach_core::read::Rules;
use pleach_core::{DynScheduler, Error, GroupRates, Plan, Plug, Result, Saved, Tick, plugin, saved};
use std::any::Any;

/// Lets several schedulers change the rates at every tick, one after another.
///
/// Most change the rate as it stands, so that their factors multiply; those that set it (CyclicLR, OneCycleLR,
/// CosineAnnealingWarmRestarts) belong at the beginning.
#[plugin(scheduler, cite = "https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ChainedScheduler.html", check = Self::check)]
pub struct ChainedScheduler {
    /// The schedulers in order; the slot's `every` holds for all.
    #[plugin(example = vec![part(LinearLR::default()), part(ExponentialLR { gamma: 0.95 })])]
    pub schedulers: Vec<Plug<dyn DynScheduler>>,
}

impl ChainedScheduler {
    fn check(&self, rules: &mut Rules) {
        if self.schedulers.is_empty() {
            rules.refuse("schedulers", "at least one scheduler is needed");
        }
    }
}

/// All schedulers, started.
struct Chain(Vec<Running>);

/// It holds running schedulers, so its state is no plain value and the erased trait is written by hand.
impl DynScheduler for ChainedScheduler {
    fn start(&self, plan: &Plan, now: &mut [GroupRates]) -> Result<Box<dyn Any + Send>> {
        let mut chain = Vec::new();
        let mut part = Part { ticks: plan.own_ticks(), after_another: plan.part.is_some_and(|p| p.after_another) };
        for plug in &self.schedulers {
            chain.push(Running::start(plug, &plan.for_part(part), now)?);
            part.after_another = true;
        }
        Ok(Box::new(Chain(chain)))
    }

    fn rate(&self, state: &mut dyn Any, tick: &Tick, now: &mut [GroupRates]) -> Result<()> {
        let Some(Chain(chain)) = state.downcast_mut() else { return Ok(()) };
        chain.iter_mut().try_for_each(|scheduler| scheduler.rate(tick, now))
    }

    fn monitors(&self) -> Vec<String> {
        self.schedulers.iter().flat_map(|s| s.monitors()).collect()
    }

    fn goes_on(&self) -> bool {
        self.schedulers.iter().any(|s| s.goes_on())
    }

    fn save(&self, state: &dyn Any) -> Result<Saved> {
        let Chain(chain) = saved::own(state)?;
        saved::save(&chain.iter().map(Running::save).collect::<Result<Vec<_>>>()?)
    }

    fn restore(&self, saved: &Saved) -> Result<Box<dyn Any + Send>> {
        let states: Vec<Saved> = saved::load(saved)?;
        let (n, m) = (self.schedulers.len(), states.len());
        if n != m {
            return Err(Error::new("PL0204", format!("a state of {m} schedulers does not fit {n}"))
                .hint("was it saved by a run with other `schedulers`?"));
        }
        let chain = self.schedulers.iter().zip(&states).map(|(p, s)| Running::restore(p, s));
        Ok(Box::new(Chain(chain.collect::<Result<_>>()?)))
    }
}
