//! The replay of an optimizer: a few parameters go step by step where the reference's went.

use crate::deviation::{Deviation, Tolerance};
use crate::keys::{self, Keys, misfit};
use crate::objective::Objective;
use crate::read::plugin;
use pleach_core::kinds::optimizer::{Again, Memory};
use pleach_core::params::{Init, Weight};
use pleach_core::{DType, Device, Error, Hyper, Named, Optimizer, Params, Plug, Result, StepGroup, Tensor};
use serde_json::Value as Json;

/// A case, read.
pub(crate) struct Trajectory {
    pub plug: Plug<dyn Optimizer>,
    dtype: DType,
    shapes: Vec<Vec<usize>>,
    init: Vec<Vec<f64>>,
    source: Gradients,
    params: Vec<Vec<Vec<f64>>>,
    evaluated: Option<Vec<Vec<Vec<f64>>>>,
}

enum Gradients {
    /// By step and parameter; none where a parameter has no gradient at a step.
    Given(Vec<Vec<Option<Vec<f64>>>>),
    Of(Objective),
}

impl Trajectory {
    pub fn read(name: &str, kwargs: Json, mut keys: Keys) -> Result<Self> {
        let dtype = keys.dtype()?;
        let shapes: Vec<_> = keys.list("shapes")?.iter().map(|s| keys::shape("shapes", s)).collect::<Result<_>>()?;
        let init = tensors("init", keys.want("init")?, &shapes)?;
        let source = match (keys.maybe("grads"), keys.maybe("objective")) {
            (Some(grads), None) => Gradients::Given(gradients(grads, &shapes)?),
            (None, Some(objective)) => Gradients::Of(Objective::read(objective)?),
            _ => return Err(Error::new("PL0362", "an optimizer's case has either `grads` or an `objective`")),
        };
        let params = steps("params", keys.want("params")?, &shapes)?;
        let evaluated = keys.maybe("evaluated").map(|p| steps("evaluated", p, &shapes)).transpose()?;
        keys.end()?;
        let given = if let Gradients::Given(grads) = &source { grads.len() } else { params.len() };
        let shipped = evaluated.as_ref().map_or(params.len(), Vec::len);
        if (given, shipped) != (params.len(), params.len()) {
            let message = format!("{} steps of `params`, {given} of `grads`, {shipped} of `evaluated`", params.len());
            return Err(misfit(message));
        }
        Ok(Self { plug: plugin(name, kwargs)?, dtype, shapes, init, source, params, evaluated })
    }

    pub fn run(&self) -> Result<Deviation> {
        let tolerance = if self.dtype == DType::F64 { Tolerance::Double } else { Tolerance::Single };
        let mut deviation = Deviation::none(tolerance);
        let params = self.start()?;
        let weights: Vec<(&str, &Weight)> = params.iter().collect();
        let mut memory = Memory::default();
        let hyper = Hyper { lr: self.plug.lr(), momentum: self.plug.momentum() };
        for (i, after) in self.params.iter().enumerate() {
            self.step(i, &weights, hyper, &mut memory)?;
            for ((name, weight), reference) in weights.iter().zip(after) {
                let now = weight.var().as_detached_tensor();
                deviation.see_all("params", &numbers(&now)?, reference)?;
                if let Some(reference) = self.evaluated(i, name) {
                    let slots = memory.0.get(*name).cloned().unwrap_or_default();
                    let shipped = self.plug.eval_weight(&now, &slots, &hyper)?.unwrap_or(now);
                    deviation.see_all("evaluated", &numbers(&shipped)?, reference)?;
                }
            }
        }
        Ok(deviation)
    }

    fn evaluated(&self, step: usize, name: &str) -> Option<&[f64]> {
        let of_step = self.evaluated.as_ref()?.get(step)?;
        let at = (0..of_step.len()).find(|at| called(*at) == name)?;
        of_step.get(at).map(Vec::as_slice)
    }

    fn start(&self) -> Result<Params> {
        let mut params = Params::new(0, self.dtype, &Device::Cpu);
        for (at, (shape, init)) in self.shapes.iter().zip(&self.init).enumerate() {
            if let Some(why) = self.plug.refuses(shape) {
                return Err(Error::new(
                    "PL0362",
                    format!("{} takes no parameter of shape {shape:?}: {why}", self.plug.name()),
                ));
            }
            let weight = params.root().param(&called(at), shape.as_slice(), Init::Const(0.0))?;
            weight.set(&tensor(init, weight.var())?)?;
        }
        Ok(params)
    }

    fn step(&self, i: usize, weights: &[(&str, &Weight)], hyper: Hyper, memory: &mut Memory) -> Result<()> {
        let evaluate = |objective: &Objective| {
            let mut x = Vec::new();
            for (_, weight) in weights {
                x.extend(numbers(weight.var())?);
            }
            let (loss, grad) = objective.evaluate(&x);
            let mut named = Named::new();
            let mut rest = grad.as_slice();
            for (name, weight) in weights {
                let (own, after) = rest.split_at_checked(weight.var().elem_count()).unwrap_or((rest, &[]));
                named.insert(*name, tensor(own, weight.var())?);
                rest = after;
            }
            Ok((loss, named))
        };
        let grads = match &self.source {
            Gradients::Of(objective) => evaluate(objective)?.1,
            Gradients::Given(grads) => {
                let own = weights.iter().zip(grads.get(i).into_iter().flatten());
                let own = own.filter_map(|(weight, grad)| Some((weight, grad.as_ref()?)));
                own.map(|((name, weight), grad)| Ok((*name, tensor(grad, weight.var())?))).collect::<Result<_>>()?
            }
        };
        let params = weights.iter().filter_map(|(name, weight)| Some((*name, *weight, grads.get(name)?.clone())));
        let group =
            StepGroup { key: "group:0", params: params.collect(), hyper, others: &[], scale: 1.0, follow: None };
        match &self.source {
            Gradients::Given(_) => self.plug.step(&group, memory, None),
            Gradients::Of(objective) => {
                let again: &mut Again<'_> = &mut || evaluate(objective);
                self.plug.step(&group, memory, Some(again))
            }
        }
    }
}

/// Names in whose order the parameters stand as in the file.
fn called(at: usize) -> String {
    format!("parameter{at:08}")
}

fn tensor(values: &[f64], like: &Tensor) -> Result<Tensor> {
    Ok(Tensor::from_slice(values, like.shape(), like.device())?.to_dtype(like.dtype())?)
}

fn numbers(tensor: &Tensor) -> Result<Vec<f64>> {
    Ok(tensor.detach().to_dtype(DType::F64)?.flatten_all()?.to_vec1()?)
}

/// The numbers of all parameters at one step; null is none.
fn tensors_or_none(what: &str, json: Json, shapes: &[Vec<usize>]) -> Result<Vec<Option<Vec<f64>>>> {
    let all = keys::list(what, json)?;
    if all.len() != shapes.len() {
        return Err(misfit(format!("`{what}` has {} tensors for {} `shapes`", all.len(), shapes.len())));
    }
    let read = |(json, shape): (&Json, &Vec<usize>)| {
        if json.is_null() {
            return Ok(None);
        }
        let numbers = keys::numbers(what, json)?;
        keys::fits(what, numbers.len(), shape)?;
        Ok(Some(numbers))
    };
    all.iter().zip(shapes).map(read).collect()
}

fn tensors(what: &str, json: Json, shapes: &[Vec<usize>]) -> Result<Vec<Vec<f64>>> {
    let all = tensors_or_none(what, json, shapes)?;
    all.into_iter().map(|numbers| numbers.ok_or_else(|| keys::wrong(what, "numbers, and never null"))).collect()
}

fn steps(what: &str, json: Json, shapes: &[Vec<usize>]) -> Result<Vec<Vec<Vec<f64>>>> {
    keys::list(what, json)?.into_iter().map(|step| tensors(what, step, shapes)).collect()
}

fn gradients(json: Json, shapes: &[Vec<usize>]) -> Result<Vec<Vec<Option<Vec<f64>>>>> {
    keys::list("grads", json)?.into_iter().map(|step| tensors_or_none("grads", step, shapes)).collect()
}
