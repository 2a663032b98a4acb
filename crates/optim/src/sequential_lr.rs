//! Schedulers one after another.

use crate::cosine_annealing_lr::CosineAnnealingLR;
use crate::linear_lr::LinearLR;
use pleach_core::kinds::scheduler::{Part, Running, Tagged};
use pleach_core::quantity::Span;
use pleach_core::read::Rules;
use pleach_core::{DynScheduler, Error, GroupRates, Plan, Plug, Result, Saved, Tick, plugin, saved, state};
use std::any::Any;

/// Runs schedulers one after another; at each milestone the next begins, from the rate that it would have begun
/// training with.
///
/// SWALR goes on from the rate as it stands. As in PyTorch, a scheduler with a base of its own (OneCycleLR anywhere,
/// CyclicLR at the first place) makes that the base of those around it. A sequence or a chain may stand at any
/// place, and ReduceLROnPlateau too, where PyTorch fails.
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
pub(crate) fn part(scheduler: impl Tagged) -> Plug<dyn DynScheduler> {
    let tagged: Box<dyn Tagged> = Box::new(scheduler);
    Plug::new(tagged)
}

/// The rates with which a scheduler begins in one group; none where it leaves them alone.
#[state]
struct Begin {
    lr: Option<f64>,
    momentum: Option<f64>,
}

/// What is saved of [`Sequence`].
#[state]
struct SavedSequence {
    ticks: u64,
    milestones: Vec<u64>,
    begins: Vec<Vec<Begin>>,
    schedulers: Vec<Saved>,
}

/// All schedulers, started; those to come have stood still so far.
struct Sequence {
    ticks: u64,
    /// In ticks.
    milestones: Vec<u64>,
    begins: Vec<Vec<Begin>>,
    schedulers: Vec<Running>,
}

impl Sequence {
    /// Which scheduler has the word.
    fn turn(&self) -> usize {
        self.milestones.iter().take_while(|&&m| m <= self.ticks).count()
    }

    fn begin(&self, turn: usize, now: &mut [GroupRates]) {
        for (group, begin) in now.iter_mut().zip(self.begins.get(turn).into_iter().flatten()) {
            group.lr = begin.lr.unwrap_or(group.lr);
            group.momentum = begin.momentum.or(group.momentum);
        }
    }
}

/// Starts a scheduler, and finds what it sets by starting it from two different rates.
fn begin(plug: &Plug<dyn DynScheduler>, plan: &Plan, now: &[GroupRates]) -> Result<(Running, Vec<Begin>)> {
    let mut rates = now.to_vec();
    let running = Running::start(plug, plan, &mut rates)?;
    let other = |g: &GroupRates| GroupRates { lr: g.lr + 1.0, momentum: g.momentum.map(|m| (m + 1.0) / 2.0), ..*g };
    let mut others: Vec<_> = now.iter().map(other).collect();
    Running::start(plug, plan, &mut others)?;
    let begin = |(a, b): (&GroupRates, &GroupRates)| Begin {
        lr: (!plug.goes_on() || a.lr == b.lr).then_some(a.lr),
        momentum: a.momentum.filter(|_| a.momentum == b.momentum),
    };
    Ok((running, rates.iter().zip(&others).map(begin).collect()))
}

impl SequentialLR {
    /// What each scheduler has of the run.
    fn parts(&self, plan: &Plan, milestones: &[u64]) -> Vec<Part> {
        let after_another = plan.part.is_some_and(|p| p.after_another);
        let begins = std::iter::once(0).chain(milestones.iter().copied());
        let ends = milestones.iter().map(|&m| Some(m)).chain([None]);
        let ticks = |begin: u64, end: Option<u64>| match (end, plan.own_ticks()) {
            (Some(a), Some(b)) => Some(a.min(b).saturating_sub(begin)),
            (a, b) => a.or(b).map(|end| end.saturating_sub(begin)),
        };
        let part = |(i, (begin, end))| Part { ticks: ticks(begin, end), after_another: after_another || i > 0 };
        begins.zip(ends).enumerate().map(part).collect()
    }
}

/// It holds running schedulers, so its state is no plain value and the erased trait is written by hand.
impl DynScheduler for SequentialLR {
    fn start(&self, plan: &Plan, now: &mut [GroupRates]) -> Result<Box<dyn Any + Send>> {
        let milestones: Vec<_> = self.milestones.iter().map(|&m| plan.count("milestones", m)).collect::<Result<_>>()?;
        let parts = self.parts(plan, &milestones);
        // PyTorch makes all of them on the same groups first: a later one sees what an earlier one has set there.
        let mut bases = Vec::new();
        for (plug, &part) in self.schedulers.iter().zip(&parts) {
            bases.push(now.iter().map(|g| g.initial_lr).collect::<Vec<_>>());
            now.iter_mut().for_each(|g| g.lr = g.initial_lr);
            Running::start(plug, &plan.for_part(part), now)?;
        }
        now.iter_mut().for_each(|g| g.lr = g.initial_lr);
        let mut sequence = Sequence { ticks: 0, milestones, begins: Vec::new(), schedulers: Vec::new() };
        let first = sequence.turn();
        for (i, (plug, (part, base))) in self.schedulers.iter().zip(parts.into_iter().zip(bases)).enumerate() {
            let rates = now.iter().zip(base);
            let rates: Vec<_> = if i == first {
                rates.map(|(g, initial_lr)| GroupRates { initial_lr, ..*g }).collect()
            } else {
                rates.map(|(g, base)| GroupRates { lr: base, initial_lr: base, ..*g }).collect()
            };
            let (running, begins) = begin(plug, &plan.for_part(Part { after_another: false, ..part }), &rates)?;
            sequence.schedulers.push(running);
            sequence.begins.push(begins);
        }
        sequence.begin(first, now);
        Ok(Box::new(sequence))
    }

    fn rate(&self, state: &mut dyn Any, tick: &Tick, now: &mut [GroupRates]) -> Result<()> {
        let Some(sequence) = state.downcast_mut::<Sequence>() else { return Ok(()) };
        let before = sequence.turn();
        sequence.ticks += 1;
        let turn = sequence.turn();
        if turn != before {
            sequence.begin(turn, now);
        } else {
            // Each has a clock of its own, which began with its turn.
            let begun = turn.checked_sub(1).and_then(|before| sequence.milestones.get(before)).copied().unwrap_or(0);
            let own = Tick { count: sequence.ticks - begun, ..tick.clone() };
            if let Some(scheduler) = sequence.schedulers.get_mut(turn) {
                scheduler.rate(&own, now)?;
            }
        }
        Ok(())
    }

    fn monitors(&self) -> Vec<String> {
        self.schedulers.iter().flat_map(|s| s.monitors()).collect()
    }

    fn goes_on(&self) -> bool {
        self.schedulers.first().is_some_and(|s| s.goes_on())
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
