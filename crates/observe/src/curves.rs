//! Curves: `curves.svg` and `curves.png`, the run at a glance.

use crate::chart::{COLOURS, Curve, Panel, Scale, draw};
use crate::replace::replace;
use crate::short::short;
use crate::trace::Trace;
use pleach_core::kinds::observer::RunInfo;
use pleach_core::{Control, Event, Observer, Result, Saved, Watcher, plugin, saved, state};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Curves that are kept at most; a net with a metric for each of many classes has more.
const MOST: usize = 48;
/// Curves in one panel at most.
const PANEL: usize = 6;

/// Draws `curves.svg` and `curves.png` into the run's folder as the run goes on: the losses, the
/// metrics, and the learning rate.
///
/// The legend names the newest value of each curve. The axis of the losses is logarithmic where they
/// span a factor of 50. Metrics between 0 and 1 share a panel; each of the first two others has its own.
#[plugin(observer)]
pub struct Curves {
    /// Least seconds between two drawings; the end of the run is always drawn.
    #[plugin(default = 2.0, range = 0.0..)]
    pub seconds: f64,
    /// Pixels of the PNG for one of the SVG.
    #[plugin(default = 2.0, range = 1.0..=4.0)]
    pub scale: f64,
}

impl Observer for Curves {
    fn start(&self, run: &RunInfo) -> Result<Box<dyn Watcher>> {
        Ok(Box::new(Drawer {
            curves: self.clone(),
            dir: run.dir.clone(),
            title: run.name.clone(),
            steps_per_epoch: run.steps_per_epoch.max(1),
            drawn: None,
            seen: Seen::default(),
        }))
    }
}

struct Drawer {
    curves: Curves,
    dir: PathBuf,
    title: String,
    steps_per_epoch: u64,
    drawn: Option<Instant>,
    seen: Seen,
}

/// The curves so far, over time in epochs.
#[state]
#[derive(Default)]
struct Seen {
    /// `train_loss` of the steps.
    steps: Option<Trace>,
    /// Learning rates of the groups.
    lr: Vec<Trace>,
    /// Metrics of epochs and validations.
    metrics: Vec<Trace>,
    /// Metrics with a point since the last epoch ended: the epoch's own report repeats them.
    validated: BTreeSet<String>,
    /// Epochs that are over.
    epochs: u32,
}

impl Seen {
    fn metric(&mut self, name: &str, x: f64, y: f64) {
        let trace = match self.metrics.iter_mut().position(|t| t.name == name) {
            Some(at) => self.metrics.get_mut(at),
            None if self.metrics.len() < MOST => {
                self.metrics.push(Trace::new(name));
                self.metrics.last_mut()
            }
            None => None,
        };
        if let Some(trace) = trace {
            trace.push(x, y);
        }
    }

    fn panels(&self) -> Vec<Panel> {
        let is_loss = |t: &&Trace| t.name.split('_').any(|part| part == "loss");
        let mut all = Vec::new();
        let shown: Vec<_> = self.metrics.iter().filter(|t| t.points().iter().any(|(_, y)| y.is_finite())).collect();
        let mut losses: Vec<_> = shown.iter().copied().filter(is_loss).take(PANEL).collect();
        // Those of training first: they have the colour of the steps behind them.
        losses.sort_by_key(|t| !t.name.starts_with("train"));
        let mut curves = Vec::new();
        if let Some(steps) = &self.steps {
            let pale = losses.iter().any(|t| t.name == steps.name && t.points().len() > 1);
            let [r, g, b] = COLOURS[0];
            let colour = if pale { [r, g, b].map(|c| 255 - (255 - c) / 3) } else { [r, g, b] };
            let label = (!pale).then(|| steps.name.clone());
            curves.push(Curve { label, colour, points: steps.points(), value: steps.last });
        }
        let behind = curves.iter().any(|c| c.label.is_some());
        // Without its own curve, the epochs' mean of the same name would be a second entry of the legend.
        let losses = losses.into_iter().filter(|t| !(behind && self.steps.as_ref().is_some_and(|s| s.name == t.name)));
        curves.extend(coloured(losses, usize::from(behind)));
        all.push(Panel { title: "loss".into(), scale: Scale::Wide, curves });

        let is_share = |t: &Trace| t.points().iter().all(|(_, y)| !y.is_finite() || (0.0..=1.0).contains(y));
        let (shares, others): (Vec<_>, Vec<_>) =
            shown.into_iter().filter(|t| !is_loss(t)).partition(|t: &&Trace| is_share(t));
        all.push(Panel {
            title: "metrics".into(),
            scale: Scale::Linear,
            curves: coloured(shares.into_iter().take(PANEL), 1),
        });
        for other in others.into_iter().take(2) {
            all.push(Panel {
                title: other.name.clone(),
                scale: Scale::Linear,
                curves: coloured(std::iter::once(other), 1),
            });
        }
        all.push(Panel {
            title: "learning rate".into(),
            scale: Scale::Linear,
            curves: coloured(self.lr.iter().take(PANEL), 2),
        });
        all.retain(|p| !p.curves.is_empty());
        all
    }
}

/// Gives each curve its colour.
fn coloured<'a>(traces: impl Iterator<Item = &'a Trace>, first: usize) -> Vec<Curve> {
    let colours = COLOURS.iter().cycle().skip(first);
    let curve = |(t, colour): (&Trace, &[u8; 3])| Curve {
        label: Some(t.name.clone()),
        colour: *colour,
        points: t.points(),
        value: t.last,
    };
    traces.zip(colours).map(curve).collect()
}

impl Drawer {
    fn draw(&mut self) -> Result<()> {
        let panels = self.seen.panels();
        if panels.is_empty() {
            return Ok(());
        }
        let epochs = self.seen.epochs;
        let mut below = format!("{epochs} epoch{}", if epochs == 1 { "" } else { "s" });
        for name in ["val_loss", "val_accuracy", "val_mean_iou", "val_dice"] {
            if let Some(trace) = self.seen.metrics.iter().find(|t| t.name == name) {
                below.push_str(&format!("  ·  {name} {}", short(trace.last)));
            }
        }
        let picture = draw(&self.title, &below, "epoch", &panels)?;
        replace(&self.dir.join("curves.svg"), picture.svg().as_bytes())?;
        replace(&self.dir.join("curves.png"), &picture.png(self.curves.scale as f32)?)?;
        self.drawn = Some(Instant::now());
        Ok(())
    }
}

impl Watcher for Drawer {
    fn on(&mut self, event: &Event<'_>, _: &mut Control<'_>) -> Result<()> {
        let epochs = |step: u64| step as f64 / self.steps_per_epoch as f64;
        match *event {
            Event::Step { step, metrics, lr, .. } => {
                let x = epochs(step);
                if let Some((name, loss)) = metrics.iter().next() {
                    self.seen.steps.get_or_insert_with(|| Trace::new(name)).push(x, *loss);
                }
                for (group, lr) in lr.iter().enumerate().take(PANEL) {
                    if self.seen.lr.len() <= group {
                        self.seen.lr.push(Trace::new(&if group == 0 { "lr".into() } else { format!("lr_{group}") }));
                    }
                    if let Some(trace) = self.seen.lr.get_mut(group) {
                        trace.push(x, *lr);
                    }
                }
            }
            Event::Validated { step, metrics, .. } => {
                let x = epochs(step);
                for (name, value) in metrics.iter() {
                    self.seen.metric(name, x, *value);
                    self.seen.validated.insert(name.to_owned());
                }
            }
            Event::Epoch { step, epoch, metrics, .. } => {
                let x = epochs(step);
                let validated = std::mem::take(&mut self.seen.validated);
                for (name, value) in metrics.iter().filter(|(name, _)| !validated.contains(*name)) {
                    self.seen.metric(name, x, *value);
                }
                self.seen.epochs = epoch + 1;
                let least = Duration::try_from_secs_f64(self.curves.seconds).unwrap_or(Duration::MAX);
                if self.drawn.is_none_or(|then| then.elapsed() >= least) {
                    self.draw()?;
                }
            }
            Event::End { .. } => self.draw()?,
            _ => {}
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
