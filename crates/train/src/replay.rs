//! What a failed step leaves behind: the batch as tensors and the place as JSON.

use crate::checkpoint::tensors_to_bytes;
use crate::clock::Clock;
use crate::folder::{io_error, write_whole};
use pleach_core::{Batch, Result};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Saves the batches of a step under `replay/` in the run's folder; returns the folder.
pub fn save(dir: &Path, clock: &Clock, seed: u64, batches: &[Batch]) -> Result<PathBuf> {
    let place = dir.join("replay").join(format!("step-{}", clock.step + 1));
    std::fs::create_dir_all(&place).map_err(|e| io_error(&place, "make the folder", &e))?;
    let mut tensors = BTreeMap::new();
    for (i, batch) in batches.iter().enumerate() {
        for (kind, named) in [("input", &batch.inputs), ("target", &batch.targets)] {
            for (name, tensor) in named.iter() {
                tensors.insert(format!("{i}/{kind}/{name}"), tensor.contiguous()?);
            }
        }
    }
    write_whole(&place.join("batch.safetensors"), &tensors_to_bytes(&tensors)?)?;
    let note = json!({
        "step": clock.step + 1,
        "epoch": clock.epoch,
        "batch": clock.batch,
        "phase": clock.phase,
        "seed": seed,
        "samples": sample_keys(batches),
    });
    write_whole(&place.join("place.json"), note.to_string().as_bytes())?;
    Ok(place)
}

/// The keys of all samples of a step.
pub fn sample_keys(batches: &[Batch]) -> Vec<String> {
    batches.iter().flat_map(|b| &b.rows).map(|row| row.id.key.to_string()).collect()
}
