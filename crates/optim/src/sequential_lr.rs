//! Schedulers one after another.

use crate::cosine_annealing_lr::CosineAnnealingLR;
use crate::linear_lr::LinearLR;
use pleach_core::kinds::scheduler::{Running, Tagged};
use pleach_core::quantity::Span;
use pleach_core::read::Rules;
use pleach_core::{DynScheduler, Error, GroupRates, Plan, Plug, Result, Saved, Tick, plugin, saved, state};
use std::any::Any;

/// Runs schedulers one after another; at each milestone the next begins, from the rate that it would have begun training with.
#[plugin(scheduler, cite = "https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.SequentialLR.html", check = Self::check)]
pub struct SequentialLR {
    /// The schedulers in order; the slot's `every` holds for all.
    #[plugin(example = vec![
        part(LinearLR { total_iters: Span::Ticks(5), ..LinearLR::default() }),
        part(CosineAnnealingLR { T_max: Span::Ticks(45), eta_min: 0.0 }),
    ])]
    pub schedulers: Vec<Plug<dyn DynScheduler>>,
    /// Ticks at which the next scheduler begins, one fewer than schedulers; or "500 steps", "3 epochs", "10%".
    #[plugin(example = vec![Span::Ticks(5)])]
    pub milestones: Vec<Span>,
}

impl SequentialLR {
    fn check(&self, rules: &mut Rules) {
        if self.schedulers.is_empty() {
            rules.refuse("schedulers", "at least one scheduler is needed");
        } else if self.milestones.len() + 1 != self.schedulers.len() {
            let (n, m) = (self.schedulers.len(), self.milestones.len());
            rules.refuse("milestones", format!("{n} schedulers need {} milestones, not {m}", n - 1));
        }
        let falls = |pair: &[Span]| match pair {
            [Span::Ticks(a), Span::Ticks(b)] | [Span::Steps(a), Span::Steps(b)] => a > b,
            [Span::Epochs(a), Span::Epochs(b)] | [Span::Percent(a), Span::Percent(b)] => a > b,
            _ => false,
        };
        if self.milestones.windows(2).any(falls) {
            rules.refuse("milestones", "milestones must rise");
        }
    }
}

/// A scheduler as a part of the example.
fn part(scheduler: impl Tagged) -> Plug<dyn DynScheduler> {
    let tagged: Box<dyn Tagged> = Box::new(scheduler);
    Plug::new(tagged)
}

/// The rates with which a scheduler begins in one group; no momentum where it leaves that alone.
#[state]
struct Begin {
    lr: f64,
    momentum: Option<f64>,
}

/// What is saved of [`Sequence`].
#[state]
struct SavedSequence {
    ticks: u64,
    milestones: Vec<Option<u64>>,
    begins: Vec<Vec<Begin>>,
    schedulers: Vec<Saved>,
}

/// All schedulers, started; those to come have stood still so far.
struct Sequence {
    ticks: u64,
    /// In ticks; none is never reached.
    milestones: Vec<Option<u64>>,
    begins: Vec<Vec<Begin>>,
    schedulers: Vec<Running>,
}

impl Sequence {
    /// Which scheduler has the word.
    fn turn(&self) -> usize {
        self.milestones.iter().take_while(|m| m.is_some_and(|m| m <= self.ticks)).count()
    }

    fn begin(&self, turn: usize, now: &mut [GroupRates]) {
        for (group, begin) in now.iter_mut().zip(self.begins.get(turn).into_iter().flatten()) {
            group.lr = begin.lr;
            group.momentum = begin.momentum.or(group.momentum);
        }
    }
}

/// It holds running schedulers, so its state is no plain value and the erased trait is written by hand.
impl DynScheduler for SequentialLR {
    fn start(&self, plan: &Plan, now: &mut [GroupRates]) -> Result<Box<dyn Any + Send>> {
        let fresh: Vec<_> = now.iter().map(|g| GroupRates { lr: g.initial_lr, ..*g }).collect();
        let (mut begins, mut schedulers) = (Vec::new(), Vec::new());
        for plug in &self.schedulers {
            let mut rates = fresh.clone();
            schedulers.push(Running::start(plug, plan, &mut rates)?);
            let momentum = |new: &GroupRates, old: &GroupRates| new.momentum.filter(|_| new.momentum != old.momentum);
            begins.push(
                rates.iter().zip(&fresh).map(|(g, old)| Begin { lr: g.lr, momentum: momentum(g, old) }).collect(),
            );
        }
        let milestones = self.milestones.iter().map(|&m| plan.ticks(m)).collect();
        let sequence = Sequence { ticks: 0, milestones, begins, schedulers };
        sequence.begin(sequence.turn(), now);
        Ok(Box::new(sequence))
    }

    fn rate(&self, state: &mut dyn Any, tick: &Tick, now: &mut [GroupRates]) -> Result<()> {
        let Some(sequence) = state.downcast_mut::<Sequence>() else { return Ok(()) };
        let before = sequence.turn();
        sequence.ticks += 1;
        let turn = sequence.turn();
        if turn != before {
            sequence.begin(turn, now);
        } else if let Some(scheduler) = sequence.schedulers.get_mut(turn) {
            scheduler.rate(tick, now)?;
        }
        Ok(())
    }

    fn monitors(&self) -> Vec<String> {
        self.schedulers.iter().flat_map(|s| s.monitors()).collect()
    }

    fn save(&self, state: &dyn Any) -> Result<Saved> {
        let sequence = saved::own::<Sequence>(state)?;
        saved::save(&SavedSequence {
            ticks: sequence.ticks,
            milestones: sequence.milestones.clone(),
            begins: sequence.begins.clone(),
            schedulers: sequence.schedulers.iter().map(Running::save).collect::<Result<_>>()?,
        })
    }

    fn restore(&self, saved: &Saved) -> Result<Box<dyn Any + Send>> {
        let SavedSequence { ticks, milestones, begins, schedulers } = saved::load(saved)?;
        let n = self.schedulers.len();
        if schedulers.len() != n || begins.len() != n || milestones.len() + 1 != n {
            let text = format!("a state of {} schedulers does not fit {n}", schedulers.len());
            return Err(Error::new("PL0204", text).hint("was it saved by a run with other `schedulers`?"));
        }
        let schedulers =
            self.schedulers.iter().zip(&schedulers).map(|(p, s)| Running::restore(p, s)).collect::<Result<_>>()?;
        Ok(Box::new(Sequence { ticks, milestones, begins, schedulers }))
    }
}
