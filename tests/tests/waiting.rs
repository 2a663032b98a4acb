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

#[test]
fn a_slow_source_is_seen_in_each_step_and_in_the_epoch() {
    let log = log("train = 15", "");
    for (seconds, waited) in walls(&log, "step").into_iter().take(5).chain(walls(&log, "epoch").into_iter().take(1)) {
        assert!(waited <= seconds && waited > 0.5 * seconds, "{waited} s of {seconds} s");
    }
    let steps: f64 = walls(&log, "step").into_iter().take(5).map(|(_, waited)| waited).sum();
    let (_, epoch) = walls(&log, "epoch")[0];
    assert!(epoch >= steps, "the epoch waited {epoch} s, its steps {steps} s");
    // 5 batches of 4 samples of 15 ms, less what the steps overlapped.
    assert!(steps > 0.15, "{steps} s");
}

#[test]
fn a_slow_net_does_not_wait() {
    let log = log("", "train = 30\nval = 30");
    for (seconds, waited) in walls(&log, "epoch") {
        assert!(waited < 0.3 * seconds, "{waited} s of {seconds} s");
    }
}

#[test]
fn waiting_in_validation_belongs_to_the_epoch_and_to_no_step() {
    let log = log("val = 40", "");
    let (seconds, waited) = walls(&log, "epoch")[0];
    // 2 batches of 4 samples of 40 ms; the first may have been begun during the last step.
    assert!(waited > 0.2 && waited <= seconds, "{waited} s of {seconds} s");
    let steps: f64 = walls(&log, "step").into_iter().take(5).map(|(_, waited)| waited).sum();
    assert!(steps < 0.5 * waited, "{steps} s in steps, {waited} s in all");
}

#[test]
fn an_epoch_is_begun_while_the_one_before_is_validated() {
    let log = log("train = 15", "val = 150");
    let steps = walls(&log, "step");
    let (first, second) = (steps[0].1, steps[5].1);
    assert!(first >= 0.055, "nothing could be read before the first epoch, which waited {first} s");
    assert!(second < 0.5 * first, "the second epoch's first step waited {second} s, the first's {first} s");
}
