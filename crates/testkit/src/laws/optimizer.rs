//! Laws of optimizers.

use super::{Bench, Law, fresh};
use crate::fault::{Check, Fault, ensure};
use pleach_core::kinds::optimizer::Memory;
use pleach_core::params::{Init, Params};
use pleach_core::{DType, Device, Hyper, Named, Optimizer, Plug, Result, StepGroup, Tensor};
use std::collections::BTreeMap;

/// Resume is exact.
pub const RESUMES: Law = Law {
    name: "an optimizer whose slots are saved after any step and restored into a fresh object goes on to the bit",
    why: "a resumed run must take the same steps as one that was never stopped",
    write: "everything that changes into `ParamSlots`, tensors by `keep` and numbers by name",
};

/// Steps can be used.
pub const USABLE: Law = Law {
    name: "steps keep weights finite, also where all gradients are 0, and move them where gradients are not",
    why: "a weight of NaN ends the run; frozen features and dead units have gradients of 0 every day",
    write: "an `eps` in each denominator, and the new value as the result of `update`",
};

const STEPS: usize = 6;

pub(super) fn laws(bench: &mut Bench, plug: &Plug<dyn Optimizer>) {
    bench.check(&USABLE, || usable(plug));
    bench.check(&RESUMES, || resumes(plug));
}

fn params(dtype: DType) -> Check<Params> {
    let mut params = Params::new(5, dtype, &Device::Cpu);
    let mut root = params.root();
    root.param("bias", 5, Init::Uniform(0.5))?;
    root.at("layer").param("weight", (3, 4), Init::Normal(0.0, 1.0))?;
    Ok(params)
}

/// A bowl: the loss is `scale (w - 1)^2 / 2`, the gradient `scale (w - 1)`.
fn bowl(params: &Params, scale: f64) -> Result<(f64, Named<Tensor>)> {
    let (mut loss, mut grads) = (0.0, Named::new());
    for (name, weight) in params.trainable() {
        let away = (weight.var().as_detached_tensor() - 1.0)?;
        let squares = away.sqr()?.sum_all()?.to_dtype(DType::F64)?.to_scalar::<f64>()?;
        loss += 0.5 * scale * squares;
        grads.insert(name, (away * scale)?);
    }
    Ok((loss, grads))
}

fn step(plug: &Plug<dyn Optimizer>, params: &Params, memory: &mut Memory, scale: f64) -> Check {
    let (_, grads) = bowl(params, scale)?;
    let list = params.trainable().map(|(name, weight)| Ok((name, weight, grads.want(name)?.clone())));
    let hyper = Hyper { lr: plug.lr(), momentum: plug.momentum() };
    let group = StepGroup { key: "group:0", params: list.collect::<Result<_>>()?, hyper };
    plug.step(&group, memory, Some(&mut || bowl(params, scale)))?;
    Ok(())
}

fn values(params: &Params) -> Check<BTreeMap<String, Vec<f64>>> {
    let flat = |t: Tensor| t.to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>();
    params.snapshot()?.into_iter().map(|(name, t)| Ok((name, flat(t)?))).collect()
}

fn usable(plug: &Plug<dyn Optimizer>) -> Check {
    ensure(plug.lr().is_finite() && plug.lr() >= 0.0, || format!("the learning rate is {}", plug.lr()))?;
    for (dtype, scale) in [(DType::F32, 1.0), (DType::F64, 1.0), (DType::F32, 0.0)] {
        let params = params(dtype)?;
        let before = values(&params)?;
        let mut memory = Memory::default();
        for i in 0..STEPS {
            step(plug, &params, &mut memory, scale)?;
            let finite = values(&params)?.values().flatten().all(|x| x.is_finite());
            ensure(finite, || format!("after step {} with gradients times {scale} weights are not finite", i + 1))?;
        }
        let still: Vec<_> = values(&params)?.into_iter().filter(|(n, v)| before.get(n) == Some(v)).collect();
        ensure(scale == 0.0 || plug.lr() == 0.0 || still.is_empty(), || {
            let names: Vec<_> = still.iter().map(|(n, _)| n.as_str()).collect();
            format!("{STEPS} steps leave `{}` as it was in {dtype:?}", names.join("`, `"))
        })?;
    }
    Ok(())
}

/// Slots as a checkpoint brings them back: the same numbers in new memory.
fn reloaded(memory: &Memory) -> Check<Memory> {
    let mut new = memory.clone();
    for (name, slots) in &mut new.0 {
        for (slot, tensor) in &mut slots.tensors {
            if tensor.track_op() {
                return Err(Fault(format!("`{name}/{slot}` holds a graph, which grows with every step")));
            }
            *tensor = tensor.copy()?;
        }
    }
    Ok(new)
}

fn resumes(plug: &Plug<dyn Optimizer>) -> Check {
    for dtype in [DType::F32, DType::F64] {
        let whole = params(dtype)?;
        let mut memory = Memory::default();
        let mut snapshots = vec![(whole.snapshot()?, reloaded(&memory)?)];
        for i in 0..STEPS {
            step(plug, &whole, &mut memory, 1.0 + i as f64)?;
            snapshots.push((whole.snapshot()?, reloaded(&memory)?));
        }
        for (stop, (weights, slots)) in snapshots.into_iter().enumerate() {
            let (again, resumed) = (fresh(plug)?, params(dtype)?);
            for (name, weight) in resumed.iter() {
                if let Some(value) = weights.get(name) {
                    weight.set(value)?;
                }
            }
            let mut memory = slots;
            for i in stop..STEPS {
                step(&again, &resumed, &mut memory, 1.0 + i as f64)?;
            }
            let bits =
                |p: &Params| -> Check<Vec<u64>> { Ok(values(p)?.values().flatten().map(|x| x.to_bits()).collect()) };
            ensure(bits(&whole)? == bits(&resumed)?, || {
                format!("restored after {stop} of {STEPS} steps, it ends with other weights in {dtype:?}")
            })?;
        }
    }
    Ok(())
}
