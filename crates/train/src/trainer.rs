//! The loop over phases, epochs and steps, and all that happens between them.

mod validate;

use crate::checkpoint::{Checkpoint, FORMAT, Shelf, State, numbers};
use crate::clock::Clock;
use crate::evaluate::{collate, say_left_out};
use crate::fingerprint;
use crate::folder::RunFolder;
use crate::keep::Keep;
use crate::profile::Profile;
use crate::replay;
use crate::stage::{Stage, Terminal, phases};
use crate::step::{Pipeline, Stepped};
use crate::tally::Tally;
use crate::watch::{Watch, Wishes};
use pleach_config::Resolved;
use pleach_config::run::Run;
use pleach_core::kinds::observer::RunInfo;
use pleach_core::kinds::schedule::{Moment, Schedule};
use pleach_core::registry::entries;
use pleach_core::{Candidate, Error, Event, Named, Observer, Plug, Result, Saved};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// What the trainer knows of the program around it.
#[derive(Clone)]
pub struct Host {
    /// Set when the user asks the run to end after the current step.
    pub interrupted: Arc<AtomicBool>,
    /// Whether a person watches.
    pub terminal: Terminal,
    /// Where lines for the person go.
    pub say: Arc<dyn Fn(&str) + Send + Sync>,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// All epochs or steps were done, or an observer stopped it, with the reason.
    Finished(String),
    /// It had been finished before.
    Already,
    /// The user interrupted it.
    Interrupted,
}

/// What came of a run.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// How it ended.
    pub ended: Ended,
    /// Steps and epochs.
    pub clock: Clock,
    /// The latest metrics.
    pub metrics: Named<f64>,
    /// The run's folder.
    pub dir: PathBuf,
}

/// Trains a run in a new folder, in which the text of its file is kept as `run.toml`.
///
/// # Errors
/// The folder holds a run, data are wrong, a loss is NaN, a disk is full.
pub fn train(resolved: &Resolved, text: &str, out: &Path, host: &Host) -> Result<Outcome> {
    if resolved.run.trainer.fast_dev_run.0 > 0 {
        return Trainer::new(&resolved.run, out.to_owned(), None, host)?.run(None);
    }
    let folder = RunFolder::create(out)?;
    // A run may be killed at any moment from here on: what makes it go on is written last.
    folder.write("run.toml", text.as_bytes())?;
    folder.write("origins.json", json!(resolved.origins()).to_string().as_bytes())?;
    folder.write("plugins.lock", plugins_lock().as_bytes())?;
    folder.write("resolved.toml", resolved.toml().as_bytes())?;
    Trainer::new(&resolved.run, out.to_owned(), Some(folder), host)?.run(None)
}

/// Goes on with a run from its newest whole checkpoint, or from the start where there is none.
///
/// # Errors
/// No checkpoint can be read, or another process holds the folder.
pub fn resume(resolved: &Resolved, dir: &Path, host: &Host) -> Result<Outcome> {
    let folder = RunFolder::open(dir)?;
    let mut trainer = Trainer::new(&resolved.run, dir.to_owned(), Some(folder), host)?;
    trainer.renewed = Some(resolved.toml().to_owned());
    trainer.shelf.sweep()?;
    let checkpoint = newest(&trainer.shelf, resolved, host)?;
    trainer.run(checkpoint)
}

/// The plugin crates of this program with their versions, a line each.
fn plugins_lock() -> String {
    let crates: BTreeSet<String> = entries().iter().map(|e| format!("{} {}\n", e.krate, e.version)).collect();
    crates.into_iter().collect()
}

/// The newest checkpoint that is whole; what is not is said.
fn newest(shelf: &Shelf, resolved: &Resolved, host: &Host) -> Result<Option<Checkpoint>> {
    let device = resolved.run.backend.train.device()?;
    let mut refused = Vec::new();
    for step in shelf.steps().into_iter().rev() {
        match shelf.read(step, &device) {
            Ok(checkpoint) => return Ok(Some(checkpoint)),
            Err(e) => {
                (host.say)(&e.to_string());
                refused.push(e);
            }
        }
    }
    match refused.into_iter().next() {
        Some(e) => Err(e
            .context("looking for a checkpoint to go on from")
            .hint("no older checkpoint is whole; train anew in another folder")),
        None => Ok(None),
    }
}

struct Trainer<'h> {
    run: Run,
    phases: Vec<Run>,
    dir: PathBuf,
    folder: Option<RunFolder>,
    shelf: Shelf,
    host: &'h Host,
    /// What `resolved.toml` says from now on, once the run is known to go on with it.
    renewed: Option<String>,
}

/// What goes through all phases.
struct Course {
    clock: Clock,
    watch: Watch,
    keep: Keep,
    info: RunInfo,
    /// The latest value of each metric.
    latest: Named<f64>,
    /// What was measured since the last checkpoint could have been written, for keepers.
    fresh: BTreeMap<String, f64>,
    stop: Option<String>,
    /// Why the run has come to its end.
    ended: Option<String>,
    profile: Profile,
    /// How long the epoch has waited for data.
    waited: Duration,
    /// How often a sample was left out of training, in this process.
    left_out: usize,
}

impl<'h> Trainer<'h> {
    fn new(run: &Run, dir: PathBuf, folder: Option<RunFolder>, host: &'h Host) -> Result<Self> {
        let shelf = Shelf::new(run.checkpointing.dirpath.clone().unwrap_or_else(|| dir.join("ckpt")));
        Ok(Self { phases: phases(run), run: run.clone(), dir, folder, shelf, host, renewed: None })
    }

    /// The observers of the run in their order: loggers, others, early stopping, progress.
    fn observers(&self) -> Result<Vec<Plug<dyn Observer>>> {
        let mut all = Vec::new();
        if self.folder.is_some() {
            all.extend(self.run.logging.iter().cloned());
            all.extend(self.run.observer.iter().cloned());
            all.extend(self.run.early_stopping.iter().cloned());
        }
        // The last to hear of an event, so that it shows what the others have to say.
        if self.run.trainer.enable_progress_bar {
            all.push(Plug::named("Progress")?);
        }
        Ok(all)
    }

    fn run(self, checkpoint: Option<Checkpoint>) -> Result<Outcome> {
        let clock = checkpoint.as_ref().map_or_else(Clock::default, |c| c.state.clock);
        let phase = self
            .phases
            .get(clock.phase)
            .ok_or_else(|| Error::new("PL0507", "the checkpoint is of a phase that the run does not have"))?;
        let mut stage = Stage::open(phase, &clock)?;
        let info = stage.info(&clock, &self.dir, self.host.terminal);
        let mut course = Course {
            clock,
            watch: Watch::start(&self.observers()?, &info)?,
            keep: Keep::start(&self.run, &info)?,
            info,
            latest: Named::new(),
            fresh: BTreeMap::new(),
            stop: None,
            ended: None,
            profile: Profile::default(),
            waited: Duration::ZERO,
            left_out: 0,
        };
        let mut epoch_so_far = Saved::Null;
        if let Some(checkpoint) = checkpoint {
            stage.restore(&checkpoint)?;
            let state = checkpoint.state;
            course.watch.restore(&state.observers, state.averages.zip(checkpoint.averages))?;
            course.keep.restore(&state.keepers)?;
            course.latest = pleach_core::saved::load(&state.metrics)?;
            epoch_so_far = state.epoch;
            course.stop = state.stop;
            if let Some(reason) = &state.ended
                && (course.stop.is_some() || self.is_done(&course, &stage))
            {
                // The process may have been killed between the checkpoint and the last line of the log.
                self.tell(&mut course, &stage, &Event::End { step: clock.step, epoch: clock.epoch, reason })?;
                return Ok(self.outcome(Ended::Already, course));
            }
        }
        self.note_data(&stage, &course)?;
        if let (Some(folder), Some(text)) = (&self.folder, &self.renewed) {
            folder.write("resolved.toml", text.as_bytes())?;
        }
        let info = course.info.clone();
        self.tell(&mut course, &stage, &Event::Start(&info))?;
        loop {
            for note in std::mem::take(&mut stage.notes) {
                (self.host.say)(&note);
            }
            let ended = self.phase(&mut stage, &mut course, std::mem::take(&mut epoch_so_far))?;
            if ended == Ended::Interrupted {
                return Ok(self.outcome(ended, course));
            }
            let next = course.clock.next_phase();
            let Some(run) = self.phases.get(next.phase) else {
                self.finish(&stage, &mut course, &ended)?;
                return Ok(self.outcome(ended, course));
            };
            course.clock = next;
            course.stop = None;
            let before = stage.params.snapshot()?;
            stage = Stage::open(run, &course.clock)?;
            stage.inherit(&before)?;
            self.note_data(&stage, &course)?;
            self.checkpoint(&stage, &mut course, None, Occasion::Forced)?;
        }
    }

    /// Notes what the data of a phase are, beside the run.
    fn note_data(&self, stage: &Stage<'_>, course: &Course) -> Result<()> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let phase = self.run.phase.get(course.clock.phase).map_or("", |phase| phase.name.as_str());
        fingerprint::note(folder, phase, &stage.data)
    }

    /// Whether nothing is left to do in the last phase.
    fn is_done(&self, course: &Course, stage: &Stage<'_>) -> bool {
        let c = &course.clock;
        let epochs = u32::try_from(stage.run.trainer.max_epochs).is_ok_and(|max| c.epochs_in_phase() >= max);
        c.phase + 1 == self.phases.len() && (epochs || self.steps_are_done(stage, course))
    }

    fn outcome(&self, ended: Ended, course: Course) -> Outcome {
        Outcome { ended, clock: course.clock, metrics: course.latest, dir: self.dir.clone() }
    }

    fn tell(&self, course: &mut Course, stage: &Stage<'_>, event: &Event<'_>) -> Result<()> {
        let Wishes { stop, notes } = course.watch.tell(event, &stage.params)?;
        for note in notes {
            (self.host.say)(&note);
        }
        if stop.is_some() {
            course.stop = stop;
        }
        Ok(())
    }

    /// All epochs of a phase.
    fn phase(&self, stage: &mut Stage<'_>, course: &mut Course, mut so_far: Saved) -> Result<Ended> {
        let trainer = &stage.run.trainer;
        let max_epochs = match trainer.fast_dev_run.0 {
            0 => u32::try_from(trainer.max_epochs).ok(),
            _ => Some(1),
        };
        let min_epochs = trainer.min_epochs;
        loop {
            if max_epochs.is_some_and(|max| course.clock.epochs_in_phase() >= max) {
                return Ok(Ended::Finished("all epochs are done".into()));
            }
            if self.steps_are_done(stage, course) {
                return Ok(Ended::Finished("all steps are done".into()));
            }
            if let Some(why) = &course.stop
                && course.clock.epochs_in_phase() >= min_epochs
            {
                return Ok(Ended::Finished(why.clone()));
            }
            course.stop = None;
            if self.epoch(stage, course, std::mem::take(&mut so_far))? == Flow::Interrupted {
                return Ok(Ended::Interrupted);
            }
        }
    }

    fn steps_are_done(&self, stage: &Stage<'_>, course: &Course) -> bool {
        u64::try_from(stage.run.trainer.max_steps).is_ok_and(|max| course.clock.steps_in_phase() >= max)
    }

    /// Whether another epoch of the phase follows the present one, as far as can be known.
    fn goes_on(&self, stage: &Stage<'_>, course: &Course) -> bool {
        let trainer = &stage.run.trainer;
        let epochs = if trainer.fast_dev_run.0 > 0 { Some(1) } else { u32::try_from(trainer.max_epochs).ok() };
        epochs.is_none_or(|max| course.clock.epochs_in_phase() + 1 < max)
            && !self.steps_are_done(stage, course)
            && course.stop.is_none()
    }

    fn validation_is_due(&self, stage: &Stage<'_>, course: &Course) -> bool {
        (course.clock.epochs_in_phase() + 1).is_multiple_of(stage.run.trainer.check_val_every_n_epoch)
    }

    /// Begins to read what comes after the step that is about to be taken, so that nobody waits for it then.
    fn read_ahead(&self, stage: &mut Stage<'_>, course: &Course) {
        let last = course.clock.batch >= stage.train_batches;
        if (last && self.validation_is_due(stage, course))
            || validates_within(stage.run, course.clock.steps_in_phase() + 1)
        {
            stage.begin_val();
        } else if last && self.goes_on(stage, course) {
            stage.begin_train(course.clock.epoch + 1);
        }
    }

    /// One epoch, or what is left of it.
    fn epoch(&self, stage: &mut Stage<'_>, course: &mut Course, so_far: Saved) -> Result<Flow> {
        let run = stage.run;
        let began = Instant::now();
        course.waited = Duration::ZERO;
        let mut tally = Tally::new("train", &run.metrics.train, &stage.data.info);
        if so_far != Saved::Null {
            tally.restore(&so_far)?;
        }
        let left = stage.train_batches.saturating_sub(course.clock.batch);
        let mut batches = stage.train_epoch(course.clock.epoch, course.clock.batch).take(left);
        loop {
            if self.host.interrupted.load(Ordering::Relaxed) {
                self.checkpoint(stage, course, Some(&tally), Occasion::Forced)?;
                return Ok(Flow::Interrupted);
            }
            if self.steps_are_done(stage, course) {
                break;
            }
            let step_began = Instant::now();
            let mut window = Vec::new();
            let mut used = 0;
            for loaded in batches.by_ref().take(run.trainer.accumulate_grad_batches) {
                let loaded = loaded?;
                used += 1;
                say_left_out(&loaded.skipped, &*self.host.say);
                course.left_out += loaded.skipped.len();
                if !loaded.rows.is_empty() {
                    window.push(collate(&*run.task, loaded.rows, &stage.params, &stage.data.info)?);
                }
            }
            if used == 0 {
                break;
            }
            let waited = step_began.elapsed();
            course.waited += waited;
            course.profile.add("data", step_began);
            course.clock.batch += used;
            self.read_ahead(stage, course);
            if window.is_empty() {
                continue;
            }
            let samples = window.iter().map(|b| b.rows.len()).sum();
            let pipeline = Pipeline {
                task: &*run.task,
                net: &*stage.net,
                params: &stage.params,
                losses: &run.loss,
                kernels: &*run.backend.kernels,
                groups: &stage.groups,
                clip: run.trainer.gradient_clip_val.map(|v| (v, run.trainer.gradient_clip_algorithm)),
                seed: run.run.seed,
                step: course.clock.step,
            };
            let lr: Vec<f64> = stage.rates.iter().map(|r| r.lr).collect();
            let follow = course.watch.follows(course.clock.step + 1);
            let began = Instant::now();
            let stepped = pipeline
                .step(&window, &mut stage.memory, &stage.rates, stage.scaler.as_mut(), follow)
                .map_err(|e| self.autopsy(e, course, run, &window))?;
            course.profile.add("step", began);
            match stepped {
                Stepped::Skipped(reason) => {
                    let (step, epoch) = (course.clock.step, course.clock.epoch);
                    self.tell(course, stage, &Event::Skipped { step, epoch, reason })?;
                    continue;
                }
                Stepped::Taken(losses, moved) => {
                    course.clock.step += 1;
                    course.watch.followed(course.clock.step, moved);
                    tally.add_losses(losses.loss, &losses.parts, samples);
                    if tally.wants_rows() {
                        let mut decoder = run.task.decoder(&stage.data.info);
                        for (outputs, batch) in losses.outputs.iter().zip(&window) {
                            tally.add_rows(&decoder.decode(outputs, batch)?, &batch.rows)?;
                        }
                    }
                    let mut metrics = Named::one("train_loss", losses.loss);
                    if losses.parts.len() > 1 {
                        for (name, part) in losses.parts.iter() {
                            metrics.insert(format!("train_{name}"), *part);
                        }
                    }
                    stage.learn(&metrics);
                    self.tick(stage, course, Moment::Step)?;
                    let (step, epoch) = (course.clock.step, course.clock.epoch);
                    let (seconds, waited) = (step_began.elapsed().as_secs_f64(), waited.as_secs_f64());
                    let event = Event::Step { step, epoch, metrics: &metrics, lr: &lr, samples, seconds, waited };
                    self.tell(course, stage, &event)?;
                }
            }
            if validates_within(run, course.clock.steps_in_phase()) && course.clock.batch < stage.train_batches {
                let measured = self.validate(stage, course)?;
                stage.learn(&measured);
            }
            if course.clock.batch < stage.train_batches {
                self.checkpoint(stage, course, Some(&tally), Occasion::Step)?;
            }
            if course.stop.is_some() && course.clock.epochs_in_phase() >= run.trainer.min_epochs {
                break;
            }
        }
        drop(batches);
        if self.goes_on(stage, course) {
            stage.begin_train(course.clock.epoch + 1);
        }
        let whole = course.clock.batch >= stage.train_batches;
        let mut metrics = tally.values();
        if self.validation_is_due(stage, course) || !whole {
            for (name, value) in self.validate(stage, course)? {
                metrics.insert(name, value);
            }
        }
        course.learn(&metrics);
        stage.learn(&metrics);
        self.tick(stage, course, Moment::EpochEnd)?;
        let (step, epoch) = (course.clock.step, course.clock.epoch);
        course.clock.epoch += 1;
        course.clock.batch = 0;
        let (seconds, waited) = (began.elapsed().as_secs_f64(), course.waited.as_secs_f64());
        self.tell(course, stage, &Event::Epoch { step, epoch, metrics: &metrics, seconds, waited })?;
        self.checkpoint(stage, course, None, Occasion::EpochEnd)?;
        Ok(Flow::Goes)
    }

    fn tick(&self, stage: &mut Stage<'_>, course: &Course, moment: Moment) -> Result<()> {
        let Some(schedule) = &mut stage.schedule else { return Ok(()) };
        schedule.tick(moment, course.clock.steps_in_phase(), course.clock.epochs_in_phase(), &mut stage.rates)
    }

    /// Says which samples were in a step that failed, and saves them for a replay.
    fn autopsy(&self, error: Error, course: &Course, run: &Run, window: &[pleach_core::Batch]) -> Error {
        let keys = replay::sample_keys(window);
        let shown: Vec<_> = keys.iter().take(8).map(String::as_str).collect();
        let more = if keys.len() > 8 { format!(" and {} more", keys.len() - 8) } else { String::new() };
        let error = error.context(format!("training on the samples {}{more}", shown.join(", ")));
        if error.code() != "PL0402" || self.folder.is_none() {
            return error;
        }
        match replay::save(&self.dir, &course.clock, run.run.seed, window) {
            Ok(place) => error.hint(format!(
                "the batch is saved in `{}`; look at the learning rate, or bound the gradient with `gradient_clip_val`",
                place.display()
            )),
            Err(e) => error.context(format!("saving the batch failed too: {}", e.message())),
        }
    }

    /// Asks the keepers and writes and deletes what they say.
    fn checkpoint(
        &self,
        stage: &Stage<'_>,
        course: &mut Course,
        tally: Option<&Tally<'_>>,
        occasion: Occasion,
    ) -> Result<()> {
        if self.folder.is_none() || !stage.run.trainer.enable_checkpointing {
            return Ok(());
        }
        let began = Instant::now();
        let step = course.clock.step;
        let candidate = Candidate {
            step,
            // At the end of an epoch the clock stands at the next one already.
            epoch: match occasion {
                Occasion::EpochEnd | Occasion::End => course.clock.epoch.saturating_sub(1),
                Occasion::Step | Occasion::Forced => course.clock.epoch,
            },
            epoch_end: occasion == Occasion::EpochEnd,
            run_end: occasion == Occasion::End,
            metrics: std::mem::take(&mut course.fresh),
        };
        let mut wanted = course.keep.hold(&candidate, &course.info);
        if occasion == Occasion::Forced || occasion == Occasion::End {
            wanted.insert(step);
        }
        if wanted.contains(&step) {
            let scheduler = stage.schedule.as_ref().map(Schedule::save).transpose()?;
            let averages = match course.watch.weights() {
                Some((who, weights)) => Some((who.to_owned(), weights.clone())),
                None => stage.eval_weights()?.map(|weights| (OPTIMIZER.to_owned(), weights)),
            };
            let state = State {
                format: FORMAT,
                clock: course.clock,
                run: pleach_core::saved::save(&self.run)?,
                optimizer: numbers(&stage.memory),
                scheduler,
                rates: stage.rates.iter().map(|r| (r.lr, r.momentum)).collect(),
                observers: course.watch.save()?,
                averages: averages.as_ref().map(|(who, _)| who.clone()),
                keepers: course.keep.save()?,
                scaler: stage.scaler,
                epoch: tally.map(Tally::save).transpose()?.unwrap_or_default(),
                metrics: pleach_core::saved::save(&course.latest)?,
                stop: course.stop.clone(),
                info: stage.data.info.clone(),
                ended: course.ended.clone(),
            };
            let averages = averages.map(|(_, weights)| weights);
            self.shelf.write(&Checkpoint {
                state,
                weights: stage.params.snapshot()?,
                averages,
                memory: stage.memory.clone(),
            })?;
            self.tell(course, stage, &Event::Checkpoint { step })?;
        }
        for old in self.shelf.steps() {
            if !wanted.contains(&old) && old <= step {
                self.shelf.delete(old)?;
            }
        }
        course.profile.add("checkpoint", began);
        Ok(())
    }

    fn finish(&self, stage: &Stage<'_>, course: &mut Course, ended: &Ended) -> Result<()> {
        let reason = match ended {
            Ended::Finished(reason) => reason.as_str(),
            Ended::Already | Ended::Interrupted => "finished",
        };
        course.ended = Some(reason.to_owned());
        self.checkpoint(stage, course, None, Occasion::End)?;
        if self.run.trainer.profiler.is_some() {
            course.profile.lines().iter().for_each(|line| (self.host.say)(line));
        }
        if course.left_out > 0 {
            (self.host.say)(&format!("{} times a sample was left out because it could not be read", course.left_out));
        }
        let (step, epoch) = (course.clock.step, course.clock.epoch);
        self.tell(course, stage, &Event::End { step, epoch, reason })
    }
}

impl Course {
    fn learn(&mut self, metrics: &Named<f64>) {
        for (name, value) in metrics.iter() {
            self.fresh.insert(name.to_owned(), *value);
            self.latest.insert(name, *value);
        }
    }
}

/// Whether validation follows so many steps of a phase, also in the midst of an epoch.
fn validates_within(run: &Run, steps: u64) -> bool {
    run.trainer.val_every_n_steps.is_some_and(|n| steps.is_multiple_of(n))
}

/// Who keeps the averaged weights of a checkpoint, where it is no observer.
const OPTIMIZER: &str = "optimizer";

/// Why a checkpoint could be written now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Occasion {
    Step,
    EpochEnd,
    Forced,
    End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    Goes,
    Interrupted,
}
