//! A run of a few epochs leaves a picture, and event files that `read_tensorboard.py` reads back.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use pleach_core::kinds::observer::RunInfo;
use pleach_core::*;
use pleach_observe::{Curves, JsonLines, TensorBoard};
use std::fs;
use std::path::{Path, PathBuf};

const STEPS_PER_EPOCH: u64 = 45;

/// Where the files stay after the test, to be looked at.
fn folder(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&dir).unwrap();
    dir
}

/// A run that looks like one: losses fall with noise, the rate warms up and follows a cosine.
fn play(dir: &Path, epochs: u32, extra: &[(&str, f64)]) {
    let run = RunInfo {
        name: "quickstart".into(),
        dir: dir.to_owned(),
        max_epochs: Some(epochs),
        steps_per_epoch: STEPS_PER_EPOCH,
        ..RunInfo::default()
    };
    let params = Params::new(0, DType::F32, &Device::Cpu);
    let observers: [Box<dyn Observer>; 3] = [
        Box::new(JsonLines::default()),
        Box::new(TensorBoard::default()),
        Box::new(Curves { seconds: 3600.0, ..Curves::default() }),
    ];
    let mut watchers: Vec<_> = observers.iter().map(|o| o.start(&run).unwrap()).collect();
    let mut tell = |event: &Event<'_>| {
        for watcher in &mut watchers {
            watcher.on(event, &mut Control { params: &params, stop: None, notes: Vec::new() }).unwrap();
        }
    };
    let mut noise = Rng::named(1, Purpose::Other, "noise");
    let total = u64::from(epochs) * STEPS_PER_EPOCH;
    let (mut sum, mut step) = (0.0, 0);
    for epoch in 0..epochs {
        for _ in 0..STEPS_PER_EPOCH {
            step += 1;
            let t = step as f64 / STEPS_PER_EPOCH as f64;
            let loss = (0.02 + 2.2 * (-0.9 * t).exp()) * (1.0 + 0.25 * noise.normal()).abs();
            sum += loss;
            let share = step as f64 / total as f64;
            let lr = 3e-3 * (t / 2.0).min(1.0) * (0.5 + 0.5 * (std::f64::consts::PI * share).cos());
            let metrics = Named::one("train_loss", loss);
            tell(&Event::Step { step, epoch, metrics: &metrics, lr: &[lr], samples: 32, seconds: 0.01, waited: 0.0 });
        }
        let t = f64::from(epoch) + 1.0;
        let mut metrics: Named<f64> = [
            ("val_loss", 0.06 + 1.7 * (-0.8 * t).exp() + 0.01 * noise.uniform()),
            ("val_accuracy", 0.985 - 0.6 * (-0.8 * t).exp() + 0.004 * noise.uniform()),
            ("val_f1", 0.975 - 0.65 * (-0.75 * t).exp() + 0.004 * noise.uniform()),
        ]
        .into_iter()
        .chain(extra.iter().map(|(name, x)| (*name, x * (1.0 + 1.0 / t))))
        .collect();
        tell(&Event::Validated { step, epoch, metrics: &metrics });
        metrics.insert("train_loss", sum / STEPS_PER_EPOCH as f64);
        sum = 0.0;
        tell(&Event::Epoch { step, epoch, metrics: &metrics, seconds: 0.5, waited: 0.0 });
    }
    tell(&Event::End { step, epoch: epochs, reason: "max_epochs" });
}

fn size_of(png: &Path) -> (u32, u32) {
    let file = std::io::BufReader::new(fs::File::open(png).unwrap());
    png::Decoder::new(file).read_info().unwrap().info().size()
}

#[test]
fn a_run_is_drawn_as_svg_and_png() {
    let dir = folder("whole-run");
    play(&dir, 12, &[]);
    let svg = fs::read_to_string(dir.join("curves.svg")).unwrap();
    for words in ["quickstart", "learning rate", "train_loss", "val_loss", "val_accuracy", "epoch"] {
        assert!(svg.contains(&format!(">{words}</text>")), "{words}");
    }
    assert!(svg.len() < 200_000, "{} bytes", svg.len());
    let (width, height) = size_of(&dir.join("curves.png"));
    assert_eq!((width, height), (2400, 740));
}

#[test]
fn odd_runs_are_drawn_too() {
    let dir = folder("odd-runs");
    let names: Vec<_> = (0..60).map(|i| format!("val_iou_of_a_class_with_a_long_name_{i}")).collect();
    let many: Vec<_> = names.iter().enumerate().map(|(i, n)| (n.as_str(), 0.4 * i as f64 / 60.0)).collect();
    for (name, epochs, extra) in [
        ("no-epoch", 0, vec![]),
        ("one-epoch", 1, vec![("val_<&>", f64::NAN)]),
        ("pixels", 40, vec![("val_error_px", 12.0), ("val_psnr", f64::INFINITY)]),
        ("many", 3, many),
    ] {
        let dir = dir.join(name);
        fs::create_dir_all(&dir).unwrap();
        play(&dir, epochs, &extra);
        assert_eq!(dir.join("curves.png").exists(), epochs > 0, "{name}");
    }
}
