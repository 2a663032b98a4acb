//! `log.jsonl`: every step and event as a line of JSON, which every viewer of a run reads.

use crate::append::Append;
use pleach_core::kinds::observer::RunInfo;
use pleach_core::{Better, Control, Event, Named, Observer, Result, Saved, Watcher, plugin, saved, state};
use serde_json::{Map, Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

/// The name of the log in a run's folder.
pub const LOG: &str = "log.jsonl";

/// The format that the first line names.
pub const FORMAT: u32 = 1;

/// Writes `log.jsonl` into the run's folder: one line of JSON for the run, and one for each step,
/// skipped step, validation, epoch and for the end.
///
/// All that differs between equal runs stands under `wall`: the time of day, `seconds` that a step or an epoch took, and
/// the part of them in which it `waited` for data. An infinite number is written as
/// `{"$float": "inf"}`, NaN alike.
#[plugin(observer)]
pub struct JsonLines {
    /// Steps between two lines about steps; everything else is always written; by default `[trainer] log_every_n_steps`.
    #[plugin(range = 1..)]
    pub every_n_steps: Option<u64>,
}

impl Observer for JsonLines {
    fn start(&self, run: &RunInfo) -> Result<Box<dyn Watcher>> {
        let path = run.dir.join(LOG);
        // A run that was killed before its first checkpoint begins anew, and so does its log.
        let goes_on = run.step > 0 || run.epoch > 0;
        let log = if goes_on { Append::go_on(&path)? } else { Append::begin(&path)? };
        let mut writer =
            Writer { log, lines: 0, every_n_steps: self.every_n_steps.unwrap_or(run.log_every_n_steps).max(1) };
        if writer.log.bytes() == 0 {
            writer.line(first_line(run))?;
        }
        Ok(Box::new(writer))
    }
}

struct Writer {
    log: Append,
    lines: u64,
    every_n_steps: u64,
}

/// How far the log was written. Lines and not bytes: the digits of a time differ between equal runs.
#[state]
struct Place {
    lines: u64,
}

impl Writer {
    fn line(&mut self, line: Value) -> Result<()> {
        let mut text = line.to_string();
        text.push('\n');
        self.lines += 1;
        self.log.append(text.as_bytes())
    }
}

impl Watcher for Writer {
    /// Checkpoints have no line: the length of the log is a part of a checkpoint, so a line about it
    /// would stand after that length and be cut off when the run goes on.
    fn on(&mut self, event: &Event<'_>, _: &mut Control<'_>) -> Result<()> {
        let line = match *event {
            Event::Step { step, epoch, metrics, lr, samples, seconds, waited } => {
                if !step.is_multiple_of(self.every_n_steps) {
                    return Ok(());
                }
                let rate = if seconds > 0.0 { samples as f64 / seconds } else { 0.0 };
                let wall = json!({ "seconds": seconds, "waited": waited, "samples_per_second": rate, "time": now() });
                let metrics = table(metrics)?;
                json!({ "event": "step", "step": step, "epoch": epoch, "metrics": metrics, "lr": saved::save(lr)?, "wall": wall })
            }
            Event::Skipped { step, epoch, reason } => {
                json!({ "event": "skipped", "step": step, "epoch": epoch, "reason": reason, "wall": { "time": now() } })
            }
            Event::Validated { step, epoch, metrics } => {
                let metrics = table(metrics)?;
                json!({ "event": "validation", "step": step, "epoch": epoch, "metrics": metrics, "wall": { "time": now() } })
            }
            Event::Epoch { step, epoch, metrics, seconds, waited } => {
                let wall = json!({ "seconds": seconds, "waited": waited, "time": now() });
                json!({ "event": "epoch", "step": step, "epoch": epoch, "metrics": table(metrics)?, "wall": wall })
            }
            Event::End { step, epoch, reason } => {
                json!({ "event": "end", "step": step, "epoch": epoch, "reason": reason, "wall": { "time": now() } })
            }
            Event::Start(_) | Event::Evaluating { .. } | Event::Checkpoint { .. } => return Ok(()),
        };
        self.line(line)
    }

    fn save(&self) -> Result<Saved> {
        self.log.settled()?;
        saved::save(&Place { lines: self.lines })
    }

    fn restore(&mut self, saved: &Saved) -> Result<()> {
        let place: Place = saved::load(saved)?;
        self.log.cut_to_lines(place.lines)?;
        self.lines = place.lines;
        Ok(())
    }
}

/// What a viewer must know; nothing that a later `resume` may change.
fn first_line(run: &RunInfo) -> Value {
    let better = |b: &Better| if *b == Better::Higher { "higher" } else { "lower" };
    let better: Map<String, Value> = run.better.iter().map(|(name, b)| (name.clone(), better(b).into())).collect();
    json!({
        "event": "run", "format": FORMAT, "name": run.name, "steps_per_epoch": run.steps_per_epoch,
        "parameters": run.parameters, "better": better, "wall": { "time": now() },
    })
}

fn table(metrics: &Named<f64>) -> Result<Map<String, Value>> {
    metrics.iter().map(|(name, value)| Ok((name.to_owned(), saved::save(value)?))).collect()
}

/// Seconds since 1970.
pub(crate) fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |d| d.as_secs_f64())
}
