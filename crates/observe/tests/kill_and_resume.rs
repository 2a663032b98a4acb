//! A run that was killed and goes on leaves the files, averages and decisions of one that never stopped.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use pleach_core::kinds::observer::RunInfo;
use pleach_core::*;
use pleach_observe::{Csv, Curves, EMA, EarlyStopping, JsonLines, TensorBoard};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Instant;

const STEPS_PER_EPOCH: u64 = 5;
const STEPS: u64 = 24;

/// The run's part of the trainer: everything depends on the step alone.
struct Run {
    params: Params,
    weight: params::Weight,
    watchers: Vec<Box<dyn Watcher>>,
    stops: Vec<(u64, String)>,
    /// What it took differs from run to run.
    began: Instant,
}

/// A checkpoint: states as text, weights as they are.
type Checkpoint = (Vec<String>, Vec<Option<BTreeMap<String, Tensor>>>);

fn observers() -> Vec<Box<dyn Observer>> {
    vec![
        Box::new(JsonLines { every_n_steps: Some(2) }),
        Box::new(Csv {}),
        Box::new(TensorBoard { every_n_steps: Some(1) }),
        Box::new(Curves { seconds: 3600.0, scale: 1.0 }),
        Box::new(EMA { decay: 0.9, use_num_updates: true, every_n_steps: 2, start_step: 3 }),
        Box::new(EarlyStopping { patience: 2, min_delta: 0.01, ..EarlyStopping::default() }),
    ]
}

impl Run {
    fn begin(dir: &Path, step: u64) -> Self {
        let mut params = Params::new(0, DType::F32, &Device::Cpu);
        let weight = params.root().param("weight", 3, Init::Const(0.0)).unwrap();
        params.root().buffer("running", 2, Init::Const(1.0)).unwrap();
        let info = RunInfo {
            name: "digits".into(),
            dir: dir.to_owned(),
            steps_per_epoch: STEPS_PER_EPOCH,
            step,
            epoch: (step / STEPS_PER_EPOCH) as u32,
            better: BTreeMap::from([("val_accuracy".to_owned(), Better::Higher)]),
            ..RunInfo::default()
        };
        let watchers = observers().iter().map(|o| o.start(&info).unwrap()).collect();
        let mut run = Self { params, weight, watchers, stops: Vec::new(), began: Instant::now() };
        run.tell(step, &Event::Start(&info));
        run
    }

    fn tell(&mut self, step: u64, event: &Event<'_>) {
        let mut control = Control { params: &self.params, stop: None, notes: Vec::new() };
        for watcher in &mut self.watchers {
            watcher.on(event, &mut control).unwrap();
        }
        self.stops.extend(control.stop.map(|reason| (step, reason)));
    }

    /// Takes the steps `from + 1 ..= to`; gives the checkpoint of one of them.
    fn play(&mut self, from: u64, to: u64, saved: u64) -> Option<Checkpoint> {
        let mut checkpoint = None;
        for step in from + 1..=to {
            let (x, epoch) = (step as f64, ((step - 1) / STEPS_PER_EPOCH) as u32);
            self.weight.set(&Tensor::new(&[1.0 / x as f32, x as f32, 3.0], &Device::Cpu).unwrap()).unwrap();
            if step == 7 {
                self.tell(step, &Event::Skipped { step, epoch, reason: "the loss asked for it" });
            }
            let train: Named<f64> = [("train_loss", 2.0 / x), ("train_dice_loss", f64::INFINITY)].into_iter().collect();
            let seconds = self.began.elapsed().as_secs_f64();
            let event = Event::Step { step, epoch, metrics: &train, lr: &[0.1 / x], samples: 8, seconds, waited: 0.0 };
            self.tell(step, &event);
            let val_loss = 1.0 / x + if step > 12 { 0.1 } else { 0.0 };
            let mut val: Named<f64> = [("val_loss", val_loss), ("val_accuracy", 1.0 - 1.0 / x)].into_iter().collect();
            let epoch_end = step.is_multiple_of(STEPS_PER_EPOCH);
            if epoch_end || step % STEPS_PER_EPOCH == 3 {
                self.tell(step, &Event::Evaluating { split: "val", done: 1, of: 1 });
                self.tell(step, &Event::Validated { step, epoch, metrics: &val });
            }
            if epoch_end {
                val.insert("train_loss", 2.1 / x);
                self.tell(step, &Event::Epoch { step, epoch, metrics: &val, seconds, waited: 0.0 });
            }
            if step == saved {
                checkpoint = Some(self.save());
                self.tell(step, &Event::Checkpoint { step });
            }
        }
        checkpoint
    }

    fn save(&self) -> Checkpoint {
        let states = self.watchers.iter().map(|w| w.save().unwrap().to_string()).collect();
        let copies = |weights: &BTreeMap<String, Tensor>| {
            weights.iter().map(|(name, t)| (name.clone(), t.copy().unwrap())).collect()
        };
        (states, self.watchers.iter().map(|w| w.weights().map(copies)).collect())
    }

    fn restore(&mut self, (states, weights): &Checkpoint) {
        for ((watcher, state), weights) in self.watchers.iter_mut().zip(states).zip(weights) {
            watcher.restore(&serde_json::from_str(state).unwrap()).unwrap();
            if let Some(weights) = weights {
                watcher.restore_weights(weights.clone()).unwrap();
            }
        }
    }

    /// Ends the run; what is left of it.
    fn end(mut self, dir: &Path) -> Left {
        let epoch = (STEPS / STEPS_PER_EPOCH) as u32;
        self.tell(STEPS, &Event::End { step: STEPS, epoch, reason: "max_steps" });
        let averages = self.watchers.iter().filter_map(|w| w.weights());
        let bits = |t: &Tensor| t.to_vec1::<f32>().unwrap().into_iter().map(f32::to_bits).collect();
        Left {
            log: lines(dir),
            table: fs::read_to_string(dir.join("metrics.csv")).unwrap(),
            curves: (fs::read(dir.join("curves.svg")).unwrap(), fs::read(dir.join("curves.png")).unwrap()),
            scalars: scalars(&fs::read(dir.join("tensorboard/events.out.tfevents.pleach")).unwrap()),
            averages: averages.flatten().map(|(name, t)| (name.clone(), bits(t))).collect(),
            stops: self.stops,
        }
    }
}

#[derive(Debug, PartialEq)]
struct Left {
    log: Vec<Saved>,
    table: String,
    curves: (Vec<u8>, Vec<u8>),
    scalars: Vec<(u64, String, f32)>,
    averages: Vec<(String, Vec<u32>)>,
    stops: Vec<(u64, String)>,
}

/// The log without what differs between equal runs.
fn lines(dir: &Path) -> Vec<Saved> {
    let text = fs::read_to_string(dir.join("log.jsonl")).unwrap();
    let line = |line: &str| {
        let mut line: Saved = serde_json::from_str(line).unwrap();
        assert!(line.as_object_mut().unwrap().remove("wall").is_some());
        line
    };
    text.lines().map(line).collect()
}

/// Reads an event file with every checksum held against its data: step, tag and value.
fn scalars(mut file: &[u8]) -> Vec<(u64, String, f32)> {
    let mut all = Vec::new();
    while !file.is_empty() {
        let (length, rest) = file.split_at(8);
        let (sum, rest) = rest.split_at(4);
        let mask = |data: &[u8]| {
            let crc = crc32c::crc32c(data);
            crc.rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
        };
        assert_eq!(sum, mask(length));
        let (event, rest) = rest.split_at(u64::from_le_bytes(length.try_into().unwrap()) as usize);
        let (sum, rest) = rest.split_at(4);
        assert_eq!(sum, mask(event));
        file = rest;
        let mut step = 0;
        for (field, number, content) in fields(event) {
            match field {
                2 => step = number,
                5 => {
                    for (_, _, value) in fields(content) {
                        let parts = fields(value);
                        let tag = String::from_utf8(parts[0].2.to_vec()).unwrap();
                        all.push((step, tag, f32::from_bits(parts[1].1 as u32)));
                    }
                }
                _ => {}
            }
        }
    }
    all
}

/// The fields of a protobuf message: number, value, bytes.
fn fields(mut data: &[u8]) -> Vec<(u64, u64, &[u8])> {
    fn varint(data: &mut &[u8]) -> u64 {
        let (mut x, mut shift) = (0, 0);
        loop {
            let (byte, rest) = data.split_first().unwrap();
            *data = rest;
            x |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                return x;
            }
        }
    }
    let mut all = Vec::new();
    while !data.is_empty() {
        let key = varint(&mut data);
        let (number, content): (u64, &[u8]) = match key & 7 {
            0 => (varint(&mut data), &[]),
            wire @ (1 | 5) => {
                let (x, rest) = data.split_at(if wire == 1 { 8 } else { 4 });
                data = rest;
                (x.iter().rev().fold(0, |n, b| n << 8 | u64::from(*b)), &[])
            }
            2 => {
                let (content, rest) = {
                    let n = varint(&mut data) as usize;
                    data.split_at(n)
                };
                data = rest;
                (0, content)
            }
            wire => panic!("wire type {wire}"),
        };
        all.push((key >> 3, number, content));
    }
    all
}

fn uninterrupted() -> &'static Left {
    static LEFT: OnceLock<Left> = OnceLock::new();
    LEFT.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let mut run = Run::begin(dir.path(), 0);
        run.play(0, STEPS, 0);
        run.end(dir.path())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn a_killed_run_that_goes_on_is_the_run_that_was_never_killed(checkpoint in 0u64..STEPS, more in 0u64..STEPS) {
        let dir = tempfile::tempdir().unwrap();
        let killed = (checkpoint + more).min(STEPS);
        let mut first = Run::begin(dir.path(), 0);
        let saved = first.play(0, killed, checkpoint);
        let stops = first.stops.clone();
        drop(first);
        // The kill tears the line that was being written.
        let log = fs::OpenOptions::new().append(true).open(dir.path().join("log.jsonl"));
        log.unwrap().write_all(b"{\"event\":\"st").unwrap();

        let mut second = Run::begin(dir.path(), checkpoint);
        if let Some(saved) = saved {
            second.restore(&saved);
        }
        second.stops = stops.into_iter().filter(|(step, _)| *step <= checkpoint).collect();
        second.play(checkpoint, STEPS, 0);
        prop_assert_eq!(&second.end(dir.path()), uninterrupted());
    }
}

#[test]
fn the_log_says_what_happened_in_the_documented_form() {
    let left = uninterrupted();
    let of = |event: &str| left.log.iter().filter(|l| l["event"] == event).count() as u64;
    assert_eq!(left.log[0]["format"], 1);
    assert_eq!(left.log[0]["better"]["val_accuracy"], "higher");
    assert_eq!([of("run"), of("step"), of("skipped"), of("epoch"), of("end")], [1, STEPS / 2, 1, 4, 1]);
    assert_eq!(of("checkpoint"), 0);
    let step = left.log.iter().find(|l| l["event"] == "step").unwrap();
    let keys: Vec<_> = step.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["event", "step", "epoch", "metrics", "lr"]);
    assert_eq!(step["metrics"].to_string(), r#"{"train_loss":1.0,"train_dice_loss":{"$float":"inf"}}"#);
    assert_eq!(left.stops.first().map(|(step, _)| *step), Some(15));
    let epochs: Vec<_> = left.scalars.iter().filter(|(_, tag, _)| tag == "train_loss_epoch").collect();
    assert_eq!(epochs.len(), 4, "an epoch's mean has a tag of its own");
    assert_eq!(left.scalars.iter().filter(|(step, tag, _)| *step == 5 && tag == "val_loss").count(), 1);
}

#[test]
fn a_log_that_is_shorter_than_the_checkpoint_knows_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = Run::begin(dir.path(), 0);
    let (state, _) = run.play(0, 6, 6).unwrap();
    fs::write(dir.path().join("log.jsonl"), "{}\n").unwrap();
    let mut again = Run::begin(dir.path(), 6);
    let error = again.watchers[0].restore(&serde_json::from_str(&state[0]).unwrap()).unwrap_err();
    assert_eq!(error.code(), "PL0521");
    assert!(error.message().contains("log.jsonl"));
}

#[test]
fn an_average_without_its_weights_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = Run::begin(dir.path(), 0);
    let (state, _) = run.play(0, 6, 6).unwrap();
    let mut again = Run::begin(dir.path(), 6);
    again.watchers[4].restore(&serde_json::from_str(&state[4]).unwrap()).unwrap();
    let metrics = Named::one("train_loss", 1.0);
    let event = Event::Step { step: 8, epoch: 1, metrics: &metrics, lr: &[0.1], samples: 1, seconds: 1.0, waited: 0.0 };
    let mut control = Control { params: &again.params, stop: None, notes: Vec::new() };
    assert_eq!(again.watchers[4].on(&event, &mut control).unwrap_err().code(), "PL0204");
}

#[test]
fn a_metric_that_is_not_measured_is_named_with_those_that_are() {
    let params = Params::new(0, DType::F32, &Device::Cpu);
    let rule = EarlyStopping { monitor: "val_los".into(), ..EarlyStopping::default() };
    let mut watcher = rule.start(&RunInfo::default()).unwrap();
    let (train, val) = (Named::one("train_loss", 1.0), Named::one("val_loss", 1.0));
    let mut on = |event: &Event<'_>| watcher.on(event, &mut Control { params: &params, stop: None, notes: Vec::new() });
    let epoch = |metrics| Event::Epoch { step: 1, epoch: 0, metrics, seconds: 1.0, waited: 0.0 };
    on(&epoch(&train)).expect("an epoch without validation cannot have it");
    on(&Event::Validated { step: 1, epoch: 1, metrics: &val }).unwrap();
    let error = on(&epoch(&val)).unwrap_err();
    assert_eq!(error.code(), "PL0440");
    assert!(error.message().contains("`val_los`") && error.hint_text().unwrap().contains("val_loss"));
}

#[test]
fn every_plugin_here_starts_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let run = RunInfo { dir: dir.path().to_owned(), ..RunInfo::default() };
    for entry in registry::of_kind::<dyn Observer>() {
        let plug: Plug<dyn Observer> = Plug::named(entry.name).unwrap();
        let back: Plug<dyn Observer> = saved::load(&plug.saved().unwrap()).unwrap();
        assert_eq!(back, plug);
        plug.start(&run).unwrap();
    }
    for name in ["CSVLogger", "TensorBoardLogger", "ExponentialMovingAverage"] {
        assert!(Plug::<dyn Observer>::named(name).is_ok(), "{name}");
    }
    assert_eq!(registry::of_kind::<dyn DynKeeper>().count(), 3);
}
