//! Every registered optimizer goes on to the bit in a fresh process, from what a checkpoint holds.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use pleach_cli as _;
use pleach_core::export::candle_core::safetensors;
use pleach_core::kinds::optimizer::{Memory, MemoryNumbers};
use pleach_core::{
    DType, Device, Hyper, Init, Named, Optimizer, Params, Plug, Purpose, Result, Rng, Saved, StepGroup, Tensor,
    registry, saved,
};
use pleach_train::checkpoint::{numbers, tensors_to_bytes};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the fresh process finds what to go on from.
const FROM: &str = "PLEACH_TEST_CONTINUES_FROM";
/// Steps before the end of the first process, and steps in all.
const STOPS: [u64; 4] = [0, 1, 3, 7];
const STEPS: u64 = 11;
const SHAPES: [(&str, &[usize]); 4] =
    [("bias", &[5]), ("conv.weight", &[2, 3, 2, 2]), ("linear.weight", &[4, 3]), ("scale", &[])];

/// A run that ends early and is taken up again.
struct Run {
    plug: Plug<dyn Optimizer>,
    dtype: DType,
    seed: u64,
    params: Params,
    memory: Memory,
}

impl Run {
    fn new(plug: Plug<dyn Optimizer>, dtype: DType, seed: u64) -> Self {
        let mut params = Params::new(seed, dtype, &Device::Cpu);
        for (name, shape) in SHAPES.iter().filter(|(_, shape)| plug.refuses(shape).is_none()) {
            params.root().param(name, *shape, Init::Normal(0.0, 1.0)).unwrap();
        }
        Self { plug, dtype, seed, params, memory: Memory::default() }
    }

    /// A bowl with another bottom and another tilt at each step.
    fn slope(&self, step: u64) -> Result<(f64, Named<Tensor>)> {
        let (mut loss, mut grads) = (0.0, Named::new());
        for (name, weight) in self.params.iter() {
            let mut rng = Rng::named(self.seed + step, Purpose::Other, name);
            let n = weight.var().elem_count();
            let draw =
                Tensor::from_vec((0..n).map(|_| rng.normal()).collect::<Vec<_>>(), weight.var().shape(), &Device::Cpu)?;
            let away = (weight.var().as_detached_tensor().to_dtype(DType::F64)? - draw)?;
            loss += 0.5 * away.sqr()?.sum_all()?.to_scalar::<f64>()?;
            grads.insert(name, away.to_dtype(self.dtype)?);
        }
        Ok((loss, grads))
    }

    fn steps(&mut self, steps: std::ops::Range<u64>) {
        for step in steps {
            let (_, grads) = self.slope(step).unwrap();
            let list = self.params.trainable().map(|(name, w)| (name, w, grads.want(name).unwrap().clone())).collect();
            // Rates as a scheduler leaves them.
            let fade = 1.0 - 0.05 * step as f64;
            let hyper = Hyper { lr: self.plug.lr() * fade, momentum: self.plug.momentum().map(|m| m * fade) };
            let group = StepGroup { key: "group:0", params: list, hyper, others: &[], scale: 1.0, follow: None };
            let mut memory = std::mem::take(&mut self.memory);
            self.plug.step(&group, &mut memory, Some(&mut || self.slope(step))).unwrap();
            self.memory = memory;
        }
    }

    /// Weights and memory, bit by bit.
    fn bits(&self) -> BTreeMap<String, Vec<u64>> {
        let bits = |t: &Tensor| -> Vec<u64> {
            let flat = t.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1::<f64>().unwrap();
            flat.into_iter().map(f64::to_bits).collect()
        };
        let mut all: BTreeMap<_, _> = self.params.iter().map(|(name, w)| (name.to_owned(), bits(w.var()))).collect();
        for (name, slots) in &self.memory.0 {
            all.extend(slots.tensors.iter().map(|(slot, t)| (format!("{name}/{slot}"), bits(t))));
            all.extend(slots.numbers.iter().map(|(slot, x)| (format!("{name}#{slot}"), vec![x.to_bits()])));
        }
        all
    }

    fn save(&self, dir: &Path) {
        fs::create_dir_all(dir).unwrap();
        let mut slots = BTreeMap::new();
        for (name, of_param) in &self.memory.0 {
            slots.extend(of_param.tensors.iter().map(|(slot, t)| (format!("{name}/{slot}"), t.clone())));
        }
        fs::write(dir.join("model.safetensors"), tensors_to_bytes(&self.params.snapshot().unwrap()).unwrap()).unwrap();
        fs::write(dir.join("optim.safetensors"), tensors_to_bytes(&slots).unwrap()).unwrap();
        let state = serde_json::json!({
            "plug": self.plug.saved().unwrap(),
            "double": self.dtype == DType::F64,
            "seed": self.seed,
            "numbers": saved::save(&numbers(&self.memory)).unwrap(),
        });
        fs::write(dir.join("state.json"), state.to_string()).unwrap();
    }

    fn restore(dir: &Path) -> Self {
        let state: Saved = serde_json::from_slice(&fs::read(dir.join("state.json")).unwrap()).unwrap();
        let dtype = if state["double"] == true { DType::F64 } else { DType::F32 };
        let mut run = Self::new(saved::load(&state["plug"]).unwrap(), dtype, state["seed"].as_u64().unwrap());
        let tensors = safetensors::load(dir.join("model.safetensors"), &Device::Cpu).unwrap();
        for (name, weight) in run.params.iter() {
            weight.set(&tensors[name]).unwrap();
        }
        let numbers: MemoryNumbers = saved::load(&state["numbers"]).unwrap();
        for (name, numbers) in numbers.0 {
            run.memory.0.entry(name).or_default().numbers = numbers;
        }
        let slots: BTreeMap<_, _> =
            safetensors::load(dir.join("optim.safetensors"), &Device::Cpu).unwrap().into_iter().collect();
        for (name, tensor) in slots {
            let (param, slot) = name.rsplit_once('/').unwrap();
            run.memory.0.entry(param.to_owned()).or_default().tensors.insert(slot.to_owned(), tensor);
        }
        run
    }
}

/// An optimizer with its defaults, and with all that adds to what it remembers.
fn variants(entry: &registry::Entry) -> Vec<Plug<dyn Optimizer>> {
    let defaults = entry.plug::<dyn Optimizer>().unwrap();
    let mut all = defaults.saved().unwrap();
    for (key, value) in all.as_object_mut().unwrap() {
        match key.as_str() {
            "line_search_fn" => *value = "strong_wolfe".into(),
            "weight_decay" => *value = 0.01.into(),
            "momentum" => *value = 0.8.into(),
            "initial_accumulator_value" => *value = 0.1.into(),
            "history_size" => *value = 3.into(),
            "t0" => *value = 3.0.into(),
            "maximize" => {}
            _ if value.is_boolean() => *value = true.into(),
            _ => {}
        }
    }
    let loaded = saved::load(&all).unwrap();
    vec![defaults, loaded]
}

fn fresh_process(test: &str, dir: &Path) {
    let done = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(FROM, dir)
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

fn folders(dir: &Path) -> Vec<PathBuf> {
    let mut all: Vec<_> = fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).collect();
    all.sort();
    all
}

#[test]
fn every_optimizer_goes_on_to_the_bit_in_a_fresh_process() {
    if let Some(dir) = std::env::var_os(FROM) {
        for folder in folders(Path::new(&dir)) {
            let mut run = Run::restore(&folder);
            let name = folder.file_name().unwrap().to_string_lossy().into_owned();
            let taken: u64 = name.rsplit('-').next().unwrap().parse().unwrap();
            run.steps(taken..STEPS);
            fs::write(folder.join("ended.json"), serde_json::to_vec(&run.bits()).unwrap()).unwrap();
        }
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut wanted = BTreeMap::new();
    let mut names = Vec::new();
    for (i, entry) in registry::of_kind::<dyn Optimizer>().enumerate() {
        names.push(entry.name);
        for (j, plug) in variants(entry).into_iter().enumerate() {
            for dtype in [DType::F32, DType::F64] {
                let seed = 1000 * i as u64 + 100 * j as u64;
                let mut whole = Run::new(plug.clone(), dtype, seed);
                for step in 0..STEPS {
                    if STOPS.contains(&step) {
                        whole.save(&dir.path().join(format!("{}-{j}-{dtype:?}-{step}", entry.name)));
                    }
                    whole.steps(step..step + 1);
                }
                for stop in STOPS {
                    wanted.insert(format!("{}-{j}-{dtype:?}-{stop}", entry.name), whole.bits());
                }
            }
        }
    }
    assert!(names.len() >= 14, "{names:?}");
    fresh_process("every_optimizer_goes_on_to_the_bit_in_a_fresh_process", dir.path());
    for (name, whole) in wanted {
        let ended = fs::read(dir.path().join(&name).join("ended.json")).unwrap();
        let ended: BTreeMap<String, Vec<u64>> = serde_json::from_slice(&ended).unwrap();
        let other: Vec<_> = whole.keys().chain(ended.keys()).filter(|key| whole.get(*key) != ended.get(*key)).collect();
        assert!(other.is_empty(), "{name} ends with another {other:?}");
    }
}
