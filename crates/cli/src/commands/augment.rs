//! `pleach augment`: what a run's augmentations make of its samples, as a picture, and the draws as a file.

use crate::args::Augment;
use crate::output::{self, Done};
use crate::sheet::Sheet;
use pleach_core::error::Context;
use pleach_core::kinds::augmentation::{At, AugmentConfig, AugmentSlot, Decision, DynAugmentation, Pipeline, Pool};
use pleach_core::{Backend, Error, Result, registry, saved};
use pleach_data::Mixable;
use pleach_train::setup::open_data;
use serde_json::{Value as Json, json};
use std::path::Path;
use std::process::ExitCode;

/// What was decided for one sample.
struct Sample {
    index: u64,
    steps: Vec<Decision>,
}

pub fn run(args: &Augment) -> Done {
    let resolved = output::load_run(&args.run)?;
    let run = &resolved.run;
    let data = open_data(&run.dataset, &*run.task, run.run.seed)?;
    let split = data.split(&args.split)?;
    let pool = Mixable(&*split.samples);
    let pipeline = Pipeline::new(&split.augment, &*run.backend.kernels).with_pool(&pool);
    std::fs::create_dir_all(&args.out).map_err(|e| broken(&args.out, &e))?;
    if args.each {
        return each(args, &pool, run.run.seed, &*run.backend.kernels);
    }
    let given = args.replay.as_deref().map(read).transpose()?;
    let (mut sheet, mut draws) = (Sheet::new(args.columns, args.tile), Vec::new());
    let n = split.samples.len() as u64;
    let wanted = given.as_ref().map_or(args.samples as u64, |all| all.len() as u64);
    for k in 0..wanted {
        let repeated = given.as_ref().and_then(|all| all.get(k as usize));
        // Where there are fewer samples than tiles, they come again with the draws of the next epochs.
        let (index, epoch) = repeated.map_or((k % n, args.epoch + (k / n) as u32), |s| (s.index, args.epoch));
        if index >= n {
            return Err(Error::new("PL0345", format!("the split {} has no sample {index}", args.split)).into());
        }
        let mut row = split.samples.row(index as usize)?;
        let who = || format!("augmenting sample {index} ({})", split.samples.key(index as usize));
        let steps = match repeated {
            Some(sample) => pipeline.replay(&sample.steps, &mut row).map(|()| sample.steps.clone()),
            None => pipeline.record(At { seed: run.run.seed, epoch, sample: index }, &mut row),
        };
        draws.push(json!({ "index": index, "epoch": epoch, "steps": saved::save(&steps.context(who)?)? }));
        sheet.add(&row)?;
    }
    let path = args.out.join("sheet.png");
    sheet.write(&path)?;
    let list = args.out.join("draws.json");
    let text = json!({ "split": args.split, "seed": run.run.seed, "samples": draws });
    std::fs::write(&list, format!("{text:#}\n")).map_err(|e| broken(&list, &e))?;
    output::say(&format!("{wanted} samples in {}; their draws in {}", path.display(), list.display()));
    Ok(ExitCode::SUCCESS)
}

/// A sheet of all augmentations, each by itself.
fn each(args: &Augment, pool: &Mixable<'_>, seed: u64, kernels: &dyn Backend) -> Done {
    let (mut sheet, mut names) = (Sheet::new(args.columns, args.tile), Vec::new());
    for entry in registry::of_kind::<dyn DynAugmentation>() {
        let Some(plug) = entry.plug() else { continue };
        let slot = AugmentSlot { p: Some(1.0), ..AugmentSlot::default() };
        let mut row = pool.row(0)?;
        let at = At { seed, epoch: args.epoch, sample: 0 };
        match Pipeline::new(&[AugmentConfig { slot, plug }], kernels).with_pool(pool).run(at, &mut row) {
            Ok(()) => {
                sheet.add(&row)?;
                names.push(entry.name);
            }
            Err(e) => output::say(&format!("{} is left out: {}", entry.name, e.message())),
        }
    }
    let (path, list) = (args.out.join("each.jpg"), args.out.join("each.md"));
    sheet.write(&path)?;
    let columns = args.columns.max(1);
    let head = "| ".to_owned() + &vec![" |"; columns].join(" ") + "\n" + &"|---".repeat(columns) + "|\n";
    let line =
        |names: &[&str]| format!("| {} |\n", names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(" | "));
    let text = format!(
        "![Every augmentation by itself](each.jpg)\n\n{head}{}",
        names.chunks(columns).map(line).collect::<String>()
    );
    std::fs::write(&list, text).map_err(|e| broken(&list, &e))?;
    output::say(&format!("{} augmentations in {}; their names in {}", names.len(), path.display(), list.display()));
    Ok(ExitCode::SUCCESS)
}

/// The draws that `--replay` names.
fn read(path: &Path) -> Result<Vec<Sample>> {
    let text = std::fs::read_to_string(path).map_err(|e| broken(path, &e))?;
    let odd = || {
        Error::new("PL0345", format!("`{}` is no file of draws", path.display()))
            .hint("`pleach augment` writes such a file: draws.json")
    };
    let all: Json = serde_json::from_str(&text).map_err(|_| odd())?;
    let samples = all.get("samples").and_then(Json::as_array).ok_or_else(odd)?;
    samples
        .iter()
        .map(|s| {
            let index = s.get("index").and_then(Json::as_u64).ok_or_else(odd)?;
            Ok(Sample { index, steps: saved::load(s.get("steps").ok_or_else(odd)?)? })
        })
        .collect()
}

fn broken(path: &Path, e: &dyn std::fmt::Display) -> Error {
    Error::new("PL0501", format!("`{}`: {e}", path.display()))
}
