//! A scheduler ticks after each optimizer step that was taken, or after each epoch, and at no other moment.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use pleach_cli as _;
use pleach_core::{
    Backend, Batch, CollateCx, DataInfo, Decoder, Gives, ModelSpec, Objective, Plug, Precision, Result, Row, Seat,
    StepCx, Task, kinds::task::Report, plugin,
};
use pleach_train::stage::Terminal;
use serde_json::Value as Json;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The CPU, which is said to train in 16 bits: the loss is scaled, and a scale that is too large overflows.
#[plugin(backend)]
struct Sixteen {}

impl Backend for Sixteen {
    fn seats(&self) -> &'static [Seat] {
        &[Seat::Train]
    }
    fn precisions(&self) -> &'static [Precision] {
        &[Precision::F16Mixed]
    }
}

static CALLS: AtomicU64 = AtomicU64::new(0);

/// Classification that leaves out every third batch.
#[plugin(task)]
struct Choosy {}

fn whole() -> Plug<dyn Task> {
    Plug::named("Classification").unwrap()
}

impl Task for Choosy {
    fn model_spec(&self, data: &DataInfo) -> Result<ModelSpec> {
        whole().model_spec(data)
    }
    fn gives(&self) -> Gives {
        whole().gives()
    }
    fn collate(&self, rows: Vec<Row>, cx: &CollateCx<'_>) -> Result<Batch> {
        whole().collate(rows, cx)
    }
    fn objective(&self, step: &mut StepCx<'_>) -> Result<Objective> {
        let skip = CALLS.fetch_add(1, Ordering::Relaxed) % 3 == 2;
        Ok(Objective { skip, ..whole().objective(step)? })
    }
    fn decoder(&self, data: &DataInfo) -> Box<dyn Decoder> {
        whole().decoder(data)
    }
    fn default_losses(&self) -> &'static [&'static str] {
        &["CrossEntropy"]
    }
    fn report(&self, predicted: &Row, original: &Row, data: &DataInfo) -> Result<Report> {
        whole().report(predicted, original, data)
    }
}

/// The log of a run of so many epochs of 9 batches, with more sections and more keys of `[trainer]`.
fn log(task: &str, epochs: u32, scheduler: &str, trainer: &str) -> Vec<Json> {
    let dir = tempfile::tempdir().unwrap();
    let text = format!(
        r#"
[task]
name = "{task}"
[model]
name = "ConvNet"
channels = [4]
[optimizer]
name = "SGD"
lr = 0.01
[scheduler]
{scheduler}
[dataset.train]
name = "Digits"
[dataloader]
batch_size = 4
[trainer]
max_epochs = {epochs}
limit_train_batches = 9
enable_progress_bar = false
{trainer}
"#
    );
    let resolved = pleach_config::from_text("run.toml", &text, dir.path())
        .unwrap_or_else(|e| panic!("{}", e.render(pleach_config::Paint::Plain)));
    let host = pleach_train::Host { interrupted: Arc::default(), terminal: Terminal::No, say: Arc::new(|_| {}) };
    let out = dir.path().join("out");
    pleach_train::train(&resolved, &text, &out, &host).unwrap();
    pleach_tests::log(&out)
}

const BY_STEP: &str = "name = \"StepLR\"\nevery = \"step\"\nstep_size = 1\ngamma = 0.5";
const BY_EPOCH: &str = "name = \"StepLR\"\nstep_size = 1\ngamma = 0.5";

fn count(log: &[Json], event: &str) -> usize {
    log.iter().filter(|line| line["event"] == event).count()
}

/// The rate at each step that was taken.
fn rates(log: &[Json]) -> Vec<f64> {
    log.iter().filter(|line| line["event"] == "step").map(|line| line["lr"][0].as_f64().unwrap()).collect()
}

/// Halved after each of so many ticks.
fn halves(n: usize) -> Vec<f64> {
    (0..n).map(|i| 0.01 * 0.5f64.powi(i as i32)).collect()
}

#[test]
fn a_step_that_overflowed_is_no_tick() {
    let scaled = "precision = \"16-mixed\"\nloss_scale = 1e40\n[backend]\ntrain = \"Sixteen\"\neval = \"CandleCpu\"";
    let log_by_step = log("Classification", 1, BY_STEP, scaled);
    let skipped = count(&log_by_step, "skipped");
    assert!((1..9).contains(&skipped), "{skipped} steps were skipped");
    assert_eq!(rates(&log_by_step), halves(9 - skipped));
}

#[test]
fn a_batch_that_the_task_leaves_out_is_no_tick() {
    let by_step = log("Choosy", 1, BY_STEP, "");
    assert_eq!(count(&by_step, "skipped"), 3);
    assert_eq!(rates(&by_step), halves(6));
}

#[test]
fn accumulated_batches_are_one_tick() {
    let by_step = log("Classification", 1, BY_STEP, "accumulate_grad_batches = 4");
    assert_eq!(rates(&by_step), halves(3), "9 batches are 3 steps, the last of one batch");
}

#[test]
fn a_scheduler_of_epochs_ticks_once_in_each() {
    let by_epoch = log("Classification", 3, BY_EPOCH, "accumulate_grad_batches = 4");
    let each: Vec<_> = halves(3).into_iter().flat_map(|lr| [lr; 3]).collect();
    assert_eq!(rates(&by_epoch), each);
}

#[test]
fn a_warm_up_counts_the_steps_that_were_taken() {
    let warm = "name = \"StepLR\"\nstep_size = 1\ngamma = 0.5\nwarmup = { length = \"4 steps\", start_factor = 0.5 }";
    let rates = rates(&log("Classification", 3, warm, "accumulate_grad_batches = 4"));
    let theirs = [0.005, 0.00625, 0.0075, 0.00875, 0.01, 0.01, 0.005, 0.005, 0.005];
    assert!(rates.iter().zip(theirs).all(|(a, b)| (a - b).abs() < 1e-15) && rates.len() == 9, "{rates:?}");
}

#[test]
fn any_registered_scheduler_may_be_a_part_of_another() {
    let chain = "name = \"ChainedScheduler\"\nschedulers = [\
        { name = \"ThirdsAt\", tick = 2 }, { name = \"StepLR\", step_size = 1, gamma = 0.5 }]";
    let rates = rates(&log("Classification", 3, chain, "accumulate_grad_batches = 9"));
    let theirs = [0.01, 0.005, 0.0025 / 3.0];
    assert!(rates.iter().zip(theirs).all(|(a, b)| (a - b).abs() < 1e-15) && rates.len() == 3, "{rates:?}");
}

#[test]
fn in_a_sequence_the_ticks_of_each_part_count_from_its_turn() {
    let sequence = "name = \"SequentialLR\"\nmilestones = [1]\nschedulers = [\
        { name = \"StepLR\", step_size = 9 }, { name = \"ThirdsAt\", tick = 1 }]";
    let rates = rates(&log("Classification", 3, sequence, "accumulate_grad_batches = 9"));
    assert_eq!(rates, [0.01, 0.01, 0.01 / 3.0]);
}

/// Takes a third of the rate, once.
#[plugin(scheduler)]
struct ThirdsAt {
    /// When.
    #[plugin(example = 2)]
    tick: u64,
}

impl pleach_core::Scheduler for ThirdsAt {
    type State = ();
    fn start(&self, _: &pleach_core::Plan, _: &mut [pleach_core::GroupRates]) -> Result<()> {
        Ok(())
    }
    fn rate(&self, (): &mut (), tick: &pleach_core::Tick, now: &mut [pleach_core::GroupRates]) -> Result<()> {
        if tick.count == self.tick {
            now.iter_mut().for_each(|g| g.lr /= 3.0);
        }
        Ok(())
    }
}
