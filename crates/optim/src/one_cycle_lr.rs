//! The learning rate up once and far down.

use crate::anneal_strategy::AnnealStrategy;
use crate::momentum_cycle;
use crate::per_group::PerGroup;
use crate::tick_counts;
use pleach_core::quantity::Span;
use pleach_core::read::Rules;
use pleach_core::{Error, GroupRates, Plan, Result, Scheduler, Tick, plugin, state};

/// Moves the learning rate from `max_lr / div_factor` up to `max_lr` and down to a fraction of the first rate within
/// `total_steps` ticks, and the momentum the other way.
///
/// The rate with which the optimizer was made is not used. PyTorch means steps: write `every = "step"` in the slot.
#[plugin(scheduler, cite = "arXiv:1708.07120", check = Self::check)]
pub struct OneCycleLR {
    /// The highest rate: one number, or a list with one for each parameter group.
    #[plugin(example = PerGroup::All(0.01), range = 0.0..)]
    pub max_lr: PerGroup,
    /// Ticks of the cycle, or "500 steps", "3 epochs", "100%"; by default `epochs * steps_per_epoch`, or the whole run.
    pub total_steps: Option<Span>,
    /// Epochs of the cycle, if `total_steps` is not given; by default those of the run.
    pub epochs: Option<u64>,
    /// Ticks of an epoch, if `total_steps` is not given; by default as they are.
    pub steps_per_epoch: Option<u64>,
    /// The share of the cycle on the way up.
    #[plugin(default = 0.3, range = 0.0..=1.0)]
    pub pct_start: f64,
    /// The curve: "cos" or "linear".
    #[plugin(default = AnnealStrategy::Cos)]
    pub anneal_strategy: AnnealStrategy,
    /// Whether the momentum (of Adam: the first beta) goes down while the rate goes up.
    #[plugin(default = true)]
    pub cycle_momentum: bool,
    /// The momentum where the rate is highest: one number, or a list with one for each parameter group.
    #[plugin(default = PerGroup::All(0.85), range = 0.0..=1.0)]
    pub base_momentum: PerGroup,
    /// The momentum at both ends: one number, or a list with one for each parameter group.
    #[plugin(default = PerGroup::All(0.95), range = 0.0..=1.0)]
    pub max_momentum: PerGroup,
    /// How many times the first rate goes into the highest.
    #[plugin(default = 25.0, above = 0.0)]
    pub div_factor: f64,
    /// How many times the last rate goes into the first.
    #[plugin(default = 1e4, above = 0.0)]
    pub final_div_factor: f64,
    /// Whether the way down takes as long as the way up, and the rest falls from the first rate to the last.
    #[plugin(default = false)]
    pub three_phase: bool,
}

/// One of the turning points: when, and rate and momentum there.
struct Turn {
    tick: f64,
    lr: f64,
    momentum: f64,
}

impl OneCycleLR {
    fn lists(&self) -> [(&'static str, &PerGroup); 3] {
        [("max_lr", &self.max_lr), ("base_momentum", &self.base_momentum), ("max_momentum", &self.max_momentum)]
    }

    fn check(&self, rules: &mut Rules) {
        if let Some(total) = self.total_steps {
            tick_counts::check(rules, "total_steps", total);
        }
        for (field, n) in [("epochs", self.epochs), ("steps_per_epoch", self.steps_per_epoch)] {
            if n == Some(0) {
                rules.refuse(field, format!("`{field}` must be more than 0"));
            }
        }
        self.lists().into_iter().for_each(|(field, list)| list.check(rules, field));
    }

    /// Ticks of the whole cycle.
    fn total(&self, plan: &Plan) -> Result<u64> {
        let endless = || {
            Error::new("PL0160", "OneCycleLR lasts as long as the run, and this run has no end")
                .hint("give `total_steps`, or give `[trainer]` a `max_epochs` or `max_steps`")
        };
        if let Some(total) = self.total_steps {
            return tick_counts::ticks(plan, "total_steps", total);
        }
        if self.epochs.is_none() && self.steps_per_epoch.is_none() {
            return plan.own_ticks().map(|n| n.max(1)).ok_or_else(endless);
        }
        let per_epoch = plan.count("steps_per_epoch", Span::Epochs(1.0))?;
        let epochs = plan.own_ticks().map(|n| n.div_ceil(per_epoch.max(1)));
        let epochs = self.epochs.or(epochs).ok_or_else(endless)?;
        Ok(epochs.saturating_mul(self.steps_per_epoch.unwrap_or(per_epoch)).max(1))
    }

    /// The turning points of a group.
    fn turns(&self, total: u64, group: usize) -> Vec<Turn> {
        let turn = |tick, lr, momentum: &PerGroup| Turn { tick, lr, momentum: momentum.of(group) };
        let (top, total) = (self.max_lr.of(group), total as f64);
        let first = top / self.div_factor;
        let mut turns =
            vec![turn(0.0, first, &self.max_momentum), turn(self.pct_start * total - 1.0, top, &self.base_momentum)];
        if self.three_phase {
            turns.push(turn(2.0 * self.pct_start * total - 2.0, first, &self.max_momentum));
        }
        turns.push(turn(total - 1.0, first / self.final_div_factor, &self.max_momentum));
        turns
    }

    fn set(&self, state: &OneCycleLRState, now: &mut [GroupRates]) {
        let tick = state.ticks as f64;
        for (i, group) in now.iter_mut().enumerate() {
            let turns = self.turns(state.total, i);
            let legs = || turns.iter().zip(turns.iter().skip(1));
            let leg = legs().find(|(_, to)| tick <= to.tick).or_else(|| legs().next_back());
            let Some((from, to)) = leg else { continue };
            // PyTorch divides by 0 where a leg has no length.
            let share = if to.tick == from.tick { 1.0 } else { (tick - from.tick) / (to.tick - from.tick) };
            group.lr = self.anneal_strategy.between(from.lr, to.lr, share);
            if self.cycle_momentum {
                group.momentum = Some(self.anneal_strategy.between(from.momentum, to.momentum, share));
            }
        }
    }
}

/// How far it is.
#[state]
pub struct OneCycleLRState {
    ticks: u64,
    total: u64,
}

impl Scheduler for OneCycleLR {
    type State = OneCycleLRState;

    fn start(&self, plan: &Plan, now: &mut [GroupRates]) -> Result<OneCycleLRState> {
        self.lists().into_iter().try_for_each(|(field, list)| list.fits(field, now))?;
        if self.cycle_momentum {
            momentum_cycle::check("OneCycleLR", now)?;
        }
        let state = OneCycleLRState { ticks: 0, total: self.total(plan)? };
        if let Some(ticks) = plan.own_ticks().filter(|&ticks| ticks > state.total) {
            let text = format!("OneCycleLR is made for {} ticks, and will have {ticks}", state.total);
            return Err(Error::new("PL0163", text).hint("without `total_steps` it lasts as long as the run"));
        }
        for (i, group) in now.iter_mut().enumerate() {
            group.initial_lr = self.max_lr.of(i) / self.div_factor;
        }
        self.set(&state, now);
        Ok(state)
    }

    fn rate(&self, state: &mut OneCycleLRState, _: &Tick, now: &mut [GroupRates]) -> Result<()> {
        state.ticks += 1;
        if state.ticks > state.total {
            let text = format!("OneCycleLR was made for {} ticks, and this is one more", state.total);
            return Err(Error::new("PL0163", text).hint("raise `total_steps`, or end the run there (`max_steps`)"));
        }
        self.set(state, now);
        Ok(())
    }
}
