//! One phase of a run, opened: data, net, optimizer, scheduler.

use crate::checkpoint::{Checkpoint, numbers};
use crate::clock::Clock;
use crate::groups::Groups;
use crate::scaler::Scaler;
use crate::setup::{OpenData, OpenSplit, build_net, open_data};
use crate::weights::load_weights;
use pleach_config::run::{Limit, Run};
use pleach_core::kinds::metric::MetricConfig;
use pleach_core::kinds::observer::RunInfo;
use pleach_core::kinds::optimizer::Memory;
use pleach_core::kinds::schedule::Schedule;
use pleach_core::kinds::scheduler::SchedulerConfig;
use pleach_core::{Better, DataInfo, Error, Fit, GroupRates, Named, Net, Params, Plan, Precision, Result};
use pleach_data::{Dataloader, Epoch, Loader};
use std::collections::BTreeMap;

/// A phase with everything opened.
pub struct Stage<'r> {
    /// The run with the phase's own sections in place.
    pub run: &'r Run,
    /// The data.
    pub data: OpenData,
    /// The net.
    pub net: Box<dyn Net>,
    /// Its parameters.
    pub params: Params,
    /// Batches to learn from.
    pub train: Loader,
    /// Batches to validate on.
    pub val: Option<Loader>,
    /// Batches of an epoch that are used.
    pub train_batches: usize,
    /// The optimizer with its groups of parameters.
    pub groups: Groups,
    /// What the optimizer remembers.
    pub memory: Memory,
    /// The scheduler.
    pub schedule: Option<Schedule>,
    /// The rates of each group.
    pub rates: Vec<GroupRates>,
    /// Scale of the loss in 16 bits.
    pub scaler: Option<Scaler>,
    /// What the user should know.
    pub notes: Vec<String>,
    /// What is being read before it is needed.
    ahead: Ahead,
}

/// Epochs that have been begun: their first batches are read while something else is done.
#[derive(Default)]
struct Ahead {
    train: Option<(u32, Epoch)>,
    val: Option<Epoch>,
}

/// The run of each phase: the sections of the file with the phase's own in their place. A run
/// without phases is its own only one.
pub fn phases(run: &Run) -> Vec<Run> {
    if run.phase.is_empty() {
        return vec![run.clone()];
    }
    run.phase
        .iter()
        .map(|phase| {
            let mut of = run.clone();
            let p = phase.clone();
            if let Some(epochs) = p.max_epochs {
                of.trainer.max_epochs = epochs;
            }
            if let Some(steps) = p.max_steps {
                of.trainer.max_steps = i64::try_from(steps).unwrap_or(i64::MAX);
            }
            if let Some(freeze) = p.freeze {
                of.model.slot.freeze = freeze;
            }
            if let Some(dataset) = p.dataset {
                of.dataset = dataset;
            }
            if let Some(loss) = p.loss {
                of.loss = loss;
            }
            if let Some(optimizer) = p.optimizer {
                of.optimizer = optimizer;
            }
            of.scheduler = p.scheduler.or(run.scheduler.as_ref()).cloned();
            of
        })
        .collect()
}

/// Batches of each loop under `fast_dev_run`, or under the loop's own limit.
fn limit(run: &Run, own: Limit, n: usize) -> usize {
    match run.trainer.fast_dev_run.0 {
        0 => own.of(n),
        batches => n.min(batches as usize),
    }
}

/// A loader of a split of a run.
pub fn loader(run: &Run, split: &OpenSplit, config: &Dataloader, name: &str) -> Loader {
    let shuffle = config.shuffle_for(name);
    Loader::new(
        split.samples.clone(),
        split.augment.clone(),
        config.clone(),
        shuffle,
        run.run.seed,
        run.backend.kernels.clone(),
    )
}

impl<'r> Stage<'r> {
    /// Opens a phase.
    ///
    /// # Errors
    /// Data are missing or do not fit, or an epoch would have no batch.
    pub fn open(run: &'r Run, clock: &Clock) -> Result<Self> {
        let data = open_data(&run.dataset, &*run.task, run.run.seed)?;
        let (net, params, mut notes) = build_net(run, &data.info)?;
        if let Some(path) = run.phase.get(clock.phase).and_then(|p| p.weights.as_ref()) {
            notes.extend(load_weights(&params, path, Fit::Partial)?.notes(&path.display().to_string()));
        }
        let train = loader(run, &data.train, &run.dataloader.train, "train");
        let train = if run.task.looks_up() { train.almost() } else { train };
        let val = data.val.as_ref().map(|split| loader(run, split, &run.dataloader.val, "val"));
        let train_batches = limit(run, run.trainer.limit_train_batches, train.batches_per_epoch());
        if train_batches == 0 {
            return Err(Error::new(
                "PL0352",
                format!(
                    "an epoch has no batch: {} samples, batches of {}",
                    data.train.samples.len(),
                    run.dataloader.train.batch_size
                ),
            )
            .hint("make `[dataloader] batch_size` smaller, or see `drop_last` and `limit_train_batches`"));
        }
        let groups = Groups::new(&run.optimizer, &params)?;
        let mut rates = groups.rates();
        let steps_per_epoch = train_batches.div_ceil(run.trainer.accumulate_grad_batches) as u64;
        let start = |config: &SchedulerConfig| {
            let plan = Plan {
                steps_per_epoch,
                total_steps: total_steps(run, steps_per_epoch),
                every: config.slot.every,
                base: rates.clone(),
                better: directions(run, &data.info),
                part: None,
            };
            Schedule::start(config, &plan, &mut rates)
        };
        let schedule = run.scheduler.as_ref().map(start).transpose()?;
        let scaler = (run.trainer.precision == Precision::F16Mixed).then(|| Scaler::new(run.trainer.loss_scale));
        Ok(Self {
            run,
            data,
            net,
            params,
            train,
            val,
            train_batches,
            groups,
            memory: Memory::default(),
            schedule,
            rates,
            scaler,
            notes,
            ahead: Ahead::default(),
        })
    }

    /// Begins to read an epoch that will be asked for.
    pub fn begin_train(&mut self, epoch: u32) {
        if self.ahead.train.as_ref().is_none_or(|(of, _)| *of != epoch) {
            self.ahead.train = Some((epoch, self.train.epoch(epoch, 0)));
        }
    }

    /// Begins to read the validation split, which will be asked for.
    pub fn begin_val(&mut self) {
        if self.ahead.val.is_none() {
            self.ahead.val = self.val.as_ref().map(|val| val.epoch(0, 0));
        }
    }

    /// The batches of an epoch from the given one on.
    pub fn train_epoch(&mut self, epoch: u32, from_batch: usize) -> Epoch {
        match self.ahead.train.take() {
            Some((of, begun)) if of == epoch && from_batch == 0 => begun,
            _ => self.train.epoch(epoch, from_batch),
        }
    }

    /// The batches of the validation split, if there is one.
    pub fn val_epoch(&mut self) -> Option<Epoch> {
        let begun = self.ahead.val.take();
        begun.or_else(|| self.val.as_ref().map(|val| val.epoch(0, 0)))
    }

    /// Optimizer steps in an epoch.
    pub fn steps_per_epoch(&self) -> u64 {
        self.train_batches.div_ceil(self.run.trainer.accumulate_grad_batches) as u64
    }

    /// What observers and keepers know of the run.
    pub fn info(&self, clock: &Clock, dir: &std::path::Path, terminal: Terminal) -> RunInfo {
        let epochs = u32::try_from(self.run.trainer.max_epochs).ok();
        RunInfo {
            name: self.run.run.name.clone(),
            dir: dir.to_owned(),
            max_epochs: epochs.map(|e| e.saturating_add(clock.phase_epoch)),
            steps_per_epoch: self.steps_per_epoch(),
            log_every_n_steps: self.run.trainer.log_every_n_steps,
            step: clock.step,
            epoch: clock.epoch,
            better: directions(self.run, &self.data.info),
            terminal: terminal == Terminal::Yes,
            parameters: self.params.trainable().map(|(_, w)| w.var().elem_count()).sum(),
        }
    }

    /// What validation measures.
    pub fn val_metrics(&self) -> &'r [MetricConfig] {
        self.run.metrics.val.as_deref().unwrap_or_default()
    }

    /// The weights to evaluate and to ship, where the optimizer has others for that than it trains.
    pub fn eval_weights(&self) -> Result<Option<BTreeMap<String, pleach_core::Tensor>>> {
        self.groups.eval_weights(&self.params, &self.memory, &self.rates)
    }

    /// Lets the scheduler know what was measured.
    pub fn learn(&mut self, metrics: &Named<f64>) {
        if let Some(schedule) = &mut self.schedule {
            schedule.learn(metrics);
        }
    }

    /// Batches of a validation that are used.
    pub fn val_limit(&self, n: usize) -> usize {
        limit(self.run, self.run.trainer.limit_val_batches, n)
    }

    /// Takes over the weights of the phase before, where they fit.
    pub fn inherit(&mut self, before: &BTreeMap<String, pleach_core::Tensor>) -> Result<()> {
        let report = self.params.load(before, Fit::Partial)?;
        self.notes.extend(report.notes("the phase before"));
        Ok(())
    }

    /// Goes on from a checkpoint.
    ///
    /// # Errors
    /// It is a checkpoint of another model, optimizer or scheduler.
    pub fn restore(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        let state = &checkpoint.state;
        self.params.load(&checkpoint.weights, Fit::Strict)?;
        self.memory = checkpoint.memory.clone();
        if state.rates.len() != self.rates.len() {
            let (had, have) = (state.rates.len(), self.rates.len());
            return Err(Error::new("PL0507", format!("the checkpoint has {had} groups of parameters, the run {have}"))
                .hint("a run goes on with the groups with which it began"));
        }
        for (rate, (lr, momentum)) in self.rates.iter_mut().zip(&state.rates) {
            (rate.lr, rate.momentum) = (*lr, *momentum);
        }
        if let (Some(schedule), Some(saved)) = (&mut self.schedule, &state.scheduler) {
            schedule.restore(saved)?;
        }
        self.scaler = state.scaler;
        debug_assert_eq!(numbers(&self.memory), state.optimizer);
        Ok(())
    }
}

/// Which way is up for each metric of a run by its full name.
pub(crate) fn directions(run: &Run, info: &DataInfo) -> BTreeMap<String, Better> {
    let metrics = &run.metrics;
    let splits = [("train", Some(&metrics.train)), ("val", metrics.val.as_ref()), ("test", metrics.test.as_ref())];
    let mut all = BTreeMap::new();
    for (split, list) in splits {
        for metric in list.into_iter().flatten() {
            for name in metric.names(info) {
                all.insert(format!("{split}_{name}"), metric.better());
            }
        }
    }
    all
}

/// Whether output goes to a person's terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Terminal {
    /// It does.
    Yes,
    /// It goes to a file or a pipe.
    No,
}

/// Optimizer steps of a phase; none if it has no end.
pub(crate) fn total_steps(run: &Run, steps_per_epoch: u64) -> Option<u64> {
    let by_epochs = u64::try_from(run.trainer.max_epochs).ok().map(|e| e * steps_per_epoch);
    let by_steps = u64::try_from(run.trainer.max_steps).ok();
    match (by_epochs, by_steps) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
