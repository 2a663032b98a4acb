//! The learning rate falls when a metric no longer improves.

use crate::per_group::PerGroup;
use pleach_core::read::Rules;
use pleach_core::{Better, GroupRates, Plan, Result, Scheduler, Tick, config, plugin, state};

/// Which way a metric improves.
#[config]
pub enum PlateauMode {
    /// Less is better.
    Min,
    /// More is better.
    Max,
}

/// How an improvement is measured.
#[config]
#[derive(Default)]
pub enum ThresholdMode {
    /// As a share of the best value.
    #[default]
    Rel,
    /// In the metric's own unit.
    Abs,
}

/// Multiplies the learning rate by `factor` when a metric has not improved for more than `patience` ticks.
///
/// A tick at which the metric was not measured counts for nothing.
#[plugin(scheduler, cite = "https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ReduceLROnPlateau.html", check = Self::check)]
pub struct ReduceLROnPlateau {
    /// The metric that is watched, by its full name: `val_loss`, `val_accuracy`, `train_loss`.
    #[plugin(default = "val_loss".to_owned())]
    pub monitor: String,
    /// Which way the metric improves: "min" or "max"; by default what the metric says of itself (PyTorch, which
    /// cannot know: "min").
    pub mode: Option<PlateauMode>,
    /// What the rate is multiplied by; below 1.
    #[plugin(default = 0.1, range = 0.0..1.0)]
    pub factor: f64,
    /// Ticks without improvement that are borne; the next one lowers the rate.
    #[plugin(default = 10)]
    pub patience: u64,
    /// The least change that counts as an improvement.
    #[plugin(default = 1e-4)]
    pub threshold: f64,
    /// Whether the threshold is a share of the best value ("rel") or in the metric's unit ("abs").
    #[plugin(default = ThresholdMode::Rel)]
    pub threshold_mode: ThresholdMode,
    /// Ticks after a reduction during which nothing is counted.
    #[plugin(default = 0)]
    pub cooldown: u64,
    /// Rates never fall below this: one number, or a list with one for each parameter group.
    #[plugin(default = PerGroup::All(0.0), range = 0.0..)]
    pub min_lr: PerGroup,
    /// Changes of the rate that are not above this are not made.
    #[plugin(default = 1e-8, range = 0.0..)]
    pub eps: f64,
}

impl ReduceLROnPlateau {
    fn check(&self, rules: &mut Rules) {
        self.min_lr.check(rules, "min_lr");
    }

    fn improved(&self, mode: PlateauMode, now: f64, best: f64) -> bool {
        match (mode, self.threshold_mode) {
            (PlateauMode::Min, ThresholdMode::Rel) => now < best * (1.0 - self.threshold),
            (PlateauMode::Min, ThresholdMode::Abs) => now < best - self.threshold,
            (PlateauMode::Max, ThresholdMode::Rel) => now > best * (1.0 + self.threshold),
            (PlateauMode::Max, ThresholdMode::Abs) => now > best + self.threshold,
        }
    }
}

/// What it has seen.
#[state]
pub struct PlateauState {
    mode: PlateauMode,
    best: f64,
    bad_ticks: u64,
    cooldown: u64,
}

impl Scheduler for ReduceLROnPlateau {
    type State = PlateauState;

    fn start(&self, plan: &Plan, now: &mut [GroupRates]) -> Result<PlateauState> {
        self.min_lr.fits("min_lr", now)?;
        let said = match plan.better.get(&self.monitor) {
            Some(Better::Higher) => PlateauMode::Max,
            _ => PlateauMode::Min,
        };
        let mode = self.mode.unwrap_or(said);
        let worst = match mode {
            PlateauMode::Min => f64::INFINITY,
            PlateauMode::Max => f64::NEG_INFINITY,
        };
        Ok(PlateauState { mode, best: worst, bad_ticks: 0, cooldown: 0 })
    }

    fn rate(&self, state: &mut PlateauState, tick: &Tick, now: &mut [GroupRates]) -> Result<()> {
        let Some(&metric) = tick.metrics.get(&self.monitor) else { return Ok(()) };
        if self.improved(state.mode, metric, state.best) {
            state.best = metric;
            state.bad_ticks = 0;
        } else {
            state.bad_ticks += 1;
        }
        if state.cooldown > 0 {
            state.cooldown -= 1;
            state.bad_ticks = 0;
        }
        if state.bad_ticks > self.patience {
            for (i, group) in now.iter_mut().enumerate() {
                let lower = (group.lr * self.factor).max(self.min_lr.of(i));
                if group.lr - lower > self.eps {
                    group.lr = lower;
                }
            }
            state.cooldown = self.cooldown;
            state.bad_ticks = 0;
        }
        Ok(())
    }

    fn monitors(&self) -> Vec<String> {
        vec![self.monitor.clone()]
    }
}
