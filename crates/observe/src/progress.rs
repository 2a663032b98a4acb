//! Progress: what a person sees while a run goes on, as bars on a terminal and as plain lines elsewhere.

use crate::short::{duration, short};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use pleach_core::kinds::observer::RunInfo;
use pleach_core::{Control, Event, Named, Observer, Result, Watcher, plugin};
use std::fmt::Write as _;
use std::io::Write;
use std::time::Instant;

/// At most so many metrics stand in one line.
const SHOWN: usize = 8;

/// The share of waiting from which on it stands beside the rate.
const NOTABLE: f64 = 0.05;

/// Shows how far the run is: on a terminal a bar for each epoch with rate, time left, loss and learning
/// rate, and one for each validation; elsewhere a line for each epoch and now and then one within it. All of it
/// goes to standard error.
///
/// The line of an epoch says how much of its time was spent waiting for data, and so do steps where it is a twentieth
/// or more: then `[dataloader] num_workers` or `cache` help, or smaller images.
#[plugin(observer)]
pub struct Progress {
    /// How many times per second a terminal is drawn anew at most.
    #[plugin(default = 10, range = 1..=60)]
    pub refresh_rate: u8,
    /// Least seconds between two lines within an epoch, where output is no terminal.
    #[plugin(default = 10.0, range = 0.0..)]
    pub seconds: f64,
    /// Steps between two lines within an epoch, in place of `seconds`.
    #[plugin(range = 1..)]
    pub every_n_steps: Option<u64>,
}

impl Observer for Progress {
    fn start(&self, run: &RunInfo) -> Result<Box<dyn Watcher>> {
        let screen: Box<dyn Screen> = if run.terminal {
            Box::new(Bars::new(ProgressDrawTarget::stderr_with_hz(self.refresh_rate)))
        } else {
            let pace = self.every_n_steps.map_or(Pace::Seconds(self.seconds), Pace::Steps);
            Box::new(Lines { out: Box::new(std::io::stderr()), pace, last: Instant::now() })
        };
        Ok(Box::new(Meter::new(run, screen)))
    }
}

/// Where an epoch stands.
struct Standing {
    epoch: u32,
    max_epochs: Option<u32>,
    done: u64,
    of: u64,
    step: u64,
    samples_per_second: f64,
    seconds_per_step: f64,
    waited_per_step: f64,
    live: String,
}

impl Standing {
    /// `epoch 3/20`.
    fn epoch(&self) -> String {
        let of = self.max_epochs.map(|n| format!("/{n}")).unwrap_or_default();
        format!("epoch {}{of}", u64::from(self.epoch) + 1)
    }

    fn rate(&self) -> String {
        let waiting = share(self.waited_per_step, self.seconds_per_step);
        let note = if waiting < NOTABLE { String::new() } else { format!(", {}", waiting_for_data(waiting)) };
        format!("{} samples/s{note}", short(self.samples_per_second))
    }

    fn left(&self) -> String {
        duration(self.of.saturating_sub(self.done) as f64 * self.seconds_per_step)
    }
}

/// What can be drawn on.
trait Screen: Send {
    fn step(&mut self, at: &Standing);
    fn evaluating(&mut self, split: &str, done: usize, of: usize);
    fn epoch_over(&mut self);
    fn say(&mut self, line: &str);
}

/// Counts steps and samples; knows nothing of how it is shown.
struct Meter {
    at: Standing,
    screen: Box<dyn Screen>,
}

impl Meter {
    fn new(run: &RunInfo, screen: Box<dyn Screen>) -> Self {
        let before = u64::from(run.epoch).saturating_mul(run.steps_per_epoch);
        let at = Standing {
            epoch: run.epoch,
            max_epochs: run.max_epochs,
            // A run may go on within an epoch.
            done: run.step.saturating_sub(before).min(run.steps_per_epoch),
            of: run.steps_per_epoch,
            step: run.step,
            samples_per_second: 0.0,
            seconds_per_step: 0.0,
            waited_per_step: 0.0,
            live: String::new(),
        };
        Self { at, screen }
    }
}

impl Watcher for Meter {
    fn on(&mut self, event: &Event<'_>, control: &mut Control<'_>) -> Result<()> {
        match *event {
            Event::Step { step, epoch, metrics, lr, samples, seconds, waited } => {
                (self.at.step, self.at.epoch, self.at.done) = (step, epoch, self.at.done + 1);
                if seconds > 0.0 {
                    let first = self.at.seconds_per_step == 0.0;
                    smooth(&mut self.at.samples_per_second, samples as f64 / seconds, first);
                    smooth(&mut self.at.seconds_per_step, seconds, first);
                    smooth(&mut self.at.waited_per_step, waited, first);
                }
                self.at.live.clear();
                for (name, value) in metrics.iter().take(1) {
                    let _ = write!(self.at.live, "{name} {}", short(*value));
                }
                for lr in lr.iter().take(1) {
                    let _ = write!(self.at.live, "  lr {}", short(*lr));
                }
                self.screen.step(&self.at);
            }
            Event::Skipped { step, reason, .. } => {
                self.at.done += 1;
                self.screen.say(&format!("{}, step {step}: left out: {reason}", self.at.epoch()));
            }
            Event::Evaluating { split, done, of } => self.screen.evaluating(split, done, of),
            Event::Epoch { epoch, metrics, seconds, waited, .. } => {
                (self.at.epoch, self.at.done) = (epoch, 0);
                self.screen.epoch_over();
                let (time, waiting) = (duration(seconds), waiting_for_data(share(waited, seconds)));
                self.screen.say(&format!("{}  {}  ({time}, {waiting})", self.at.epoch(), listed(metrics)));
            }
            Event::End { step, reason, .. } => {
                self.screen.epoch_over();
                self.screen.say(&format!("ended at step {step}: {reason}"));
            }
            Event::Start(_) | Event::Validated { .. } | Event::Checkpoint { .. } => {}
        }
        // Lines of others go through here, since a line printed into a bar would tear it.
        for note in control.notes.drain(..) {
            self.screen.say(&note);
        }
        Ok(())
    }
}

fn smooth(mean: &mut f64, now: f64, first: bool) {
    *mean = if first { now } else { 0.9 * *mean + 0.1 * now };
}

fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

/// `4 % waiting for data`.
fn waiting_for_data(share: f64) -> String {
    format!("{:.0} % waiting for data", 100.0 * share)
}

fn listed(metrics: &Named<f64>) -> String {
    let mut all: Vec<_> = metrics.iter().take(SHOWN).map(|(name, value)| format!("{name} {}", short(*value))).collect();
    if metrics.len() > SHOWN {
        all.push("...".into());
    }
    all.join("  ")
}

/// A terminal.
struct Bars {
    all: MultiProgress,
    train: Option<ProgressBar>,
    other: Option<ProgressBar>,
}

impl Bars {
    fn new(target: ProgressDrawTarget) -> Self {
        Self { all: MultiProgress::with_draw_target(target), train: None, other: None }
    }

    fn bar(&self, of: u64, colour: &str) -> ProgressBar {
        let template = format!("{{prefix}} {{bar:24.{colour}/white.dim}} {{pos}}/{{len}}  {{msg}}");
        let style = ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar());
        self.all.add(ProgressBar::new(of).with_style(style.progress_chars("━╸─")))
    }
}

impl Screen for Bars {
    fn step(&mut self, at: &Standing) {
        if let Some(bar) = self.other.take() {
            bar.finish_and_clear();
        }
        if self.train.is_none() {
            self.train = Some(self.bar(at.of, "cyan"));
        }
        if let Some(bar) = &self.train {
            bar.set_prefix(at.epoch());
            bar.set_message(format!("{}  {}  {} left", at.live, at.rate(), at.left()));
            bar.set_position(at.done);
        }
    }

    fn evaluating(&mut self, split: &str, done: usize, of: usize) {
        if self.other.is_none() {
            self.other = Some(self.bar(of as u64, "yellow"));
        }
        if let Some(bar) = &self.other {
            bar.set_prefix(split.to_owned());
            bar.set_length(of as u64);
            bar.set_position(done as u64);
        }
    }

    fn epoch_over(&mut self) {
        for bar in [self.train.take(), self.other.take()].into_iter().flatten() {
            bar.finish_and_clear();
        }
    }

    fn say(&mut self, line: &str) {
        // A terminal that went away must not end the training.
        let _ = self.all.println(line);
    }
}

/// How often a line is written within an epoch.
enum Pace {
    Seconds(f64),
    Steps(u64),
}

/// A file or a pipe.
struct Lines {
    out: Box<dyn Write + Send>,
    pace: Pace,
    last: Instant,
}

impl Screen for Lines {
    fn step(&mut self, at: &Standing) {
        let due = match self.pace {
            Pace::Seconds(least) => self.last.elapsed().as_secs_f64() >= least,
            Pace::Steps(n) => at.step.is_multiple_of(n),
        };
        if due {
            let (done, of) = (at.done, at.of);
            self.say(&format!("{}  {done}/{of}  {}  {}  {} left", at.epoch(), at.live, at.rate(), at.left()));
        }
    }

    fn evaluating(&mut self, _: &str, _: usize, _: usize) {}

    fn epoch_over(&mut self) {}

    fn say(&mut self, line: &str) {
        // A pipe that was closed must not end the training.
        let _ = writeln!(self.out, "{line}");
        self.last = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pleach_core::{DType, Device, Params};
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);
    impl Write for Page {
        fn write(&mut self, piece: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(piece)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn play(meter: &mut Meter, epochs: std::ops::Range<u32>, steps: u64) {
        let params = Params::new(0, DType::F32, &Device::Cpu);
        let mut control = Control { params: &params, stop: None, notes: vec!["a note".into()] };
        let (train, all) = (Named::one("train_loss", 0.5), [("train_loss", 0.5), ("val_accuracy", 0.98)]);
        let all: Named<f64> = all.into_iter().collect();
        for epoch in epochs {
            for step in 1..=steps {
                let step = u64::from(epoch) * steps + step;
                let event =
                    Event::Step { step, epoch, metrics: &train, lr: &[1e-3], samples: 64, seconds: 0.5, waited: 0.0 };
                meter.on(&event, &mut control).unwrap();
            }
            meter.on(&Event::Evaluating { split: "val", done: 1, of: 2 }, &mut control).unwrap();
            let event = Event::Epoch { step: 0, epoch, metrics: &all, seconds: 2.0, waited: 0.5 };
            meter.on(&event, &mut control).unwrap();
        }
        meter.on(&Event::End { step: 8, epoch: 2, reason: "max_epochs" }, &mut control).unwrap();
    }

    #[test]
    fn a_pipe_gets_plain_lines_with_rate_and_time_left() {
        let page = Page::default();
        let run = RunInfo { steps_per_epoch: 4, max_epochs: Some(2), ..RunInfo::default() };
        let lines = Lines { out: Box::new(page.clone()), pace: Pace::Steps(2), last: Instant::now() };
        play(&mut Meter::new(&run, Box::new(lines)), 0..2, 4);
        let text = String::from_utf8(page.0.lock().unwrap().clone()).unwrap();
        let first: Vec<_> = text.lines().take(4).collect();
        assert_eq!(
            first,
            [
                "a note",
                "epoch 1/2  2/4  train_loss 0.5000  lr 0.0010  128.0 samples/s  1s left",
                "epoch 1/2  4/4  train_loss 0.5000  lr 0.0010  128.0 samples/s  0s left",
                "epoch 1/2  train_loss 0.5000  val_accuracy 0.9800  (2s, 25 % waiting for data)",
            ]
        );
        assert_eq!(text.lines().last(), Some("ended at step 8: max_epochs"));
        assert!(!text.contains('\u{1b}'), "a pipe gets no escapes");
    }

    #[test]
    fn waiting_that_matters_stands_beside_the_rate() {
        let at = |waited_per_step| Standing {
            epoch: 0,
            max_epochs: None,
            done: 1,
            of: 2,
            step: 1,
            samples_per_second: 64.0,
            seconds_per_step: 0.5,
            waited_per_step,
            live: String::new(),
        };
        assert_eq!(at(0.02).rate(), "64.00 samples/s");
        assert_eq!(at(0.2).rate(), "64.00 samples/s, 40 % waiting for data");
    }

    #[test]
    fn within_the_pace_a_pipe_gets_one_line_for_each_epoch() {
        let page = Page::default();
        let run = RunInfo { steps_per_epoch: 4, ..RunInfo::default() };
        let lines = Lines { out: Box::new(page.clone()), pace: Pace::Seconds(3600.0), last: Instant::now() };
        play(&mut Meter::new(&run, Box::new(lines)), 0..3, 4);
        let text = String::from_utf8(page.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.lines().filter(|l| l.starts_with("epoch")).count(), 3);
    }

    #[test]
    fn a_bar_begins_where_the_run_goes_on() {
        let run = RunInfo { steps_per_epoch: 10, step: 23, epoch: 2, ..RunInfo::default() };
        let mut meter = Meter::new(&run, Box::new(Bars::new(ProgressDrawTarget::hidden())));
        assert_eq!(meter.at.done, 3);
        play(&mut meter, 2..4, 10);
    }
}
