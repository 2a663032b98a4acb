//! The time that a run waits for data is measured where it is spent, and is told by the log and by progress.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use pleach_cli as _;
use pleach_core::{
    Batch, CollateCx, DataInfo, Decoder, Gives, Mode, ModelSpec, Objective, Plug, Result, Row, Samples, Source,
    SourceCx, StepCx, Task, kinds::task::Report, plugin,
};
use pleach_train::stage::Terminal;
use serde_json::Value as Json;
use std::sync::Arc;
use std::time::Duration;

fn sleep(milliseconds: u64) {
    std::thread::sleep(Duration::from_millis(milliseconds));
}

/// The digits, each after a while.
#[plugin(source)]
struct Slow {
    /// Milliseconds for a sample to learn from.
    #[plugin(default = 0)]
    train: u64,
    /// Milliseconds for a sample to validate on.
    #[plugin(default = 0)]
    val: u64,
}

impl Source for Slow {
    fn open(&self, cx: &SourceCx) -> Result<Box<dyn Samples>> {
        let while_ = if cx.split == "train" { self.train } else { self.val };
        Ok(Box::new(Late { while_, digits: Plug::<dyn Source>::named("Digits")?.open(cx)? }))
    }
}

struct Late {
    while_: u64,
    digits: Box<dyn Samples>,
}

impl Samples for Late {
    fn len(&self) -> usize {
        self.digits.len()
    }
    fn row(&self, index: usize) -> Result<Row> {
        sleep(self.while_);
        self.digits.row(index)
    }
    fn info(&self) -> DataInfo {
        self.digits.info()
    }
}

/// Classification that takes its time for each batch.
#[plugin(task)]
struct Ponderous {
    /// Milliseconds for a batch to learn from.
    #[plugin(default = 0)]
    train: u64,
    /// Milliseconds for a batch to validate on.
    #[plugin(default = 0)]
    val: u64,
}

fn whole() -> Plug<dyn Task> {
    Plug::named("Classification").unwrap()
}

impl Task for Ponderous {
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
        sleep(if step.cx.mode == Mode::Train { self.train } else { self.val });
        whole().objective(step)
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

/// The log of two epochs of 5 batches of 4, each with a validation of 2 batches; one thread reads.
fn log(source: &str, task: &str) -> Vec<Json> {
    let dir = tempfile::tempdir().unwrap();
    let text = format!(
        r#"
[task]
name = "Ponderous"
{task}
[model]
name = "ConvNet"
channels = [4]
[dataset.train]
name = "Slow"
{source}
[dataset.val]
name = "Slow"
{source}
[dataloader]
batch_size = 4
num_workers = 1
[trainer]
max_epochs = 2
limit_train_batches = 5
limit_val_batches = 2
enable_progress_bar = false
"#
    );
    let resolved = pleach_config::from_text("run.toml", &text, dir.path())
        .unwrap_or_else(|e| panic!("{}", e.render(pleach_config::Paint::Plain)));
    let host = pleach_train::Host { interrupted: Arc::default(), terminal: Terminal::No, say: Arc::new(|_| {}) };
    let out = dir.path().join("out");
    pleach_train::train(&resolved, &text, &out, &host).unwrap();
    let text = std::fs::read_to_string(out.join("log.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Seconds and seconds of waiting of all events of a kind.
fn walls(log: &[Json], event: &str) -> Vec<(f64, f64)> {
    let of = |line: &&Json| line["event"] == event;
    let wall = |line: &Json| (line["wall"]["seconds"].as_f64().unwrap(), line["wall"]["waited"].as_f64().unwrap());
    log.iter().filter(of).map(wall).collect()
}

/// Whether times are as they should be; if not, what they are.
type Measured = std::result::Result<(), String>;

/// What is known of times holds unless the machine stands still at the wrong moment: that may spoil one measurement
/// or two, but a loop that measures wrongly spoils them all.
fn in_one_of_five(measured: impl Fn() -> Measured) {
    let spoilt: Vec<String> = (0..5).map_while(|_| measured().err()).collect();
    assert!(spoilt.len() < 5, "{spoilt:#?}");
}

fn holds(what: bool, else_: impl FnOnce() -> String) -> Measured {
    if what { Ok(()) } else { Err(else_()) }
}

/// What the first five steps waited together, the first epoch's seconds and its waiting, which holds whatever happens.
fn first_epoch(log: &[Json]) -> (f64, f64, f64) {
    let steps: Vec<_> = walls(log, "step").into_iter().take(5).collect();
    let (seconds, waited) = walls(log, "epoch")[0];
    for (seconds, waited) in steps.iter().chain([&(seconds, waited)]) {
        assert!(0.0 <= *waited && waited <= seconds, "{waited} s of {seconds} s");
    }
    let steps = steps.iter().map(|(_, waited)| waited).sum();
    assert!(waited >= steps, "the epoch waited {waited} s, its steps {steps} s");
    (steps, seconds, waited)
}

#[test]
fn a_slow_source_is_seen_in_each_step_and_in_the_epoch() {
    in_one_of_five(|| {
        let log = log("train = 30", "");
        let (steps, ..) = first_epoch(&log);
        let all = walls(&log, "step").into_iter().take(5).chain(walls(&log, "epoch").into_iter().take(1));
        for (seconds, waited) in all {
            holds(waited > 0.5 * seconds, || format!("{waited} s of {seconds} s"))?;
        }
        // 5 batches of 4 samples of 30 ms, less what the steps overlapped.
        holds(steps > 0.3, || format!("{steps} s"))
    });
}

#[test]
fn a_slow_net_does_not_wait() {
    in_one_of_five(|| {
        let log = log("", "train = 30\nval = 30");
        let _ = first_epoch(&log);
        for (seconds, waited) in walls(&log, "epoch") {
            holds(waited < 0.3 * seconds, || format!("{waited} s of {seconds} s"))?;
        }
        Ok(())
    });
}

#[test]
fn waiting_in_validation_belongs_to_the_epoch_and_to_no_step() {
    in_one_of_five(|| {
        let (steps, seconds, waited) = first_epoch(&log("val = 40", ""));
        // 2 batches of 4 samples of 40 ms; the first may have been begun during the last step.
        holds(waited > 0.2, || format!("{waited} s of {seconds} s"))?;
        holds(steps < 0.5 * waited, || format!("{steps} s in steps, {waited} s in all"))
    });
}

#[test]
fn an_epoch_is_begun_while_the_one_before_is_validated() {
    in_one_of_five(|| {
        let steps = walls(&log("train = 30", "val = 150"), "step");
        let (first, second) = (steps[0].1, steps[5].1);
        holds(first >= 0.1, || format!("nothing could be read before the first epoch, which waited {first} s"))?;
        let both = || format!("the second epoch's first step waited {second} s, the first's {first} s");
        holds(second < 0.5 * first, both)
    });
}
