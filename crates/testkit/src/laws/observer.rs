//! Laws of observers.

use super::{Bench, Law, fresh, through_text};
use crate::fault::{Check, ensure};
use pleach_core::kinds::observer::RunInfo;
use pleach_core::params::{Init, Params};
use pleach_core::{Control, DType, Device, Event, Named, Observer, Plug, Tensor, Watcher};
use std::collections::BTreeMap;
use std::path::Path;

/// Resume is exact.
pub const RESUMES: Law = Law {
    name: "an observer saved after any epoch and restored into a fresh watcher has the same state and asks for the same",
    why: "a resumed run must stop, average and log as one that was never stopped",
    write: "`save` and `restore` for everything that `on` changes, `weights` and `restore_weights` for averages",
};

const EPOCHS: u32 = 4;
const STEPS: u64 = 2;

pub(super) fn laws(bench: &mut Bench, plug: &Plug<dyn Observer>) {
    bench.check(&RESUMES, || {
        let (whole, _) = watch(plug, None)?;
        for stop in 1..EPOCHS {
            let (resumed, saved) = watch(plug, Some(stop))?;
            ensure(resumed == whole, || {
                format!(
                    "restored after {stop} epochs from {saved}, it ends as\n{resumed:?}\nuninterrupted as\n{whole:?}"
                )
            })?;
        }
        Ok(())
    });
}

/// How it ends: its state, its weights, and in which epochs it asked the run to stop.
#[derive(Debug, PartialEq)]
struct Outcome {
    state: pleach_core::Saved,
    weights: Option<BTreeMap<String, Vec<f64>>>,
    stops: Vec<u32>,
}

fn info(dir: &Path, epoch: u32) -> RunInfo {
    RunInfo {
        name: "laws".into(),
        dir: dir.to_owned(),
        max_epochs: Some(EPOCHS),
        steps_per_epoch: STEPS,
        step: u64::from(epoch) * STEPS,
        epoch,
        parameters: 3,
        ..RunInfo::default()
    }
}

fn watch(plug: &Plug<dyn Observer>, stop: Option<u32>) -> Check<(Outcome, pleach_core::Saved)> {
    let dir = tempfile::tempdir()?;
    let mut params = Params::new(1, DType::F32, &Device::Cpu);
    let weight = params.root().param("weight", 3, Init::Normal(0.0, 1.0))?;
    let mut stops = Vec::new();
    let mut between = pleach_core::Saved::Null;
    let run = info(dir.path(), 0);
    let mut watcher = plug.start(&run)?;
    tell(&mut *watcher, &params, &Event::Start(&run))?;
    for epoch in 0..EPOCHS {
        if stop == Some(epoch) {
            let weights = watcher.weights().cloned();
            between = through_text(&watcher.save()?)?;
            let run = info(dir.path(), epoch);
            watcher = fresh(plug)?.start(&run)?;
            watcher.restore(&between)?;
            if let Some(weights) = weights {
                watcher.restore_weights(weights)?;
            }
            tell(&mut *watcher, &params, &Event::Start(&run))?;
        }
        let value = |k: usize| (f64::from(epoch) + k as f64).sin().abs() + 0.1;
        for i in 1..=STEPS {
            weight.set(&Tensor::new(&[0.5 * value(0) as f32, i as f32, 1.0], &Device::Cpu)?)?;
            let (step, metrics) = (u64::from(epoch) * STEPS + i, Named::one("train_loss", value(0)));
            let event =
                Event::Step { step, epoch, metrics: &metrics, lr: &[0.1], samples: 4, seconds: 0.01, waited: 0.0 };
            tell(&mut *watcher, &params, &event)?;
        }
        let mut metrics: Named<f64> = ["train_loss", "val_loss"].map(|n| (n, value(1))).into_iter().collect();
        for (k, name) in plug.monitors().into_iter().enumerate() {
            metrics.insert(name, value(k));
        }
        let step = u64::from(epoch + 1) * STEPS;
        let asked = [
            tell(&mut *watcher, &params, &Event::Validated { step, epoch, metrics: &metrics })?,
            tell(&mut *watcher, &params, &Event::Epoch { step, epoch, metrics: &metrics, seconds: 0.1, waited: 0.0 })?,
        ];
        if asked.contains(&true) {
            stops.push(epoch);
        }
    }
    let state = watcher.save()?;
    let flat = |t: &Tensor| t.to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>();
    let weights = match watcher.weights() {
        Some(w) => Some(w.iter().map(|(n, t)| Ok((n.clone(), flat(t)?))).collect::<Check<_>>()?),
        None => None,
    };
    let end = Event::End { step: u64::from(EPOCHS) * STEPS, epoch: EPOCHS, reason: "all epochs are done" };
    tell(&mut *watcher, &params, &end)?;
    Ok((Outcome { state, weights, stops }, between))
}

/// Whether it asks the run to stop.
fn tell(watcher: &mut dyn Watcher, params: &Params, event: &Event<'_>) -> Check<bool> {
    let mut control = Control { params, stop: None, notes: Vec::new() };
    watcher.on(event, &mut control)?;
    Ok(control.stop.is_some())
}
