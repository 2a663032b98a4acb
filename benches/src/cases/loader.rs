//! Photographs from files to a batch, the way that a run takes: source, decoder, Resize, Normalize, collation, on one thread.

use super::Run;
use pleach_augment as _;
use pleach_core::export::serde_json::{Value as Json, json};
use pleach_core::kinds::augmentation::{AugmentConfig, AugmentSlot, DynAugmentation};
use pleach_core::{Backend, CollateCx, DType, Device, Error, Plug, Result, Source, SourceCx, Task, saved};
use pleach_data::{Channels, Dataloader, ImageFiles, Loader, Shuffle, decode, files};
use pleach_vision as _;
use std::path::PathBuf;
use std::sync::Arc;

/// Photographs in a batch.
const BATCH: usize = 16;

pub fn open(name: &str) -> Result<Run> {
    let (folder, part) = name.split_once('/').unwrap_or((name, "run"));
    let mut paths = files::list(&photographs(folder)?, &files::image_extensions())?;
    paths.truncate(BATCH);
    match part {
        "decode" => Ok(Box::new(move || paths.iter().try_for_each(|path| decode::read(path, Channels::Rgb).map(drop)))),
        "run" => run(paths),
        _ => Err(Error::new("PL0101", format!("there is no case `{name}`"))),
    }
}

fn photographs(folder: &str) -> Result<PathBuf> {
    let below = match folder {
        "jpeg640x480" => "blood-cells/JPEGImages",
        "jpeg400x533" => "clothing/train/hat",
        "png480x360" => "camvid/train",
        _ => return Err(Error::new("PL0101", format!("no photographs are called `{folder}`"))),
    };
    let data = std::env::var_os("PLEACH_DATA")
        .map_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data").into(), PathBuf::from);
    Ok(data.join(below))
}

fn augmentation(name: &str, keys: Json) -> Result<AugmentConfig> {
    let mut all = Plug::<dyn DynAugmentation>::named(name)?.saved()?;
    if let (Some(all), Json::Object(keys)) = (all.as_object_mut(), keys) {
        all.extend(keys);
    }
    Ok(AugmentConfig { slot: AugmentSlot::default(), plug: saved::load(&all)? })
}

fn run(paths: Vec<PathBuf>) -> Result<Run> {
    let samples = ImageFiles::new(paths, Channels::Rgb).open(&SourceCx { split: "train".into(), seed: 0 })?;
    let info = samples.info();
    let augment =
        vec![augmentation("Resize", json!({ "height": 352, "width": 352 }))?, augmentation("Normalize", json!({}))?];
    let config = Dataloader { batch_size: BATCH, num_workers: Some(0), ..Dataloader::default() };
    let kernels = Plug::<dyn Backend>::named("Cpu")?;
    let loader = Loader::new(Arc::from(samples), augment, config, Shuffle::Off, 0, kernels);
    let task = Plug::<dyn Task>::named("Classification")?;
    let loader = if task.looks_up() { loader.almost() } else { loader };
    Ok(Box::new(move || {
        let cx = CollateCx { device: &Device::Cpu, dtype: DType::F32, data: &info };
        for batch in loader.epoch(0, 0) {
            task.collate(batch?.rows, &cx)?;
        }
        Ok(())
    }))
}
