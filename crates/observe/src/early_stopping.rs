//! EarlyStopping: ends a run whose watched metric gets no better.

use crate::mode::Mode;
use crate::short::short;
use pleach_core::kinds::observer::RunInfo;
use pleach_core::{Control, Error, Event, Named, Observer, Result, Saved, Watcher, plugin, saved, state};

/// Ends the run when a metric has not got better for `patience` validations in a row, is not
/// finite, is good enough or is hopeless. The rule is that of Lightning's callback.
///
/// It is looked at after each validation, and at the end of an epoch for a metric that only
/// epochs have (`train_loss`).
#[plugin(observer)]
pub struct EarlyStopping {
    /// The metric by its full name.
    #[plugin(default = "val_loss".to_owned())]
    pub monitor: String,
    /// How much better than the best so far counts as better.
    #[plugin(default = 0.0, range = 0.0..)]
    pub min_delta: f64,
    /// Validations without getting better after which the run ends.
    #[plugin(default = 3)]
    pub patience: u32,
    /// "min" if less is better, "max" if more is; by default what the metric says.
    pub mode: Option<Mode>,
    /// Whether NaN and infinity end the run.
    #[plugin(default = true)]
    pub check_finite: bool,
    /// The run ends as soon as the metric is better than this.
    pub stopping_threshold: Option<f64>,
    /// The run ends as soon as the metric is worse than this.
    pub divergence_threshold: Option<f64>,
}

impl Observer for EarlyStopping {
    fn start(&self, run: &RunInfo) -> Result<Box<dyn Watcher>> {
        let mode = Mode::of(self.mode, &self.monitor, run);
        let seen = Seen { best: None, waited: 0, by_validation: false, validated: false };
        Ok(Box::new(Running { rule: self.clone(), mode, seen }))
    }

    fn monitors(&self) -> Vec<String> {
        vec![self.monitor.clone()]
    }
}

struct Running {
    rule: EarlyStopping,
    mode: Mode,
    seen: Seen,
}

/// What is remembered between validations.
#[state]
struct Seen {
    /// The best value so far.
    best: Option<f64>,
    /// Validations since it was seen.
    waited: u32,
    /// Whether validations report the metric: then epochs only repeat it.
    by_validation: bool,
    /// Whether there was a validation since the last epoch ended.
    validated: bool,
}

impl Running {
    /// Why the run should end after this value, if it should.
    fn judge(&mut self, value: f64) -> Option<String> {
        let (rule, mode, seen) = (&self.rule, self.mode, &mut self.seen);
        let (name, shown) = (&rule.monitor, short(value));
        if rule.check_finite && !value.is_finite() {
            return Some(format!("{name} is {shown}"));
        }
        if let Some(enough) = rule.stopping_threshold.filter(|t| mode.is_better(value, *t)) {
            return Some(format!("{name} is {shown}, better than the threshold {}", short(enough)));
        }
        if let Some(hopeless) = rule.divergence_threshold.filter(|t| mode.is_better(*t, value)) {
            return Some(format!("{name} is {shown}, worse than the threshold {}", short(hopeless)));
        }
        let with_delta = match mode {
            Mode::Min => value + rule.min_delta,
            Mode::Max => value - rule.min_delta,
        };
        // Against nothing any finite value is better, as against Lightning's infinity.
        let worst = if mode == Mode::Min { f64::INFINITY } else { f64::NEG_INFINITY };
        if mode.is_better(with_delta, seen.best.unwrap_or(worst)) {
            (seen.best, seen.waited) = (Some(value), 0);
            return None;
        }
        seen.waited = seen.waited.saturating_add(1);
        (seen.waited >= rule.patience).then(|| {
            let best = seen.best.map_or_else(|| "never a number".into(), short);
            format!("{name} has not got better for {} validations in a row; its best is {best}", seen.waited)
        })
    }

    fn missing(&self, metrics: &Named<f64>) -> Error {
        let there: Vec<_> = metrics.names().collect();
        let name = &self.rule.monitor;
        Error::new("PL0440", format!("EarlyStopping watches `{name}`, which this run does not measure"))
            .hint(format!("it measures: {}", there.join(", ")))
    }
}

impl Watcher for Running {
    fn on(&mut self, event: &Event<'_>, control: &mut Control<'_>) -> Result<()> {
        let value = match *event {
            Event::Validated { metrics, .. } => {
                self.seen.validated = true;
                let value = metrics.get(&self.rule.monitor);
                self.seen.by_validation |= value.is_some();
                value
            }
            Event::Epoch { metrics, .. } => {
                let validated = std::mem::take(&mut self.seen.validated);
                let value = metrics.get(&self.rule.monitor);
                // A metric of the validation is rightly absent from an epoch without one.
                let may_come = self.rule.monitor.starts_with("val_") && !validated;
                if value.is_none() && !self.seen.by_validation && !may_come {
                    return Err(self.missing(metrics));
                }
                value.filter(|_| !self.seen.by_validation)
            }
            _ => None,
        };
        if let Some(value) = value.copied()
            && let Some(reason) = self.judge(value)
            && control.stop.is_none()
        {
            control.stop = Some(reason);
        }
        Ok(())
    }

    fn save(&self) -> Result<Saved> {
        saved::save(&self.seen)
    }

    fn restore(&mut self, saved: &Saved) -> Result<()> {
        self.seen = saved::load(saved)?;
        Ok(())
    }
}
