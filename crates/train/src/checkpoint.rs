//! Checkpoints: written beside, synced and renamed, so that each is whole or does not exist.
//!
//! `ckpt/000012000/` holds `weights.safetensors`, `optim.safetensors`, `ema.safetensors` (if an
//! observer averages weights), `state.json`, and `DONE`, a line `sha256  name` for each of the rest.

use crate::clock::Clock;
use crate::folder::io_error;
use pleach_core::kinds::optimizer::{Memory, MemoryNumbers, ParamSlots};
use pleach_core::{DataInfo, Device, Error, Result, Saved, Tensor};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Version of the format of `state.json`.
pub const FORMAT: u32 = 1;

/// Everything but tensors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Version of the format.
    pub format: u32,
    /// Where the run was.
    pub clock: Clock,
    /// The resolved run as typetag saves it.
    pub run: Saved,
    /// Numbers that the optimizer remembers.
    pub optimizer: MemoryNumbers,
    /// State of the scheduler and of its slot.
    pub scheduler: Option<Saved>,
    /// Rates of the groups: learning rate, momentum.
    pub rates: Vec<(f64, Option<f64>)>,
    /// State of each observer by its key.
    pub observers: BTreeMap<String, Saved>,
    /// Who keeps the averaged weights in `ema.safetensors`: an observer by its key, or `optimizer`.
    pub averages: Option<String>,
    /// State of each keeper by its key.
    pub keepers: BTreeMap<String, Saved>,
    /// Scale of the loss in 16 bits.
    pub scaler: Option<crate::scaler::Scaler>,
    /// What the epoch has summed up so far.
    pub epoch: Saved,
    /// The latest metrics by their full names.
    pub metrics: Saved,
    /// Why an observer wanted the run to end, if one did.
    pub stop: Option<String>,
    /// What the data were: all that inference needs to know of them.
    pub info: DataInfo,
    /// Why the run had come to its end, if it had.
    pub ended: Option<String>,
}

/// A checkpoint in memory.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    /// Everything but tensors.
    pub state: State,
    /// Parameters and buffers.
    pub weights: BTreeMap<String, Tensor>,
    /// Averaged weights, if an observer keeps some.
    pub averages: Option<BTreeMap<String, Tensor>>,
    /// What the optimizer remembers.
    pub memory: Memory,
}

/// The folder of checkpoints of a run.
#[derive(Debug, Clone)]
pub struct Shelf(PathBuf);

fn name_of(step: u64) -> String {
    format!("{step:09}")
}

impl Shelf {
    /// The shelf in a folder.
    pub fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Where a checkpoint lies.
    pub fn path(&self, step: u64) -> PathBuf {
        self.0.join(name_of(step))
    }

    /// Steps of the checkpoints that have their `DONE`, oldest first. Their hashes are not looked at.
    pub fn steps(&self) -> Vec<u64> {
        let Ok(dir) = fs::read_dir(&self.0) else { return Vec::new() };
        let mut steps: Vec<u64> = dir
            .flatten()
            .filter(|entry| entry.path().join("DONE").is_file())
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .collect();
        steps.sort_unstable();
        steps
    }

    /// Writes a checkpoint; one of the same step is replaced.
    pub fn write(&self, checkpoint: &Checkpoint) -> Result<()> {
        let step = checkpoint.state.clock.step;
        let beside = self.0.join(format!("{}.part", name_of(step)));
        let place = self.path(step);
        let fail = |e: std::io::Error| io_error(&beside, "write the checkpoint", &e);
        if beside.exists() {
            fs::remove_dir_all(&beside).map_err(fail)?;
        }
        fs::create_dir_all(&beside).map_err(fail)?;
        let mut files = vec![
            ("weights.safetensors", tensors_to_bytes(&checkpoint.weights)?),
            ("optim.safetensors", tensors_to_bytes(&slots(&checkpoint.memory))?),
        ];
        if let Some(averages) = &checkpoint.averages {
            files.push(("ema.safetensors", tensors_to_bytes(averages)?));
        }
        let state = serde_json::to_vec_pretty(&pleach_core::saved::save(&checkpoint.state)?)
            .map_err(|e| Error::new("PL0505", format!("the state cannot be written: {e}")))?;
        files.push(("state.json", state));
        let mut done = String::new();
        for (name, bytes) in &files {
            put(&beside.join(name), bytes)?;
            done.push_str(&format!("{}  {name}\n", hash(bytes)));
        }
        put(&beside.join("DONE"), done.as_bytes())?;
        // At every moment the old one or the new one is there whole, in its place or aside.
        let aside = self.aside(step);
        if place.exists() {
            fs::rename(&place, &aside).map_err(|e| io_error(&place, "replace", &e))?;
        }
        fs::rename(&beside, &place).map_err(|e| io_error(&place, "write", &e))?;
        if aside.exists() {
            fs::remove_dir_all(&aside).map_err(|e| io_error(&aside, "delete", &e))?;
        }
        // The rename itself must be on the disk before an older checkpoint is deleted.
        if let Ok(dir) = File::open(&self.0) {
            dir.sync_all().map_err(|e| io_error(&self.0, "sync", &e))?;
        }
        Ok(())
    }

    /// Deletes a checkpoint.
    pub fn delete(&self, step: u64) -> Result<()> {
        let path = self.path(step);
        // Without its `DONE` it no longer exists, whatever happens to the rest.
        let done = path.join("DONE");
        fs::remove_file(&done).map_err(|e| io_error(&done, "delete", &e))?;
        fs::remove_dir_all(&path).map_err(|e| io_error(&path, "delete", &e))
    }

    /// Puts right what a killed process left behind: a checkpoint that stood aside while it was replaced
    /// comes back, and what has no `DONE` goes.
    pub fn sweep(&self) -> Result<()> {
        let Ok(dir) = fs::read_dir(&self.0) else { return Ok(()) };
        for entry in dir.flatten().filter(|entry| entry.path().is_dir()) {
            let (path, name) = (entry.path(), entry.file_name());
            let Some((step, end)) = name.to_str().map(|n| n.split_once('.').unwrap_or((n, ""))) else { continue };
            let (Ok(step), "" | "part" | "old") = (step.parse::<u64>(), end) else { continue };
            let whole = path.join("DONE").is_file();
            if whole && end == "old" && !self.path(step).join("DONE").is_file() {
                fs::rename(&path, self.path(step)).map_err(|e| io_error(&path, "put back", &e))?;
            } else if !whole || !end.is_empty() {
                fs::remove_dir_all(&path).map_err(|e| io_error(&path, "delete", &e))?;
            }
        }
        Ok(())
    }

    fn aside(&self, step: u64) -> PathBuf {
        self.0.join(format!("{}.old", name_of(step)))
    }

    /// Reads a checkpoint and holds it against its hashes.
    ///
    /// # Errors
    /// It is torn or was tampered with; the error says which file.
    pub fn read(&self, step: u64, device: &Device) -> Result<Checkpoint> {
        let dir = self.path(step);
        let refuse =
            |why: String| Error::new("PL0506", format!("the checkpoint `{}` is refused: {why}", dir.display()));
        let get = |name: &str| fs::read(dir.join(name)).map_err(|e| refuse(format!("`{name}` cannot be read: {e}")));
        let done = String::from_utf8(get("DONE")?).map_err(|_| refuse("`DONE` is not text".into()))?;
        let mut files = BTreeMap::new();
        for line in done.lines() {
            let (want, name) = line.split_once("  ").ok_or_else(|| refuse("`DONE` is torn".into()))?;
            if name.contains(['/', '\\']) {
                return Err(refuse(format!("`DONE` names `{name}`, which is not a file of the checkpoint")));
            }
            let bytes = get(name)?;
            if hash(&bytes) != want {
                return Err(refuse(format!("`{name}` is not what was written")));
            }
            files.insert(name.to_owned(), bytes);
        }
        let file = |name: &str| files.get(name).ok_or_else(|| refuse(format!("`{name}` is missing")));
        let json: Saved =
            serde_json::from_slice(file("state.json")?).map_err(|e| refuse(format!("`state.json`: {e}")))?;
        let format = json.get("format").and_then(Saved::as_u64);
        if format != Some(u64::from(FORMAT)) {
            return Err(refuse(format!("its format is {format:?}, and this program knows {FORMAT}")));
        }
        let state: State = pleach_core::saved::load(&json)?;
        let tensors = |name: &str| -> Result<BTreeMap<String, Tensor>> {
            let map = candle_core::safetensors::load_buffer(file(name)?, device)?;
            Ok(map.into_iter().collect())
        };
        let memory = memory(tensors("optim.safetensors")?, &state.optimizer);
        let averages = state.averages.as_ref().map(|_| tensors("ema.safetensors")).transpose()?;
        Ok(Checkpoint { weights: tensors("weights.safetensors")?, averages, memory, state })
    }
}

fn put(path: &Path, bytes: &[u8]) -> Result<()> {
    let write = || -> std::io::Result<()> {
        let mut file = File::create(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(|e| io_error(path, "write", &e))
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

/// Named tensors as a safetensors file.
pub fn tensors_to_bytes(tensors: &BTreeMap<String, Tensor>) -> Result<Vec<u8>> {
    safetensors::serialize(tensors.iter(), None)
        .map_err(|e| Error::new("PL0505", format!("tensors cannot be written: {e}")))
}

fn slots(memory: &Memory) -> BTreeMap<String, Tensor> {
    memory
        .0
        .iter()
        .flat_map(|(param, slots)| slots.tensors.iter().map(move |(slot, t)| (format!("{param}/{slot}"), t.clone())))
        .collect()
}

/// The numbers of an optimizer's memory.
pub fn numbers(memory: &Memory) -> MemoryNumbers {
    MemoryNumbers(memory.0.iter().map(|(param, slots)| (param.clone(), slots.numbers.clone())).collect())
}

fn memory(tensors: BTreeMap<String, Tensor>, numbers: &MemoryNumbers) -> Memory {
    let mut memory: BTreeMap<String, ParamSlots> = BTreeMap::new();
    for (param, numbers) in &numbers.0 {
        memory.entry(param.clone()).or_default().numbers = numbers.clone();
    }
    for (name, tensor) in tensors {
        if let Some((param, slot)) = name.rsplit_once('/') {
            memory.entry(param.to_owned()).or_default().tensors.insert(slot.to_owned(), tensor);
        }
    }
    Memory(memory)
}

impl State {
    /// A metric as it stood when the checkpoint was written.
    pub fn metrics_of_epoch(&self, name: &str) -> Option<f64> {
        let all: pleach_core::Named<f64> = pleach_core::saved::load(&self.metrics).ok()?;
        all.get(name).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint(step: u64, value: f32) -> Checkpoint {
        let clock = Clock { step, ..Clock::default() };
        let state = State {
            format: FORMAT,
            clock,
            run: Saved::Null,
            optimizer: MemoryNumbers(BTreeMap::from([("w".into(), BTreeMap::from([("step".into(), 3.0)]))])),
            scheduler: None,
            rates: vec![(f64::INFINITY, None)],
            observers: BTreeMap::new(),
            averages: None,
            keepers: BTreeMap::new(),
            scaler: None,
            epoch: Saved::Null,
            metrics: Saved::Array(Vec::new()),
            stop: None,
            info: DataInfo::default(),
            ended: None,
        };
        let tensor = Tensor::new(&[value, -0.0], &Device::Cpu).unwrap();
        let slots = ParamSlots {
            tensors: BTreeMap::from([("exp_avg".into(), tensor.clone())]),
            numbers: BTreeMap::from([("step".into(), 3.0)]),
        };
        Checkpoint {
            state,
            weights: BTreeMap::from([("w".into(), tensor)]),
            averages: None,
            memory: Memory(BTreeMap::from([("w".into(), slots)])),
        }
    }

    fn value(c: &Checkpoint) -> f32 {
        c.weights["w"].to_vec1::<f32>().unwrap()[0]
    }

    #[test]
    fn a_checkpoint_comes_back_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let shelf = Shelf::new(dir.path().join("ckpt"));
        shelf.write(&checkpoint(7, 1.5)).unwrap();
        let back = shelf.read(7, &Device::Cpu).unwrap();
        assert_eq!(back.state, checkpoint(7, 1.5).state);
        assert_eq!(value(&back), 1.5);
        assert_eq!(back.memory.0["w"].numbers["step"], 3.0);
        assert_eq!(back.memory.0["w"].tensors["exp_avg"].to_vec1::<f32>().unwrap(), [1.5, -0.0]);
    }

    #[test]
    fn a_process_killed_while_it_replaced_a_checkpoint_has_lost_neither() {
        let dir = tempfile::tempdir().unwrap();
        let shelf = Shelf::new(dir.path().join("ckpt"));
        shelf.write(&checkpoint(7, 1.0)).unwrap();
        // Killed between the two renames: the old one stands aside, the new one is not yet in place.
        fs::rename(shelf.path(7), shelf.aside(7)).unwrap();
        fs::create_dir(dir.path().join("ckpt/000000007.part")).unwrap();
        assert!(shelf.steps().is_empty());
        shelf.sweep().unwrap();
        assert_eq!(shelf.steps(), [7]);
        assert_eq!(value(&shelf.read(7, &Device::Cpu).unwrap()), 1.0);
        assert!(!dir.path().join("ckpt/000000007.part").exists());
        // Killed after both: the new one is in place and counts.
        fs::create_dir(shelf.aside(7)).unwrap();
        fs::write(shelf.aside(7).join("DONE"), "").unwrap();
        shelf.write(&checkpoint(8, 2.0)).unwrap();
        shelf.sweep().unwrap();
        assert_eq!(shelf.steps(), [7, 8]);
        assert!(!shelf.aside(7).exists());
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let shelf = Shelf::new(dir.path().join("ckpt"));
        shelf.write(&checkpoint(1, 1.0)).unwrap();
        for name in ["weights.safetensors", "optim.safetensors", "state.json"] {
            let path = shelf.path(1).join(name);
            let good = fs::read(&path).unwrap();
            for at in (0..good.len()).step_by(good.len().div_ceil(40)) {
                let mut bad = good.clone();
                bad[at] ^= 0x10;
                fs::write(&path, bad).unwrap();
                let e = shelf.read(1, &Device::Cpu).unwrap_err();
                assert!(e.code() == "PL0506" && e.message().contains(name), "{e}");
            }
            fs::write(&path, &good[..good.len() - 1]).unwrap();
            assert_eq!(shelf.read(1, &Device::Cpu).unwrap_err().code(), "PL0506");
            fs::write(&path, good).unwrap();
        }
        assert!(shelf.read(1, &Device::Cpu).is_ok());
    }
}
