//! The learning rate up and down between two bounds.

use crate::momentum_cycle;
use crate::per_group::PerGroup;
use crate::tick_counts;
use pleach_core::quantity::Span;
use pleach_core::read::Rules;
use pleach_core::{GroupRates, Plan, Result, Scheduler, Tick, config, plugin, state};

/// How the height of the cycles goes on.
#[config]
#[derive(Default)]
pub enum CyclicMode {
    /// All cycles are equal.
    #[default]
    Triangular,
    /// Each cycle is half as high as the one before.
    Triangular2,
    /// The height is multiplied by `gamma` at every tick.
    ExpRange,
}

/// What the height is computed from.
#[config]
#[derive(Default)]
pub enum ScaleMode {
    /// The number of the cycle.
    #[default]
    Cycle,
    /// The number of ticks.
    Iterations,
}

/// Moves the learning rate from `base_lr` to `max_lr` and back, again and again, and the momentum the other way.
///
/// The rate with which the optimizer was made is not used.
#[plugin(scheduler, cite = "arXiv:1506.01186", check = Self::check)]
pub struct CyclicLR {
    /// The lower bound and the first rate: one number, or a list with one for each parameter group.
    #[plugin(example = PerGroup::All(0.001), range = 0.0..)]
    pub base_lr: PerGroup,
    /// The upper bound: one number, or a list with one for each parameter group.
    #[plugin(example = PerGroup::All(0.01), range = 0.0..)]
    pub max_lr: PerGroup,
    /// Ticks of the way up, or "500 steps", "3 epochs", "10%".
    #[plugin(default = Span::Ticks(2000))]
    pub step_size_up: Span,
    /// Ticks of the way down; by default as many as up.
    pub step_size_down: Option<Span>,
    /// How the height of the cycles goes on: "triangular", "triangular2" or "exp_range".
    #[plugin(default = CyclicMode::Triangular)]
    pub mode: CyclicMode,
    /// What the height is multiplied by at every tick in the mode "exp_range".
    #[plugin(default = 1.0, range = 0.0..)]
    pub gamma: f64,
    /// No effect: each mode has its own, and PyTorch asks this only of a function of the user's.
    #[plugin(default = ScaleMode::Cycle)]
    pub scale_mode: ScaleMode,
    /// Whether the momentum (of Adam: the first beta) goes down while the rate goes up.
    #[plugin(default = true)]
    pub cycle_momentum: bool,
    /// The momentum where the rate is highest: one number, or a list with one for each parameter group.
    #[plugin(default = PerGroup::All(0.8), range = 0.0..=1.0)]
    pub base_momentum: PerGroup,
    /// The momentum where the rate is lowest: one number, or a list with one for each parameter group.
    #[plugin(default = PerGroup::All(0.9), range = 0.0..=1.0)]
    pub max_momentum: PerGroup,
}

impl CyclicLR {
    fn bounds(&self) -> [(&'static str, &PerGroup); 4] {
        [
            ("base_lr", &self.base_lr),
            ("max_lr", &self.max_lr),
            ("base_momentum", &self.base_momentum),
            ("max_momentum", &self.max_momentum),
        ]
    }

    fn check(&self, rules: &mut Rules) {
        tick_counts::check(rules, "step_size_up", self.step_size_up);
        self.bounds().into_iter().for_each(|(field, list)| list.check(rules, field));
    }

    /// What the height of a cycle is multiplied by.
    fn scale(&self, cycle: f64, ticks: u64) -> f64 {
        match self.mode {
            CyclicMode::Triangular => 1.0,
            CyclicMode::Triangular2 => 1.0 / (cycle - 1.0).exp2(),
            CyclicMode::ExpRange => self.gamma.powf(ticks as f64),
        }
    }
}

/// How far it is.
#[state]
pub struct CyclicLRState {
    ticks: u64,
    up: u64,
    down: u64,
}

impl Scheduler for CyclicLR {
    type State = CyclicLRState;

    fn start(&self, plan: &Plan, now: &mut [GroupRates]) -> Result<CyclicLRState> {
        self.bounds().into_iter().try_for_each(|(field, list)| list.fits(field, now))?;
        let up = tick_counts::ticks(plan, "step_size_up", self.step_size_up)?;
        let down = self.step_size_down.map(|down| plan.count("step_size_down", down)).transpose()?;
        if self.cycle_momentum {
            momentum_cycle::check("CyclicLR", now)?;
        }
        let first = plan.part.is_none_or(|part| !part.after_another);
        for (i, group) in now.iter_mut().enumerate() {
            // Where others have begun before, PyTorch takes its own bounds from the first tick on only.
            if first {
                group.initial_lr = self.base_lr.of(i);
            }
            group.lr = group.initial_lr;
            if self.cycle_momentum {
                group.momentum = Some(self.max_momentum.of(i));
            }
        }
        Ok(CyclicLRState { ticks: 0, up, down: down.unwrap_or(up) })
    }

    fn rate(&self, state: &mut CyclicLRState, _: &Tick, now: &mut [GroupRates]) -> Result<()> {
        state.ticks += 1;
        let whole = (state.up + state.down) as f64;
        let top = state.up as f64 / whole;
        let cycles = 1.0 + state.ticks as f64 / whole;
        let x = cycles - cycles.floor();
        let height = if x <= top { x / top } else { (x - 1.0) / (top - 1.0) };
        let scale = self.scale(cycles.floor(), state.ticks);
        for (i, group) in now.iter_mut().enumerate() {
            let between = |low: f64, high: f64| (high - low) * height * scale;
            group.lr = self.base_lr.of(i) + between(self.base_lr.of(i), self.max_lr.of(i));
            if self.cycle_momentum {
                let (low, high) = (self.base_momentum.of(i), self.max_momentum.of(i));
                group.momentum = Some(high - between(low, high));
            }
        }
        Ok(())
    }
}
