//! Laws of optimizers.

use super::{Bench, Law, fresh};
use crate::fault::{Check, Fault, ensure};
use pleach_core::kinds::optimizer::Memory;
use pleach_core::params::{Init, Params};
use pleach_core::{DType, Device, Follow, Hyper, Named, Optimizer, Plug, Result, StepGroup, Tensor, follow};
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

/// All shapes.
pub const SHAPES: Law = Law {
    name: "a parameter of one number without a dimension is stepped like any other, and one without numbers does no harm",
    why: "a temperature or a scale is a parameter of a net as well, and a head for no classes has an empty weight",
    write: "steps that ask a parameter for none of its sizes, and no mean over nothing",
};

/// Gradients may begin late.
pub const LATE: Law = Law {
    name: "a parameter whose gradients begin at a later step stays until then, and is stepped from then on",
    why: "heads that join after a warm-up, and features that thaw, have no slots when their first gradient comes",
    write: "slots of each parameter that begin with its own first gradient, whatever the count of its group says",
};

/// Groups are apart.
pub const APART: Law = Law {
    name: "two groups that share one memory take the same steps as each of them alone",
    why: "groups have rates of their own, and one must not count or measure what happens in another",
    write: "what all parameters of a group share under `memory.0[group.key]`, and the rest under their names",
};

/// A factor of all gradients.
pub const SCALED: Law = Law {
    name: "an optimizer that takes the scale of its group steps as if the gradients had been multiplied",
    why: "clipping and the scale of a loss come as that factor, and a step without it is one without them",
    write: "`gradient * group.scale` in `step`, or `takes_scale` as it comes, false",
};

/// Averages of the weights.
pub const FOLLOWED: Law = Law {
    name: "an optimizer that moves averages takes the same steps, and they are where a pass of their own leaves them",
    why: "evaluation and exports use the averages, and core moves those alone that the optimizer left",
    write: "`follow(average, weight, share)` for each parameter after its update, or `moves_averages` as it comes, false",
};

const STEPS: usize = 6;

pub(super) fn laws(bench: &mut Bench, plug: &Plug<dyn Optimizer>) {
    bench.check(&USABLE, || usable(plug));
    bench.check(&RESUMES, || resumes(plug));
    bench.check(&SHAPES, || shapes(plug));
    bench.check(&SCALED, || scaled(plug));
    bench.check(&FOLLOWED, || followed(plug));
    // What works on all parameters together knows them from the first step on, and there are no groups of it.
    if !plug.one_group() {
        bench.check(&LATE, || late(plug));
        bench.check(&APART, || apart(plug));
    }
}

/// Parameters of those shapes that it trains.
fn shaped(plug: &Plug<dyn Optimizer>, dtype: DType, shapes: &[(&str, &[usize])]) -> Check<Params> {
    let mut params = Params::new(5, dtype, &Device::Cpu);
    let mut root = params.root();
    for (name, shape) in shapes {
        if plug.refuses(shape).is_none() {
            let init = if shape.len() > 1 { Init::Normal(0.0, 1.0) } else { Init::Uniform(0.5) };
            root.param(name, *shape, init)?;
        }
    }
    Ok(params)
}

/// A vector and a matrix, as far as it trains them.
fn params(plug: &Plug<dyn Optimizer>, dtype: DType) -> Check<Params> {
    shaped(plug, dtype, &[("bias", &[5]), ("layer.weight", &[3, 4])])
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
    step_some(plug, params, memory, scale, ("group:0", &|_| true))
}

/// One step of the group of this key, which has the parameters of certain names.
fn step_some(
    plug: &Plug<dyn Optimizer>,
    params: &Params,
    memory: &mut Memory,
    scale: f64,
    (key, of): (&str, &dyn Fn(&str) -> bool),
) -> Check {
    let (_, grads) = bowl(params, scale)?;
    let list = params.trainable().filter(|(name, _)| of(name));
    let list = list.map(|(name, weight)| Ok((name, weight, grads.want(name)?.clone())));
    let hyper = Hyper { lr: plug.lr(), momentum: plug.momentum() };
    let group = StepGroup { key, params: list.collect::<Result<_>>()?, hyper, others: &[], scale: 1.0, follow: None };
    plug.step(&group, memory, Some(&mut || bowl(params, scale)))?;
    Ok(())
}

/// One step in which the optimizer multiplies gradients and moves averages itself.
fn step_at_once(
    plug: &Plug<dyn Optimizer>,
    params: &Params,
    memory: &mut Memory,
    scale: f64,
    follow: Option<Follow<'_>>,
) -> Check {
    let (_, grads) = bowl(params, 1.0)?;
    let list = params.trainable().map(|(name, weight)| Ok((name, weight, grads.want(name)?.clone())));
    let hyper = Hyper { lr: plug.lr(), momentum: plug.momentum() };
    let params = list.collect::<Result<_>>()?;
    plug.step(&StepGroup { key: "group:0", params, hyper, others: &[], scale, follow }, memory, None)?;
    Ok(())
}

fn scaled(plug: &Plug<dyn Optimizer>) -> Check {
    if !plug.takes_scale() {
        return Ok(());
    }
    for dtype in [DType::F32, DType::F64] {
        let (one, other) = (params(plug, dtype)?, params(plug, dtype)?);
        let (mut of_one, mut of_other) = (Memory::default(), Memory::default());
        for i in 0..STEPS {
            step(plug, &one, &mut of_one, 0.25)?;
            step_at_once(plug, &other, &mut of_other, 0.25, None)?;
            // A quarter is a power of two: both products are exact.
            ensure(values(&one)? == values(&other)?, || {
                format!("step {} with a scale of 0.25 in {dtype:?} is another", i + 1)
            })?;
        }
    }
    Ok(())
}

fn followed(plug: &Plug<dyn Optimizer>) -> Check {
    if !plug.moves_averages() {
        return Ok(());
    }
    for dtype in [DType::F32, DType::F64] {
        let (one, other) = (params(plug, dtype)?, params(plug, dtype)?);
        let (mut of_one, mut of_other) = (Memory::default(), Memory::default());
        let (apart, along) = (one.snapshot()?, other.snapshot()?);
        for i in 0..STEPS {
            let share = 1.0 / (2 + i) as f64;
            step(plug, &one, &mut of_one, 1.0)?;
            for (name, weight) in one.trainable() {
                if let Some(average) = apart.get(name) {
                    follow(average, &weight.var().as_detached_tensor(), share)?;
                }
            }
            step_at_once(plug, &other, &mut of_other, 1.0, Follow::new(share, &along))?;
            let place = |what: &str| format!("after step {} in {dtype:?} the {what} are others", i + 1);
            ensure(values(&one)? == values(&other)?, || place("weights"))?;
            ensure(flat(apart.clone())? == flat(along.clone())?, || place("averages"))?;
        }
    }
    Ok(())
}

fn values(params: &Params) -> Check<BTreeMap<String, Vec<f64>>> {
    flat(params.snapshot()?)
}

fn flat(all: BTreeMap<String, Tensor>) -> Check<BTreeMap<String, Vec<f64>>> {
    let flat = |t: Tensor| t.to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>();
    all.into_iter().map(|(name, t)| Ok((name, flat(t)?))).collect()
}

fn usable(plug: &Plug<dyn Optimizer>) -> Check {
    ensure(plug.lr().is_finite() && plug.lr() >= 0.0, || format!("the learning rate is {}", plug.lr()))?;
    for (dtype, scale) in [(DType::F32, 1.0), (DType::F64, 1.0), (DType::F32, 0.0)] {
        let params = params(plug, dtype)?;
        let before = values(&params)?;
        let mut memory = Memory::default();
        for i in 0..STEPS {
            step(plug, &params, &mut memory, scale)?;
            ensure(finite(&values(&params)?), || {
                format!("after step {} with gradients times {scale} weights are not finite", i + 1)
            })?;
        }
        let still: Vec<_> = values(&params)?.into_iter().filter(|(n, v)| before.get(n) == Some(v)).collect();
        ensure(scale == 0.0 || plug.lr() == 0.0 || still.is_empty(), || {
            let names: Vec<_> = still.iter().map(|(n, _)| n.as_str()).collect();
            format!("{STEPS} steps leave `{}` as it was in {dtype:?}", names.join("`, `"))
        })?;
    }
    Ok(())
}

fn finite(values: &BTreeMap<String, Vec<f64>>) -> bool {
    values.values().flatten().all(|x| x.is_finite())
}

fn shapes(plug: &Plug<dyn Optimizer>) -> Check {
    for dtype in [DType::F32, DType::F64] {
        let params = shaped(plug, dtype, &[("empty", &[0]), ("layer.weight", &[3, 4]), ("scale", &[])])?;
        let before = values(&params)?;
        let mut memory = Memory::default();
        for i in 0..STEPS {
            step(plug, &params, &mut memory, 1.0)?;
            ensure(finite(&values(&params)?), || format!("after step {} weights are not finite", i + 1))?;
        }
        let after = values(&params)?;
        let moved = |name: &str| before.get(name).is_none_or(|b| after.get(name) != Some(b));
        ensure(plug.lr() == 0.0 || (moved("scale") && moved("layer.weight")), || {
            format!("{STEPS} steps beside a parameter of one number and an empty one leave weights as they were")
        })?;
    }
    Ok(())
}

fn late(plug: &Plug<dyn Optimizer>) -> Check {
    let params = shaped(plug, DType::F32, &[("bias", &[5]), ("layer.weight", &[3, 4]), ("new.weight", &[2, 3])])?;
    let Some((joins, _)) = params.iter().last() else { return Ok(()) };
    let value = || -> Check<Option<Vec<f64>>> { Ok(values(&params)?.remove(joins)) };
    let (before, mut memory) = (value()?, Memory::default());
    for i in 0..STEPS {
        step_some(plug, &params, &mut memory, 1.0, ("group:0", &|name| i >= STEPS / 2 || name != joins))?;
        ensure(finite(&values(&params)?), || format!("after step {} weights are not finite", i + 1))?;
        ensure((value()? == before) == (i < STEPS / 2 || plug.lr() == 0.0), || {
            let what = if i < STEPS / 2 { "has moved" } else { "has not moved" };
            format!("the gradients of `{joins}` begin at step {}, and after step {} it {what}", STEPS / 2 + 1, i + 1)
        })?;
    }
    Ok(())
}

fn apart(plug: &Plug<dyn Optimizer>) -> Check {
    let all: [(&str, &[usize]); 4] = [("a.bias", &[5]), ("a.weight", &[3, 4]), ("b.bias", &[2]), ("b.weight", &[2, 3])];
    let groups = [("group:0", "a.", 1.0), ("group:0:no_decay", "b.", 30.0)];
    let (together, mut memory) = (shaped(plug, DType::F32, &all)?, Memory::default());
    let alone = shaped(plug, DType::F32, &all)?;
    let mut memories = [Memory::default(), Memory::default()];
    for i in 0..STEPS {
        for ((key, prefix, scale), own) in groups.iter().zip(&mut memories) {
            let of = |name: &str| name.starts_with(prefix);
            step_some(plug, &together, &mut memory, *scale, (key, &of))?;
            step_some(plug, &alone, own, *scale, (key, &of))?;
        }
        ensure(values(&together)? == values(&alone)?, || {
            format!("after step {} of two groups, weights are others than after the same steps of each alone", i + 1)
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
        let whole = params(plug, dtype)?;
        let mut memory = Memory::default();
        let mut snapshots = vec![(whole.snapshot()?, reloaded(&memory)?)];
        for i in 0..STEPS {
            step(plug, &whole, &mut memory, 1.0 + i as f64)?;
            snapshots.push((whole.snapshot()?, reloaded(&memory)?));
        }
        for (stop, (weights, slots)) in snapshots.into_iter().enumerate() {
            let (again, resumed) = (fresh(plug)?, params(plug, dtype)?);
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
