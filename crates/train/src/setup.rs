//! Opens what a run names: data, net and first weights.

use crate::weights::load_weights;
use pleach_config::run::{Dataset, ModelSlot, Partition, Run, Split};
use pleach_core::kinds::augmentation::AugmentConfig;
use pleach_core::{DType, DataInfo, Error, Fit, Net, Params, Precision, Result, Samples, SourceCx, Task};
use pleach_data::split::{Subset, by_ratio, k_fold, strata};
use std::sync::Arc;
use wildmatch::WildMatch;

/// One split, opened.
#[derive(Clone)]
pub struct OpenSplit {
    /// The samples.
    pub samples: Arc<dyn Samples>,
    /// What is done to each.
    pub augment: Vec<AugmentConfig>,
}

/// All splits of a run.
#[derive(Clone)]
pub struct OpenData {
    /// What is learnt from.
    pub train: OpenSplit,
    /// What is validated on.
    pub val: Option<OpenSplit>,
    /// What is tested on.
    pub test: Option<OpenSplit>,
    /// What the samples are.
    pub info: DataInfo,
}

impl OpenData {
    /// A split by its name.
    ///
    /// # Errors
    /// The run has none of this name.
    pub fn split(&self, name: &str) -> Result<&OpenSplit> {
        let split = match name {
            "train" => Some(&self.train),
            "val" => self.val.as_ref(),
            "test" => self.test.as_ref(),
            _ => None,
        };
        split.ok_or_else(|| {
            Error::new("PL0350", format!("the run has no split `{name}`"))
                .hint("splits are train, val and test; give `[dataset.val]`, or `val` in `[dataset.split]`")
        })
    }
}

/// Opens the splits of `[dataset]`, and takes the missing ones from the training split as `[dataset.split]` says.
///
/// # Errors
/// Folders are missing or empty, or files do not fit together.
pub fn open_data(dataset: &Dataset, task: &dyn Task, seed: u64) -> Result<OpenData> {
    let train = open_split(&dataset.train, "train", seed)?;
    let mut all = OpenData { info: train.samples.info(), train, val: None, test: None };
    if let Some(split) = &dataset.val {
        all.val = Some(open_split(split, "val", seed)?);
    }
    if let Some(split) = &dataset.test {
        all.test = Some(open_split(split, "test", seed)?);
    }
    if let Some(part) = &dataset.split {
        let augment: Vec<AugmentConfig> = all.train.augment.iter().filter(|a| task.at_inference(a)).cloned().collect();
        let whole = Arc::clone(&all.train.samples);
        let subset = |indices: Vec<usize>| -> Result<Arc<dyn Samples>> {
            Ok(Arc::new(Subset::new(Arc::clone(&whole), indices)?))
        };
        let Parts { train: rest, val, test } = partition(part, &*whole)?;
        for (name, indices, place) in [("val", val, &mut all.val), ("test", test, &mut all.test)] {
            if indices.is_empty() {
                continue;
            }
            if place.is_some() {
                return Err(Error::new(
                    "PL0351",
                    format!("`[dataset.{name}]` and `[dataset.split]` both say what the split {name} is"),
                )
                .hint("leave one of them out"));
            }
            *place = Some(OpenSplit { samples: subset(indices)?, augment: augment.clone() });
        }
        all.train.samples = subset(rest)?;
    }
    if all.train.samples.is_empty() {
        return Err(Error::new("PL0305", "there is no sample to train on"));
    }
    Ok(all)
}

/// The samples of each split.
struct Parts {
    train: Vec<usize>,
    val: Vec<usize>,
    test: Vec<usize>,
}

fn partition(part: &Partition, samples: &dyn Samples) -> Result<Parts> {
    let strata = if part.stratified { strata(samples) } else { vec![0; samples.len()] };
    if let Some(k) = part.num_folds {
        let split = k_fold(&strata, k as usize, part.validation_fold as usize, part.seed)?;
        return Ok(Parts { train: split.train, val: split.held_out, test: Vec::new() });
    }
    let held = part.val + part.test;
    if held == 0.0 {
        return Ok(Parts { train: (0..samples.len()).collect(), val: Vec::new(), test: Vec::new() });
    }
    let outer = by_ratio(&strata, held, part.seed)?;
    if part.test == 0.0 {
        return Ok(Parts { train: outer.train, val: outer.held_out, test: Vec::new() });
    }
    if part.val == 0.0 {
        return Ok(Parts { train: outer.train, val: Vec::new(), test: outer.held_out });
    }
    let of_held: Vec<u32> = outer.held_out.iter().filter_map(|&i| strata.get(i).copied()).collect();
    let inner = by_ratio(&of_held, part.test / held, part.seed)?;
    let whole = |list: Vec<usize>| list.into_iter().filter_map(|i| outer.held_out.get(i).copied()).collect();
    Ok(Parts { train: outer.train.clone(), val: whole(inner.train), test: whole(inner.held_out) })
}

fn open_split(split: &Split, name: &str, seed: u64) -> Result<OpenSplit> {
    let cx = SourceCx { split: name.to_owned(), seed };
    let samples = split.plug.open(&cx).map_err(|e| e.context(format!("opening the split {name}")))?;
    if samples.is_empty() {
        return Err(Error::new("PL0305", format!("the split {name} has no sample")));
    }
    Ok(OpenSplit { samples: Arc::from(samples), augment: split.slot.augment.clone() })
}

/// The type of parameters and inputs of a precision.
pub fn dtype(precision: Precision) -> DType {
    match precision {
        Precision::F64 => DType::F64,
        // 16-bit training keeps its parameters in 32 bits.
        Precision::F32 | Precision::Bf16Mixed | Precision::F16Mixed => DType::F32,
    }
}

/// Builds the net of a run with its first weights.
///
/// # Errors
/// The data do not fit the task, or the weights do not fit the net.
pub fn build_net(run: &Run, info: &DataInfo) -> Result<(Box<dyn Net>, Params, Vec<String>)> {
    let device = run.backend.train.device()?;
    let mut params = Params::new(run.run.seed, dtype(run.trainer.precision), &device);
    let spec = run.task.model_spec(info)?;
    let net = run.model.plug.build(params.root(), &spec)?;
    let mut notes = Vec::new();
    let ModelSlot { weights, strict, pretrained, .. } = &run.model.slot;
    if let Some(path) = weights {
        let fit = if *strict && !*pretrained { Fit::Strict } else { Fit::Partial };
        notes.extend(load_weights(&params, path, fit)?.notes(&path.display().to_string()));
    }
    freeze(&params, &run.model.slot.freeze)?;
    Ok((net, params, notes))
}

/// Freezes the parameters that any of the patterns matches.
///
/// # Errors
/// A pattern matches nothing.
pub fn freeze(params: &Params, patterns: &[String]) -> Result<usize> {
    let globs: Vec<WildMatch> = patterns.iter().map(|p| WildMatch::new(p)).collect();
    for (pattern, glob) in patterns.iter().zip(&globs) {
        if !params.iter().any(|(name, _)| glob.matches(name)) {
            return Err(crate::groups::no_match("freeze", pattern, params));
        }
    }
    Ok(params.freeze(|name| globs.iter().any(|g| g.matches(name))))
}
