//! Optimizers that break a law.

use crate::hidden;
use pleach_core::kinds::optimizer::{Again, Memory};
use pleach_core::*;

pub const BREAKS: &[(&str, &[&str])] = &[
    ("Secretive", &["slots are saved", "share one memory"]),
    ("Quotient", &["keep weights finite"]),
    ("Tabular", &["without a dimension"]),
    ("Punctual", &["begin at a later step"]),
    ("Nosy", &["share one memory"]),
    ("Boastful", &["takes the scale", "moves averages"]),
];

/// Takes longer steps the more often it was called.
#[plugin(optimizer)]
struct Secretive {}

impl Optimizer for Secretive {
    fn lr(&self) -> f64 {
        0.1
    }
    fn update(&self, p: &Tensor, g: &Tensor, _: &mut ParamSlots, hyper: &Hyper) -> Result<Tensor> {
        Ok((p - (g * (hyper.lr * (1.0 + 1e-3 * hidden() as f64)))?)?)
    }
}

/// Divides by the gradient, and forgets the case of 0.
#[plugin(optimizer)]
struct Quotient {}

impl Optimizer for Quotient {
    fn lr(&self) -> f64 {
        0.1
    }
    fn update(&self, p: &Tensor, g: &Tensor, _: &mut ParamSlots, hyper: &Hyper) -> Result<Tensor> {
        Ok((p - ((g * hyper.lr)? / g.abs()?)?)?)
    }
}

/// Takes the mean of a column from each gradient, and forgets that there are numbers without columns.
#[plugin(optimizer)]
struct Tabular {}

impl Optimizer for Tabular {
    fn lr(&self) -> f64 {
        0.1
    }
    fn update(&self, p: &Tensor, g: &Tensor, _: &mut ParamSlots, hyper: &Hyper) -> Result<Tensor> {
        Ok((p - (g.broadcast_sub(&(g.mean_keepdim(0)? * 0.5)?)? * hyper.lr)?)?)
    }
}

/// Takes a step as long as the first gradients of all parameters were, and asks for them at the first step alone.
#[plugin(optimizer)]
struct Punctual {}

impl Optimizer for Punctual {
    fn lr(&self) -> f64 {
        0.1
    }
    fn update(&self, p: &Tensor, _: &Tensor, slots: &mut ParamSlots, hyper: &Hyper) -> Result<Tensor> {
        Ok((p - (slots.zeros("first", p)? * hyper.lr)?)?)
    }
    fn step(&self, group: &StepGroup<'_>, memory: &mut Memory, _: Option<&mut Again<'_>>) -> Result<()> {
        let t = memory.0.entry(group.key.to_owned()).or_default().count("step");
        for (name, weight, grad) in &group.params {
            let slots = memory.0.entry((*name).to_owned()).or_default();
            if t == 1.0 {
                slots.keep("first", grad.clone());
            }
            weight.set(&self.update(&weight.var().as_detached_tensor(), grad, slots, &group.hyper)?)?;
        }
        Ok(())
    }
}

/// Says that it multiplies gradients and moves averages, and does neither.
#[plugin(optimizer)]
struct Boastful {}

impl Optimizer for Boastful {
    fn lr(&self) -> f64 {
        0.1
    }
    fn takes_scale(&self) -> bool {
        true
    }
    fn moves_averages(&self) -> bool {
        true
    }
    fn update(&self, p: &Tensor, g: &Tensor, _: &mut ParamSlots, hyper: &Hyper) -> Result<Tensor> {
        Ok((p - (g * hyper.lr)?)?)
    }
}

/// Takes shorter steps the more it has taken, and counts those of all groups together.
#[plugin(optimizer)]
struct Nosy {}

impl Optimizer for Nosy {
    fn lr(&self) -> f64 {
        0.1
    }
    fn update(&self, p: &Tensor, g: &Tensor, slots: &mut ParamSlots, hyper: &Hyper) -> Result<Tensor> {
        Ok((p - (g * (hyper.lr / slots.count("step")))?)?)
    }
    fn step(&self, group: &StepGroup<'_>, memory: &mut Memory, _: Option<&mut Again<'_>>) -> Result<()> {
        for (_, weight, grad) in &group.params {
            let slots = memory.0.entry("all".to_owned()).or_default();
            weight.set(&self.update(&weight.var().as_detached_tensor(), grad, slots, &group.hyper)?)?;
        }
        Ok(())
    }
}
